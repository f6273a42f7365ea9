/**
 * Where requests with one To-Path and From-Path go that arrive on one hop, with the text that every one of them needs.
 * Found once by the router, then used as long as its sessions live. It is also the way back: of answers, REPORTs, and of
 * the wish to hear no more of a message.
 */
import { encodeResponse } from "../../protocol/Encoder.ts"
import type { Flag, Head } from "../../protocol/Head.ts"
import { type MsrpUri, parsePath, sameUri } from "../../protocol/Uri.ts"
import type { Outbound } from "../outbound/Outbound.ts"
import type { Asked, Piece } from "../outbound/Transaction.ts"
import { extend, type Session } from "../Session.ts"
import type { Shared } from "../Shared.ts"
import { stopTimer, Timed } from "../Timers.ts"
import { Flow, type Tap } from "./Flow.ts"
import type { Way } from "./Forward.ts"
import type { HopRoutes } from "./HopRoutes.ts"
import type { Pace } from "./Pace.ts"
import { encodeReport } from "./Report.ts"

/** What is tried with the first requests of a session, where another relay might refuse them. */
export interface Tried {
  keep(head: Head, bodyStart: number, bodyEnd: number, flag: Flag, end: number): void
  heard(status: number): void
  failed(of: Piece | Asked, status: number): boolean
  over(): void
}

/** The hop that requests come in on. */
export interface Source {
  readonly shared: Shared
  /** Its connection is gone. */
  readonly gone: boolean
  readonly reading: Tap
  /** Writes a whole frame of the relay's own; nothing once it is gone. */
  control(frame: Buffer): void
  /** An AUTH with wrong credentials came from there (RFC 4976 §6.3). */
  authFailed(): void
}

/** What a route is made of. */
export interface RouteParts {
  readonly source: Source
  readonly target: Outbound
  /** The routes of both hops. */
  readonly ends: readonly [HopRoutes, HopRoutes]
  /** The sessions whose URIs it uses: one, or two when both parties are clients of this relay. */
  readonly sessions: ReadonlyArray<Session>
  /** The paths of its requests as they come in: the first URIs are the relay's, one for each session. */
  readonly to: ReadonlyArray<MsrpUri>
  readonly from: ReadonlyArray<MsrpUri>
  /** How fast its requests may come, unless there is no bound. */
  readonly pace: Pace | undefined
}

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

export class Route implements Way {
  readonly _tag = "Route"
  readonly target: Outbound
  readonly flow: Flow
  readonly #source: Source
  readonly #ends: RouteParts["ends"]
  readonly sessions: ReadonlyArray<Session>
  readonly lines: Buffer
  /** The relay's URIs, as they stand at the front of the From-Path of what goes out. */
  readonly #ownPath: string
  /** Between transaction id and transaction id of a 200 to the previous hop (RFC 4976 §6.4.1). */
  readonly ok: Buffer
  /** From-Path as it came in: the way back to the original sender. */
  readonly #fromPath: string
  readonly pace: Pace | undefined
  readonly #own: string
  /** The first of the relay's URIs on the way back. */
  readonly #firstBack: string
  /** Found for a REPORT. */
  reportsOnly = false
  /** It is not known yet whether the next hop takes its requests. */
  trial: Tried | undefined
  /** Its requests go another way now: by this route, until somebody has taken it over. */
  #successor: Route | undefined
  #moved = false
  #blocked: Map<string, Blocked> | undefined

  constructor({ ends, from, pace, sessions, source, target, to }: RouteParts) {
    const own = to.slice(0, sessions.length)
    this.#source = source
    this.target = target
    this.pace = pace
    this.sessions = sessions
    this.flow = new Flow(this, source.reading)
    this.#own = own[0]!.text
    this.#firstBack = own.at(-1)!.text
    this.#ownPath = own.map((uri) => uri.text).toReversed().join(" ")
    this.#fromPath = from.map((uri) => uri.text).join(" ")
    const rest = to.slice(own.length).map((uri) => uri.text).join(" ")
    this.lines = Buffer.from(`To-Path: ${rest}\r\nFrom-Path: ${this.#ownPath} ${this.#fromPath}\r\n`, "latin1")
    this.#ends = ends
    for (const end of ends) end.add(this)
    this.ok = Buffer.from(` 200 OK\r\nTo-Path: ${from[0]!.text}\r\nFrom-Path: ${this.#own}\r\n-------`, "latin1")
  }

