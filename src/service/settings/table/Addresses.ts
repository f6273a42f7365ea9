/** Variables that say where the relay is. */
import { dnsServers, listeners, socketRoutes, uris, usePath } from "../codecs/Addresses.ts"
import { variablesOf } from "../Variable.ts"

const { optional } = variablesOf("Addresses")

/** URIs of the relay when neither `MSRP_URIS` nor `MSRP_LISTEN` is set. */
export const DEFAULT_URIS = "msrp://localhost:2855;tcp,msrps://localhost:2856;tcp"

/** One more with the demo page, which is served at the same port. */
export const DEMO_PORT = 2857
export const DEMO_URI = `msrp://localhost:${DEMO_PORT};ws`

export const addresses = {
  uris: optional("MSRP_URIS", uris, {
    expects: "comma-separated MSRP URIs",
    meaning: "The relay's own URIs, as clients address it. A URI without a port gets port 2855; it must not have a " +
      "session-id or a user name. `localhost` stands for 127.0.0.1 and [::1].",
    example: "msrp://relay.example.org:2855;tcp,msrps://relay.example.org:2856;tcp",
    absent: `the sockets of MSRP_LISTEN, or else \`${DEFAULT_URIS}\``,
    opensips: "my_uri"
  }),
  usePath: optional("MSRP_USE_PATH", usePath, {
    expects: "comma-separated MSRP URIs of this relay, each optionally prefixed with a domain and `=`, at most one " +
      "for each domain and scheme",
    meaning: "The URI of this machine, to be set if several relays share MSRP_URIS through the SRV records of a " +
      "domain. Session URIs are made from it, because a session URI is valid only on the relay that made it. " +
      "With a domain, as in `example.net=msrps://relay1.example.net:2855;tcp`, the URI is used for clients " +
      "that address that host of MSRP_URIS.",
    example: "msrps://relay1.example.com:2855;tcp",
    absent: "the URI that the client addresses"
  }),
  listen: optional("MSRP_LISTEN", listeners, {
    expects: "comma-separated sockets such as msrp:192.0.2.1:2855",
    meaning: "The addresses to listen on, if they differ from MSRP_URIS. `msrp` is TCP, `msrps` is TLS, `ws` is " +
      "WebSocket, and `wss` is WebSocket over TLS; the latter two may have a path other than `/` " +
      "(docs/websocket.md). 0.0.0.0 and [::] stand for all addresses of the machine.",
    example: "msrp:0.0.0.0:2855,msrps:[::]:2856",
    absent: "the host and port of each URI in MSRP_URIS"
  }),
  dnsServers: optional("MSRP_DNS_SERVERS", dnsServers, {
    expects: "comma-separated addresses of name servers, each with an optional port",
    meaning: "The name servers to query for the SRV records of other domains.",
    example: "192.0.2.53,[2001:db8::53]:5353",
    absent: "the name servers of the machine",
    reload: "live"
  }),
  socketRoutes: optional("MSRP_SOCKET_ROUTES", socketRoutes, {
    expects: `semicolon-separated rules such as "dst=10.0.0.0/8 -> msrp:10.0.0.1:2855"`,
    meaning: "Rules that choose the local socket from which the relay connects to a next hop. The first matching " +
      "rule applies.",
    example: "dst=10.0.0.0/8 -> msrp:10.0.0.1:2855; scheme=msrps -> none",
    absent: "the socket on which the request came in if it has the scheme of the next hop, otherwise the first " +
      "listener with that scheme",
    opensips: "socket_route",
    reload: "live"
  })
}
