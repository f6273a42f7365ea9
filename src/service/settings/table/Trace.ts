/** Variables that say whose frames are traced without an end, and where they are sent: docs/trace.md. */
import { MAX_KEY } from "../../../hep/Hep3.ts"
import { wholeNumber } from "../codecs/Quantities.ts"
import { hepKey, hepTarget, tracedUsers } from "../codecs/Trace.ts"
import { variablesOf } from "../Variable.ts"

const { optional, set } = variablesOf("Trace")

export const trace = {
  hep: optional("MSRP_HEP", hepTarget, {
    expects: "udp: or tcp:, a host and a port, such as udp:homer.example.com:9060 or tcp:[2001:db8::1]:9060",
    meaning: "A capture server for HEP 3, such as Homer, to which frames are sent, without bodies and secrets. The " +
      "connection is not encrypted.",
    example: "udp:homer.example.com:9060",
    absent: "none"
  }),
  hepUsers: optional("MSRP_HEP_USERS", tracedUsers, {
    expects: "*, or comma-separated user names",
    meaning: "The users whose frames are sent; `*` is all users. In names, write `,` as %2C and `%` as %25. Sending " +
      "a frame to the capture server costs several times as much as passing it on.",
    example: "alice,bob",
    absent: "`*` if MSRP_HEP is set"
  }),
  hepId: set("MSRP_HEP_ID", wholeNumber(0, 4_294_967_295), {
    expects: "a whole number from 0 to 4294967295",
    meaning: "The number that identifies this relay at the capture server (capture id).",
    example: "2855",
    default: "0"
  }),
  hepKey: optional("MSRP_HEP_KEY", hepKey, {
    expects: `up to ${MAX_KEY} octets of text without control characters`,
    meaning: "The key by which the capture server authorizes senders.",
    example: "north-pole",
    absent: "none is sent"
  })
}
