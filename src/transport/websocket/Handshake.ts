/** Checks the HTTP request that opens a WebSocket, and makes the answer (RFC 6455 §4.2, RFC 7977 §4.1). */
import { hash } from "node:crypto"
import type { IncomingMessage } from "node:http"
import { isLoopback } from "../../net/Hosts.ts"
import { pathOf } from "../../net/RequestPath.ts"

/** The constant that is appended to the key (RFC 6455 §1.3). */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/

export const SUBPROTOCOL = "msrp"

/** The value of `Sec-WebSocket-Accept` for a key (RFC 6455 §4.2.2). */
export const acceptOf = (key: string): string => hash("sha1", key + GUID, "base64")

/** Which requests may open a WebSocket. */
export interface HandshakePolicy {
  /** The path of the listener. */
  readonly path: string
  /** Whether a page of this origin may connect to this `Host`. Not called without an origin, which only browsers send. */
  readonly admitsOrigin: (origin: string, host: string) => boolean
}

/** Whether the page is of the same host as the listener, whatever the port; on loopback, any loopback host. */
export const isSameHost: HandshakePolicy["admitsOrigin"] = (origin, host) => {
  if (!URL.canParse(origin) || !URL.canParse(`http://${host}`)) return false
  const [page, own] = [new URL(origin).hostname, new URL(`http://${host}`).hostname]
  return page === own || (isLoopbackName(page) && isLoopbackName(own))
}

/** Whether the `hostname` of a URL, in which IPv6 addresses have brackets, is loopback. */
const isLoopbackName = (name: string): boolean => isLoopback(name.replace(/^\[(.*)\]$/, "$1"))

/** The response that refuses a WebSocket. */
export interface Refused {
  readonly status: 400 | 403 | 404 | 405 | 426 | 505
  /** One line of text, for the log and the response. */
  readonly reason: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Header lines of the 101 besides the fixed ones. */
interface Granted {
  readonly lines: ReadonlyArray<string>
}

/** The values of a list header, in one line or several. */
const listOf = (value: string | undefined): ReadonlyArray<string> =>
  value === undefined ? [] : value.split(",").map((one) => one.trim())

const has = (value: string | undefined, token: string): boolean =>
  listOf(value).some((one) => one.toLowerCase() === token)

export const isRefused = (answer: Granted | Refused): answer is Refused => "status" in answer

/** Grants or refuses a request with an `Upgrade` header. */
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
  // A client that asks for other subprotocols only could not use the connection (RFC 7977 §4.1).
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
      // RFC 7977 §7. The origin can be copied, because Node's parser admits no line ends in a header.
      ...(origin === undefined ? [] : [`Access-Control-Allow-Origin: ${origin}`, "Vary: Origin"])
    ]
  }
}

const UPGRADE = { Upgrade: "websocket" }

/** The response that opens the WebSocket. */
export const switching = ({ lines }: Granted): string =>
  ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", ...lines, "", ""].join("\r\n")
