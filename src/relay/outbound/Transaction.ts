/**
 * A request on its way to the next hop that may be answered (RFC 4975 §7.2, RFC 4976 §6.4), under the transaction id it
 * was given for that; and what becomes of the answer.
 */
import { type Head, Kind } from "../../protocol/Head.ts"
import { type Loss, MISANSWERED, refusedBy, restOf, UNANSWERED } from "../Loss.ts"
import { stopTimer, Timed } from "../Timers.ts"
import type { Expectation } from "./Expectation.ts"
import type { LongChunk } from "./LongChunk.ts"
import { NO_ORIGIN, type Origin, type Piece } from "./Origin.ts"
import type { Sent, Window } from "./Window.ts"

/**
 * Milliseconds after which a request has no answer, even where answers lie there unread: who is not read for what he
 * brings could put the end off for good.
 */
const MOST_BEHIND = 120_000

/** The hop that it was sent to. */
export interface TransactionOwner {
  /** Nobody waits for its answer any more. */
  forget(transaction: Transaction): void
  /** Its answer may still come: it is looked again in a moment. */
  late(transaction: Transaction): void
  /** Its time is over, and there was no answer, which it should have had. */
  timedOut(): void
  /** What came from there is not read yet: the relay itself has not done so. */
  readonly isBehind: boolean
  /** Milliseconds of the monotonic clock, and those that an answer may take. */
  readonly now: number
  readonly patience: number
}

export class Transaction extends Timed implements Piece, Sent {
  readonly #owner: TransactionOwner
  #misanswered = false
  readonly id: string
  origin: Origin
  readonly expects: Expectation
  messageId: string | undefined = undefined
  start = 0
  length = 0
  total = -1
  /** The long chunk that this is a piece of. */
  chunk: LongChunk | undefined = undefined
  /** It is a whole chunk, and more of its message follow. */
  more = false
  /** The hop's output up to and including its last octet; the 30 s begin when that was handed to the system. */
  endsAt = 0
  done = false
  /** Where it counts until it is answered; none when nobody hears of the answer. */
  window: Window | undefined = undefined
  octets = 0
  at = 0
  sequence = 0

  constructor(owner: TransactionOwner, id: string, origin: Origin, expects: Expectation) {
    super()
    this.#owner = owner
    this.id = id
    this.origin = origin
    this.expects = expects
    origin.began()
  }

  get isSend(): boolean {
    return typeof this.expects === "string"
  }

  /** The operating system has taken the last of it. */
  sent(): void {
    if (this.expects !== "negative answers") return
    this.window?.silent(this)
    // The window may have made room of it.
    if (!this.done) this.origin.silent(this)
  }

  /** The next hop has answered. */
  answered(head: Head): void {
    const { chunk, expects, origin } = this
    this.window?.answered(this, this.#owner.now)
    if (typeof expects === "object") {
      if (origin.answered(expects, head)) this.finish()
      else this.misanswers()
      return
    }
    this.finish()
    if (head.status >= 200 && head.status < 300) return
    const loss = refusedBy(head.status, head.comment)
    this.#failed(origin, chunk, loss)
    if (this.more) origin.block(this.messageId, restOf(loss))
  }

  /** The next hop has answered something that cannot be used. */
  misanswers(): void {
    this.#misanswered = true
  }

  /** Nobody waits for an answer any more; what stood for it is not kept by who still looks at its end. */
  finish(): void {
    if (this.done) return
    this.done = true
    stopTimer(this)
    this.#owner.forget(this)
    this.window?.ends(this)
    this.origin.ended(this)
    this.origin = NO_ORIGIN
    this.chunk = undefined
  }

  /** Silence is a failure of SENDs only (RFC 4976 §6.4.1); an AUTH is answered all the same, since its client waits. */
  override expired(): void {
    const owner = this.#owner
    // Its answer may be there, unread; or is still to come, behind those that came less than the time of one ago.
    const since = this.window?.progressBefore(this) ?? -Infinity
    const behind = owner.isBehind && owner.now - this.at < MOST_BEHIND
    if (behind || since > owner.now - owner.patience) return owner.late(this)
    const { expects } = this
    if (expects !== "negative answers") owner.timedOut()
    if (typeof expects === "object" && expects.kind !== Kind.Auth) this.finish()
    else this.#lost(expects === "every failure", this.#misanswered ? MISANSWERED : UNANSWERED)
  }

  /** Its hop's connection is gone, which had taken `flushed` octets. Silence after the last octet counts only for some. */
  lost(flushed: number, loss: Loss): void {
    if (this.done) return
    const written = this.endsAt !== 0 && this.endsAt <= flushed
    this.#lost(this.expects === "every failure" || (this.isSend && !written), loss)
  }

  /** No answer will come. Who has sent anything but a SEND mostly waits for one, and gets it from here (RFC 4975 §7.2). */
  #lost(failed: boolean, loss: Loss): void {
    const { chunk, expects, origin } = this
    this.finish()
    if (failed) this.#failed(origin, chunk, loss)
    else if (typeof expects === "object") {
      if (expects.isSilent) origin.lost(loss, expects.kind)
      else origin.answer(expects.id, expects.kind, loss)
    }
  }

  /** The piece did not arrive; its sender, who has his 200, is told if he wants to hear it (RFC 4976 §6.4.1, §6.4.3). */
  #failed(origin: Origin, chunk: LongChunk | undefined, loss: Loss): void {
    // Its end-line is still to come.
    if (this.endsAt === 0 && chunk !== undefined) this.length = chunk.pieceLength
    if (this.expects === "refusal") origin.lost(loss, Kind.Send)
    else origin.report(this, loss)
    chunk?.refuse(restOf(loss))
  }
}
