/**
 * The way back to who sent requests with one To-Path and From-Path: of answers, REPORTs, and of the wish to hear no more of
 * a message. Requests without an answer keep it, and nothing else of their route.
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
export interface WayBackParts {
  readonly source: CountedSource
  /** The relay's URIs at the front of To-Path, and those behind them. */
  readonly own: ReadonlyArray<MsrpUri>
  readonly rest: ReadonlyArray<MsrpUri>
  readonly from: ReadonlyArray<MsrpUri>
  /** What the user makes the relay hold whose session is the first. */
  readonly user: UserLoad
  /** The source is another relay, whose connection many users share. */
  readonly fromRelay: boolean
  /** Where that hears of failures when its connection is gone. */
  readonly elsewhere: (() => Source | undefined) | undefined
  /** The sessions whose URIs it uses. */
  readonly parties: Parties
}

/**
 * What a request without an answer, and a way back that has such, take about, in octets, beside their paths. The From-Path counts
 * for each request: where all fail at once, each makes a REPORT along it, which may wait for one who does not read.
 */
const REQUEST = 384
const WAY = 512

export class WayBack implements Origin {
  readonly #unanswered: Unanswered
  readonly #user: UserLoad
  readonly #parties: Parties
  readonly #fromRelay: boolean
  readonly #elsewhere: WayBackParts["elsewhere"]
  readonly #limits: FrameLimits
  /** The relay's URIs, as they stand at the front of the From-Path of what goes out. */
  readonly ownPath: string
  /** To-Path and From-Path of what goes out. */
  readonly lines: Buffer
  /** Octets in front of the original sender's path there. */
  readonly #before: number
  /** The URI of the relay that the requests addressed. */
  readonly own: string
  /** The first of the relay's URIs on the way back. */
  readonly #firstBack: string
  /** Octets that it takes, and each request. */
  readonly #octets: number
  readonly #each: number
  /** Requests that wait for an answer. */
  #waiting = 0
  /** It is not known yet whether the next hop takes its requests; or what it refused goes another way. */
  retry: Retry | undefined
  #blocked: BlockedOfWay | undefined
  /** The Message-ID of the last one that came to its end in several chunks: what is refused of it from then on has no more behind it. */
  #ended: string | undefined
  #closed = false

