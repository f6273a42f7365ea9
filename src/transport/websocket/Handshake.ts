/** The HTTP request that opens a WebSocket (RFC 6455 §4.2, RFC 7977 §4.1): whether it is granted, and the answer. */
import { hash } from "node:crypto"
import type { IncomingMessage } from "node:http"
import { isLoopback } from "../../net/Hosts.ts"

/** What RFC 6455 §1.3 adds to a key. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/

export const SUBPROTOCOL = "msrp"

/** What proves that the one who opens a WebSocket has understood the request with this key (RFC 6455 §4.2.2). */
export const acceptOf = (key: string): string => hash("sha1", key + GUID, "base64")

/** Who may open WebSockets. */
export interface HandshakePolicy {
  /** The path of the listener. */
  readonly path: string
  /** May a page of this origin, asking for this `Host`. Who is no browser sends none, and is not asked about. */
  readonly admitsOrigin: (origin: string, host: string) => boolean
}

/** A page that this very listener, or another one of the same host, could have served; on loopback any of loopback. */
export const isSameHost: HandshakePolicy["admitsOrigin"] = (origin, host) => {
  if (!URL.canParse(origin) || !URL.canParse(`http://${host}`)) return false
  const [page, own] = [new URL(origin).hostname, new URL(`http://${host}`).hostname]
  return page === own || (isLoopbackName(page) && isLoopbackName(own))
}

/** Of the host name of a URL, where an IPv6 address has brackets. */
const isLoopbackName = (name: string): boolean => isLoopback(name.replace(/^\[(.*)\]$/, "$1"))

/** No WebSocket is opened; the response says why. */
export interface Refused {
  readonly status: 400 | 403 | 404 | 405 | 426 | 505
  /** For people, on one line. */
  readonly reason: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Lines that the 101 has beside those that every one has. */
export interface Granted {
  readonly lines: ReadonlyArray<string>
}

/** Values of a header that is a list, from one line or several. */
const listOf = (value: string | undefined): ReadonlyArray<string> =>
  value === undefined ? [] : value.split(",").map((one) => one.trim())

const has = (value: string | undefined, token: string): boolean =>
  listOf(value).some((one) => one.toLowerCase() === token)

export const isRefused = (answer: Granted | Refused): answer is Refused => "status" in answer

/** Decides about a request with an `Upgrade`. */
export const decide = (request: IncomingMessage, { admitsOrigin, path }: HandshakePolicy): Granted | Refused => {
  const { headers, httpVersion, method, url = "" } = request
  if (method !== "GET") return { status: 405, reason: "a WebSocket is opened by GET", headers: { Allow: "GET" } }
  if (httpVersion !== "1.1") return { status: 505, reason: "a WebSocket is opened by HTTP/1.1" }
  if (!has(headers.upgrade, "websocket") || !has(headers.connection, "upgrade")) {
    return { status: 426, reason: "nothing but a WebSocket is opened here", headers: UPGRADE }
  }
  if (headers["sec-websocket-version"] !== "13") {
    return { status: 426, reason: "a WebSocket of version 13", headers: { ...UPGRADE, "Sec-WebSocket-Version": "13" } }
  }
  const key = headers["sec-websocket-key"]
  if (key === undefined || !KEY.test(key)) return { status: 400, reason: "Sec-WebSocket-Key is not 16 octets" }
  if (headers.host === undefined || headers.host === "") return { status: 400, reason: "no Host" }
  if (pathOf(url) !== path) return { status: 404, reason: "no WebSocket is opened at this path" }
  // A 101 without it would be of no use to who asks for another one (RFC 7977 §4.1).
  if (!listOf(headers["sec-websocket-protocol"]).includes(SUBPROTOCOL)) {
    return { status: 400, reason: "the subprotocol is msrp" }
  }
  const { origin } = headers
  if (origin !== undefined && !admitsOrigin(origin, headers.host)) {
    return { status: 403, reason: "pages of this origin may not connect" }
  }
  return {
    lines: [
      `Sec-WebSocket-Accept: ${acceptOf(key)}`,
      `Sec-WebSocket-Protocol: ${SUBPROTOCOL}`,
      // RFC 7977 §7. Node lets no line end into a header, so it can be given back.
      ...(origin === undefined ? [] : [`Access-Control-Allow-Origin: ${origin}`, "Vary: Origin"])
    ]
  }
}

const UPGRADE = { Upgrade: "websocket" }

/** Without the query, which has no meaning here. */
const pathOf = (url: string): string => url.replace(/[?#].*$/s, "")

/** The response that opens it. */
export const switching = ({ lines }: Granted): string =>
  ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", ...lines, "", ""].join("\r\n")
