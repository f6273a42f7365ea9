/** A message that is sent in chunks (RFC 4975 §5.1, §7.1.1), with a window of chunks that have no response yet. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import { monotonicMillis } from "../clock/Monotonic.ts"
import type { Codec } from "../Codec.ts"
import { Buffer } from "../platform/Node.ts"
import type { HeaderLines } from "../protocol/Encoder.ts"
import { INTERRUPTIBLE_ABOVE } from "../protocol/FrameLimits.ts"
import type { FailureReport, Flag } from "../protocol/Head.ts"
import { transactionId } from "../protocol/Ident.ts"
import { ClientError } from "./ClientError.ts"
import type { Deliveries } from "./Deliveries.ts"
import { Responses } from "./Responses.ts"
import { fromOctets, fromStream, type Source } from "./Source.ts"
import type { Transactions } from "./Transactions.ts"
import { PIECE, type Wire } from "./Wire.ts"

const EMPTY = Buffer.alloc(0)

export interface OutgoingOptions<E, R> {
  /** Value of To-Path. */
  readonly toPath: string
  /** Value of From-Path. */
  readonly fromPath: string
  readonly messageId: string
  /** Absent: a SEND without a body (RFC 4975 §7.1). */
  readonly body: Uint8Array | Stream.Stream<Uint8Array, E, R> | undefined
  /** Octets of the body, if known. The message is given up if the body has more or fewer. */
  readonly size: number | undefined
  readonly contentType: string
  /** Written before Content-Type. */
  readonly headers: HeaderLines
  /** Position of the body in the message, from 1, and the length of the message. False: no Byte-Range. */
  readonly byteRange: { readonly start: number; readonly total: number | undefined } | false
  /** Absent: the header is not written, which means `yes` (RFC 4975 §7.1). */
  readonly failureReport: FailureReport | undefined
  readonly successReport: boolean
  /** Octets of body in one chunk; `Infinity` for one chunk. */
  readonly chunkSize: number
  /** Flag of the last chunk. */
  readonly flag: Flag
  /** Chunks that may wait for their responses at a time. */
  readonly window: number
  /** Milliseconds to wait for a chunk's response. */
  readonly timeout: number
  readonly progress: ((progress: Progress) => void) | undefined
}

/**
 * How much of a message was sent, in octets of body.
 *
 * @category models
 * @since 0.2.0
 */
export interface Progress {
  /** Handed to the connection. */
  readonly sent: number
  /** In chunks that the next hop has answered with 200. */
  readonly acknowledged: number
  /** Undefined while the length of a streamed body is not known. */
  readonly total: number | undefined
}

/** A message that was handed to the connection. */
export interface Handed {
  readonly messageId: string
  /** Octets of body. */
  readonly length: number
  readonly chunks: number
}

export interface OutgoingParts {
  readonly codec: Codec["Service"]
  readonly wire: Wire
  readonly transactions: Transactions
  readonly deliveries: Deliveries
}

const wrongSize = (size: number, found: string): ClientError =>
  new ClientError({ reason: "Size", message: `the body has ${found} than ${size} octets, its size` })

/**
 * Milliseconds for which a short chunk waits for more of its body. A relay passes on none of it before its end-line, so a stream
 * that pauses longer would keep from the receiver what it has given.
 */
const PAUSE = 100

/** Octets of the end-line beside the transaction id: seven hyphens, the flag and CRLF (RFC 4975 §7.1). */
const END_LINE = 10
/** With a body, a CRLF comes before the end-line. */
const BODY_END_LINE = 12

export class OutgoingMessage<E> {
  readonly #parts: OutgoingParts
  readonly #options: OutgoingOptions<unknown, unknown>
  readonly #failureReport: FailureReport
  /** Success-Report and Failure-Report, where they are written. */
  readonly #reports: Array<HeaderLines[number]> = []
  readonly #source: Source<E>
  readonly #responses: Responses
  #unwatch: (() => void) | undefined
  #progress: Progress | undefined
  /** Octets of body that were sent. */
  #sent = 0
  /** Octets of body in chunks that have their 200. */
  #acknowledged = 0
  #chunks = 0
  /** The next octets of the body; not empty. */
  #piece: Uint8Array | undefined
  /** Whether the end of the body is known to be reached. */
  #exhausted = false
  /** Flag of the last chunk that was sent. */
  #lastFlag: Flag | undefined

