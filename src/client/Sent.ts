import type * as Effect from "effect/Effect"
import type { ClientError } from "./ClientError.ts"
import type { Handed } from "./OutgoingMessage.ts"
import type { Report } from "./Report.ts"

/**
 * A message that was sent.
 *
 * @category models
 * @since 0.1.0
 */
export class Sent {
  readonly messageId: string
  /** Octets of the body. */
  readonly length: number
  readonly chunks: number
  readonly #delivered: Effect.Effect<Report, ClientError>

  constructor({ chunks, length, messageId }: Handed, delivered: Effect.Effect<Report, ClientError>) {
    this.messageId = messageId
    this.length = length
    this.chunks = chunks
    this.#delivered = delivered
  }

  /**
   * Waits for success REPORTs from the receiver about the whole message (RFC 4975 §7.1.2). Fails with `Reported` for a failure
   * REPORT, with `Closed` if the connection ends first, and with `NoReport` without `successReport`, when 16,384 newer messages
   * wait, or when another message with its `messageId` is sent. Not all receivers send REPORTs, some not for a SEND without a body,
   * and a relay does not for messages to itself: use a time limit.
   */
  get delivered(): Effect.Effect<Report, ClientError> {
    return this.#delivered
  }
}
