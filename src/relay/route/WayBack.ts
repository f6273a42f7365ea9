/**
 * The way back to the sender of requests with one To-Path and From-Path: for answers, for REPORTs, and for the refusal of more of
 * a message. Requests without an answer keep it in memory, and nothing else of their route.
 */
import { saysStale } from "../../protocol/digest/Challenge.ts"
import { encodeResponse } from "../../protocol/Encoder.ts"
import { type Head, Kind } from "../../protocol/Head.ts"
import { countReportMade } from "../Counters.ts"
import { type Loss, TOO_MUCH } from "../Loss.ts"
import type { OtherRequest } from "../outbound/Expectation.ts"
import type { Origin, Piece } from "../outbound/Origin.ts"
import type { Sent } from "../outbound/Window.ts"
import type { Parties } from "../SessionRecord.ts"
import { AnswerPath, type RoutePaths } from "./AnswerPath.ts"
import { BlockedOfWay } from "./Blocked.ts"
import { encodeReport } from "./Report.ts"
import type { Retry } from "./Retry.ts"
import type { Source } from "./Source.ts"
import type { CountedSource, Unanswered } from "./Unanswered.ts"
import type { UserLoad } from "./UserLoad.ts"

/** What a way back is made of. */
interface WayBackParts extends RoutePaths {
  readonly source: CountedSource
  /** What the relay holds for the user of the first session. */
  readonly user: UserLoad
  /** Whether the source is another relay, whose connection many users share. */
  readonly fromRelay: boolean
  /** Finds a connection on which that relay receives reports when the first connection is gone. */
  readonly reportHop: (() => Source | undefined) | undefined
  /** The sessions whose URIs it uses. */
  readonly parties: Parties
}

/**
 * Octets of memory that a request without an answer takes besides its paths, and that a way back with such requests takes,
 * approximately. The From-Path counts for each request: if all fail at once, each causes a REPORT along it, which may wait for a
 * peer that does not read.
 */
const REQUEST = 384
const WAY = 512

export class WayBack extends AnswerPath implements Origin {
  readonly #unanswered: Unanswered
  readonly #user: UserLoad
  readonly #parties: Parties
  readonly #fromRelay: boolean
  readonly #reportHop: WayBackParts["reportHop"]
  /** Octets of memory that are counted for it. */
  readonly #octets: number
  /** Octets of memory that are counted for each request. */
  readonly #each: number
  /** Requests that wait for an answer. */
  #waiting = 0
  /** Set while it is not known whether the next hop takes its requests, and after refused ones were sent elsewhere. */
  retry: Retry | undefined
  #blocked: BlockedOfWay | undefined
  /** The Message-ID of the last message that ended after several chunks. No more of it can follow, so it is not blocked. */
  #ended: string | undefined
  #closed = false

  constructor(parts: WayBackParts) {
    const { fromRelay, parties, reportHop, source, user } = parts
    super(parts, source.shared.codec.limits)
    this.#parties = parties
    this.#unanswered = source.unanswered
    this.#user = user
    this.#fromRelay = fromRelay
    this.#reportHop = reportHop
    this.#octets = WAY + this.octetsBefore
    this.#each = REQUEST + this.fromPath.length
  }

