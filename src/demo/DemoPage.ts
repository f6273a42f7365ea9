/**
 * Serves the demo page on the listeners of its WebSockets, on loopback only. Other pages in a browser on this machine could send
 * requests here under a name that resolves to loopback (DNS rebinding), so `Host` is checked first.
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import { hashesOf, pageReader } from "../admin/Inlined.ts"
import { isLoopback } from "../net/Hosts.ts"
import { pathOf } from "../net/RequestPath.ts"
import type { MsrpUri } from "../protocol/Uri.ts"
import type { LocalSocket } from "../Transport.ts"
import type { WebSocketListenOptions } from "../transport/ListenerOptions.ts"

/** The page that `npm run build` makes. The path is valid from both `src/demo` and `dist/demo`. */
export const BUNDLE = new URL("../../dist/demo/page.html", import.meta.url)
const MAKER = new URL("page/bundle.ts", import.meta.url)

/** Values that are written into the page. */
interface Facts {
  /** The URI of the relay, for AUTH. Empty: it follows from the URL of the WebSocket. */
  readonly relay: string
  /** The path at which the listener opens WebSockets. */
  readonly path: string
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** Serves the page on listeners on loopback. `uris` are those of the relay. The page is read at the first request. */
export const serveDemo = (
  uris: ReadonlyArray<MsrpUri>,
  bundle: URL = BUNDLE
): NonNullable<WebSocketListenOptions["serve"]> => {
  const html = pageReader(bundle, bundle === BUNDLE ? MAKER : undefined)
  return ({ host, path = "/", scheme }: LocalSocket): Answer | undefined => {
    if (!isLoopback(host)) return undefined
    const facts = { relay: uris.find((uri) => uri.scheme === scheme)?.text ?? "", path }
    return (request, response) => answer(request, response, scheme === "msrps", facts, html)
  }
}

const answer = (
  { headers: { host }, method, url = "" }: IncomingMessage,
  response: ServerResponse,
  secure: boolean,
  facts: Facts,
  html: () => Promise<string>
): void => {
  const end = (status: number, headers: Readonly<Record<string, string>>, body: string): void => {
    response.writeHead(status, {
      ...HEADERS,
      "content-length": String(Buffer.byteLength(body)),
      ...headers
    })
    response.end(method === "HEAD" ? undefined : body)
  }
  const tell = (status: number, text: string, headers: Readonly<Record<string, string>> = {}): void =>
    end(status, { "content-type": "text/plain; charset=utf-8", ...headers }, `${text}\n`)

  const authority = authorityOf(host)
  if (authority === undefined) return tell(421, "This page is for a browser on this machine: ask for localhost.")
  const path = pathOf(url)
  if (path !== "/" && path !== "/favicon.svg") return tell(404, "There is nothing but a page at /.")
  if (method !== "GET" && method !== "HEAD") return tell(405, "GET or HEAD", { allow: "GET, HEAD" })
  if (path === "/favicon.svg") return end(200, { "content-type": "image/svg+xml" }, ICON)
  html().then(
    (page) =>
      end(200, {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": contentSecurityPolicy(page, authority, secure)
      }, filled(page, facts)),
    () => tell(503, "The demo page is not built. Make it with: npm run build")
  )
}

/** The value of `Host`, if it is a name of loopback. The port may be that of a tunnel. */
const authorityOf = (host = ""): string | undefined => {
  if (!/^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.test(host)) return undefined
  const url = URL.parse(`http://${host}`)
  return url !== null && isLoopback(url.hostname.replace(/^\[(.*)\]$/, "$1")) ? host.toLowerCase() : undefined
}

const HEADERS = {
  "cache-control": "no-store",
  "connection": "close",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff"
}

/** Allows only the scripts and styles of the page itself, and connections only to its relay. */
const contentSecurityPolicy = (html: string, authority: string, secure: boolean): string => {
  // In older WebKit, 'self' does not include WebSockets. The syntax of sources has no IPv6 addresses.
  const own = authority.startsWith("[") ? "" : ` ${secure ? "wss" : "ws"}://${authority}`
  return [
    "default-src 'none'",
    `script-src ${hashesOf(html, "script")}`,
    `style-src ${hashesOf(html, "style")}`,
    `connect-src 'self'${own}`,
    "img-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'"
  ].join("; ")
}

const ICON =
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#2f6bd8"/>` +
  `<path d="M4 4.5h8a1 1 0 0 1 1 1v4a1 1 0 0 1-1 1H8l-3 2.5v-2.5H4a1 1 0 0 1-1-1v-4a1 1 0 0 1 1-1z" fill="#fff"/></svg>`

/** Writes the values into the page, as attributes of its body. */
const filled = (html: string, { path, relay }: Facts): string =>
  html.replace("<body>", () => `<body data-relay="${escaped(relay)}" data-path="${escaped(path)}">`)

const escaped = (text: string): string => text.replaceAll(/[&"<>]/g, (one) => `&#${one.charCodeAt(0)};`)