  constructor({ elsewhere, from, fromRelay, own, parties, rest, source, user }: WayBackParts) {
    this.#parties = parties
    this.#unanswered = source.unanswered
    this.#user = user
    this.#fromRelay = fromRelay
    this.#elsewhere = elsewhere
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

  /** From-Path as it came in: the way to the original sender. It is kept once, since it may be as long as a header line. */
  get fromPath(): string {
    return this.lines.toString("latin1", this.#before, this.lines.length - 2)
  }

  /** A request is on its way that may be answered. */
  began(): void {
    const octets = this.#waiting++ === 0 ? this.#each + this.#octets : this.#each
    if (!this.#fromRelay) this.#unanswered.add(octets)
    this.#user.add(octets, this.#isOfMany ? undefined : this.#unanswered)
  }

  /** Nobody waits for its answer any more. */
  ended(one: Sent): void {
    const octets = --this.#waiting === 0 ? this.#each + this.#octets : this.#each
    this.#user.remove(octets, one)
    if (!this.#fromRelay) this.#unanswered.remove(octets, one)
  }

  silent(one: Sent): void {
    this.#user.silent(one)
    if (!this.#fromRelay && !one.done) this.#unanswered.silent(one)
  }

  /** Its source is not one that can be held for one session: another relay, or who has several. */
  get #isOfMany(): boolean {
    return this.#fromRelay || this.#unanswered.source?.reading.shared === true
  }

  /** Too many requests have no answer, and their source is not held for that: it is shared, or was held in vain. */
  get full(): boolean {
    if (this.#user.full && this.#isOfMany) return true
    return !this.#fromRelay && this.#unanswered.refuses(this.#waiting * this.#each, this.#user)
  }

  get isThere(): boolean {
    const { source } = this.#unanswered
    return source !== undefined && !source.shut
  }

  /**
   * Is this the To-Path of an answer to a request that took this route. That to a SEND has to name the previous hop only,
   * which is the first of the relay's URIs (RFC 4975 §7.2). There are relays that name no more in any answer, and endpoints
   * that know of no relays and name the sender alone.
   */
  isAnswered(toPath: string, isSend: boolean): boolean {
    if (this.#behind(this.#firstBack, toPath) === undefined) return this.#isSender(toPath)
    return isSend || this.#rest(toPath) !== undefined
  }

  /** Is this the last URI of From-Path, and nothing else. */
  #isSender(toPath: string): boolean {
    return this.#behind(this.fromPath.slice(this.fromPath.lastIndexOf(" ") + 1), toPath) === ""
  }

  /** The URIs behind the relay's own: as the answer has them, or the request where that has more. */
  #rest(toPath: string): string | undefined {
    const rest = this.#behind(this.ownPath, toPath)
    if (rest === undefined) {
      return this.#behind(this.#firstBack, toPath) === "" || this.#isSender(toPath) ? this.fromPath : undefined
    }
    return urisOf(rest) < urisOf(this.fromPath) ? this.fromPath : rest
  }

  /**
   * What follows the relay's URIs in the To-Path of an answer; nothing when it does not begin with them.
   *
   * Peers mostly copy what they got; whoever writes a URI in his own way means the same one (RFC 4975 §6.1).
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

  /** The next hop's answer goes back under the id that the request came with (RFC 4976 §6.4.3). */
  answered(request: OtherRequest, head: Head): boolean {
    const { source } = this.#unanswered
    const rest = this.#rest(head.toPath)
    if (rest === undefined) return false
    // Who answers from behind the next hop has got it from there.
    const retry = head.fromPath.includes(" ") ? undefined : this.retry
    if (source === undefined || source.gone || retry?.absorbsAnswer(request.id, head.status) === true) return true
    const own = this.ownPath.split(" ").toReversed().join(" ")
    const comment = head.comment === "" ? "" : ` ${head.comment}`
    const start = `MSRP ${request.id} ${String(head.status).padStart(3, "0")}${comment}`
    const paths = `To-Path: ${rest}\r\nFrom-Path: ${own} ${head.fromPath}\r\n`
    const headers = head.buf.toString("latin1", head.restStart, head.restEnd)
    source.shared.counters.responsesOut[head.status]!++
    source.control(Buffer.from(`${start}\r\n${paths}${headers}-------${request.id}$\r\n`, "latin1"))
    // A client that guesses passwords at a relay further on is a nuisance here; a relay is not closed for those behind
    // it, who stand in the path as well (RFC 4976 §6.3).
    if (
      request.hasCredentials && head.status === 401 && !this.fromPath.includes(" ") &&
      !saysStale(head.headers("WWW-Authenticate"))
    ) source.authFailed()
    return true
  }

  /** An answer that the relay gives in the next hop's stead. */
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

  /** Tells the original sender of a failure, unless he is gone; who is behind another relay is not gone with a connection of it. */
  report(piece: Piece, loss: Loss): void {
    const { comment, status } = loss
    if (this.retry?.absorbsFailure(piece, status) === true) return
    const source = this.isThere ? this.#unanswered.source : this.#elsewhere?.()
    if (source !== undefined) {
      source.control(encodeReport({ toPath: this.fromPath, fromPath: this.own, piece, status, comment }))
      source.shared.counters.reports++
      countReportMade(source.shared.counters, status)
    }
    this.lost(loss, Kind.Send)
  }

  /** An operator is asked by its receiver too, when the sender is long gone. */
  lost(loss: Loss, kind: Kind): void {
    const { from, shared } = this.#unanswered
    shared.counters.lost++
    shared.observer.undelivered(from, this.#parties, loss, kind)
  }

  /** Why more of its message goes no further, if it does not: a part of it has failed, or too much is held of its user already. */
  stops({ failureReport, messageId }: Head): string | undefined {
    // It is sent anew.
    if (this.#ended !== undefined && this.#ended === messageId) this.#ended = undefined
    if (!this.full || failureReport === "no") return messageId === undefined ? undefined : this.#blocked?.why(messageId)
    this.block(messageId, TOO_MUCH)
    return TOO_MUCH
  }

  block(messageId: string | undefined, why: string): void {
    const { source } = this.#unanswered
    if (messageId === this.#ended) return
    // Nobody comes this way any more.
    if (messageId === undefined || this.#closed || source === undefined || source.gone) return
    const blocked = this.#blocked ??= new BlockedOfWay(this.#user.blocked, source.shared.limits)
    blocked.add(messageId, why)
  }

  /** Its last chunk, not its only one, has come (RFC 4975 §5.4). */
  ends(messageId: string | undefined): void {
    if (messageId === undefined) return
    this.#ended = messageId
    this.#blocked?.delete(messageId)
  }

  /** No further request comes this way; those that did may still be answered. */
  close(): void {
    this.#closed = true
    this.retry?.close()
    this.#blocked?.clear()
    this.#blocked = undefined
  }
}

const urisOf = (path: string): number => path === "" ? 0 : path.split(" ").length
