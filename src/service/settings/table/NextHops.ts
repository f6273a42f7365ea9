/** Variables that say where clients may make the relay connect to. */
import { nextHopRules, ports } from "../codecs/NextHops.ts"
import { variablesOf } from "../Variable.ts"

const { optional, set } = variablesOf("Next hops")

export const nextHops = {
  nextHopAllow: set("MSRP_NEXT_HOP_ALLOW", nextHopRules, {
    expects: "addresses, networks, host names or *.names",
    meaning:
      "Where clients may make the relay connect to, whatever else forbids it. Without it, the relay does not connect to " +
      "itself and, unless it listens on loopback only, to no loopback, link-local, private or multicast address; " +
      "asked for the address that is dialled, after DNS.",
    example: "10.1.0.0/16,*.chat.example.com",
    default: "none",
    reload: "live"
  }),
  nextHopDeny: set("MSRP_NEXT_HOP_DENY", nextHopRules, {
    expects: "addresses, networks, host names or *.names",
    meaning: "Further addresses that clients may not make the relay connect to. 0.0.0.0/0,::/0 leaves only those in " +
      "MSRP_NEXT_HOP_ALLOW.",
    example: "198.51.100.0/24,2001:db8::/32",
    default: "none",
    reload: "live"
  }),
  nextHopPorts: optional("MSRP_NEXT_HOP_PORTS", ports, {
    expects: `"any", or ports and ranges of ports with commas between them`,
    meaning: "Ports that clients may make the relay connect to, of whatever MSRP_NEXT_HOP_ALLOW does not have.",
    example: "2855,2856,49152-65535",
    absent: "443 and 1024 to 65535; any if the relay listens on loopback only",
    reload: "live"
  }),
  nextHopAlone: set("MSRP_NEXT_HOP_ALONE", nextHopRules, {
    expects: "addresses, networks, host names or *.names",
    meaning:
      "Endpoints that get a connection for each session, by the host that their URI has. For those that take all that comes " +
      "on a connection for the session that was first there, as FreeSWITCH does: others use one connection for all.",
    example: "10.0.0.30,switch.example.com",
    default: "none",
    reload: "live"
  })
}
