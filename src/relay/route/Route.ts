/**
 * Where requests with one To-Path and From-Path go that come in on one hop, with the text that each of them needs. The router
 * decides it once, and it is used as long as its sessions live.
 */
import { Kind } from "../../protocol/Head.ts"
import { keepText } from "../../protocol/Octets.ts"
import type { MsrpUri } from "../../protocol/Uri.ts"
import type { Outbound } from "../outbound/Outbound.ts"
import type { Window } from "../outbound/Window.ts"
import { extend, isOver, type Session } from "../Session.ts"
import { type Parties, partiesOf, type Traffic } from "../SessionRecord.ts"
import { Flow } from "./Flow.ts"
import type { HopRoutes } from "./HopRoutes.ts"
import type { Pace, Paces } from "./Pace.ts"
import type { Source } from "./Source.ts"
import type { CountedSource } from "./Unanswered.ts"
import type { UserLoad } from "./UserLoad.ts"
import type { Way } from "./Way.ts"
import { WayBack } from "./WayBack.ts"

/** What a route is made of. */
export interface RouteParts {
  readonly source: CountedSource
  readonly target: Outbound
  /** The routes of the hop that it begins at, and of the hop that it leads to. */
  readonly ends: readonly [HopRoutes, HopRoutes]
  /** The sessions whose URIs it uses: one, or two if both parties are clients of this relay. */
  readonly sessions: ReadonlyArray<Session>
  /** The paths of its requests as they come in. To-Path begins with URIs of this relay, one for each session. */
  readonly to: ReadonlyArray<MsrpUri>
  readonly from: ReadonlyArray<MsrpUri>
  /** Whether its requests come from the owner of the first session, not to it. */
  readonly fromOwner: boolean
  /** The bounds on how fast requests may come. */
  readonly paces: Paces
  /** The kind of the request for which it was decided. */
  readonly kind: Kind
  /** What the relay holds for the user of the first session. */
  readonly user: UserLoad
  /** Whether the source is another relay, whose connection many users share. */
  readonly fromRelay: boolean
  /** Finds a connection on which that relay receives reports of its requests when the first connection is gone. */
  readonly reportHop: (() => Source | undefined) | undefined
}

/** Octets of the longest paths by which a route is found. Longer ones would take as much memory again, so a hash of them is used. */
export const LONGEST_KEY = 1024

export class Route implements Way {
  readonly _tag = "Route"
  readonly target: Outbound
  readonly window: Window
  readonly flow: Flow
  /** Whether its requests come from another relay, as proved by its certificate. Many users share such a connection. */
  readonly fromRelay: boolean
  readonly #source: Source
  /** The URI of the relay that its requests come from. */
  readonly #relay: MsrpUri | undefined
  readonly #ends: RouteParts["ends"]
  readonly sessions: ReadonlyArray<Session>
  readonly parties: Parties
  readonly #first: Traffic
  readonly #second: Traffic | undefined
  readonly lines: Buffer
  /** A 200 to the previous hop, between the two occurrences of the transaction id (RFC 4976 §6.4.1). */
  readonly ok: Buffer
  /** Octets of its paths, in the route and in the key under which it is found. */
  readonly octets: number
  readonly user: UserLoad
  readonly wayBack: WayBack
  /** How fast its requests may come; undefined if there is no bound. */
  #pace: Pace | undefined
  readonly fromOwner: boolean
  /** The only kind of request that may take it. A decision about a REPORT or an AUTH does not hold for other kinds. */
  readonly only: Kind | undefined
  /** The route that its requests take from now on, until `takeSuccessor` has returned it. */
  #successor: Route | undefined
  /** Whether its requests may no longer take it. */
  #moved = false

