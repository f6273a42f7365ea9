/** Messages that are sent, and the success REPORTs that are awaited for them. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { transactionId } from "../protocol/Ident.ts"
import type { ClientError } from "./ClientError.ts"
import { type Deliveries, type Delivery, notAsked } from "./Deliveries.ts"
import type { SendOptions } from "./Options.ts"
import { type Handed, sendMessage } from "./OutgoingMessage.ts"
import { pathText } from "./Path.ts"
import { octetsOf, type RequestsParts } from "./Requests.ts"
import { Sent } from "./Sent.ts"
import { headersToUtf8, toUtf8 } from "./Utf8.ts"

/** Default of `chunkSize`: octets of body in a chunk. */
const CHUNK = 65_536
/** Default of `window`: chunks that may wait for their responses at a time. */
const WINDOW = 32

export interface SendingParts extends RequestsParts {
  readonly deliveries: Deliveries
  /** Octets of body that a chunk may have at most on this connection. */
  readonly maxChunk: number
}

export class Sending {
  readonly #parts: SendingParts

  constructor(parts: SendingParts) {
    this.#parts = parts
  }

  readonly send = <E, R>(options: SendOptions<E, R>): Effect.Effect<Sent, ClientError | E, R> =>
    Effect.suspend(() => {
      const { byteRange, messageId = transactionId(), successReport = false } = options
      const { deliveries } = this.#parts
      let delivery: Delivery | undefined
      return Effect.suspend(() => {
        if (successReport) delivery = deliveries.expect(messageId, byteRange ? byteRange.start : 1)
        return this.#handOver(options, messageId)
      }).pipe(
        Effect.onExit((exit) =>
          Effect.sync(() => {
            if (delivery === undefined) return
            if (Exit.isSuccess(exit)) deliveries.sent(messageId, delivery, exit.value.length)
            else deliveries.forget(messageId, delivery)
          })
        ),
        Effect.map((handed) => new Sent(handed, delivery?.outcome ?? notAsked))
      )
    })

  #handOver<E, R>(
    options: SendOptions<E, R>,
    messageId: string
  ): Effect.Effect<Handed, ClientError | E, R> {
    const { maxChunk, timeout, uri } = this.#parts
    const { body, byteRange, chunkSize = CHUNK, fromPath = uri, window = WINDOW } = options
    const octets = typeof body === "string" ? octetsOf(body) : body
    const size = octets instanceof Uint8Array ? octets.length : octets === undefined ? 0 : streamedSize(options)
    return Effect.scoped(sendMessage(this.#parts, {
      toPath: pathText(options.toPath),
      fromPath: pathText(fromPath),
      messageId,
      body: octets,
      size,
      contentType: toUtf8(
        options.contentType ?? (typeof body === "string" ? "text/plain" : "application/octet-stream")
      ),
      headers: headersToUtf8(options.headers ?? []),
      byteRange: byteRange ?? { start: 1, total: size },
      failureReport: options.failureReport,
      successReport: options.successReport ?? false,
      chunkSize: Math.max(1, Math.min(chunkSize, maxChunk)),
      flag: options.flag ?? "$",
      window: Math.max(1, window),
      timeout,
      progress: options.progress
    }))
  }
}

/** Octets of a streamed body, if known. Without `size`, a body with the flag `$` reaches to the total of its Byte-Range. */
const streamedSize = ({ byteRange, flag = "$", size }: SendOptions<unknown, unknown>): number | undefined => {
  if (size !== undefined || byteRange === undefined || byteRange === false || flag !== "$") return size
  return byteRange.total === undefined ? undefined : byteRange.total + 1 - byteRange.start
}
