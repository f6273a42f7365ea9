/** Variables about clients that come by WebSocket (RFC 7977). */
import { ranges } from "../../../options/Ranges.ts"
import { octets, seconds } from "../codecs/Quantities.ts"
import { networks, origins } from "../codecs/WebSocket.ts"
import { boolean, oneOf } from "../codecs/Words.ts"
import { variablesOf } from "../Variable.ts"

const { optional, set } = variablesOf("WebSocket")

export const webSocket = {
  wsOrigins: optional("MSRP_WS_ORIGINS", origins, {
    expects: "* or origins of pages with commas between them",
    meaning:
      "Pages that may connect, by their origin, which browsers send; *: any. Programs send none, and are let in.",
    example: "https://chat.example.com,https://www.example.com",
    absent: "pages of the host that they connect to; on loopback those of loopback",
    reload: "live"
  }),
  demo: optional("MSRP_DEMO", boolean, {
    expects: "1, 0, true, false, yes, no, on or off",
    meaning:
      "A page to try the relay with: two tabs of a browser chat and send files. `ws` and `wss` listeners on loopback " +
      "serve it, others never do. When it is set to on, a user `demo` is made if there are no users and all listeners are " +
      "on loopback. docs/demo.md tells more.",
    example: "off",
    absent:
      "on, at http://localhost:2857/, with no URI, listener or users configured at all, unless MSRP_ADMIN has that " +
      "port; else off"
  }),
  wsChunk: set("MSRP_WS_CHUNK", octets(...ranges.piece), {
    expects: "a size of 2 KiB to 1 MiB",
    meaning:
      "Octets of body of one chunk towards WebSocket clients, each of which is a message (RFC 7977 section 5.1).",
    default: "64 KiB",
    example: "16 KiB",
    reload: "live"
  }),
  wsPing: set("MSRP_WS_PING", seconds(...ranges.ping), {
    expects: "a time of 0 to 1 day",
    meaning:
      "A WebSocket client that has sent nothing for this time is sent a ping, and disconnected if it then sends " +
      "nothing for the same time again. Most proxies give up after a minute of silence. 0: never.",
    default: "25",
    example: "50s",
    reload: "live"
  }),
  trustedProxies: optional("MSRP_TRUSTED_PROXIES", networks, {
    expects: "addresses and networks with commas between them",
    meaning:
      "Proxies that are trusted to say, in Forwarded or in X-Forwarded-For and X-Forwarded-Proto, which address a " +
      "WebSocket client has and whether it uses TLS; for any client, by the PROXY protocol (MSRP_PROXY_PROTOCOL). " +
      "From other addresses those headers are ignored.",
    example: "10.0.0.0/8,2001:db8::1",
    absent: "none",
    reload: "live"
  }),
  proxyProtocol: set("MSRP_PROXY_PROTOCOL", oneOf("off", "on", "tcp"), {
    expects: "off, on or tcp",
    meaning:
      "Whether connections of MSRP_TRUSTED_PROXIES begin with a header of the PROXY protocol (version 1 or 2) that " +
      "has the client's address. on: they must, on every listener; tcp: they must on those for msrp and msrps, while " +
      "those for ws and wss use HTTP headers. Connections of other addresses have no such header.",
    example: "on",
    default: "off",
    reload: "live"
  })
}