  constructor(parts: OutgoingParts, options: OutgoingOptions<unknown, unknown>, source: Source<E>) {
    this.#parts = parts
    this.#options = options
    const { failureReport, successReport } = options
    if (successReport) this.#reports.push(["Success-Report", "yes"])
    if (failureReport !== undefined) this.#reports.push(["Failure-Report", failureReport])
    this.#failureReport = failureReport ?? "yes"
    this.#source = source
    this.#responses = new Responses(parts.transactions, this.#failureReport === "yes", (octets) => {
      this.#acknowledged += octets
      this.#reportProgress()
    })
  }

  /** Begins to listen for failure REPORTs about the message. `close` ends that. */
  watch(): void {
    this.#unwatch = this.#parts.deliveries.watch(this.#options.messageId, this.#responses.fail)
  }

  close(): void {
    this.#unwatch?.()
    this.#responses.close()
  }

  /** Sends all chunks. */
  readonly send: Effect.Effect<Handed, ClientError | E> = Effect.gen({ self: this }, function*() {
    const chunks = Effect.gen({ self: this }, function*() {
      do {
        yield* this.#responses.atMost(this.#options.window - 1)
        if (this.#piece === undefined && !this.#exhausted) yield* this.#advance()
      } while ((yield* this.#parts.wire.chunk(this.#chunk)) === "+" && !this.#exhausted)
    })
    yield* Effect.onExit(chunks, (exit) => Exit.isSuccess(exit) ? Effect.void : Effect.sync(() => this.#giveUp()))
    if (this.#failureReport === "yes") yield* this.#responses.atMost(0)
    this.#reportProgress()
    return { messageId: this.#options.messageId, length: this.#sent, chunks: this.#chunks }
  })

  /** Sends one chunk, and gives its flag. */
  readonly #chunk = Effect.gen({ self: this }, function*() {
    const hasBody = this.#options.body !== undefined
    const id = transactionId()
    // A frame without octets, cut where its body belongs. The id is random and new, so no body contains its end-line.
    const frame = this.#request(id, this.#headers(this.#reports, this.#knownLength()), hasBody ? { body: EMPTY } : {})
    const cut = frame.length - (hasBody ? BODY_END_LINE : END_LINE) - id.length
    const endLine = frame.subarray(cut)
    const before = this.#sent
    let begun = false
    const begin = Effect.sync(() => {
      begun = true
      if (this.#failureReport !== "no") this.#responses.expect(id)
      this.#chunks++
      this.#parts.wire.put(frame.subarray(0, cut))
    })
    // In one effect: after an interruption between head and end-line, the frames of others would be read as the chunk's body.
    const flag = yield* Effect.onExit(Effect.andThen(begin, this.#octets), (exit) =>
      Effect.sync(() => {
        if (!begun) return
        this.#lastFlag = Exit.isSuccess(exit) ? exit.value : "#"
        endLine[endLine.length - 3] = this.#lastFlag.charCodeAt(0)
        this.#parts.wire.put(endLine)
      }))
    const due = monotonicMillis(yield* Clock.Clock) + this.#options.timeout
    this.#responses.written(id, due, this.#sent - before)
    return flag
  })

  /** Writes octets of the body until the chunk has to end, and gives its flag. */
  readonly #octets = Effect.gen({ self: this }, function*() {
    const responses = this.#responses
    const wire = this.#parts.wire
    const before = this.#sent
    let room = this.#options.chunkSize
    while (this.#piece !== undefined) {
      const octets: Uint8Array = this.#piece.subarray(0, Math.min(room, PIECE))
      wire.put(octets)
      this.#sent += octets.length
      room -= octets.length
      this.#reportProgress()
      this.#piece = octets.length === this.#piece.length ? undefined : this.#piece.subarray(octets.length)
      if (this.#piece === undefined) {
        if (!(yield* this.#isNextReady(this.#sent - before))) return "+"
        yield* this.#advance()
        if (this.#exhausted) break
      }
      if (responses.failure !== undefined) return yield* responses.failure
      if (room === 0 || wire.crowded) return "+"
      if (!wire.hasRoom) yield* Effect.raceFirst(wire.room, responses.failed)
    }
    return this.#options.flag
  })

  /** Whether the open chunk, of `length` octets, can go on with the next piece. Waits for one unless others want to send. */
  #isNextReady(length: number): Effect.Effect<boolean, ClientError> {
    const source = this.#source
    const wire = this.#parts.wire
    if (source.ready() || this.#sent === this.#options.size) return Effect.succeed(true)
    if (wire.holdsChunks) return Effect.succeed(false)
    wire.flush()
    const waits = [source.wait, wire.wanted, this.#responses.failed]
    if (length <= INTERRUPTIBLE_ABOVE) waits.push(Effect.sleep(PAUSE))
    const waited = Effect.raceAllFirst(waits)
    return Effect.map(waited, () => source.ready())
  }

  /** Takes the next piece of the body, or finds its end. Fails if the body is not as long as it was to be. */
  #advance(): Effect.Effect<void, ClientError | E> {
    return Effect.gen({ self: this }, function*() {
      const { size } = this.#options
      const source = this.#source
      if (this.#sent !== size && !source.ready()) {
        yield* Effect.raceFirst(source.wait, this.#responses.failed)
      }
      const piece = source.ready() ? yield* source.next : undefined
      this.#piece = piece
      if (size !== undefined && (piece === undefined ? this.#sent < size : this.#sent + piece.length > size)) {
        return yield* wrongSize(size, piece === undefined ? "fewer" : "more")
      }
      this.#exhausted = piece === undefined
    })
  }

  /** Headers of a chunk of `length` octets, if that is known, which asks for these reports. */
  #headers(reports: HeaderLines, length: number | undefined): HeaderLines {
    const { body, byteRange, contentType, headers, messageId } = this.#options
    const lines = [["Message-ID", messageId] as const, ...reports]
    if (byteRange !== false) {
      const first = byteRange.start + this.#sent
      const last = length === undefined ? "*" : first + length - 1
      lines.push(["Byte-Range", `${first}-${last}/${byteRange.total ?? "*"}`])
    }
    lines.push(...headers)
    if (body !== undefined) lines.push(["Content-Type", contentType])
    return lines
  }

  /** Length of the chunk that begins now, if it is certain and the chunk is too short to be interrupted (RFC 4975 §7.1.1). */
  #knownLength(): number | undefined {
    const { chunkSize, size } = this.#options
    const atHand = this.#piece?.length ?? 0
    const length = this.#exhausted || (size !== undefined && size - this.#sent <= atHand) ? atHand : Infinity
    const known = Math.min(length, atHand >= chunkSize ? chunkSize : Infinity)
    return known <= INTERRUPTIBLE_ABOVE ? known : undefined
  }

  /** Sends an empty chunk with `#` if the receiver waits for another one (RFC 4975 §7.1.1). */
  #giveUp(): void {
    if (this.#lastFlag !== "+" || this.#responses.failure !== undefined) return
    const headers = this.#headers([["Failure-Report", "no"]], 0)
    this.#parts.wire.post(this.#request(transactionId(), headers, { body: EMPTY, flag: "#" }))
  }

  #request(id: string, headers: HeaderLines, rest: { readonly body?: Buffer; readonly flag?: Flag }): Buffer {
    const { fromPath, toPath } = this.#options
    return this.#parts.codec.request({ transactionId: id, method: "SEND", toPath, fromPath, headers, ...rest })
  }

  #reportProgress(): void {
    const before = this.#progress
    const [sent, acknowledged] = [this.#sent, this.#acknowledged]
    const total = this.#exhausted ? sent : this.#options.size
    if (before?.sent === sent && before.acknowledged === acknowledged && before.total === total) return
    this.#progress = { sent, acknowledged, total }
    this.#options.progress?.(this.#progress)
  }
}

/**
 * Sends a message. With Failure-Report `yes`, it completes when every chunk has its 200; otherwise when all octets are handed
 * to the connection.
 *
 * It fails with the first response that is not 2xx, with a failure REPORT that arrives while the message is sent, and when the
 * body does not have `size` octets. The chunk under way then ends with `#`, as it does on interruption (RFC 4975 §7.3.2, §10.5);
 * between two chunks, an empty one does. No octet beyond `size` is sent. A stream that has given `size` octets need not end.
 */
export const sendMessage = Effect.fnUntraced(function*<E, R>(
  parts: OutgoingParts,
  options: OutgoingOptions<E, R>
): Effect.fn.Return<Handed, ClientError | E, R | Scope.Scope> {
  const { body } = options
  const source: Source<E> = body === undefined || body instanceof Uint8Array
    ? fromOctets(body ?? EMPTY)
    : yield* fromStream(body)
  const message = new OutgoingMessage(parts, options, source)
  yield* Effect.addFinalizer(() => Effect.sync(() => message.close()))
  message.watch()
  return yield* message.send
})
