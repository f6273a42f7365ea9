/**
 * Sends one message in chunks (RFC 4975 §5.1, §7.1.1), with a window of chunks that have no response yet.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
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
import type { Inbox } from "./Inbox.ts"
import { Responses } from "./Responses.ts"
import { fromOctets, fromStream, type Source } from "./Source.ts"
import { PIECE, type Wire } from "./Wire.ts"

const EMPTY = Buffer.alloc(0)

export interface Outgoing<E, R> {
  /** To-Path and From-Path as they go into the frames. */
  readonly toPath: string
  readonly fromPath: string
  readonly messageId: string
  /** Absent: a SEND without a body (RFC 4975 §7.1). */
  readonly body: Uint8Array | Stream.Stream<Uint8Array, E, R> | undefined
  /** Octets of the body, when known: the message is given up if it has more or fewer. */
  readonly size: number | undefined
  readonly contentType: string
  /** Written before Content-Type. */
  readonly headers: HeaderLines
  /** Where in the message the body begins, and the message's length. False: chunks have no Byte-Range. */
  readonly byteRange: { readonly start: number; readonly total: number | undefined } | false
  /** Absent: `yes`, and not written. */
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
 * How far a message is that is being sent. All are octets of body.
 *
 * @category models
 * @since 0.2.0
 */
export interface Progress {
  /** Handed to the connection. */
  readonly sent: number
  /** In chunks that have their 200: the next hop has them. */
  readonly acknowledged: number
  /** Undefined as long as nobody knows. */
  readonly total: number | undefined
}

export interface Handed {
  readonly messageId: string
  /** Octets of body. */
  readonly length: number
  readonly chunks: number
}

export interface SenderParts {
  readonly codec: Codec["Service"]
  readonly wire: Wire
  readonly inbox: Inbox
}

const wrongSize = (size: number, found: string): ClientError =>
  new ClientError({ reason: "Size", message: `the body has ${found} than ${size} octets, which was to be its size` })

/**
 * Sends the message. With Failure-Report `yes`, completes when every chunk has its 200; else when all is handed over.
 * Fails with the first response that is not 2xx, or with a failure REPORT that comes while it is being sent: the chunk
 * under way then ends with `#`, as it does on interruption (RFC 4975 §7.3.2, §10.5). Between two chunks, an empty one does.
 * So it ends, too, when the body has another length than `size`; no octet behind that is sent. A stream that has given all of
 * its `size` is not waited for: it may never end.
 */
