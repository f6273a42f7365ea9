/** Who uses a connection: one session or several. Where there are several, none of them may wait long for the receiver of another. */
import { Kind } from "../../protocol/Head.ts"
import type { ConnectionUse } from "../route/FlowControl.ts"
import type { Session } from "../Session.ts"
import type { Shared } from "../Shared.ts"

/** Routes or sessions of the connection, as far as they show that other sessions may use it. */
export interface Others {
  /** Whether there is one of a session other than these. */
  anyWithout(sessions: ReadonlyArray<Session>, now: number): boolean
  /** Called when there is one more, with its sessions. Set by `Reading`. */
  onMore: (sessions: ReadonlyArray<Session>) => void
}

/** The hop whose connection it is. */
export interface SharingOwner {
  readonly routes: Others
  /** Those that have sent nothing yet have no route. */
  readonly sessions: Others & { readonly severalUsers: boolean }
}

/** The route of a request, as far as it matters here. */
export interface UsedRoute {
  readonly fromRelay: boolean
  readonly sessions: ReadonlyArray<Session>
  /** The only kind of request that takes the route, if there is such. */
  readonly only: Kind | undefined
}

/** Milliseconds for which a connection counts as used by several sessions after two of them have used it. */
const SEVERAL_FOR = 60_000

export class Sharing implements ConnectionUse {
  readonly #shared: Shared
  readonly #owner: SharingOwner
  /** The route of the last request. */
  #route: UsedRoute | undefined
  /** Milliseconds of the monotonic clock until which the connection counts as used by several sessions. */
  #severalUntil = -Infinity

  constructor(shared: Shared, owner: SharingOwner) {
    this.#shared = shared
    this.#owner = owner
  }

  /**
   * A request takes a route. Returns whether that shows another session than the request before it. `before`: the route that it
   * replaces, if that served other kinds of request only. An AUTH shows no other session, because every sender begins with one.
   */
  uses(route: UsedRoute, before: UsedRoute | undefined): boolean {
    const last = this.#route
    if (route === last || (last !== undefined && route.only === Kind.Auth)) return false
    this.#route = route
    return last !== undefined && last !== before && last.only !== Kind.Auth
  }

  /** Several sessions use the connection now, so it counts as theirs for a while. Returns whether it did not do so before. */
  becomesSeveral(): boolean {
    const before = this.severalSessions
    this.#severalUntil = this.#shared.turn.now + SEVERAL_FOR
    return !before
  }

  get severalSessions(): boolean {
    return this.#shared.turn.now < this.#severalUntil
  }

  get severalUsers(): boolean {
    return this.#owner.sessions.severalUsers
  }

  /** Whether the requests that came last are those of another relay. */
  get fromRelay(): boolean {
    return this.#route?.fromRelay === true
  }

  /** Whether sessions other than that of the last request may use it, though they have sent nothing for a while or at all. */
  get hasOthers(): boolean {
    const used = this.#route?.sessions
    if (used === undefined) return false
    const { now } = this.#shared.turn
    const { routes, sessions } = this.#owner
    return routes.anyWithout(used, now) || sessions.anyWithout(used, now)
  }

  /** Whether these are not the sessions of the last request. */
  areOthers(sessions: ReadonlyArray<Session>): boolean {
    const used = this.#route?.sessions[0]
    return used !== undefined && !sessions.includes(used)
  }

  othersWait(since: number): boolean {
    const { limits: { unheard }, turn: { now } } = this.#shared
    return this.severalSessions || (now >= since + unheard.millis && this.hasOthers)
  }

  /** The connection is gone. */
  close(): void {
    this.#route = undefined
  }
}
