/**
 * Who may ask for what. A browser on the same machine is the danger: any page in it may send requests to loopback, by a
 * form, a script, or a name of its own that it makes resolve to loopback (DNS rebinding).
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
import { isLoopback } from "../net/Hosts.ts"
import { canonicalHost } from "../protocol/Uri.ts"
import { Authorization, Guard } from "./Api.ts"
import { Forbidden, LengthRequired, TooLarge, Unauthorized, UnsupportedType } from "./Problems.ts"
import { AdminToken } from "./Token.ts"

/** Octets of a body. */
export const MAX_BODY = 1024

/**
 * Names in `Host` that a request without a token may be for, besides those of loopback; `any` where no browser gets to,
 * as on a Unix socket. With a token a name proves nothing: who rebinds one does not have the token.
 *
 * @category models
 * @since 0.2.0
 */
export type AdminHosts = "any" | ReadonlyArray<string>

type Refused = Forbidden | LengthRequired | TooLarge | UnsupportedType

/** What a form of any page may send without asking first (Fetch §2.2.2, "CORS-safelisted"). */
const FORM_TYPES = new Set(["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"])

const READING = new Set(["GET", "HEAD", "OPTIONS"])

/** `Host`, without its port and without brackets (RFC 9110 §7.2). */
const hostOf = (authority: string): string => authority.replace(/:\d*$/, "").replace(/^\[(.*)\]$/, "$1")

/** Why a request goes no further, whoever it is from; undefined when it may. */
export const refusalOf = (
  { headers, method }: {
    readonly headers: Readonly<Record<string, string | undefined>>
    readonly method: string
  },
  hosts: AdminHosts
): Refused | undefined => {
  const { host, origin } = headers
  if (host === undefined) return new Forbidden({ detail: "The request needs a Host" })
  if (hosts !== "any") {
    const name = canonicalHost(hostOf(host))
    if (!isLoopback(name) && !hosts.some((one) => canonicalHost(one) === name)) {
      return new Forbidden({
        detail: "The Host of the request is not one of this API: use the name that is configured"
      })
    }
  }
  // The scheme is left out: a proxy in between may do TLS.
  if (origin !== undefined && originHost(origin) !== host.toLowerCase()) return foreign
  const site = headers["sec-fetch-site"]
  // A link that somebody follows. What a page has in a frame is there unseen, and as often as it likes: traces, too.
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

/** Which requests this API takes: made once, used for its endpoints and for pages beside them. */
export class AdminAccess extends Context.Service<AdminAccess, {
  /** Fails with why the request goes no further, whoever it is from. */
  readonly guard: Effect.Effect<void, Refused, HttpServerRequest.HttpServerRequest>
  /** Fails unless this is the token. */
  readonly authorize: (
    given: Redacted.Redacted
  ) => Effect.Effect<void, Unauthorized, HttpServerRequest.HttpServerRequest>
  /** Both of them, for a page that is no endpoint. */
  readonly admit: Effect.Effect<
    void,
    Refused | Unauthorized,
    HttpServerRequest.HttpServerRequest | HttpServerRequest.ParsedSearchParams
  >
}>()("msrp-relay/admin/AdminAccess") {
  static readonly layer = (hosts: AdminHosts): Layer.Layer<AdminAccess, never, AdminToken> =>
    Layer.effect(AdminAccess, Effect.map(AdminToken, (token) => make(token, token.required ? "any" : hosts)))
}

/** What those hear who show nothing. */
export const NO_TOKEN = "A token is needed"

/** A browser asks its user for the password where a page of it is opened, and not for what that page asks; others may show a token. */
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
    // Of a request that shows a bearer token, this is asked for a password too: only the header tells what was shown.
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
  return { guard, authorize, admit: Effect.andThen(guard, Effect.flatMap(given, authorize)) }
}

export const layerGuard: Layer.Layer<Guard, never, AdminAccess> = Layer.effect(
  Guard,
  Effect.map(AdminAccess, ({ guard }) => (endpoint) => Effect.andThen(guard, endpoint))
)

/** Bearer first, then Basic: whoever shows neither hears of it once. */
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

/** Where a request comes from, for the log: the address of a proxy if there is one. */
export const askerOf = (request: HttpServerRequest.HttpServerRequest): string =>
  Option.getOrElse(request.remoteAddress, () => "Unix socket")

/** Of those who show something: a page that a browser has no password for yet shows nothing. */
const tellRefused = () =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
    request.headers["authorization"] === undefined
      ? Effect.void
      : Effect.annotateLogs(Effect.logWarning("admin: wrong token"), { remote: askerOf(request) }))
