/**
 * The admin API: shows the users and connections of a relay, and controls it, over HTTP. `layer` is a server of its own;
 * `routes` are for an existing HTTP server. Both need `AdminParts`, the relay and the program behind the API, and an
 * `AdminToken`.
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import { adminUrl, layer, parseAdminAddress } from "msrp-relay/Admin"
 *
 * const address = parseAdminAddress("127.0.0.1:2880")!
 * const AdminLive = layer(address).pipe(Layer.tap(() => Effect.log(`status page at ${adminUrl(address)}`)))
 * ```
 *
 * @module
 */

import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiError from "effect/http-api/HttpApiError"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as SchemaIssue from "effect/SchemaIssue"
import { AdminAccess, type AdminHosts, layerAuthorization, layerGuard } from "./admin/Access.ts"
import type { AdminAddress } from "./admin/Address.ts"
import { AdminApi, TimeLimit } from "./admin/Api.ts"
import { layerEmptyBody } from "./admin/Body.ts"
import { layerHandlers } from "./admin/Handlers.ts"
import { ANSWER_TIME, MAX_PATH_PART } from "./admin/Limits.ts"
import { AdminListenError } from "./admin/ListenError.ts"
import { headers, layerPages, layerRest } from "./admin/Pages.ts"
import type { AdminParts } from "./admin/Parts.ts"
import { Unavailable } from "./admin/Problems.ts"
import type { AdminToken } from "./admin/Token.ts"
import { loadInstalled } from "./options/Installed.ts"

export { type AdminHosts } from "./admin/Access.ts"
export { type AdminAddress, adminUrl, formatAdminAddress, parseAdminAddress } from "./admin/Address.ts"
export { AdminApi, Authorization, EmptyBody, Guard, TimeLimit } from "./admin/Api.ts"
export { type Health, type HealthSources, makeHealth } from "./admin/Health.ts"
export { AdminListenError } from "./admin/ListenError.ts"
export type {
  CertificateInUse,
  LogLevelName,
  Overview,
  PhaseState,
  Reloaded,
  SettingInForce,
  TraceLine,
  TraceQuery,
  UsersBackend,
  UsersUnavailable
} from "./admin/Model.ts"
export { AdminParts, type AdminPartsShape, notAvailable, type RatedCounter } from "./admin/Parts.ts"
export {
  BadRequest,
  Forbidden,
  LengthRequired,
  NotAvailable,
  NotFound,
  TooLarge,
  Unauthorized,
  Unavailable,
  UnsupportedType
} from "./admin/Problems.ts"
export type { StatusHealth } from "./admin/status/Shapes.ts"
export { make as makeStatusFeed, type StatusFeed, type StatusParts } from "./admin/StatusFeed.ts"
export { make as makeStatusPage, type StatusPage } from "./admin/StatusPage.ts"
export { AdminToken } from "./admin/Token.ts"

const layerTimeLimit = Layer.succeed(TimeLimit, (endpoint) =>
  Effect.timeoutOrElse(endpoint, {
    duration: ANSWER_TIME,
    orElse: () => Effect.fail(new Unavailable({ detail: "There was no answer in time" }))
  }))

const format = SchemaIssue.makeFormatterStandardSchemaV1()

/** Describes what is wrong with a request, with the names of its parameters. */
const layerProblems = HttpApiMiddleware.layerSchemaErrorTransform(HttpApiMiddleware.ProblemDetails, (error) => {
  if (error.kind === "Body" || error.kind === "ResponseHeaders") return Effect.die(error)
  const errors = format(error.cause.issue).issues.map(({ message, path = [] }) => ({
    path: path.map((part) => String(typeof part === "object" ? part.key : part)),
    message
  }))
  const detail = errors.map(({ message, path }) => [...path, message].join(": ")).join("; ")
  return Effect.fail(new HttpApiError.BadRequestProblem({ detail, errors }))
})

const endpointsAndPages = Layer.mergeAll(
  HttpApiBuilder.layer(AdminApi).pipe(Layer.provide(layerHandlers)),
  layerPages
)

const middleware = Layer.mergeAll(layerGuard, layerAuthorization, layerTimeLimit, layerEmptyBody, layerProblems)

const served = (
  what: Layer.Layer<never, never, HttpRouter.HttpRouter | AdminParts | AdminAccess>,
  hosts: AdminHosts
): Layer.Layer<never, never, HttpRouter.HttpRouter | AdminParts | AdminToken> =>
  Layer.provide(what, AdminAccess.layer(hosts))

/**
 * The endpoints, `/openapi.json`, `/docs` and the status pages, for an existing `HttpRouter`, or below a path of it, with one that
 * is `prefixed`. Each checks its requests and the token. `hosts` are the names, besides those of loopback, that `Host` may have
 * if no token is required. Limits on connections and on the size of headers are up to the server.
 *
 * @category layers
 * @since 0.2.0
 */
export const routes = (
  hosts: AdminHosts = []
): Layer.Layer<never, never, HttpRouter.HttpRouter | AdminParts | AdminToken> => served(endpoints, hosts)

const endpoints = endpointsAndPages.pipe(
  Layer.provide(headers.layer),
  Layer.provide([middleware, HttpServer.layerServices])
)

/** The server is loaded here, because a program that mounts the routes in its own server does not need the package. */
const layerServer = (address: AdminAddress) =>
  loadInstalled("@effect/platform-node", () => import("./admin/Listener.ts")).pipe(
    Effect.mapBoth({
      onSuccess: ({ layerListener }) => layerListener(address),
      onFailure: ({ message }) => new AdminListenError({ address, reason: message })
    }),
    Layer.unwrap
  )

/**
 * The admin API, listening on an address for as long as the layer lives. Fails if it cannot listen, or if
 * `@effect/platform-node`, which has the server, is not installed.
 *
 * @category layers
 * @since 0.2.0
 */
export const layer = (address: AdminAddress): Layer.Layer<never, AdminListenError, AdminParts | AdminToken> => {
  const all = Layer.mergeAll(endpoints, Layer.provide(layerRest, headers.layer))
  return HttpRouter.serve(served(all, address._tag === "Unix" ? "any" : [address.host]), {
    disableLogger: true,
    disableListenLog: true,
    routerConfig: { maxParamLength: MAX_PATH_PART }
  }).pipe(Layer.provide(layerServer(address)))
}
