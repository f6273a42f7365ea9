/** Makes a route to a hop, and reports it to the traces of users. */
import { Route, type RouteParts } from "../route/Route.ts"
import type { Party } from "./Party.ts"

/** Everything that defines a route except the hop that it leads to. */
export type RouteSpec = Omit<RouteParts, "source" | "target" | "ends"> & { readonly source: Party }

export const routeTo = (target: Party, spec: RouteSpec): Route => {
  target.shared.tracing?.routed(spec.source, target, spec.sessions)
  return new Route({ ...spec, target: target.outbound, ends: [spec.source.routes, target.routes] })
}
