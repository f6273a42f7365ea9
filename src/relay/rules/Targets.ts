/**
 * Where an allowed request goes: to a hop that is given, or to the one that a URI leads to, which is dialled if there is no
 * connection yet. Each makes the route for all further requests with the same paths.
 */
import type { MsrpUri } from "../../protocol/Uri.ts"
import type { Paces } from "../route/Pace.ts"
import type { Route } from "../route/Route.ts"
import type { Session } from "../Session.ts"
import { partiesOf } from "../SessionRecord.ts"
import { type Decision, refuse } from "./Decision.ts"
import type { Directory, NextHopKind } from "./Directory.ts"
import type { Party } from "./Party.ts"
import { isByTcp } from "./Reachability.ts"
import type { RelayOwners } from "./RelayOwners.ts"
import { type RouteSpec, routeTo } from "./RouteTo.ts"
import { knownHop, wentBy } from "./SessionHops.ts"
import { trySharedLink } from "./SharedLink.ts"

/** The sessions that a request goes through: two when both parties are clients of this relay. */
export type Through = readonly [Session, Session?]

/** A request through a session: what its route is made of, except for sessions, target and paces. */
export interface Request extends Omit<RouteSpec, "paces" | "sessions"> {
  /** Whether it is a long chunk, which is forwarded while it comes in. */
  readonly isLong: boolean
}

export interface TargetsOptions {
  readonly directory: Directory
  readonly paces: Paces
  /** Other relays that own sessions here. */
  readonly relays: RelayOwners
}

export class Targets {
  readonly #options: TargetsOptions

  constructor(options: TargetsOptions) {
    this.#options = options
  }

  /** To this hop. */
  forward(through: Through, target: Party, request: Request): Route {
    return routeTo(target, this.#spec(through, request))
  }

  /** To the hop that the second URI of `path` leads to, which is dialled if there is no connection yet. */
  reach(through: Through, path: ReadonlyArray<MsrpUri>, kind: NextHopKind, request: Request): Decision {
    const [own, uri] = [path[0]!, path[1]!]
    const session = through[1] ?? through[0]
    const parties = partiesOf(through, request.fromOwner)
    if (!isByTcp(uri)) {
      return refuse(481, "its receiver is not connected, and cannot be dialled", parties)
    }
    // Another relay is reached by TLS only, whoever names it (RFC 4976 §9.2).
    if (uri.scheme === "msrp" && kind === "relay") return refuse(403, "another relay without TLS", parties)
    const { directory, relays } = this.#options
    const known = knownHop(session, uri, kind)
    if (known !== undefined) {
      relays.leads(known, session, uri)
      return this.forward(through, known, request)
    }
    const wanted = { uri, kind, own, source: request.source, session: through[0] }
    const target = directory.hopFor(wanted, (hop) => !request.isLong || mayBegin(session, hop))
    if ("problem" in target) return refuse(target.status, target.problem, parties, target.target)
    relays.leads(target, session, uri)
    const spec = this.#spec(through, request)
    const route = routeTo(target, spec)
    wentBy(session, uri, target, kind)
    // What is too long to be kept is not sent again.
    if (kind === "relay" && !request.isLong) trySharedLink(route, { directory, relays, wanted, session, target, spec })
    return route
  }

  #spec(through: Through, request: Request): RouteSpec {
    const sessions = through.filter((session) => session !== undefined)
    return { ...request, sessions, paces: this.#options.paces }
  }
}

/**
 * Whether a first request that is too long to be sent again may go there: not where the connection is in use by other sessions
 * and may turn out to take only one.
 */
const mayBegin = (session: Session, { routes, shared }: Party): boolean =>
  routes.takesSeveral || routes.tookSeveral || !routes.anyWithout([session], shared.turn.now)
