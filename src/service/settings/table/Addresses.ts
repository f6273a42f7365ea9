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
    expects: "MSRP URIs with commas between them",
    meaning: "The relay's own URIs, as clients address it. Port 2855 if a URI has none; no session-id, no user name. " +
      "`localhost` stands for 127.0.0.1 and [::1] too.",
    example: "msrp://relay.example.org:2855;tcp,msrps://relay.example.org:2856;tcp",
    absent: `those of MSRP_LISTEN, else \`${DEFAULT_URIS}\``,
    opensips: "my_uri"
  }),
  usePath: optional("MSRP_USE_PATH", usePath, {
    expects:
      "MSRP URIs of this relay, each for all or with a domain and `=` before it, at most one for each domain and scheme",
    meaning:
      "The URI of this machine, if the relays that the SRV records of a domain list share MSRP_URIS. Session URIs are" +
      " made of it, because each is valid only on the relay that made it. With a domain, as in " +
      "`example.net=msrps://relay1.example.net:2855;tcp`, it is for clients that address that host of MSRP_URIS.",
    example: "msrps://relay1.example.com:2855;tcp",
    absent: "the URI that the client addresses"
  }),
  listen: optional("MSRP_LISTEN", listeners, {
    expects: "sockets like msrp:192.0.2.1:2855 with commas between them",
    meaning: "Addresses to bind, when they are not those of the URIs: `msrp` is TCP, `msrps` is TLS, " +
      "`ws` is WebSocket, `wss` WebSocket over TLS, each with a path if it is not `/` (docs/websocket.md). " +
      "0.0.0.0 and [::] are all addresses of the machine.",
    example: "msrp:0.0.0.0:2855,msrps:[::]:2856",
    absent: "host and port of each of MSRP_URIS"
  }),
  dnsServers: optional("MSRP_DNS_SERVERS", dnsServers, {
    expects: "addresses of name servers, each with or without a port",
    meaning: "The name servers that are asked for the SRV records of other relays' domains.",
    example: "192.0.2.53,[2001:db8::53]:5353",
    absent: "the name servers of the machine",
    reload: "live"
  }),
  socketRoutes: optional("MSRP_SOCKET_ROUTES", socketRoutes, {
    expects: `rules like "dst=10.0.0.0/8 -> msrp:10.0.0.1:2855" with semicolons between them`,
    meaning: "The local socket from which a connection to the next hop is made: the first rule that matches counts.",
    example: "dst=10.0.0.0/8 -> msrp:10.0.0.1:2855; scheme=msrps -> none",
    absent:
      "the socket that the request came in on if its scheme is that of the next hop, else the first listener of " +
      "that scheme",
    opensips: "socket_route",
    reload: "live"
  })
}