  constructor(
    { ends, from, fromOwner, fromRelay, kind, paces, reportHop, sessions, source, target, to, user }: RouteParts
  ) {
    const own = to.slice(0, sessions.length)
    const rest = to.slice(own.length)
    this.#source = source
    this.target = target
    this.window = target.windows.of(sessions.at(-1)!, rest.length > 1)
    this.fromRelay = fromRelay
    this.#relay = fromRelay ? from[0] : undefined
    this.fromOwner = fromOwner
    this.#pace = paces.of(sessions[0]!, fromOwner)
    this.only = kind === Kind.Report || kind === Kind.Auth ? kind : undefined
    this.sessions = sessions
    this.flow = new Flow(this, source.reading.flows)
    this.#ends = ends
    for (const end of ends) end.add(this)
    const parties = this.parties = partiesOf(sessions, fromOwner)
    const [first, second] = sessions
    this.#first = fromOwner ? first!.record.sent : first!.record.received
    this.#second = second?.record.received
    const wayBack = this.wayBack = new WayBack({ source, own, rest, from, user, fromRelay, reportHop, parties })
    this.lines = wayBack.lines
    this.ok = keepText(` 200 OK\r\nTo-Path: ${from[0]!.text}\r\nFrom-Path: ${wayBack.own}\r\n-------`)
    this.user = user
    this.octets = this.lines.length + Math.min(this.lines.length, LONGEST_KEY) + this.ok.length
  }

  /**
   * Whether a request of this kind may take it. A REPORT does not bind a peer to a session, so a SEND is checked more closely. An
   * AUTH has other rules (RFC 4976 §6.3, §9.2). A peer that may send may also report.
   */
  serves(kind: Kind): boolean {
    const { only } = this
    return only === undefined ? kind !== Kind.Auth : kind === only
  }

  get onlyReports(): boolean {
    return this.only === Kind.Report && !this.fromOwner
  }

  usable(now: number): boolean {
    const { target } = this
    return !this.#moved && !target.shut && target.shared.phase !== "stopping" &&
      !this.isOver(now)
  }

  /** Whether one of its sessions has ended. */
  isOver(now: number): boolean {
    for (const session of this.sessions) if (isOver(session, now)) return true
    return false
  }

  /** From now on its requests take another route. */
  moved(successor: Route): void {
    this.#moved = true
    this.#successor = successor
  }

  /** The route that replaces it, if a request may take that now. The caller then has to close that route. */
  takeSuccessor(now: number): Route | undefined {
    const successor = this.#successor
    if (successor?.usable(now) !== true) return undefined
    this.#successor = undefined
    return successor
  }

  get flowPace(): Pace | undefined {
    return this.#pace !== undefined && this.#isOfMany ? this.#pace : undefined
  }

  /** How fast its connection may be read; undefined if there is no bound, or if several users share the connection. */
  get readPace(): Pace | undefined {
    return this.#pace === undefined || this.#isOfMany ? undefined : this.#pace
  }

  get #isOfMany(): boolean {
    return this.fromRelay || this.#source.reading.sharing.severalUsers
  }

  /** Applies bounds on the pace, where there were none. */
  repace(paces: Paces): void {
    this.#pace = paces.of(this.sessions[0]!, this.fromOwner)
  }

  /** Requests from a relay that is not admitted any more are decided again (RFC 4976 §6.3). */
  recheck(): void {
    if (this.#relay !== undefined && !this.#source.isRelay(this.#relay)) this.#moved = true
  }

  /** A request is passed on. */
  passes(now: number): void {
    this.target.shared.counters.forwarded++
    for (const session of this.sessions) extend(session, now)
  }

  /** Counts SENDs, and octets of their bodies, that are passed on. */
  counts(requests: number, octets: number): void {
    const first = this.#first
    first.requests += requests
    first.octets += octets
    const second = this.#second
    if (second === undefined) return
    second.requests += requests
    second.octets += octets
  }

  accept(buf: Buffer, tidStart: number, tidEnd: number): void {
    this.#source.ok(this.ok, buf, tidStart, tidEnd)
  }

  /** The route is not remembered any more. */
  close(): void {
    for (const end of this.#ends) end.delete(this)
    this.#successor?.close()
    this.wayBack.close()
  }
}
