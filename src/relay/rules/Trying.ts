/** What is tried with another relay: whether it takes a session on a connection that others use, and what else there is. */
import { Route, type RouteParts } from "../route/Route.ts"
import { Trial, type TrialOwner } from "../route/Trial.ts"
import type { Session } from "../Session.ts"
import type { Directory, Wanted } from "./Directory.ts"
import type { Party } from "./Party.ts"
import type { RelayOwners } from "./RelayOwners.ts"
import { wentBy } from "./Ways.ts"

/** A route's parts, but for where it leads to. */
export type Beginning = Omit<RouteParts, "source" | "target" | "ends"> & { readonly source: Party }

export const routeTo = (target: Party, beginning: Beginning): Route => {
  target.shared.tracing?.routed(beginning.source, target, beginning.sessions)
  return new Route({ ...beginning, target: target.outbound, ends: [beginning.source.routes, target.routes] })
}

/** What is tried. */
export interface Attempt {
  readonly directory: Directory
  readonly relays: RelayOwners
  readonly wanted: Wanted
  /** The session whose URI leads to the relay. */
  readonly session: Session
  readonly target: Party
  readonly beginning: Beginning
}

/** The session whose URI leads to the relay is tried on a connection that may be others', too. */
export class Trying implements TrialOwner {
  readonly keeps = true
  readonly #attempt: Attempt

  constructor(attempt: Attempt) {
    this.#attempt = attempt
  }

  get othersUse(): boolean {
    const { session, target } = this.#attempt
    return target.routes.anyWithout([session], target.shared.turn.now)
  }

  accepted(): void {
    const { session, target } = this.#attempt
    target.routes.accepts(session)
  }

  elsewhere(): Route | undefined {
    const { beginning, directory, relays, session, wanted } = this.#attempt
    const target = directory.dialAlone(wanted)
    if ("problem" in target) return undefined
    relays.leads(target, session, wanted.uri)
    wentBy(session, wanted.uri, target, true)
    const route = routeTo(target, beginning)
    route.back.trial = new Trial(route, new Confirming(directory, wanted), [target.routes, beginning.user])
    return route
  }
}

/** What was refused on a connection that others use is tried on one of its own: then the relay wants it so. */
class Confirming implements TrialOwner {
  readonly keeps = false
  readonly othersUse = false
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
