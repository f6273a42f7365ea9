/**
 * A request that was passed on to the next hop and may be answered (RFC 4975 §7.2, RFC 4976 §6.4), under the transaction id
 * that the relay has given it.
 */
import { type Head, Kind } from "../../protocol/Head.ts"
import { type Loss, MISANSWERED, refusedBy, restOf, UNANSWERED, UNREAD } from "../Loss.ts"
import { stopTimer, Timed } from "../Timers.ts"
import type { Expectation } from "./Expectation.ts"
import type { LongChunk } from "./LongChunk.ts"
import { NO_ORIGIN, type Origin, type Piece } from "./Origin.ts"
import type { Sent, Window } from "./Window.ts"

/**
 * Milliseconds after which a request counts as unanswered even if its answer may be unread. Otherwise a peer whose connection is
 * not read because of what it sends could postpone the end forever.
 */
const MOST_BEHIND = 120_000

/** The connection that a transaction was written to, as the transaction sees it. */
export interface TransactionOwner {
  /** No answer is expected any more. */
  forget(transaction: Transaction): void
  /** The answer may still come: the transaction is to expire again shortly. */
  late(transaction: Transaction): void
  /** The time is over without an answer, although one was due. */
  timedOut(): void
  /** Whether what came in may not have been read yet, because the relay did not read the connection. */
  readonly isBehind: boolean
  /** Milliseconds of the monotonic clock. */
  readonly now: number
  /** Milliseconds that an answer may take. */
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
  /** The long chunk of which this is a piece. */
  chunk: LongChunk | undefined = undefined
  /** Whether this is a whole chunk, and more chunks of its message follow. */
  more = false
  /** Octets put in on the connection up to the end of the request; 0 before that. Once they are taken, its 30 seconds begin. */
  endsAt = 0
  done = false
  /** The window in which it counts until it is answered; undefined if no failure of it is reported. */
  window: Window | undefined = undefined
  octets = 0
  at = 0
  ahead = 0
  sequence = 0
  /** The next transaction in the same list of the `TransactionTable`. */
  sibling: Transaction | undefined = undefined
  /** Those of the table that were added before and after it. */
  earlier: Transaction | undefined = undefined
  later: Transaction | undefined = undefined

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

  /** The operating system has taken its last octet. */
  sent(): void {
    if (this.expects !== "negative answers") return
    this.window?.silent(this)
    // The window may have finished it to make room.
    if (!this.done) this.origin.silent(this)
  }

  /** The next hop has answered. */
  answered(head: Head): void {
    const { chunk, expects, origin } = this
    this.window?.answered(this, this.#owner.now)
    if (typeof expects === "object") {
      // The next hop may give long answers to short requests, and a short one of this relay takes their place.
      if (origin.readsNoAnswers) this.#lost(false, UNREAD)
      else if (origin.answered(expects, head)) this.finish()
      else this.misanswers()
      return
    }
    this.finish()
    if (head.status >= 200 && head.status < 300) return
    const loss = refusedBy(head.status, head.comment)
    this.#failed(origin, chunk, loss)
    if (this.more) origin.block(this.messageId, restOf(loss))
  }

  /** The next hop has sent an answer that cannot be used. */
  misanswers(): void {
    this.#misanswered = true
  }

  /** No answer is expected any more. It drops its references, because a long chunk keeps it in memory until its piece ends. */
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

  /** Silence is a failure of SENDs only (RFC 4976 §6.4.1). An AUTH is answered all the same, because its client waits. */
  override expired(): void {
    const owner = this.#owner
    // Its answer may be unread; or it may follow answers to earlier requests, the last of which came within the time limit.
    const since = this.window?.progressBefore(this) ?? -Infinity
    const behind = owner.isBehind && owner.now - this.at < MOST_BEHIND
    if (behind || since > owner.now - owner.patience) return owner.late(this)
    const { expects } = this
    if (expects !== "negative answers") owner.timedOut()
    if (typeof expects === "object" && expects.kind !== Kind.Auth) this.finish()
    else this.#lost(expects === "every failure", this.#misanswered ? MISANSWERED : UNANSWERED)
  }

  /** The connection is gone, after it had taken `flushed` octets. Silence after a whole request may be no failure. */
  lost(flushed: number, loss: Loss): void {
    if (this.done) return
    const written = this.endsAt !== 0 && this.endsAt <= flushed
    this.#lost(this.expects === "every failure" || (this.isSend && !written), loss)
  }

  /** No answer will come. The sender of a request other than SEND mostly waits for one, and the relay gives it (RFC 4975 §7.2). */
  #lost(failed: boolean, loss: Loss): void {
    const { chunk, expects, origin } = this
    this.finish()
    if (failed) this.#failed(origin, chunk, loss)
    else if (typeof expects === "object") {
      if (expects.isSilent) origin.lost(loss, expects.kind)
      else origin.answer(expects.id, expects.kind, loss)
    }
  }

  /** The piece was not delivered. That is reported to its sender, which has had its 200 (RFC 4976 §6.4.1, §6.4.3). */
  #failed(origin: Origin, chunk: LongChunk | undefined, loss: Loss): void {
    // Its end-line has not been written yet.
    if (this.endsAt === 0 && chunk !== undefined) this.length = chunk.pieceLength
    if (this.expects === "refusal") origin.lost(loss, Kind.Send)
    else origin.report(this, loss)
    chunk?.refuse(restOf(loss))
  }
}
