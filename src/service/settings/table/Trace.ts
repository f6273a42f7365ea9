/** Variables that say whose frames are traced without an end, and where they are sent: docs/trace.md. */
import { MAX_KEY } from "../../../hep/Hep3.ts"
import { wholeNumber } from "../codecs/Quantities.ts"
import { hepKey, hepTarget, tracedUsers } from "../codecs/Trace.ts"
import { variablesOf } from "../Variable.ts"

const { optional, set } = variablesOf("Trace")

export const trace = {
  hep: optional("MSRP_HEP", hepTarget, {
    expects: "udp: or tcp:, a host and a port, as udp:homer.example.com:9060 or tcp:[2001:db8::1]:9060",
    meaning: "A server that frames are sent to by HEP 3, as Homer; without bodies and secrets, and not encrypted.",
    example: "udp:homer.example.com:9060",
    absent: "none"
  }),
  hepUsers: optional("MSRP_HEP_USERS", tracedUsers, {
    expects: "\"*\", or names of users with commas between them",
    meaning:
      "Whose frames: all users have `*`. In names `,` is written %2C and `%` is %25. Each frame that is sent costs " +
      "several times what it costs to pass it on.",
    example: "alice,bob",
    absent: "`*` if MSRP_HEP is set"
  }),
  hepId: set("MSRP_HEP_ID", wholeNumber(0, 4_294_967_295), {
    expects: "a whole number from 0 to 4294967295",
    meaning: "The number by which that server tells this relay from its other nodes (capture id).",
    example: "2855",
    default: "0"
  }),
  hepKey: optional("MSRP_HEP_KEY", hepKey, {
    expects: `up to ${MAX_KEY} octets of text without control characters`,
    meaning: "The key with which the capture server authorizes senders.",
    example: "north-pole",
    absent: "none is sent"
  })
}