  /** A request was passed on that may be answered. */
  began(): void {
    const octets = this.#waiting++ === 0 ? this.#each + this.#octets : this.#each
    if (!this.#fromRelay) this.#unanswered.add(octets)
    this.#user.add(octets, this.#isOfMany ? undefined : this.#unanswered)
  }

  /** No answer to a request is expected any more. */
  ended(one: Sent): void {
    const octets = --this.#waiting === 0 ? this.#each + this.#octets : this.#each
    this.#user.remove(octets, one)
    if (!this.#fromRelay) this.#unanswered.remove(octets, one)
  }

  silent(one: Sent): void {
    this.#user.silent(one)
    if (!this.#fromRelay && !one.done) this.#unanswered.silent(one)
  }

  /** Whether the source cannot be held for one session, because it is another relay or has several sessions. */
  get #isOfMany(): boolean {
    return this.#fromRelay || this.#unanswered.source?.reading.sharing.severalSessions === true
  }

  /** Whether too many requests have no answer and the source is not held for that, because it is shared or was held in vain. */
  get full(): boolean {
    if (this.#user.refuses || (this.#user.full && this.#isOfMany)) return true
    return !this.#fromRelay && this.#unanswered.refuses(this.#waiting * this.#each, this.#user)
  }

  get isThere(): boolean {
    const { source } = this.#unanswered
    return source !== undefined && !source.shut
  }

  get readsNoAnswers(): boolean {
    return this.#unanswered.source?.reading.readsNoAnswers === true
  }

  /** Passes the next hop's answer back under the transaction id that the request came in with (RFC 4976 §6.4.3). */
  answered(request: OtherRequest, head: Head): boolean {
    const { source } = this.#unanswered
    const rest = this.pathBack(head.toPath)
    if (rest === undefined) return false
    // If a hop behind the next one answers, the next hop has passed the request on.
    const retry = head.fromPath.includes(" ") ? undefined : this.retry
    if (source === undefined || source.gone || retry?.absorbsAnswer(request.id, head.status) === true) return true
    const own = this.ownPath.split(" ").toReversed().join(" ")
    const comment = head.comment === "" ? "" : ` ${head.comment}`
    const start = `MSRP ${request.id} ${String(head.status).padStart(3, "0")}${comment}`
    const paths = `To-Path: ${rest}\r\nFrom-Path: ${own} ${head.fromPath}\r\n`
    const headers = head.buf.toString("latin1", head.restStart, head.restEnd)
    source.shared.counters.responsesOut[head.status]!++
    source.control(Buffer.from(`${start}\r\n${paths}${headers}-------${request.id}$\r\n`, "latin1"))
    // A client that guesses passwords at a relay further on is counted here, too. Another relay is not closed because of clients
    // behind it, which stand in the path as well (RFC 4976 §6.3).
    if (
      request.hasCredentials && head.status === 401 && !this.fromPath.includes(" ") &&
      !saysStale(head.headers("WWW-Authenticate"))
    ) source.probation.authFailed()
    return true
  }

  /** Answers in place of the next hop. */
  answer(transactionId: string, kind: Kind, loss: Loss): void {
    const { comment, status } = loss
    if (this.retry?.absorbsAnswer(transactionId, status) === true) return
    const [toPath, fromPath] = [this.fromPath, this.own]
    const { source } = this.#unanswered
    if (source !== undefined && !source.gone) {
      source.shared.counters.responsesOut[status]!++
      source.control(encodeResponse({ transactionId, status, comment, toPath, fromPath }))
    }
    this.lost(loss, kind)
  }

  /**
   * Reports a failure to the original sender, unless it is gone or the SEND had no Message-ID (RFC 4975 §7.1.2). Behind another
   * relay it is not gone with one connection.
   */
  report(piece: Piece, loss: Loss): void {
    const { comment, status } = loss
    if (this.retry?.absorbsFailure(piece, status) === true) return
    const { messageId } = piece
    const source = this.isThere ? this.#unanswered.source : this.#reportHop?.()
    if (source !== undefined && messageId !== undefined) {
      const failed = { ...piece, messageId }
      source.control(encodeReport({ toPath: this.fromPath, fromPath: this.own, piece: failed, status, comment }))
      source.shared.counters.reports++
      countReportMade(source.shared.counters, status)
    }
    this.lost(loss, Kind.Send)
  }

  /** Reports every loss to the operator, because the receiver may ask about it when the sender is long gone. */
  lost(loss: Loss, kind: Kind): void {
    const { from, shared } = this.#unanswered
    shared.counters.lost++
    shared.observer.undelivered(from, this.#parties, loss, kind)
  }

  /** Why no more of its message is passed on: a part has failed, or too much is held for its user. Undefined if more is. */
  stops(head: Head): string | undefined {
    // Mostly the Message-ID does not matter, and need not be read.
    if (this.#ended === undefined && this.#blocked === undefined && !this.full) return undefined
    const { failureReport, messageId } = head
    // The message is sent anew.
    if (this.#ended !== undefined && this.#ended === messageId) this.#ended = undefined
    if (!this.full || failureReport === "no") return messageId === undefined ? undefined : this.#blocked?.why(messageId)
    this.block(messageId, TOO_MUCH)
    return TOO_MUCH
  }

  block(messageId: string | undefined, why: string): void {
    const { source } = this.#unanswered
    if (messageId === this.#ended) return
    // No further request takes this way.
    if (messageId === undefined || this.#closed || source === undefined || source.gone) return
    const blocked = this.#blocked ??= new BlockedOfWay(this.#user.blocked, source.shared.limits)
    blocked.add(messageId, why)
  }

  /** The last of several chunks of a message has come (RFC 4975 §5.4). */
  ends(messageId: string | undefined): void {
    if (messageId === undefined) return
    this.#ended = messageId
    this.#blocked?.delete(messageId)
  }

  /** No further request takes this way; earlier ones may still be answered. */
  close(): void {
    this.#closed = true
    this.retry?.close()
    this.#blocked?.clear()
    this.#blocked = undefined
  }
}
