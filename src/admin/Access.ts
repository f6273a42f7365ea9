/**
 * Access control of the admin API. The danger is a browser on the same machine: any page in it can send requests to loopback,
 * with a form, a script, or a name that the page's owner lets resolve to loopback (DNS rebinding).
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { hostOf, isLoopback } from "../net/Hosts.ts"
import { canonicalHost } from "../protocol/Uri.ts"
import { Authorization, Guard } from "./Api.ts"
import { Forbidden, LengthRequired, TooLarge, Unauthorized, UnsupportedType } from "./Problems.ts"
import { AdminToken } from "./Token.ts"

/** Maximum number of octets of a request body. */
export const MAX_BODY = 1024

/**
 * Names that `Host` may have, besides those of loopback, if no token is required; `any` for a listener that no browser can
 * reach, such as a Unix socket. If a token is required, names are not checked: a page that rebinds one does not know the token.
 *
 * @category models
 * @since 0.2.0
 */
export type AdminHosts = "any" | ReadonlyArray<string>

type Refused = Forbidden | LengthRequired | TooLarge | UnsupportedType

/** Content types that a page of any origin may send without a preflight (Fetch §2.2.2, "CORS-safelisted"). */
const FORM_TYPES = new Set(["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"])

const READING = new Set(["GET", "HEAD", "OPTIONS"])

/** Why a request is refused, whatever token it has; `undefined` if it is allowed. */
export const refusalOf = (
  { headers, method }: {
    readonly headers: Readonly<Record<string, string | undefined>>
    readonly method: string
  },
  hosts: AdminHosts
): Refused | undefined => {
  const { host, origin } = headers
  // Without one it is HTTP/1.0 (RFC 9112 §3.2), which no browser speaks: by default, the checks of HAProxy do.
  if (host !== undefined && hosts !== "any") {
    const name = canonicalHost(hostOf(host))
    if (!isLoopback(name) && !hosts.some((one) => canonicalHost(one) === name)) {
      return new Forbidden({
        detail: "The Host of the request is not one of this API: use the name that is configured"
      })
    }
  }
  // The scheme is not compared, because a proxy in between may terminate TLS.
  if (origin !== undefined && (host === undefined || originHost(origin) !== host.toLowerCase())) return foreign
  const site = headers["sec-fetch-site"]
  // A link to a page may be followed from elsewhere, but not loaded in a frame: that can be hidden and repeated, even for traces.
  const navigates = headers["sec-fetch-mode"] === "navigate" && READING.has(method) &&
    (headers["sec-fetch-dest"] ?? "document") === "document"
  if (site !== undefined && site !== "same-origin" && site !== "none" && !navigates) return foreign
  const type = headers["content-type"]?.split(";")[0]!.trim().toLowerCase()
  if (!READING.has(method) && type !== undefined && FORM_TYPES.has(type)) {
    return new UnsupportedType({ detail: "Send application/json, or no body: what forms send is not taken" })
  }
  if (headers["transfer-encoding"] !== undefined) {
    return new LengthRequired({ detail: "A body needs a Content-Length" })
  }
  return Number(headers["content-length"] ?? 0) <= MAX_BODY
    ? undefined
    : new TooLarge({ detail: `A body has at most ${MAX_BODY} octets` })
}

const foreign = new Forbidden({ detail: "The request comes from a page of another origin" })

const originHost = (origin: string): string | undefined =>
  URL.canParse(origin) ? new URL(origin).host.toLowerCase() : undefined

/** The checks of requests, shared by the endpoints of the API and the pages beside them. */
export class AdminAccess extends Context.Service<AdminAccess, {
  /** Fails if the request is refused, whatever token it has. */
  readonly guard: Effect.Effect<void, Refused, HttpServerRequest.HttpServerRequest>
  /** Fails unless the given token is valid. */
  readonly authorize: (
    given: Redacted.Redacted
  ) => Effect.Effect<void, Unauthorized, HttpServerRequest.HttpServerRequest>
  /** Applies both checks to a request for a page, which is no endpoint. */
  readonly admit: Effect.Effect<
    void,
    Refused | Unauthorized,
    HttpServerRequest.HttpServerRequest | HttpServerRequest.ParsedSearchParams
  >
}>()("msrp-relay/admin/AdminAccess") {
  static readonly layer = (hosts: AdminHosts): Layer.Layer<AdminAccess, never, AdminToken> =>
    Layer.effect(AdminAccess, Effect.map(AdminToken, (token) => make(token, token.required ? "any" : hosts)))
}

/** Detail of the 401 for a request without a token. */
export const NO_TOKEN = "A token is needed"

/** Offers Basic only for navigation, so that a browser asks for the password when a page is opened, and not for its requests. */
const challenge = HttpEffect.appendPreResponseHandler(({ headers }, response) => {
  const mode = headers["sec-fetch-mode"]
  const basic = mode === undefined || mode === "navigate" ? `, Basic realm="msrp-relay", charset="UTF-8"` : ""
  return Effect.succeed(HttpServerResponse.setHeader(response, "www-authenticate", `Bearer realm="msrp-relay"${basic}`))
})

const make = (token: AdminToken["Service"], hosts: AdminHosts): AdminAccess["Service"] => {
  const guard = Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
    const refusal = refusalOf(request, hosts)
    return refusal === undefined ? Effect.void : Effect.fail(refusal)
  })
  const authorize = Effect.fnUntraced(function*(given: Redacted.Redacted) {
    if (yield* token.admits(given)) return
    yield* challenge
    // For a request with a bearer token this runs for Basic too, so only the header tells whether a token was sent.
    const { headers } = yield* HttpServerRequest.HttpServerRequest
    const shown = headers["authorization"] !== undefined
    return yield* new Unauthorized({ detail: shown ? "The token is not the right one" : NO_TOKEN })
  })
  const given = Effect.gen(function*() {
    const bearer = yield* HttpApiBuilder.securityDecode(HttpApiSecurity.bearer)
    return Redacted.value(bearer) === ""
      ? (yield* HttpApiBuilder.securityDecode(HttpApiSecurity.basic)).password
      : bearer
  })
  return {
    guard,
    authorize,
    admit: Effect.andThen(guard, Effect.tapError(Effect.flatMap(given, authorize), tellRefused))
  }
}

export const layerGuard: Layer.Layer<Guard, never, AdminAccess> = Layer.effect(
  Guard,
  Effect.map(AdminAccess, ({ guard }) => (endpoint) => Effect.andThen(guard, endpoint))
)

/** Tries Bearer first, then Basic; a refusal is logged only after the second. */
export const layerAuthorization: Layer.Layer<Authorization, never, AdminAccess> = Layer.effect(
  Authorization,
  Effect.map(AdminAccess, ({ authorize }) => ({
    bearer: (endpoint, { credential }) => Effect.andThen(authorize(credential), endpoint),
    basic: Effect.fnUntraced(function*(endpoint, { credential }) {
      yield* Effect.tapError(authorize(credential.password), tellRefused)
      return yield* endpoint
    })
  }))
)

/** Address that a request comes from, for the log; behind a proxy it is that of the proxy. */
export const askerOf = (request: HttpServerRequest.HttpServerRequest): string =>
  Option.getOrElse(request.remoteAddress, () => "Unix socket")

/** Logs a wrong token. A request without one is normal: a browser sends none before its user has entered the password. */
const tellRefused = () =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
    request.headers["authorization"] === undefined
      ? Effect.void
      : Effect.annotateLogs(Effect.logWarning("admin: wrong token"), { remote: askerOf(request) }))
