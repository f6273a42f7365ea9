/**
 * The routes of one connection, by the two paths of their requests. A peer may name as many paths as it likes, each as
 * long as a header may be, so both the routes and the octets of their paths have a limit: those that nothing waits in are
 * then forgotten, and found anew when they are needed.
 */
import type { Route } from "../route/Route.ts"

const MAX_ROUTES = 1024
/** Several times what 1024 routes with paths as clients have them take. A route costs a few times the octets of its paths. */
const MAX_PATHS = 1_048_576

export class Routes {
  readonly #routes = new Map<string, Route>()
  #octets = 0

  /** Octets of the paths. */
  get octets(): number {
    return this.#octets
  }

  get(paths: string): Route | undefined {
    return this.#routes.get(paths)
  }

  /** `inUse` is kept whatever happens. */
  add(paths: string, route: Route, inUse: Route | undefined): void {
    this.#delete(paths)
    if (this.#routes.size >= MAX_ROUTES || this.#octets + paths.length > MAX_PATHS) {
      for (const [others, old] of this.#routes) if (old.flow.idle && old !== inUse) this.#delete(others)
    }
    this.#routes.set(paths, route)
    this.#octets += paths.length
  }

  close(): void {
    for (const paths of this.#routes.keys()) this.#delete(paths)
  }

  #delete(paths: string): void {
    const route = this.#routes.get(paths)
    if (route === undefined) return
    route.close()
    this.#routes.delete(paths)
    this.#octets -= paths.length
  }
}
