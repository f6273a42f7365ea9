/** The routes that begin or end at one connection, whoever remembers them. */
import type { Route } from "./Route.ts"

export class HopRoutes {
  readonly #routes = new Set<Route>()

  add(route: Route): void {
    this.#routes.add(route)
  }

  delete(route: Route): void {
    this.#routes.delete(route)
  }

  /** Is there one that a request could take now. Those whose sessions have ended are forgotten on the way. */
  anyLive(now: number): boolean {
    for (const route of this.#routes) {
      if (route.usable(now)) return true
      this.#routes.delete(route)
    }
    return false
  }
}
