/**
 * The way back to the sender of requests with one To-Path and From-Path: for answers, for REPORTs, and for the refusal of more of
 * a message. Requests without an answer keep it in memory, and nothing else of their route.
 */
import { saysStale } from "../../protocol/digest/Challenge.ts"
import { encodeResponse } from "../../protocol/Encoder.ts"
import type { FrameLimits } from "../../protocol/FrameLimits.ts"
import { type Head, Kind } from "../../protocol/Head.ts"
import { keepText } from "../../protocol/Octets.ts"
import { type MsrpUri, parsePath, sameUri } from "../../protocol/Uri.ts"
import { countReportMade } from "../Counters.ts"
import { type Loss, TOO_MUCH } from "../Loss.ts"
import type { OtherRequest } from "../outbound/Expectation.ts"
import type { Origin, Piece } from "../outbound/Origin.ts"
import type { Sent } from "../outbound/Window.ts"
import type { Parties } from "../SessionRecord.ts"
import { BlockedOfWay } from "./Blocked.ts"
import { encodeReport } from "./Report.ts"
import type { Retry } from "./Retry.ts"
import type { Source } from "./Source.ts"
import type { CountedSource, Unanswered } from "./Unanswered.ts"
import type { UserLoad } from "./UserLoad.ts"

/** What a way back is made of. */
interface WayBackParts {
  readonly source: CountedSource
  /** The URIs of this relay, at the front of To-Path. */
  readonly own: ReadonlyArray<MsrpUri>
  /** The URIs behind them in To-Path. */
  readonly rest: ReadonlyArray<MsrpUri>
  readonly from: ReadonlyArray<MsrpUri>
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

export class WayBack implements Origin {
  readonly #unanswered: Unanswered
  readonly #user: UserLoad
  readonly #parties: Parties
  readonly #fromRelay: boolean
  readonly #reportHop: WayBackParts["reportHop"]
  readonly #limits: FrameLimits
  /** The URIs of this relay, as they stand at the front of From-Path in what goes out. */
  readonly ownPath: string
  /** The To-Path and From-Path lines of what goes out. */
  readonly lines: Buffer
  /** Octets in `lines` before the path of the original sender. */
  readonly #before: number
  /** The URI of this relay that the requests were addressed to. */
  readonly own: string
  /** The first URI of this relay on the way back. */
  readonly #firstBack: string
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

  constructor({ from, fromRelay, own, parties, reportHop, rest, source, user }: WayBackParts) {
    this.#parties = parties
    this.#unanswered = source.unanswered
    this.#user = user
    this.#fromRelay = fromRelay
    this.#reportHop = reportHop
    this.#limits = source.shared.codec.limits
    this.own = own[0]!.text
    this.#firstBack = own.length === 1 ? this.own : own.at(-1)!.text
    this.ownPath = own.length === 1 ? this.own : own.map((uri) => uri.text).toReversed().join(" ")
    const fromPath = from.map((uri) => uri.text).join(" ")
    const before = `To-Path: ${rest.map((uri) => uri.text).join(" ")}\r\nFrom-Path: ${this.ownPath} `
    this.#before = before.length
    this.lines = keepText(`${before}${fromPath}\r\n`)
    this.#octets = WAY + before.length
    this.#each = REQUEST + fromPath.length
  }

  /** From-Path as it came in: the way to the original sender. It is kept once, because it may be as long as a header line. */
  get fromPath(): string {
    return this.lines.toString("latin1", this.#before, this.lines.length - 2)
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

  /**
   * Whether this is the To-Path of an answer to a request that took this route. The answer to a SEND has to name only the
   * previous hop, which is the first URI of this relay (RFC 4975 §7.2). Some relays name no more in any answer, and some
   * endpoints that do not support relays name only the sender.
   */
  isAnswered(toPath: string, isSend: boolean): boolean {
    if (this.#behind(this.#firstBack, toPath) === undefined) return this.#isSender(toPath)
    return isSend || this.#rest(toPath) !== undefined
  }

  /** Whether this is the last URI of From-Path and nothing else. */
  #isSender(toPath: string): boolean {
    return this.#behind(this.fromPath.slice(this.fromPath.lastIndexOf(" ") + 1), toPath) === ""
  }

  /** The URIs behind those of this relay: as in the answer, or as in the request if that has more of them. */
  #rest(toPath: string): string | undefined {
    const rest = this.#behind(this.ownPath, toPath)
    if (rest === undefined) {
      return this.#behind(this.#firstBack, toPath) === "" || this.#isSender(toPath) ? this.fromPath : undefined
    }
    return urisOf(rest) < urisOf(this.fromPath) ? this.fromPath : rest
  }

  /**
   * What follows the URIs of this relay in the To-Path of an answer; undefined if it does not begin with them.
   *
   * Most peers copy the URIs that they received. A URI that is written differently may still be the same (RFC 4975 §6.1).
   */
  #behind(own: string, toPath: string): string | undefined {
    if (toPath === own) return ""
    if (toPath.startsWith(own) && toPath.charAt(own.length) === " ") return toPath.slice(own.length + 1)
    const { pathUris } = this.#limits
    const uris = parsePath(toPath, pathUris) ?? []
    const wanted = parsePath(own, pathUris)!
    if (uris.length < wanted.length || !wanted.every((uri, i) => sameUri(uri, uris[i]!))) return undefined
    return uris.slice(wanted.length).map((uri) => uri.text).join(" ")
  }

  /** Passes the next hop's answer back under the transaction id that the request came in with (RFC 4976 §6.4.3). */
  answered(request: OtherRequest, head: Head): boolean {
    const { source } = this.#unanswered
    const rest = this.#rest(head.toPath)
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

const urisOf = (path: string): number => path === "" ? 0 : path.split(" ").length
