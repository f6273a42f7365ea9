/** What is tried with another relay: whether it takes a session on a connection that others use, and what else there is. */
import { Route, type RouteParts } from "../route/Route.ts"
import { Trial, type TrialOwner } from "../route/Trial.ts"
import type { Session } from "../Session.ts"
import type { Directory, Wanted } from "./Directory.ts"
import type { Party } from "./Party.ts"
import { wentBy } from "./Ways.ts"

/** A route's parts, but for where it leads to. */
export type Beginning = Omit<RouteParts, "source" | "target" | "ends"> & { readonly source: Party }

export const routeTo = (target: Party, beginning: Beginning): Route =>
  new Route({ ...beginning, target: target.outbound, ends: [beginning.source.routes, target.routes] })

/** The session whose URI leads to the relay is tried on a connection that may be others', too. */
export class Trying implements TrialOwner {
  readonly keeps = true
  readonly #directory: Directory
  readonly #wanted: Wanted
  readonly #session: Session
  readonly #target: Party
  readonly #beginning: Beginning

  constructor(directory: Directory, wanted: Wanted, session: Session, target: Party, beginning: Beginning) {
    this.#directory = directory
    this.#wanted = wanted
    this.#session = session
    this.#target = target
    this.#beginning = beginning
  }

  get othersUse(): boolean {
    return this.#target.routes.anyWithout(this.#session, this.#target.shared.turn.now)
  }

  accepted(): void {
    this.#target.routes.accepts(this.#session)
  }

  elsewhere(): Route | undefined {
    const target = this.#directory.dialAlone(this.#wanted)
    if (typeof target === "number") return undefined
    wentBy(this.#session, this.#wanted.uri, target)
    const route = routeTo(target, this.#beginning)
    route.trial = new Trial(route, new Confirming(this.#directory, this.#wanted), target.routes)
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
