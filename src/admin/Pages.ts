/** The routes beside the endpoints: the OpenAPI description, its page, the status pages, and errors for all other paths. */
import * as Effect from "effect/Effect"
import * as HttpApiScalar from "effect/http-api/HttpApiScalar"
import * as OpenApi from "effect/http-api/OpenApi"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { pathOf } from "../net/RequestPath.ts"
import { AdminAccess } from "./Access.ts"
import { AdminApi } from "./Api.ts"
import { asOctets } from "./Octets.ts"
import { AdminParts } from "./Parts.ts"
import { MethodNotAllowed, NotFound } from "./Problems.ts"

/** The page of the API is self-contained, so nothing may be loaded from elsewhere. */
const DOCS_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; " +
  "font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** Default headers of every response. */
const HEADERS = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin"
}

const withHeaders = (response: HttpServerResponse.HttpServerResponse): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.setHeaders(response, { ...HEADERS, ...response.headers })

/**
 * At exactly 1000 px both the wide and the narrow layout of the page apply and overlap, so the wide one is forced. The overflow
 * of hidden menus is clipped, so that the page does not scroll sideways.
 */
const LAYOUT = `
@media (width: 1000px) {
  .scalar-app.references-layout {
    --scalar-header-height: 0px !important;
    grid-template: "header header" 0 "navigation rendered" auto "footer footer" auto / auto 1fr !important;
  }
}
.references-rendered { overflow-x: clip; }`

/** Turns off links to the services of the vendor of the page, and fonts from there. */
const SCALAR = {
  withDefaultFonts: false,
  hideClientButton: true,
  hideTestRequestButton: true,
  showDeveloperTools: "never",
  agent: { disabled: true },
  mcp: { disabled: true },
  customCss: `.scalar-app a[href*='scalar.com'] { display: none }${LAYOUT}`
}

/** The description of the API as a page. It has megabytes, so it is made on first use. */
const docs = Effect.cached(
  Effect.map(
    HttpRouter.toHttpEffect(HttpApiScalar.layer(AdminApi, { path: "/docs", scalar: SCALAR })),
    (page) => Effect.map(page, asOctets)
  )
)

/** Turns an error into a response, which only endpoints do by themselves. */
const answered = <R>(
  answer: Effect.Effect<HttpServerResponse.HttpServerResponse, HttpServerRespondable.Respondable, R>
) => Effect.catch(answer, HttpServerRespondable.toResponse)

export const layerPages = HttpRouter.use(Effect.fnUntraced(function*(router) {
  const { admit, guard } = yield* AdminAccess
  const { page } = yield* AdminParts
  const description = yield* Effect.cached(
    Effect.sync(() => asOctets(HttpServerResponse.jsonUnsafe(OpenApi.fromApi(AdminApi))))
  )
  const docsPage = yield* docs
  const one = Effect.flatMap(
    HttpServerRequest.HttpServerRequest,
    ({ url }) =>
      Effect.flatMap(page(pathOf(url)), (found) => found === undefined ? Effect.fail(noPage) : Effect.succeed(found))
  )
  const status = answered(Effect.andThen(admit, one))
  yield* router.add("GET", "/openapi.json", answered(Effect.andThen(admit, description)))
  yield* router.add(
    "GET",
    "/docs",
    answered(Effect.andThen(admit, Effect.orDie(Effect.flatten(docsPage)))).pipe(
      Effect.map(HttpServerResponse.setHeader("content-security-policy", DOCS_POLICY))
    )
  )
  // The page contains no data, and asks for the token itself, so it needs none.
  yield* router.add("GET", "/", answered(Effect.andThen(guard, one)))
  // The wildcard matches `/status` too.
  yield* router.add("GET", "/status/*", status)
}))

const noPage = new NotFound({ detail: "There is no such page; /docs has what there is" })

/** The methods of each path, for the `Allow` header of a 405. */
const methods: ReadonlyArray<{ readonly path: RegExp; readonly allow: string }> = (() => {
  const found = new Map<string, Set<string>>()
  const add = (path: string, method: string): void => {
    const all = found.get(path) ?? new Set()
    all.add(method)
    if (method === "GET") all.add("HEAD")
    found.set(path, all.add("OPTIONS"))
  }
  for (const group of Object.values(AdminApi.groups)) {
    for (const { method, path } of Object.values(group.endpoints)) add(path, method)
  }
  for (const path of ["/", "/openapi.json", "/docs"]) add(path, "GET")
  return Array.from(found, ([path, all]) => ({
    path: new RegExp(`^${path.replaceAll(".", "\\.").replaceAll(/:\w+/g, "[^/]+")}/?$`),
    allow: [...all].join(", ")
  }))
})()

/** Answers requests that no route matches: 404, 405 with the allowed methods, or OPTIONS, which permits no other origin. */
export const layerRest = HttpRouter.use(Effect.fnUntraced(function*(router) {
  const { guard } = yield* AdminAccess
  const answer = Effect.fnUntraced(function*({ method, url }: HttpServerRequest.HttpServerRequest) {
    yield* guard
    const path = pathOf(url)
    const known = methods.find((one) => one.path.test(path))
    if (known === undefined) return yield* noPage
    const problem = new MethodNotAllowed({ detail: `${path} takes ${known.allow}` })
    const response = method === "OPTIONS"
      ? HttpServerResponse.empty()
      : yield* HttpServerRespondable.toResponse(problem)
    return HttpServerResponse.setHeader(response, "allow", known.allow)
  })
  // HEAD is missing, because the router answers it like GET.
  for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const) {
    yield* router.add(method, "/*", (request) => answered(answer(request)))
  }
}))

/** Adds the default headers, so that responses are neither cached nor readable by other pages. */
export const headers = HttpRouter.middleware((answer) =>
  HttpEffect.withPreResponseHandler(answer, (_request, response) => Effect.succeed(withHeaders(response)))
)
