/** Variables that say where clients may make the relay connect to. */
import { nextHopRules, ports } from "../codecs/NextHops.ts"
import { variablesOf } from "../Variable.ts"

const { optional, set } = variablesOf("Next hops")

export const nextHops = {
  nextHopAllow: set("MSRP_NEXT_HOP_ALLOW", nextHopRules, {
    expects: "none, or comma-separated addresses, networks, host names or *.names",
    meaning: "Next hops to which clients may make the relay connect, even if other rules forbid it. By default the " +
      "relay does not connect to its own machine or, unless it listens only on loopback, to loopback, " +
      "link-local, private and multicast addresses. Rules apply to the address that is dialled, after DNS.",
    example: "10.1.0.0/16,*.chat.example.com",
    default: "none",
    reload: "live"
  }),
  nextHopDeny: set("MSRP_NEXT_HOP_DENY", nextHopRules, {
    expects: "none, or comma-separated addresses, networks, host names or *.names",
    meaning: "Additional next hops to which clients may not make the relay connect. 0.0.0.0/0,::/0 leaves only those " +
      "in MSRP_NEXT_HOP_ALLOW.",
    example: "198.51.100.0/24,2001:db8::/32",
    default: "none",
    reload: "live"
  }),
  nextHopPorts: optional("MSRP_NEXT_HOP_PORTS", ports, {
    expects: "any, or comma-separated ports and ranges of ports",
    meaning: "Ports to which clients may make the relay connect. Next hops in MSRP_NEXT_HOP_ALLOW are exempt.",
    example: "2855,2856,49152-65535",
    absent: "443 and 1024 to 65535; any port if the relay listens only on loopback",
    reload: "live"
  }),
  nextHopAlone: set("MSRP_NEXT_HOP_ALONE", nextHopRules, {
    expects: "none, or comma-separated addresses, networks, host names or *.names",
    meaning: "Endpoints that get a separate connection for each session, by the host in their URI. Set it for " +
      "endpoints that assign everything on a connection to its first session, such as FreeSWITCH. Other " +
      "endpoints get one connection for all sessions.",
    example: "10.0.0.30,switch.example.com",
    default: "none",
    reload: "live"
  })
}
