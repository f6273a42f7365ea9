/** Variables of certificates. */
import { listeners } from "../codecs/Addresses.ts"
import { wholeNumber } from "../codecs/Quantities.ts"
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
    absent: "none; on loopback, a certificate signed by itself and made at start",
    reload: "live"
  }),
  tlsKey: optional("MSRP_TLS_KEY", paths, {
    expects: "the path of a PEM file, or several with commas between them",
    meaning: "Private key of the certificate, not encrypted; of each of several, in the same order.",
    example: "/etc/msrp-relay/privkey.pem",
    absent: "none",
    reload: "live"
  }),
  tlsCa: optional("MSRP_TLS_CA", line, {
    expects: "the path of a PEM file",
    meaning: "Certificates of the authorities to trust, in place of those that come with Node.js.",
    example: "/etc/msrp-relay/ca.pem",
    absent: "those that come with Node.js",
    reload: "live"
  }),
  allowSelfSigned: set("MSRP_TLS_ALLOW_SELF_SIGNED", boolean, {
    expects: "1, 0, true, false, yes, no, on or off",
    meaning: "Accept a certificate signed by itself when connecting to a next hop. For endpoints only: leave it off " +
      "where the relay connects to other relays.",
    example: "true",
    default: "false",
    reload: "live"
  }),
  relayPeers: optional("MSRP_RELAY_PEERS", relayPeers, {
    expects: `"all", "none", or host names with commas between them`,
    meaning: "Which other relays are admitted as such, of those that prove their name by a certificate that " +
      "MSRP_TLS_CA vouches for. `*.` stands for one label. The others are treated like anybody. Without MSRP_TLS_CA, `all` " +
      "is whoever has a certificate of a public authority.",
    example: "relay.example.net,*.relays.example.com",
    absent: "`all` with MSRP_TLS_CA, `none` without",
    reload: "live"
  }),
  relayListen: optional("MSRP_RELAY_LISTEN", listeners, {
    expects: "sockets of MSRP_LISTEN with commas between them, for msrps",
    meaning:
      "Where other relays connect to. Only there a certificate is asked for: to verify what strangers show takes time, so " +
      "clients are better off with another socket. Sessions of TLS are not resumed there.",
    example: "msrps:relay.example.com:2856",
    absent: "all of MSRP_LISTEN for msrps, if MSRP_RELAY_PEERS admits any relay",
    reload: "live"
  }),
  handshakesPerAddress: set("MSRP_TLS_HANDSHAKES_PER_ADDRESS", wholeNumber(1, 1_000_000), {
    expects: "a whole number from 1 to 1000000",
    meaning:
      "TLS handshakes of one address that may be under way at a time, on each listener; further ones wait, for 10 seconds. " +
      "Where a certificate is asked for, not more than 8. Many clients behind one NAT have the same address. Loopback has no such limit.",
    example: "200",
    default: "32",
    reload: "live"
  }),
  handshakeRate: set("MSRP_TLS_HANDSHAKE_RATE", wholeNumber(0, 1_000_000), {
    expects: "a whole number from 0 to 1000000",
    meaning:
      "TLS handshakes per second of one address, on each listener, after as many at once as there may be in 4 seconds; " +
      "further ones wait, for 10 seconds. One in which more than 4 KiB come in counts as several. Loopback has no such " +
      "limit. 0: none at all.",
    example: "500",
    default: "64",
    reload: "live"
  })
}
