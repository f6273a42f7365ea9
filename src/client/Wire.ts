/**
 * The sending side of a client's connection: keeps frames whole and in order, lets others in between the chunks of a
 * long message (RFC 4975 §7.1.1), and makes senders wait when the connection does not take more. Where messages are
 * carried, a frame is handed over whole, since it is one of them (RFC 7977 §5.1).
 */
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Semaphore from "effect/Semaphore"
import { Buffer } from "../platform/Node.ts"
import type { Connection } from "../Transport.ts"
import type { ClientError } from "./ClientError.ts"

/** Octets that a sender hands over at a time. It waits for room between two pieces, and a chunk can be cut there for others. */
export const PIECE = 65_536
/** Octets collected before they are handed to the connection. */
const BATCH = 65_536
/** Octets that wait for the operating system before senders are held up. */
const HIGH_WATER = 262_144
/** Octets of responses and REPORTs that wait for a peer which does not read. Beyond it the peer is given up. */
const MAX_WAITING = 16_777_216

export class Wire {
  readonly #connection: Connection
  readonly #defer: (task: () => void) => void
  #batch: Array<Uint8Array> = []
  #batchLength = 0
  /** Where messages are carried: offsets in the batch behind the last octets of frames. */
  #ends: Array<number> | undefined
  #flushing = false
  /** Octets handed to the connection that the operating system has not taken. */
  #unwritten = 0
  /** Frames that came while a chunk was open. */
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

  /** Others want to send: a chunk that may be cut should end now. */
  get crowded(): boolean {
    return this.#behind.length > 0 || this.#waiting > 0
  }

  /** Completes when `crowded` is true. */
  readonly wanted: Effect.Effect<void> = this.#wanted.await

  /** Completes when the connection takes more; fails when it is gone. */
  readonly room: Effect.Effect<void, ClientError> = Effect.suspend(() => {
    if (this.#gone !== undefined) return Effect.fail(this.#gone)
    return this.hasRoom ? Effect.void : Effect.andThen(this.#room.await, this.room)
  })

  get hasRoom(): boolean {
    return this.#gone === undefined && this.#unwritten < HIGH_WATER
  }

  /** Runs a sender's chunk when no other one is open. The chunk's octets go through `put`. */
  chunk<A, E, R>(body: Effect.Effect<A, E, R>): Effect.Effect<A, E | ClientError, R> {
    const opened = Effect.ensuring(
      Effect.andThen(Effect.sync(() => this.#begin()), body),
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
      // In one: who is interrupted between the two would be waited for as long as there is the connection.
      return Effect.ensuring(Effect.andThen(wait(true), turn), wait(false))
    })
  }

  /** Octets as they are, of whole frames. What has begun is ended when it is given up: what others send would be taken for the rest. */
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

  /** A whole frame, without waiting: behind the open chunk, if there is one. */
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

  /** Octets of the open chunk. They must stay unchanged until the chunk is closed or `flush` was called. */
  put(octets: Uint8Array): void {
    this.#batch.push(octets)
    this.#batchLength += octets.length
    if (this.#batchLength >= BATCH) this.flush()
  }

  /** Hands over what there is; where messages are carried, not before the open chunk has ended. */
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

  /** The connection is gone: whoever waits fails with `error`. */
  close(error: ClientError): void {
    this.#gone = error
    this.#batch = []
    this.#behind = []
    this.#room.openUnsafe()
    this.#want()
  }

  #begin(): void {
    this.#open = true
  }

  /** A whole frame, or the last octets of one. */
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
