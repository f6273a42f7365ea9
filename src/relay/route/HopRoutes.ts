/** The routes that begin or end at one connection, whichever connection remembers them. */
import type { Session } from "../Session.ts"
import type { Paces } from "./Pace.ts"

/** The part of a route that matters here. */
interface HopRoute {
  readonly sessions: ReadonlyArray<Session>
  /** Whether it takes nothing but REPORTs to the owner of its session. */
  readonly onlyReports: boolean
  /** Whether a request may take it now. Once it may not, it never may again. */
  usable(now: number): boolean
  /** Applies bounds on the pace of its requests, where there were none. */
  repace(paces: Paces): void
  /** Checks again whether the relay that its requests come from is admitted. */
  recheck(): void
}

export class HopRoutes {
  /** Made with the first route. */
  #routes: Set<HopRoute> | undefined
  /** Sessions that have a retry buffer on the connection. */
  retryBuffers = 0
  /** Whether the peer has accepted requests of more than one session. */
  takesSeveral = false
  /** Whether the relay at the other end did so on a connection before this one. */
  tookSeveral = false
  /** The first session of which the peer has accepted a request. */
  #accepted: Session | undefined
  /** Called with the sessions of each further route. */
  onMore: (sessions: ReadonlyArray<Session>) => void = () => {}

  add(route: HopRoute): void {
    const routes = this.#routes ??= new Set()
    routes.add(route)
    this.onMore(route.sessions)
  }

  delete(route: HopRoute): void {
    this.#routes?.delete(route)
  }

  /**
   * Whether a request may take any of the routes now. Those for REPORTs to an owner do not count: a REPORT binds no peer, so
   * strangers could keep any number of connections with one session. Unusable routes are forgotten on the way.
   */
  anyLive(now: number): boolean {
    return this.#some(now, ({ onlyReports }) => !onlyReports)
  }

  /** Whether there is a usable route that does not use the first of these sessions. */
  anyWithout([session]: ReadonlyArray<Session>, now: number): boolean {
    return this.#some(now, ({ sessions }) => session === undefined || !sessions.includes(session))
  }

  /** The sessions of all routes; some may be over. */
  *sessions(): Generator<Session> {
    for (const { sessions } of this.#routes ?? []) yield* sessions
  }

  repace(paces: Paces): void {
    for (const route of this.#routes ?? []) route.repace(paces)
  }

  recheck(): void {
    for (const route of this.#routes ?? []) route.recheck()
  }

  #some(now: number, is: (route: HopRoute) => boolean): boolean {
    const routes = this.#routes
    if (routes === undefined) return false
    for (const route of routes) {
      if (!route.usable(now)) routes.delete(route)
      else if (is(route)) return true
    }
    return false
  }

  /** Whether the peer has accepted requests of several sessions, or of one only; undefined if of none. */
  get several(): boolean | undefined {
    return this.#accepted === undefined ? undefined : this.takesSeveral
  }

  /** The peer has accepted a request of the session. */
  accepts(session: Session): void {
    this.#accepted ??= session
    if (this.#accepted !== session) this.takesSeveral = true
  }
}