  usable(now: number): boolean {
    if (this.#moved || this.target.gone || this.target.shared.stopping) return false
    for (const session of this.sessions) if (session.ended || session.expiresAt <= now) return false
    return true
  }

  /** From now on its requests go another way. */
  moved(successor: Route): void {
    this.#moved = true
    this.#successor = successor
  }

  /** The route in its place, if a request could take it now; whoever takes it closes it. */
  takeSuccessor(now: number): Route | undefined {
    const successor = this.#successor
    if (successor?.usable(now) !== true) return undefined
    this.#successor = undefined
    return successor
  }

  /** A request is passed on. */
  used(now: number): void {
    for (const session of this.sessions) extend(session, now)
  }

  // ---- the way back

  /**
   * Is this the To-Path of an answer to a request that took this route. That to a SEND has to name the previous hop only,
   * which is the first of the relay's URIs (RFC 4975 §7.2). There are relays that name no more in any answer.
   */
  isAnswered(toPath: string, isSend: boolean): boolean {
    return this.#behind(this.#firstBack, toPath) !== undefined && (isSend || this.#wayBack(toPath) !== undefined)
  }

  /** The URIs behind the relay's own: as the answer has them, or the request where that has more. */
  #wayBack(toPath: string): string | undefined {
    const rest = this.#behind(this.#ownPath, toPath)
    if (rest === undefined) return this.#behind(this.#firstBack, toPath) === "" ? this.#fromPath : undefined
    return urisOf(rest) < urisOf(this.#fromPath) ? this.#fromPath : rest
  }

  /**
   * What follows the relay's URIs in the To-Path of an answer; nothing when it does not begin with them.
   *
   * Peers mostly copy what they got; whoever writes a URI in his own way means the same one (RFC 4975 §6.1).
   */
  #behind(own: string, toPath: string): string | undefined {
    if (toPath === own) return ""
    if (toPath.startsWith(own) && toPath.charAt(own.length) === " ") return toPath.slice(own.length + 1)
    const { pathUris } = this.#source.shared.codec.limits
    const uris = parsePath(toPath, pathUris) ?? []
    const wanted = parsePath(own, pathUris)!
    if (uris.length < wanted.length || !wanted.every((uri, i) => sameUri(uri, uris[i]!))) return undefined
    return uris.slice(wanted.length).map((uri) => uri.text).join(" ")
  }

  /** The next hop's answer goes back under the id that the request came with (RFC 4976 §6.4.3). */
  answered(asked: Asked, head: Head): boolean {
    const source = this.#source
    const rest = this.#wayBack(head.toPath)
    if (rest === undefined) return false
    if (source.gone || this.trial?.failed(asked, head.status) === true) return true
    const own = this.#ownPath.split(" ").toReversed().join(" ")
    const comment = head.comment === "" ? "" : ` ${head.comment}`
    const start = `MSRP ${asked.id} ${String(head.status).padStart(3, "0")}${comment}`
    const paths = `To-Path: ${rest}\r\nFrom-Path: ${own} ${head.fromPath}\r\n`
    const headers = head.buf.toString("latin1", head.restStart, head.restEnd)
    source.control(Buffer.from(`${start}\r\n${paths}${headers}-------${asked.id}$\r\n`, "latin1"))
    // A client that guesses passwords at a relay further on is a nuisance here; a relay is not closed for those behind
    // it, who stand in the path as well (RFC 4976 §6.3).
    if (
      asked.hasCredentials && head.status === 401 && !this.#fromPath.includes(" ") &&
      !head.headers("WWW-Authenticate").some(isStale)
    ) source.authFailed()
    return true
  }

  /** An answer that the relay gives in the next hop's stead. */
  answer(transactionId: string, status: number, comment: string): void {
    const [toPath, fromPath] = [this.#fromPath, this.#own]
    this.#source.control(encodeResponse({ transactionId, status, comment, toPath, fromPath }))
  }

  /** Tells the original sender of a failure, unless he is gone. */
  report(piece: Piece, status: number, comment: string): void {
    const source = this.#source
    if (source.gone || this.trial?.failed(piece, status) === true) return
    source.control(encodeReport({ toPath: this.#fromPath, fromPath: this.#own, piece, status, comment }))
    source.shared.counters.reports++
  }

  block(messageId: string | undefined): void {
    if (messageId === undefined || this.#source.gone) return
    const { limits } = this.#source.shared
    const blocked = this.#blocked ??= new Map()
    const known = blocked.get(messageId)
    if (known !== undefined) return limits.blocked.start(known)
    if (blocked.size >= MAX_BLOCKED) this.unblock(blocked.keys().next().value)
    const one = new Blocked(this, messageId)
    blocked.set(messageId, one)
    limits.blocked.start(one)
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

  /** It is not remembered any more. */
  close(): void {
    for (const end of this.#ends) end.delete(this)
    if (!this.#moved) this.trial?.over()
    this.#successor?.close()
    if (this.#blocked !== undefined) { for (const one of this.#blocked.values()) stopTimer(one) }
    this.#blocked = undefined
  }
}

const urisOf = (path: string): number => path === "" ? 0 : path.split(" ").length

const isStale = (challenge: string): boolean => /\bstale\s*=\s*"?true/i.test(challenge)
