/** Variables of certificates. */
import { paths, relayPeers } from "../codecs/Tls.ts"
import { boolean, line } from "../codecs/Words.ts"
import { variablesOf } from "../Variable.ts"

const { optional, set } = variablesOf("TLS")

export const tls = {
  tlsCert: optional("MSRP_TLS_CERT", paths, {
    expects: "the path of a PEM file, or several with commas between them",
    meaning:
      "The relay's certificate, followed by its chain. Also shown to other relays, so its extended key usage, if it has " +
      "one, must have both serverAuth and clientAuth. Further ones are for clients that ask for their names (SNI), and for " +
      "the sessions of those.",
    example: "/etc/msrp-relay/fullchain.pem",
    absent: "none; on loopback, a certificate signed by itself and made at start"
  }),
  tlsKey: optional("MSRP_TLS_KEY", paths, {
    expects: "the path of a PEM file, or several with commas between them",
    meaning: "Private key of the certificate, not encrypted; of each of several, in the same order.",
    example: "/etc/msrp-relay/privkey.pem",
    absent: "none"
  }),
  tlsCa: optional("MSRP_TLS_CA", line, {
    expects: "the path of a PEM file",
    meaning: "Certificates of the authorities to trust, in place of those that come with Node.js.",
    example: "/etc/msrp-relay/ca.pem",
    absent: "those that come with Node.js"
  }),
  allowSelfSigned: set("MSRP_TLS_ALLOW_SELF_SIGNED", boolean, {
    expects: "1, 0, true, false, yes, no, on or off",
    meaning: "Accept a certificate signed by itself when connecting to a next hop. For endpoints only: leave it off " +
      "where the relay connects to other relays.",
    example: "true",
    default: "false"
  }),
  relayPeers: set("MSRP_RELAY_PEERS", relayPeers, {
    expects: `"all", "none", or host names with commas between them`,
    meaning: "Which other relays are admitted as such, of those that prove their name by a certificate that " +
      "MSRP_TLS_CA vouches for. `*.` stands for one label. The others are treated like anybody.",
    example: "relay.example.net,*.relays.example.com",
    default: "all"
  })
}
