/**
 * The sending side of a client's connection: keeps frames whole and in order, lets other frames pass between the chunks of a long
 * message (RFC 4975 §7.1.1), and makes senders wait while the connection is busy. On WebSocket, a frame is handed over whole,
 * because each is one message (RFC 7977 §5.1).
 */
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Semaphore from "effect/Semaphore"
import { Buffer } from "../platform/Node.ts"
import type { Connection } from "../Transport.ts"
import type { ClientError } from "./ClientError.ts"

/** Octets that a sender hands over at a time. Between two pieces, it waits for room, and a chunk can end to let others pass. */
export const PIECE = 65_536
/** Octets collected before they are handed to the connection. */
const BATCH = 65_536
/** Octets that may wait for the operating system before senders have to wait. */
const HIGH_WATER = 262_144
/** Octets of responses and REPORTs that may wait for a peer that does not read. Beyond it, the connection is closed. */
const MAX_WAITING = 16_777_216

export class Wire {
  readonly #connection: Connection
  readonly #defer: (task: () => void) => void
  #batch: Array<Uint8Array> = []
  #batchLength = 0
  /** On WebSocket only: offsets in the batch at which frames end. */
  #ends: Array<number> | undefined
  #flushing = false
  /** Octets handed to the connection that the operating system has not accepted yet. */
  #unwritten = 0
  /** Frames that were posted while a chunk is open. */
  #behind: Array<Uint8Array> = []
  #behindLength = 0
  #open = false
  #waiting = 0
  #gone: ClientError | undefined
  readonly #turn = Semaphore.makeUnsafe(1)
  readonly #room = Latch.makeUnsafe(true)
  readonly #wanted = Latch.makeUnsafe(false)

  constructor(connection: Connection, defer: (task: () => void) => void) {
    this.#connection = connection
    this.#defer = defer
    if (connection.messages !== undefined) this.#ends = []
  }

  /** Whether the octets of an open chunk leave only when it ends. */
  get holdsChunks(): boolean {
    return this.#ends !== undefined
  }

  /** Whether others want to send: an open chunk should end if it can. */
  get crowded(): boolean {
    return this.#behind.length > 0 || this.#waiting > 0
  }

  /** Completes when `crowded` is true. */
  readonly wanted: Effect.Effect<void> = this.#wanted.await

  /** Completes when the connection accepts more octets. Fails when it has ended. */
  readonly room: Effect.Effect<void, ClientError> = Effect.suspend(() => {
    if (this.#gone !== undefined) return Effect.fail(this.#gone)
    return this.hasRoom ? Effect.void : Effect.andThen(this.#room.await, this.room)
  })

  get hasRoom(): boolean {
    return this.#gone === undefined && this.#unwritten < HIGH_WATER
  }

  /** Runs `body`, which writes one chunk with `put`, when no other chunk is open. */
  chunk<A, E, R>(body: Effect.Effect<A, E, R>): Effect.Effect<A, E | ClientError, R> {
    const opened = Effect.ensuring(
      Effect.andThen(Effect.sync(() => void (this.#open = true)), body),
      Effect.sync(() => this.#end())
    )
    return Effect.suspend(() => {
      let waits = false
      const wait = (on: boolean) =>
        Effect.sync(() => {
          this.#waiting += Number(on) - Number(waits)
          waits = on
          this.#want()
        })
      const turn = this.#turn.withPermit(Effect.andThen(wait(false), Effect.andThen(this.room, opened)))
      // In one effect: after an interruption between the two, this sender would count as waiting for ever.
      return Effect.ensuring(Effect.andThen(wait(true), turn), wait(false))
    })
  }

  /**
   * Sends octets of whole frames. If it is interrupted after some of them, the rest is sent too: the frames of others would be read
   * as the rest.
   */
  octets(octets: Uint8Array): Effect.Effect<void, ClientError> {
    return Effect.suspend(() => {
      let at = 0
      const put = (to: number): void => {
        const from = at
        at = Math.min(to, octets.length)
        if (at > from) this.put(octets.subarray(from, at))
      }
      const pieces = Effect.gen({ self: this }, function*() {
        while (at < octets.length) {
          yield* this.room
          put(at + PIECE)
        }
      })
      return this.chunk(Effect.onInterrupt(pieces, () => Effect.sync(() => at > 0 && put(Infinity))))
    })
  }

  /** Sends a whole frame without waiting, after the open chunk if there is one. */
  post(frame: Uint8Array): void {
    if (this.#gone !== undefined) return
    if (!this.#open) {
      this.#whole(frame)
      this.#flushSoon()
    } else {
      this.#behind.push(frame)
      this.#behindLength += frame.length
      this.#want()
    }
    if (this.#unwritten + this.#behindLength + this.#batchLength > MAX_WAITING) this.#connection.destroy()
  }

  /** Adds octets to the open chunk. They must not be changed until the chunk is closed or `flush` is called. */
  put(octets: Uint8Array): void {
    this.#batch.push(octets)
    this.#batchLength += octets.length
    if (this.#batchLength >= BATCH) this.flush()
  }

  /** Hands the collected octets to the connection; on WebSocket, only when no chunk is open. */
  flush(): void {
    if (this.#open && this.#ends !== undefined) return
    const octets = this.#batch
    const length = this.#batchLength
    const ends = this.#ends
    this.#batch = []
    this.#batchLength = 0
    if (ends !== undefined) this.#ends = []
    if (this.#gone !== undefined || length === 0) return
    this.#unwritten += length
    if (this.#unwritten >= HIGH_WATER) this.#room.closeUnsafe()
    const written = (): void => {
      this.#unwritten -= length
      if (this.#unwritten < HIGH_WATER / 2) this.#room.openUnsafe()
    }
    this.#connection.write(Buffer.concat(octets, length), written, ends)
  }

  /** The connection has ended. All that waits fails with `error`. */
  close(error: ClientError): void {
    this.#gone = error
    this.#batch = []
    this.#behind = []
    this.#room.openUnsafe()
    this.#want()
  }

  /** Adds a whole frame. */
  #whole(octets: Uint8Array): void {
    this.#batch.push(octets)
    this.#batchLength += octets.length
    this.#ends?.push(this.#batchLength)
    if (this.#batchLength >= BATCH) this.flush()
  }

  #end(): void {
    this.#open = false
    if (this.#batchLength > (this.#ends?.at(-1) ?? 0)) this.#ends?.push(this.#batchLength)
    const behind = this.#behind
    this.#behind = []
    this.#behindLength = 0
    for (const frame of behind) this.#whole(frame)
    this.#want()
    this.flush()
  }

  #want(): void {
    if (this.crowded) this.#wanted.openUnsafe()
    else this.#wanted.closeUnsafe()
  }

  #flushSoon(): void {
    if (this.#flushing) return
    this.#flushing = true
    this.#defer(() => {
      this.#flushing = false
      this.flush()
    })
  }
}
