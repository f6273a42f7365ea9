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
  /** Octets of body. */
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
   * Waits for the receiver's success REPORT about all of it (RFC 4975 §7.1.2). Fails with `Reported` for a failure REPORT,
   * with `Closed` when the connection goes first, with `NoReport` without `successReport`, or when 16,384 newer messages
   * wait, or one with its `messageId`. Not everybody tells, some not of one without a body, and a relay never of one that ends at it:
   * a time limit is the caller's.
   */
  get delivered(): Effect.Effect<Report, ClientError> {
    return this.#delivered
  }
}
