/** The routes that begin or end at one connection, whoever remembers them. */
import type { Session } from "../Session.ts"
import type { Paces } from "./Pace.ts"

/** A route, as far as it is looked at here. */
export interface Leading {
  readonly sessions: ReadonlyArray<Session>
  /** May a request take it now; once it may not, it never may again. */
  usable(now: number): boolean
  /** There are bounds of how fast its requests may come, where there were none. */
  repace(paces: Paces): void
  /** Whoever sends here may be admitted as a relay no more. */
  recheck(): void
}

export class HopRoutes {
  readonly #routes = new Set<Leading>()
  /** Sessions that are tried on the connection now. */
  retryBuffers = 0
  /** Its peer has accepted requests of more than one session. */
  takesSeveral = false
  /** The first one of those. */
  #accepted: Session | undefined
  onMore: () => void = () => {}

  add(route: Leading): void {
    this.#routes.add(route)
    this.onMore()
  }

  delete(route: Leading): void {
    this.#routes.delete(route)
  }

  /** Is there one that a request could take now. Those whose sessions have ended are forgotten on the way. */
  anyLive(now: number): boolean {
    return this.#some(now, () => true)
  }

  /** Is there one of other sessions than the first of these. */
  anyWithout([session]: ReadonlyArray<Session>, now: number): boolean {
    return this.#some(now, ({ sessions }) => session === undefined || !sessions.includes(session))
  }

  /** The sessions of all of them; some may be over. */
  *sessions(): Generator<Session> {
    for (const { sessions } of this.#routes) yield* sessions
  }

  repace(paces: Paces): void {
    for (const route of this.#routes) route.repace(paces)
  }

  recheck(): void {
    for (const route of this.#routes) route.recheck()
  }

  #some(now: number, is: (route: Leading) => boolean): boolean {
    for (const route of this.#routes) {
      if (!route.usable(now)) this.#routes.delete(route)
      else if (is(route)) return true
    }
    return false
  }

  /** Its peer has accepted a request of the session. */
  accepts(session: Session): void {
    this.#accepted ??= session
    if (this.#accepted !== session) this.takesSeveral = true
  }
}
