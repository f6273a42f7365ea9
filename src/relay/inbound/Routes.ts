/**
 * The routes of one connection, by the two paths of their requests. A peer may name any number of paths, each as long as a
 * header line may be, so the number of routes and their octets are limited. The limits grow with the number of sessions that the
 * routes use, because a connection of another relay carries those of many clients. The octets of one user's routes on all
 * connections are limited too, beyond an amount for each session. Above a limit, the least recently used route in which nothing
 * waits is removed; it is found again when it is needed.
 */
import { LinkedMap } from "../../collections/LinkedMap.ts"
import { Tally } from "../../collections/Tally.ts"
import { type Head, Kind } from "../../protocol/Head.ts"
import { digestOf } from "../../protocol/Ident.ts"
import { LONGEST_KEY, type Route } from "../route/Route.ts"
import type { Session } from "../Session.ts"

const MAX_ROUTES = 1024
const ROUTES_PER_SESSION = 4
/** Octets that a route takes in memory beside its paths, approximately. */
const ROUTE = 2048
/** Octets that the routes of one connection may take: the larger one of both limits. */
const MAX_OCTETS = 3_145_728
const OCTETS_PER_SESSION = 16_384
/** Octets that the routes of one user may take, where those of the connection exceed `OCTETS_PER_SESSION`. */
export const MAX_OCTETS_OF_USER = 8_388_608

/** Routes in use that are skipped at a time in the search for one that can be removed. */
const MAX_CHECKS = 4

export class Routes {
  readonly #routes = new LinkedMap<string, Route>()
  #octets = 0
  /** The sessions that the routes use, and the number of routes that use each. */
  readonly #using = new Tally<Session>()

  /** Octets that the routes take. */
  get octets(): number {
    return this.#octets
  }

  get(paths: string): Route | undefined {
    return this.#routes.touch(paths)
  }

  /** `inUse` is not removed. */
  add(paths: string, route: Route, inUse: Route | undefined): void {
    this.#delete(paths)
    this.#routes.set(paths, route)
    this.#count(route, ROUTE + route.octets)
    for (const one of route.sessions) this.#using.more(one)
    for (let checks = 0; checks < MAX_CHECKS && this.#tooMany(route);) {
      const { key, value } = this.#routes.first!
      if (value.flow.idle && value !== inUse && value !== route) this.#delete(key)
      else {
        this.#routes.touch(key)
        checks++
      }
    }
  }

  /** Whether there are too many routes, or octets, with this new one. */
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
    for (const one of route.sessions) this.#using.less(one)
  }
}

/** The key of the route of a request: its paths, or a hash if they are long. An AUTH has a route of its own. */
export const pathsOf = (head: Head): string => {
  const paths = `${head.toPath}\n${head.fromPath}`
  const key = paths.length > LONGEST_KEY ? digestOf(paths) : paths
  return head.kind === Kind.Auth ? `${key}\nAUTH` : key
}
