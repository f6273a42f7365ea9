/**
 * The routes of one connection, by the two paths of their requests. A peer may name as many paths as it likes, each as
 * long as a header may be, so both the routes and the octets of their paths have a limit. It follows the sessions that
 * they use, since a connection of another relay has those of many clients. So have those of one user on all connections,
 * beyond some for each session. Beyond it, the route goes that was used before all others and in which nothing waits; it
 * is found anew when it is needed.
 */
import { LinkedMap } from "../../collections/LinkedMap.ts"
import { type Head, Kind } from "../../protocol/Head.ts"
import type { Route } from "../route/Route.ts"
import type { Session } from "../Session.ts"

const MAX_ROUTES = 1024
const ROUTES_PER_SESSION = 4
/** Octets that a route takes about, beside its paths; and what those of a connection, and of a user, may take. */
const ROUTE = 2048
const MAX_OCTETS = 3_145_728
const OCTETS_PER_SESSION = 16_384
export const MAX_OCTETS_OF_USER = 8_388_608

/** Routes in use that are looked at for one that can be forgotten, at a time. */
const LOOKS = 4

export class Routes {
  readonly #routes = new LinkedMap<string, Route>()
  #octets = 0
  /** The sessions that they use, and how many of them do. */
  readonly #using = new Map<Session, number>()

  /** Octets that they take. */
  get octets(): number {
    return this.#octets
  }

  get(paths: string): Route | undefined {
    return this.#routes.touch(paths)
  }

  /** `inUse` is kept whatever happens. */
  add(paths: string, route: Route, inUse: Route | undefined): void {
    this.#delete(paths)
    this.#routes.set(paths, route)
    this.#count(route, ROUTE + route.octets)
    for (const one of route.sessions) this.#using.set(one, (this.#using.get(one) ?? 0) + 1)
    for (let looks = 0; looks < LOOKS && this.#tooMany(route);) {
      const { key, value } = this.#routes.first!
      if (value.flow.idle && value !== inUse && value !== route) this.#delete(key)
      else {
        this.#routes.touch(key)
        looks++
      }
    }
  }

  /** After this one. */
  #tooMany({ user }: Route): boolean {
    const sessions = this.#using.size
    const due = OCTETS_PER_SESSION * sessions
    return this.#routes.size > Math.max(MAX_ROUTES, ROUTES_PER_SESSION * sessions) ||
      this.#octets > Math.max(MAX_OCTETS, due) ||
      (this.#octets > due && user.routeOctets > MAX_OCTETS_OF_USER)
  }

  #count({ user }: Route, octets: number): void {
    this.#octets += octets
    user.routeOctets += octets
  }

  *closes(): Iterable<void> {
    for (const { key } of this.#routes) {
      this.#delete(key)
      yield
    }
  }

  #delete(paths: string): void {
    const route = this.#routes.get(paths)
    if (route === undefined) return
    route.close()
    this.#routes.delete(paths)
    this.#count(route, -ROUTE - route.octets)
    for (const one of route.sessions) {
      const others = this.#using.get(one)! - 1
      if (others > 0) this.#using.set(one, others)
      else this.#using.delete(one)
    }
  }
}

/** The key of its route: an AUTH has one by itself. */
export const pathsOf = (head: Head): string =>
  head.kind === Kind.Auth ? `${head.toPath}\n${head.fromPath}\nAUTH` : `${head.toPath}\n${head.fromPath}`