export const send = Effect.fnUntraced(function*<E, R>(
  { codec, inbox, wire }: SenderParts,
  message: Outgoing<E, R>
): Effect.fn.Return<Handed, ClientError | E, R | Scope.Scope> {
  const { body, byteRange, chunkSize, failureReport = "yes", messageId, size, timeout, window } = message
  const source: Source<E> = body === undefined || body instanceof Uint8Array
    ? fromOctets(body ?? EMPTY)
    : yield* fromStream(body)
  let acknowledged = 0
  let progress: Progress | undefined
  const told = (): void => {
    const total = exhausted ? sent : size
    if (progress?.sent === sent && progress.acknowledged === acknowledged && progress.total === total) return
    progress = { sent, acknowledged, total }
    message.progress?.(progress)
  }
  const responses = new Responses(inbox, failureReport === "yes", (octets) => {
    acknowledged += octets
    told()
  })
  let unwatch: (() => void) | undefined
  yield* Effect.addFinalizer(() => Effect.sync(() => (unwatch?.(), responses.close())))
  unwatch = inbox.watch(messageId, responses.fail)

  /** Octets of body that were sent. */
  let sent = 0
  let chunks = 0
  /** Octets at hand, not empty. */
  let piece: Uint8Array | undefined
  let exhausted = false
  /** Flag of the last chunk. */
  let last: Flag | undefined

  const advance = Effect.gen(function*() {
    if (sent !== size && !source.ready()) yield* Effect.raceFirst(source.wait, Deferred.await(responses.failed))
    piece = source.ready() ? yield* source.next : undefined
    if (size !== undefined && (piece === undefined ? sent < size : sent + piece.length > size)) {
      return yield* wrongSize(size, piece === undefined ? "fewer" : "more")
    }
    exhausted = piece === undefined
  })

  /** How long the chunk that begins now will be, if that is certain and it is short enough to be in one piece. */
  const knownLength = (): number | undefined => {
    const atHand = piece?.length ?? 0
    const length = exhausted || (size !== undefined && size - sent <= atHand) ? atHand : Infinity
    const known = Math.min(length, atHand >= chunkSize ? chunkSize : Infinity)
    return known <= INTERRUPTIBLE_ABOVE ? known : undefined
  }

  const headers = (): HeaderLines => {
    const lines: Array<readonly [string, string]> = [["Message-ID", messageId]]
    if (message.successReport) lines.push(["Success-Report", "yes"])
    if (message.failureReport !== undefined) lines.push(["Failure-Report", failureReport])
    if (byteRange !== false) {
      const first = byteRange.start + sent
      const length = knownLength()
      const last = length === undefined ? "*" : first + length - 1
      lines.push(["Byte-Range", `${first}-${last}/${byteRange.total ?? "*"}`])
    }
    lines.push(...message.headers)
    if (body !== undefined) lines.push(["Content-Type", message.contentType])
    return lines
  }

  /** Writes the octets of one chunk, as far as it goes; gives its flag. */
  const octets = Effect.gen(function*() {
    let room = chunkSize
    while (piece !== undefined) {
      const now: Uint8Array = piece.subarray(0, Math.min(room, PIECE))
      wire.put(now)
      sent += now.length
      room -= now.length
      told()
      piece = now.length === piece.length ? undefined : piece.subarray(now.length)
      if (piece === undefined) {
        if (!source.ready() && sent !== size) {
          if (wire.holdsChunks) return "+"
          wire.flush()
          yield* Effect.raceAllFirst([source.wait, wire.wanted, Deferred.await(responses.failed)])
          if (!source.ready()) return "+"
        }
        yield* advance
        if (exhausted) return message.flag
      }
      if (responses.failure !== undefined) return yield* responses.failure
      if (room === 0 || wire.crowded) return "+"
      if (!wire.hasRoom) yield* Effect.raceFirst(wire.room, Deferred.await(responses.failed))
    }
    return message.flag
  })

  const chunk = Effect.gen(function*() {
    const id = transactionId()
    // A whole frame without octets, cut where they belong. The id is made now, and random: no body has its end-line.
    const frame = codec.request({
      transactionId: id,
      method: "SEND",
      toPath: message.toPath,
      fromPath: message.fromPath,
      headers: headers(),
      ...(body === undefined ? {} : { body: EMPTY })
    })
    const cut = frame.length - (body === undefined ? 10 : 12) - id.length
    const endLine = frame.subarray(cut)
    const before = sent
    let begun = false
    const begin = Effect.sync(() => {
      begun = true
      if (failureReport !== "no") responses.expect(id)
      chunks++
      wire.put(frame.subarray(0, cut))
    })
    // Both in one: what is interrupted behind the head without its end-line takes what others send for its body.
    const flag = yield* Effect.onExit(Effect.andThen(begin, octets), (exit) =>
      Effect.sync(() => {
        if (!begun) return
        last = Exit.isSuccess(exit) ? exit.value : "#"
        endLine[endLine.length - 3] = last.charCodeAt(0)
        wire.put(endLine)
      }))
    responses.written(id, monotonicMillis(yield* Clock.Clock) + timeout, sent - before)
    return flag
  })

  /** The receiver has chunks, waits for more, and will get none: an empty one with `#` says so. */
  const giveUp = Effect.sync(() => {
    if (last !== "+" || responses.failure !== undefined) return
    const first = byteRange === false ? 0 : byteRange.start + sent
    wire.post(codec.request({
      transactionId: transactionId(),
      method: "SEND",
      toPath: message.toPath,
      fromPath: message.fromPath,
      headers: [
        ["Message-ID", messageId],
        ["Failure-Report", "no"],
        ...(byteRange === false ? [] : [["Byte-Range", `${first}-${first - 1}/${byteRange.total ?? "*"}`] as const]),
        ...message.headers,
        ["Content-Type", message.contentType]
      ],
      body: EMPTY,
      flag: "#"
    }))
  })

  const chunked = Effect.gen(function*() {
    do {
      yield* responses.atMost(window - 1)
      if (piece === undefined && !exhausted) yield* advance
    } while ((yield* wire.chunk(chunk)) === "+" && !exhausted)
  })
  yield* Effect.onExit(chunked, (exit) => Exit.isSuccess(exit) ? Effect.void : giveUp)
  if (failureReport === "yes") yield* responses.atMost(0)
  told()
  return { messageId, length: sent, chunks }
})
