/** Opens WebSockets as a client (RFC 6455 §4.1, RFC 7977 §4). */
import * as Effect from "effect/Effect"
import { randomBytes } from "node:crypto"
import * as Http from "node:http"
import type * as Net from "node:net"
import { acceptOf, SUBPROTOCOL } from "./Handshake.ts"
import { OpeningFault, refusal } from "./OpeningFault.ts"
import { MAX_HTTP_HEAD } from "./Upgrades.ts"

/** The most octets of the body of a refusal that are read. */
const MAX_REASON = 512

interface OpeningOptions {
  /** The host of the request: a name or an IP address (IPv6 without brackets). */
  readonly host: string
  readonly port: number
  /** Whether the connection is TLS. */
  readonly secure: boolean
  /** Begins with `/`. */
  readonly path: string
}

/**
 * Requests a WebSocket for MSRP on a connected socket (for TLS: after the handshake) from which nothing was read. Completes when
 * it is open, with the socket paused; octets after the response are put back into it. Fails with an `OpeningFault`, or the error
 * of the socket. The caller destroys the socket then.
 */
export const openWebSocket = <S extends Net.Socket>(socket: S, options: OpeningOptions): Effect.Effect<S, Error> =>
  Effect.callback((resume) => {
    const failed = (error: Error): void => resume(Effect.fail(error))
    const { path } = options
    if (!path.startsWith("/")) return failed(new OpeningFault("the path of a WebSocket begins with a slash"))
    const key = randomBytes(16).toString("base64")
    let request: Http.ClientRequest
    try {
      request = Http.request({
        createConnection: () => socket,
        method: "GET",
        path,
        setHost: false,
        maxHeaderSize: MAX_HTTP_HEAD,
        headers: {
          Host: authorityOf(options),
          Upgrade: "websocket",
          Connection: "Upgrade",
          "Sec-WebSocket-Version": "13",
          "Sec-WebSocket-Key": key,
          "Sec-WebSocket-Protocol": SUBPROTOCOL
        }
      })
    } catch {
      // Node throws if the path or the host is invalid.
      return failed(new OpeningFault("the path or the host cannot stand in a request of HTTP"))
    }
    request.once("upgrade", ({ headers, statusCode }, _, head) => {
      socket.pause()
      if (head.length > 0) socket.unshift(head)
      const fault = statusCode === 101 ? faultOf(headers, key) : `answers ${statusCode} with an upgrade`
      if (fault === undefined) resume(Effect.succeed(socket))
      else failed(new OpeningFault(fault))
    })
    request.once("response", (response) => {
      let body = ""
      const refused = (): void => failed(refusal(response.statusCode ?? 0, response.statusMessage ?? "", body))
      response.setEncoding("latin1")
      response.on("data", (text: string) => {
        body += text.slice(0, MAX_REASON - body.length)
        if (body.length === MAX_REASON) refused()
      })
      response.once("end", refused)
      response.once("close", refused)
    })
    request.on("error", (error) => {
      const { code } = error as NodeJS.ErrnoException
      failed(code?.startsWith("HPE_") === true ? new OpeningFault("the answer is not HTTP", error) : error)
    })
    socket.once("close", () => failed(new OpeningFault("it was closed during the handshake of the WebSocket")))
    request.end()
    socket.resume()
  })

/** The value of `Host`, without the default port of the scheme (RFC 6455 §4.1). */
const authorityOf = ({ host, port, secure }: OpeningOptions): string => {
  const name = host.includes(":") ? `[${host}]` : host
  return port === (secure ? 443 : 80) ? name : `${name}:${port}`
}

/** What is wrong with a 101 response; undefined if it opens the requested WebSocket. */
const faultOf = (headers: Http.IncomingHttpHeaders, key: string): string | undefined => {
  if (headers.upgrade?.toLowerCase() !== "websocket") return "the answer does not open a WebSocket"
  if (headers["sec-websocket-accept"] !== acceptOf(key)) return "the answer is not to the request for a WebSocket"
  if (headers["sec-websocket-extensions"] !== undefined) return "the WebSocket has an extension that nobody asked for"
  if (headers["sec-websocket-protocol"] !== SUBPROTOCOL) return "the WebSocket is not for msrp"
  return undefined
}
