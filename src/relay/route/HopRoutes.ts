/** The routes that begin or end at one connection, whoever remembers them. */

/** A route, as far as it is looked at here. */
export interface Leading {
  /** May a request take it now; once it may not, it never may again. */
  usable(now: number): boolean
}

export class HopRoutes {
  readonly #routes = new Set<Leading>()

  add(route: Leading): void {
    this.#routes.add(route)
  }

  delete(route: Leading): void {
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
