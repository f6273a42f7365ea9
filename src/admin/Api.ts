/** The declaration of the admin API: its endpoints, their parameters and responses. The server and clients derive from it. */
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { CONTENT_TYPE } from "../metrics/ContentType.ts"
import * as Model from "./Model.ts"
import {
  BadRequest,
  Forbidden,
  LengthRequired,
  NotAvailable,
  NotFound,
  TooLarge,
  Unauthorized,
  Unavailable,
  UnsupportedType
} from "./Problems.ts"

/**
 * The token, as a bearer token (RFC 6750) or, for browsers, as the password of any user (RFC 7617).
 *
 * @category middleware
 * @since 0.2.0
 */
export class Authorization extends HttpApiMiddleware.Service<Authorization>()("msrp-relay/admin/Authorization", {
  error: Unauthorized,
  security: { bearer: HttpApiSecurity.bearer, basic: HttpApiSecurity.basic }
}) {}

/**
 * Refuses requests that pages of other origins can make a browser send, and bodies that are too large.
 *
 * @category middleware
 * @since 0.2.0
 */
export class Guard extends HttpApiMiddleware.Service<Guard>()("msrp-relay/admin/Guard", {
  error: [Forbidden, LengthRequired, TooLarge, UnsupportedType]
}) {}

/**
 * Refuses a body sent to an endpoint that takes none, instead of ignoring what the client asks for.
 *
 * @category middleware
 * @since 0.2.0
 */
export class EmptyBody extends HttpApiMiddleware.Service<EmptyBody>()("msrp-relay/admin/EmptyBody", {
  error: BadRequest
}) {}

/**
 * Limits the time for an answer.
 *
 * @category middleware
 * @since 0.2.0
 */
export class TimeLimit extends HttpApiMiddleware.Service<TimeLimit>()("msrp-relay/admin/TimeLimit", {
  error: Unavailable
}) {}

const told = (summary: string, description?: string) =>
  OpenApi.annotations({ summary, ...description === undefined ? {} : { description } })

const health = HttpApiGroup.make("health", { topLevel: true }).add(
  HttpApiEndpoint.get("healthz", "/healthz", { success: Model.Healthy })
    .annotateMerge(told("The process answers")),
  HttpApiEndpoint.get("readyz", "/readyz", { success: Model.Ready, error: Unavailable })
    .annotateMerge(told("New clients may come", "503 with the reasons while the relay drains, stops or has too much."))
).annotateMerge(OpenApi.annotations({ description: "For load balancers and supervisors; no token is needed." }))

const seeing = HttpApiGroup.make("seeing", { topLevel: true }).add(
  HttpApiEndpoint.get("version", "/version", { success: Model.Version })
    .annotateMerge(told("Versions of the relay and of Node.js")),
  HttpApiEndpoint.get("overview", "/overview", { success: Model.Overview })
    .annotateMerge(told("Phase, sessions, connections and rates in a few numbers")),
  HttpApiEndpoint.get("config", "/config", { success: Model.Config })
    .annotateMerge(told("Settings as they are in force", "Secrets are not told.")),
  HttpApiEndpoint.get("sessions", "/sessions", { query: Model.sessionQuery, success: Model.Sessions })
    .annotateMerge(told("Sessions, a page of them")),
  HttpApiEndpoint.get("connections", "/connections", { query: Model.connectionQuery, success: Model.Connections })
    .annotateMerge(told("Connections, a page of them")),
  HttpApiEndpoint.get("history", "/users/:user/history", { params: { user: Model.Name }, success: Model.Events })
    .annotateMerge(told("What happened to a user lately", "The latest is last; also of sessions that have ended.")),
  HttpApiEndpoint.get("recent", "/recent", { success: Model.Events })
    .annotateMerge(told("Sessions and connections that ended lately, and why", "The latest is last.")),
  HttpApiEndpoint.get("metrics", "/metrics", {
    success: Schema.String.pipe(HttpApiSchema.asText({ contentType: CONTENT_TYPE })),
    error: NotAvailable
  }).annotateMerge(told("Metrics for Prometheus"))
).middleware(TimeLimit).middleware(Authorization)

const following = HttpApiGroup.make("following", { topLevel: true }).add(
  HttpApiEndpoint.get("trace", "/trace", {
    query: Model.traceQuery,
    success: HttpApiSchema.StreamNdjson({ schema: Model.TraceLine }),
    error: [NotAvailable, Unavailable]
  }).annotateMerge(
    told("What passes, line by line of JSON, while the client stays", "Empty lines only say that it goes on.")
  )
).middleware(Authorization)

const steering = HttpApiGroup.make("steering", { topLevel: true }).add(
  HttpApiEndpoint.delete("endSession", "/sessions/:label", {
    params: { label: Model.SessionLabel },
    success: Model.Ended,
    error: NotFound
  }).annotateMerge(told("Ends a session")),
  HttpApiEndpoint.delete("endConnection", "/connections/:number", {
    params: { number: Model.ConnectionNumber },
    success: Model.Ended,
    error: NotFound
  }).annotateMerge(told("Closes a connection, with its sessions")),
  HttpApiEndpoint.delete("endUser", "/users/:user", {
    params: { user: Model.Name },
    query: { realm: Schema.optional(Model.Name) },
    success: Model.Ended
  }).annotateMerge(told("Ends all sessions of a user", "Of one realm, or of all. He may log in again.")),
  HttpApiEndpoint.post("drain", "/drain", { success: Model.PhaseState, error: NotAvailable })
    .annotateMerge(told("Grants no new sessions from now on", "What is under way goes on.")),
  HttpApiEndpoint.delete("undrain", "/drain", { success: Model.PhaseState, error: NotAvailable })
    .annotateMerge(told("Grants new sessions again")),
  HttpApiEndpoint.get("logLevel", "/loglevel", { success: Model.LogLevelState, error: NotAvailable })
    .annotateMerge(told("The least severe messages that are logged")),
  HttpApiEndpoint.put("setLogLevel", "/loglevel", {
    payload: Model.LogLevelState,
    success: Model.LogLevelState,
    error: NotAvailable
  }).annotateMerge(told("Logs from this level on, until the next start")),
  HttpApiEndpoint.post("reload", "/reload", { success: Model.Reloaded, error: NotAvailable })
    .annotateMerge(told("Reads the settings again", "If anything is wrong with them, all stays as it is."))
).middleware(EmptyBody).middleware(TimeLimit).middleware(Authorization)

/**
 * The whole admin API, for `HttpApiClient` and for mounting it in a server.
 *
 * @category schemas
 * @since 0.2.0
 */
export const AdminApi = HttpApi.make("msrp-relay")
  .add(health, seeing, following, steering)
  .middleware(HttpApiMiddleware.ProblemDetails)
  .middleware(Guard)
  // Unknown parameters are errors: a misspelt one would silently change the result.
  .annotate(HttpApi.QueryParseOptions, { onExcessProperty: "error" })
  .annotate(HttpApi.PayloadParseOptions, { onExcessProperty: "error" })
  .annotateMerge(OpenApi.annotations({
    title: "MSRP relay: admin API",
    version: "1.0",
    description:
      "See the sessions and connections of an MSRP relay (RFC 4976), and steer it. Times are milliseconds since 1970."
  }))
