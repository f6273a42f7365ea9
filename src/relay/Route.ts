/**
 * Where requests with one To-Path and From-Path go that arrive on one hop, with the text that every one of them needs.
 * Found once by the router, then used as long as its sessions live.
 */
import type { Flag, Head } from "../protocol/Head.ts"
import { Kind } from "../protocol/Head.ts"
import { type MsrpUri, parsePath, sameUri } from "../protocol/Uri.ts"
import { extend, type Session } from "../SessionRepo.ts"
import { Flow } from "./Flow.ts"
import { totalOf } from "./Forward.ts"
import type { Hop } from "./Hop.ts"
import type { Pace } from "./Pace.ts"
import { encodeReport } from "./Report.ts"
import { stopTimer, Timed } from "./Timers.ts"

/** A message of which nothing more is wanted (RFC 4975 §10.5), until its end or for a while. */
class Blocked extends Timed {
  readonly #route: Route
  readonly messageId: string
  constructor(route: Route, messageId: string) {
    super()
    this.#route = route
    this.messageId = messageId
  }
  override expired(): void {
    this.#route.unblock(this.messageId)
  }
}

/** Messages per route that can be blocked at a time; the oldest is forgotten first. */
const MAX_BLOCKED = 64

export class Route {
  readonly source: Hop
  readonly target: Hop
  readonly flow: Flow
  /** The sessions whose URIs it uses: one, or two when both parties are clients of this relay. */
  readonly #sessions: ReadonlyArray<Session>
  /** To-Path and From-Path of what goes out. */
  readonly lines: Buffer
  /** The relay's URIs, as they stand at the front of the From-Path of what goes out. */
  readonly ownPath: string
  /** Between transaction id and transaction id of a 200 to the previous hop (RFC 4976 §6.4.1). */
  readonly ok: Buffer
  /** From-Path as it came in: the way back to the original sender. */
  readonly fromPath: string
  /** How fast its requests may come, unless there is no bound. */
  readonly pace: Pace | undefined
  readonly #own: string
  /** The first of the relay's URIs on the way back. */
  readonly #firstBack: string
  /** Found for a REPORT. */
  reportsOnly = false
  #blocked: Map<string, Blocked> | undefined

  constructor(
    source: Hop,
    target: Hop,
    sessions: ReadonlyArray<Session>,
    own: ReadonlyArray<MsrpUri>,
    toPath: ReadonlyArray<MsrpUri>,
    from: ReadonlyArray<MsrpUri>,
    pace: Pace | undefined
  ) {
    this.source = source
    this.target = target
    this.pace = pace
    this.#sessions = sessions
    this.flow = new Flow(this)
    this.#own = own[0]!.text
    this.#firstBack = own.at(-1)!.text
    this.ownPath = own.map((uri) => uri.text).toReversed().join(" ")
    this.fromPath = from.map((uri) => uri.text).join(" ")
    const to = toPath.slice(own.length).map((uri) => uri.text).join(" ")
    this.lines = Buffer.from(`To-Path: ${to}\r\nFrom-Path: ${this.ownPath} ${this.fromPath}\r\n`, "latin1")
    this.ok = Buffer.from(` 200 OK\r\nTo-Path: ${from[0]!.text}\r\nFrom-Path: ${this.#own}\r\n-------`, "latin1")
  }

  usable(now: number): boolean {
    if (this.target.gone || this.target.relay.stopping) return false
    for (const session of this.#sessions) if (session.ended || session.expiresAt <= now) return false
    return true
  }

  /**
   * Is this the To-Path of an answer to a request that took this route. That to a SEND has to name the previous hop only,
   * which is the first of the relay's URIs (RFC 4975 §7.2).
   */
  isAnswered(toPath: string, isSend: boolean): boolean {
    return this.#behind(isSend ? this.#firstBack : this.ownPath, toPath) !== undefined
  }

  /** What follows the relay's URIs in the To-Path of an answer; nothing when it does not begin with them. */
  behindOwn(toPath: string): string | undefined {
    return this.#behind(this.ownPath, toPath)
  }

  /** Peers mostly copy what they got; whoever writes a URI in his own way means the same one (RFC 4975 §6.1). */
  #behind(own: string, toPath: string): string | undefined {
    if (toPath === own) return ""
    if (toPath.startsWith(own) && toPath.charAt(own.length) === " ") return toPath.slice(own.length + 1)
    const { pathUris } = this.source.relay.codec.limits
    const uris = parsePath(toPath, pathUris) ?? []
    const wanted = parsePath(own, pathUris)!
    if (uris.length < wanted.length || !wanted.every((uri, i) => sameUri(uri, uris[i]!))) return undefined
    return uris.slice(wanted.length).map((uri) => uri.text).join(" ")
  }

  /** A request is passed on. */
  used(now: number): void {
    for (const session of this.#sessions) extend(session, now)
  }

  /** Tells the original sender of a failure (RFC 4975 §7.1.2, RFC 4976 §6.4.1), unless he is gone. */
  report(
    messageId: string | undefined,
    start: number,
    length: number,
    total: number,
    status: number,
    comment: string
  ): void {
    if (this.source.gone) return
    const { fromPath: toPath } = this
    this.source.control(encodeReport({ toPath, fromPath: this.#own, messageId, start, length, total, status, comment }))
    this.source.relay.stats.reports++
  }

  /** A whole frame that was accepted cannot be delivered. An AUTH is answered, since its client waits. */
  failFrame(head: Head, length: number, flag: Flag, status: number, comment: string): void {
    if (head.kind === Kind.Auth) {
      return this.source.answer(head.transactionId, this, status, comment)
    }
    if (head.kind !== Kind.Send || head.failureReport === "no") return
    const total = totalOf(head.rangeTotal, head.rangeStart + length - 1, flag)
    this.report(head.messageId, head.rangeStart, length, total, status, comment)
  }

  block(messageId: string | undefined): void {
    if (messageId === undefined || this.source.gone) return
    const blocked = this.#blocked ??= new Map()
    const known = blocked.get(messageId)
    if (known !== undefined) return this.source.relay.limits.blocked.start(known)
    if (blocked.size >= MAX_BLOCKED) this.unblock(blocked.keys().next().value)
    const one = new Blocked(this, messageId)
    blocked.set(messageId, one)
    this.source.relay.limits.blocked.start(one)
  }

  unblock(messageId: string | undefined): void {
    const one = messageId === undefined ? undefined : this.#blocked?.get(messageId)
    if (one === undefined) return
    stopTimer(one)
    this.#blocked!.delete(one.messageId)
  }

  isBlocked(messageId: string | undefined): boolean {
    return this.#blocked !== undefined && messageId !== undefined && this.#blocked.has(messageId)
  }

  close(): void {
    if (this.#blocked !== undefined) { for (const one of this.#blocked.values()) stopTimer(one) }
    this.#blocked = undefined
  }
}
