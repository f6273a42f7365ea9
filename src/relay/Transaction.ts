/**
 * A request on its way to the next hop that may be answered (RFC 4975 §7.2, RFC 4976 §6.4). Lives on the hop it was
 * sent to, under the transaction id it was given there.
 */
import { reasonPhrase } from "../protocol/Status.ts"
import type { Hop } from "./Hop.ts"
import type { Route } from "./Route.ts"
import type { Stream } from "./Stream.ts"
import { stopTimer, Timed } from "./Timers.ts"

/** What becomes of the answer. */
export type Expectation =
  /** A SEND whose sender hears of every failure, also of silence. */
  | "every failure"
  /** A SEND with Failure-Report partial: silence is no failure. */
  | "negative answers"
  /** A SEND with Failure-Report no: while it is on its way its receiver may stop it, of which nobody hears. */
  | "refusal"
  /** Any other request: the answer goes back to the sender. */
  | Asked

/** A request that is not a SEND, as it came in. */
export interface Asked {
  /** The transaction id that it came with, and that its answer goes back with. */
  readonly id: string
  readonly isAuth: boolean
  /** It has an Authorization header field. */
  readonly hasCredentials: boolean
}

export class Transaction extends Timed {
  readonly hop: Hop
  readonly id: string
  readonly route: Route
  readonly expects: Expectation
  readonly messageId: string | undefined
  /** Where the piece stands in its message: first octet, octets, and total (-1: unknown). */
  readonly rangeStart: number
  length: number
  total: number
  /** The long chunk that this is a piece of. */
  readonly stream: Stream | undefined
  /** It is a whole chunk, and more of its message follow. */
  readonly more: boolean
  /** The hop's output up to and including its last octet; the 30 s begin when that was handed to the system. */
  endsAt = 0
  done = false

  constructor(
    hop: Hop,
    id: string,
    route: Route,
    expects: Expectation,
    messageId: string | undefined,
    rangeStart: number,
    length: number,
    total: number,
    stream: Stream | undefined,
    more: boolean
  ) {
    super()
    this.hop = hop
    this.id = id
    this.route = route
    this.expects = expects
    this.messageId = messageId
    this.rangeStart = rangeStart
    this.length = length
    this.total = total
    this.stream = stream
    this.more = more
  }

  /** Whose answer goes back. */
  get asked(): Asked | undefined {
    return typeof this.expects === "object" ? this.expects : undefined
  }

  /** Its last octet was handed to the operating system: from now on silence counts (RFC 4976 §6.4.1). */
  sent(): void {
    const { limits, now } = this.hop.relay
    if (!this.done) limits.transaction.start(this, now)
  }

  /** Nobody waits for an answer any more. */
  finish(): void {
    if (this.done) return
    this.done = true
    stopTimer(this)
    this.hop.forget(this)
  }

  override expired(): void {
    this.finish()
    if (this.expects === "every failure") this.failed(408, reasonPhrase(408))
    else this.#unanswered()
  }

  /** An AUTH is answered in any case, since its client waits. */
  #unanswered(): void {
    const { asked, route } = this
    if (asked?.isAuth === true) route.source.answer(asked.id, route, 408, reasonPhrase(408))
  }

  /** Its hop's connection is gone, which had taken `flushed` octets. Silence after the last octet counts only for some. */
  lost(flushed: number): void {
    if (this.done) return
    this.finish()
    const written = this.endsAt !== 0 && this.endsAt <= flushed
    if (this.expects === "every failure" || (this.expects === "negative answers" && !written)) {
      this.failed(408, reasonPhrase(408))
    } else this.#unanswered()
  }

  /** The piece did not arrive; its sender, who has his 200, is told (RFC 4976 §6.4.1, §6.4.3). */
  failed(status: number, comment: string): void {
    const length = this.endsAt === 0 && this.stream !== undefined ? this.stream.pieceLength : this.length
    if (this.expects !== "refusal") {
      this.route.report(this.messageId, this.rangeStart, length, this.total, status, comment)
    }
    this.stream?.refuse()
  }
}
