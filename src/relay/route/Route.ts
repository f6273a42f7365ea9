/**
 * Where requests with one To-Path and From-Path go that arrive on one hop, with the text that every one of them needs.
 * Found once by the router, then used as long as its sessions live.
 */
import { Kind } from "../../protocol/Head.ts"
import { keepText } from "../../protocol/Octets.ts"
import type { MsrpUri } from "../../protocol/Uri.ts"
import type { Outbound } from "../outbound/Outbound.ts"
import type { Window } from "../outbound/Window.ts"
import { extend, type Session } from "../Session.ts"
import { type Parties, partiesOf, type Traffic } from "../SessionRecord.ts"
import { Flow } from "./Flow.ts"
import type { HoldBudget } from "./HoldBudget.ts"
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
  /** The routes of both hops. */
  readonly ends: readonly [HopRoutes, HopRoutes]
  /** The sessions whose URIs it uses: one, or two when both parties are clients of this relay. */
  readonly sessions: ReadonlyArray<Session>
  /** The paths of its requests as they come in: the first URIs are the relay's, one for each session. */
  readonly to: ReadonlyArray<MsrpUri>
  readonly from: ReadonlyArray<MsrpUri>
  /** They come from the owner of the first session, not to him. */
  readonly fromOwner: boolean
  /** How fast requests may come. */
  readonly paces: Paces
  /** That of the request for which it was decided. */
  readonly kind: Kind
  /** What the user makes the relay hold whose session is the first. */
  readonly user: UserLoad
  /** The source is another relay, whose connection many users share. */
  readonly fromRelay: boolean
  /** Where that is told of its requests when the connection is gone. */
  readonly elsewhere: (() => Source | undefined) | undefined
}

export class Route implements Way {
  readonly _tag = "Route"
  readonly target: Outbound
  readonly window: Window
  readonly flow: Flow
  /** It comes from another relay, whose certificate proves that: its connection is that of many. */
  readonly fromRelay: boolean
  readonly #source: Source
  /** The URI of the relay that it comes from. */
  readonly #relay: MsrpUri | undefined
  readonly #ends: RouteParts["ends"]
  readonly sessions: ReadonlyArray<Session>
  readonly parties: Parties
  readonly #first: Traffic
  readonly #second: Traffic | undefined
  readonly lines: Buffer
  /** Between transaction id and transaction id of a 200 to the previous hop (RFC 4976 §6.4.1). */
  readonly ok: Buffer
  /** Octets of its paths, which stand in it, and in what it is found by. */
  readonly octets: number
  readonly user: UserLoad
  readonly back: WayBack
  /** How fast its requests may come, unless there is no bound. */
  #pace: Pace | undefined
  readonly #fromOwner: boolean
  /** It is good for this kind of request only: what is decided about a REPORT, or an AUTH, says nothing of others. */
  readonly only: Kind | undefined
  /** Its requests go another way now: by this route, until somebody has taken it over. */
  #successor: Route | undefined
  /** They do, or may not any more. */
  #moved = false

  constructor(
    { elsewhere, ends, from, fromOwner, fromRelay, kind, paces, sessions, source, target, to, user }: RouteParts
  ) {
    const own = to.slice(0, sessions.length)
    const rest = to.slice(own.length)
    this.#source = source
    this.target = target
    this.window = target.windows.of(sessions.at(-1)!, rest.length > 1)
    this.fromRelay = fromRelay
    this.#relay = fromRelay ? from[0] : undefined
    this.#fromOwner = fromOwner
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
    const back = this.back = new WayBack({ source, own, rest, from, user, fromRelay, elsewhere, parties })
    this.lines = back.lines
    this.ok = keepText(` 200 OK\r\nTo-Path: ${from[0]!.text}\r\nFrom-Path: ${back.own}\r\n-------`)
    this.user = user
    this.octets = 2 * this.lines.length + this.ok.length
  }

  /**
   * May a request of this kind take it. A REPORT binds no peer to a session, so a SEND is looked at more closely; an AUTH
   * is held to other rules (RFC 4976 §6.3, §9.2); and who may send may report.
   */
  serves(kind: Kind): boolean {
    const { only } = this
    return only === undefined ? kind !== Kind.Auth : kind === only
  }

  usable(now: number): boolean {
    const { target } = this
    return !this.#moved && !target.shut && target.shared.phase !== "stopping" &&
      !this.isOver(now)
  }

  /** One of its sessions has ended. */
  isOver(now: number): boolean {
    for (const session of this.sessions) if (session.ended || session.expiresAt <= now) return true
    return false
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

  get flowPace(): Pace | undefined {
    return this.#pace !== undefined && this.#isOfMany ? this.#pace : undefined
  }

  /** How fast its connection may be read, where there is nobody else who would wait. */
  get readPace(): Pace | undefined {
    return this.#pace === undefined || this.#isOfMany ? undefined : this.#pace
  }

  get #isOfMany(): boolean {
    return this.fromRelay || this.#source.reading.severalUsers
  }

  get holdBudget(): HoldBudget {
    return this.user.holdBudget
  }

  /** There are bounds where there were none. */
  repace(paces: Paces): void {
    this.#pace = paces.of(this.sessions[0]!, this.#fromOwner)
  }

  /** What comes from a relay that is not admitted any more is decided anew (RFC 4976 §6.3). */
  recheck(): void {
    if (this.#relay !== undefined && !this.#source.isRelay(this.#relay)) this.#moved = true
  }

  /** A request is passed on. */
  passes(now: number): void {
    this.target.shared.counters.forwarded++
    for (const session of this.sessions) extend(session, now)
  }

  /** So many SENDs, and octets of their bodies, are passed on. */
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

  /** It is not remembered any more. */
  close(): void {
    for (const end of this.#ends) end.delete(this)
    this.#successor?.close()
    this.back.close()
  }
}
