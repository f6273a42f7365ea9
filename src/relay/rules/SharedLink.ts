/**
 * The first requests of a session to another relay go out on a connection that other sessions may share. A relay that wants a
 * connection for each session answers 481 there; then they are sent again on a connection of the session's own.
 */
import { MAX_RETRY_BUFFERS, RetryBuffer, type RetryPolicy } from "../route/RetryBuffer.ts"
import type { Route } from "../route/Route.ts"
import type { Session } from "../Session.ts"
import type { Directory, Wanted } from "./Directory.ts"
import type { Party } from "./Party.ts"
import type { RelayOwners } from "./RelayOwners.ts"
import { type RouteSpec, routeTo } from "./RouteTo.ts"
import { wentBy } from "./SessionHops.ts"

/** A session that begins to use a connection to another relay. */
interface SharedLinkAttempt {
  readonly directory: Directory
  readonly relays: RelayOwners
  readonly wanted: Wanted
  /** The session whose URI leads to the relay. */
  readonly session: Session
  /** The connection to the relay. */
  readonly target: Party
  readonly spec: RouteSpec
}

/**
 * Keeps the first requests of this new route, to send them again on another connection if the relay refuses the session on this
 * one. A connection that has taken several sessions needs none of that. If an earlier connection with the relay has, nothing is
 * kept: after a restart the relay refuses all sessions that it had, and a connection for each would help none of them.
 */
export const trySharedLink = (route: Route, attempt: SharedLinkAttempt): void => {
  const { spec: { user }, target: { routes } } = attempt
  if (routes.takesSeveral || [routes, user].some(({ retryBuffers }) => retryBuffers >= MAX_RETRY_BUFFERS)) return
  route.wayBack.retry = new RetryBuffer(route, new OnSharedLink(attempt), [routes, user])
}

/** The requests are on the shared connection, and copies are kept unless they are known to be of no use. */
class OnSharedLink implements RetryPolicy {
  readonly keeps: boolean
  readonly #attempt: SharedLinkAttempt

  constructor(attempt: SharedLinkAttempt) {
    this.#attempt = attempt
    this.keeps = !attempt.target.routes.tookSeveral
  }

  accepted(): void {
    const { session, target } = this.#attempt
    target.routes.accepts(session)
  }

  elsewhere(): Route | undefined {
    const { directory, relays, session, spec, target, wanted } = this.#attempt
    if (!target.routes.anyWithout([session], target.shared.turn.now)) return undefined
    const own = directory.dialAlone(wanted)
    if ("problem" in own) return undefined
    relays.leads(own, session, wanted.uri)
    wentBy(session, wanted.uri, own, "relay")
    const route = routeTo(own, spec)
    route.wayBack.retry = new RetryBuffer(route, new OnOwnConnection(directory, wanted), [own.routes, spec.user])
    return route
  }
}

/**
 * The requests were refused on the shared connection and are on the session's own, with no further retry. If the relay accepts
 * one there, it wants a connection for each session.
 */
class OnOwnConnection implements RetryPolicy {
  readonly keeps = false
  readonly #directory: Directory
  readonly #wanted: Wanted

  constructor(directory: Directory, wanted: Wanted) {
    this.#directory = directory
    this.#wanted = wanted
  }

  accepted(): void {
    this.#directory.wantsEachAlone(this.#wanted)
  }

  elsewhere(): undefined {
    return undefined
  }
}
