/** Serves the status page and its data with any HTTP server of Effect: a function from a request to a response. */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { existsSync } from "node:fs"
import { hashesOf, pageReader } from "./Inlined.ts"
import { asOctets } from "./Octets.ts"
import { BadRequest, MethodNotAllowed, Unavailable } from "./Problems.ts"
import { MAX_PAGES } from "./status/OpenPages.ts"
import type { StatusFeed } from "./StatusFeed.ts"

/** The page that `npm run build` makes; the relative path is right from both `src/admin` and `dist/admin`. */
export const BUNDLE = new URL("../../dist/admin/page.html", import.meta.url)
const MAKER = new URL("page/bundle.ts", import.meta.url)

/** Maximum number of characters of a user name in a request. */
const MAX_NAME = 1024

/**
 * The responses to requests for the status page.
 *
 * @category models
 * @since 0.2.0
 */
export interface StatusPage {
  /**
   * The response to a request for `/`, `/status`, `/status/events` or `/status/users?name=`; `undefined` for any other path.
   * `/` contains only the page, which asks for a token if `/status` answers 401.
   */
  readonly respond: (method: string, target: string) => Effect.Effect<HttpServerResponse.HttpServerResponse> | undefined
  /** The response to the current request, for use in a router; `undefined` for any other path. */
  readonly response: Effect.Effect<
    HttpServerResponse.HttpServerResponse | undefined,
    never,
    HttpServerRequest.HttpServerRequest
  >
}

/**
 * Makes the status page of a feed. `bundle` is the file of the page; absent: that of the package.
 *
 * @category constructors
 * @since 0.2.0
 */
export const make = Effect.fnUntraced(function*(
  feed: StatusFeed,
  bundle: URL = BUNDLE
): Effect.fn.Return<StatusPage> {
  const page = load(pageReader(bundle, bundle === BUNDLE ? MAKER : undefined))
  // Read at once if it was built: a relay without free descriptors cannot read files, and needs its status page most.
  if (existsSync(bundle)) yield* page

  const events = Effect.flatMap(feed.open, (stream) =>
    stream === undefined
      ? problem(new Unavailable({ detail: `There are ${MAX_PAGES} status pages open already` }))
      : Effect.succeed(HttpServerResponse.raw(stream, { headers: eventHeaders })))

  const user = (params: URLSearchParams): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
    const name = params.get("name") ?? ""
    return name === "" || name.length > MAX_NAME
      ? problem(new BadRequest({ detail: `name: a user, of 1 to ${MAX_NAME} characters` }))
      : Effect.map(feed.user(name), (told) => HttpServerResponse.jsonUnsafe(told, { headers }))
  }

  const paths: Readonly<
    Record<string, (params: URLSearchParams) => Effect.Effect<HttpServerResponse.HttpServerResponse>>
  > = {
    "/": () => page,
    "/status": () => Effect.map(feed.status, (status) => HttpServerResponse.jsonUnsafe(status, { headers })),
    "/status/events": () => events,
    "/status/users": user
  }

  const respond: StatusPage["respond"] = (method, target) => {
    const mark = target.indexOf("?")
    const path = mark === -1 ? target : target.slice(0, mark)
    if (!Object.hasOwn(paths, path)) return undefined
    if (method !== "GET" && method !== "HEAD") {
      return problem(new MethodNotAllowed({ detail: `${path} takes ${METHODS}` }), { allow: METHODS })
    }
    // HEAD must not open a page, because nothing would read or close its stream.
    if (method === "HEAD" && path === "/status/events") {
      return Effect.succeed(HttpServerResponse.empty({ status: 200, headers: eventHeaders }))
    }
    return paths[path]!(new URLSearchParams(mark === -1 ? "" : target.slice(mark + 1)))
  }
  return {
    respond,
    response: Effect.flatMap(
      HttpServerRequest.HttpServerRequest,
      ({ method, url }) => respond(method, url) ?? Effect.undefined
    )
  }
})

const headers = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer"
}

const eventHeaders = {
  ...headers,
  "content-type": "text/event-stream",
  // Keeps proxies from buffering the stream.
  "x-accel-buffering": "no"
}

const METHODS = "GET, HEAD"

/** An error as all of the API has them. */
const problem = (error: HttpServerRespondable.Respondable, more: Readonly<Record<string, string>> = {}) =>
  Effect.map(HttpServerRespondable.toResponse(error), HttpServerResponse.setHeaders({ ...headers, ...more }))

const load = (html: () => Promise<string>): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  let page: HttpServerResponse.HttpServerResponse | undefined
  const read = Effect.tryPromise(html).pipe(
    Effect.map((html) =>
      page = asOctets(HttpServerResponse.text(html, {
        contentType: "text/html; charset=utf-8",
        headers: { ...headers, "content-security-policy": contentSecurityPolicy(html) }
      }))
    ),
    Effect.catch(() =>
      Effect.succeed(
        HttpServerResponse.text("The status page is not built. Make it with: npm run build\n", { status: 503, headers })
      )
    )
  )
  return Effect.suspend(() => page === undefined ? read : Effect.succeed(page))
}

/** Allows only the scripts and styles inlined in the page, and connections only to its own server. */
export const contentSecurityPolicy = (html: string): string =>
  [
    "default-src 'none'",
    `script-src ${hashesOf(html, "script")}`,
    `style-src ${hashesOf(html, "style")}`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'"
  ].join("; ")
