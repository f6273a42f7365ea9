/** Variables about clients that come by WebSocket (RFC 7977). */
import { ranges } from "../../../options/Ranges.ts"
import { networks } from "../codecs/Addresses.ts"
import { octets, seconds } from "../codecs/Quantities.ts"
import { origins } from "../codecs/WebSocket.ts"
import { boolean, oneOf } from "../codecs/Words.ts"
import { variablesOf } from "../Variable.ts"

const { optional, set } = variablesOf("WebSocket")

export const webSocket = {
  wsOrigins: optional("MSRP_WS_ORIGINS", origins, {
    expects: "*, or comma-separated origins of pages",
    meaning: "Origins of the pages that may connect from a browser; *: any. Programs that send no origin are " +
      "admitted.",
    example: "https://chat.example.com,https://www.example.com",
    absent: "pages of the host to which they connect; on loopback, pages of any loopback host",
    reload: "live"
  }),
  demo: optional("MSRP_DEMO", boolean, {
    expects: "1, 0, true, false, yes, no, on or off",
    meaning: "Whether `ws` and `wss` listeners on loopback serve a demo page, on which two tabs of a browser chat " +
      "and send files. Other listeners do not serve it. If it is set to on, there are no users, and all " +
      "listeners are on loopback, a user `demo` is made. See docs/demo.md.",
    example: "off",
    absent: "on, at http://localhost:2857/, if no URI, listener or users are configured at all and MSRP_ADMIN does " +
      "not use that port; otherwise off"
  }),
  wsChunk: set("MSRP_WS_CHUNK", octets(...ranges.piece), {
    expects: "a size of 2 KiB to 1 MiB",
    meaning: "The body size of chunks towards WebSocket clients, in octets. Each chunk is one WebSocket message (RFC " +
      "7977 section 5.1).",
    default: "64 KiB",
    example: "16 KiB",
    reload: "live"
  }),
  wsPing: set("MSRP_WS_PING", seconds(...ranges.ping), {
    expects: "a time of 0 to 1 day",
    meaning: "The time of silence after which a WebSocket client is sent a ping; after the same time without an " +
      "answer it is disconnected. Use less than the idle timeout of proxies, which is often a minute. 0: off.",
    default: "25",
    example: "50s",
    reload: "live"
  }),
  trustedProxies: optional("MSRP_TRUSTED_PROXIES", networks, {
    expects: "comma-separated addresses and networks",
    meaning: "Proxies that are trusted to report the address of a client: for WebSocket clients in Forwarded, or in " +
      "X-Forwarded-For and X-Forwarded-Proto, with whether it uses TLS; for any client by the PROXY protocol " +
      "(MSRP_PROXY_PROTOCOL). These headers are ignored from other addresses.",
    example: "10.0.0.0/8,2001:db8::1",
    absent: "none",
    reload: "live"
  }),
  proxyProtocol: set("MSRP_PROXY_PROTOCOL", oneOf("off", "on", "tcp"), {
    expects: "off, on or tcp",
    meaning: "Whether connections from MSRP_TRUSTED_PROXIES must begin with a header of the PROXY protocol (version " +
      "1 or 2), which contains the client's address. on: on every listener; tcp: on msrp and msrps listeners " +
      "only, while ws and wss listeners use HTTP headers. Connections from other addresses have no such " +
      "header.",
    example: "on",
    default: "off",
    reload: "live"
  })
}
