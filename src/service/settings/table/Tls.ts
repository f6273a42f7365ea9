/** Variables of certificates. */
import { listeners, networks } from "../codecs/Addresses.ts"
import { wholeNumber } from "../codecs/Quantities.ts"
import { paths, relayPeers } from "../codecs/Tls.ts"
import { boolean, line } from "../codecs/Words.ts"
import { variablesOf } from "../Variable.ts"

const { optional, set } = variablesOf("TLS")

export const tls = {
  tlsCert: optional("MSRP_TLS_CERT", paths, {
    expects: "the path of a PEM file, or several, comma-separated",
    meaning: "The relay's certificate, followed by its chain. It is also shown to other relays, so its extended key " +
      "usage, if present, must include serverAuth and clientAuth. Further certificates are used for clients " +
      "that request their names (SNI), and for the sessions of those clients.",
    example: "/etc/msrp-relay/fullchain.pem",
    absent: "none; on loopback, a self-signed certificate is made at start",
    reload: "live"
  }),
  tlsKey: optional("MSRP_TLS_KEY", paths, {
    expects: "the path of a PEM file, or several, comma-separated",
    meaning: "The unencrypted private key of the certificate. With several certificates, their keys in the same " +
      "order.",
    example: "/etc/msrp-relay/privkey.pem",
    absent: "none",
    reload: "live"
  }),
  tlsCa: optional("MSRP_TLS_CA", line, {
    expects: "the path of a PEM file",
    meaning: "Certificates of trusted authorities, which replace those of Node.js. Set it if other relays or " +
      "endpoints have certificates of a private authority.",
    example: "/etc/msrp-relay/ca.pem",
    absent: "the authorities that Node.js trusts",
    reload: "live"
  }),
  allowSelfSigned: set("MSRP_TLS_ALLOW_SELF_SIGNED", boolean, {
    expects: "1, 0, true, false, yes, no, on or off",
    meaning: "Whether a next hop may show a self-signed certificate. For endpoints only: leave it off if the relay " +
      "connects to other relays.",
    example: "true",
    default: "false",
    reload: "live"
  }),
  relayPeers: optional("MSRP_RELAY_PEERS", relayPeers, {
    expects: "all, none, or comma-separated host names",
    meaning: "Other relays that may act as relays here. They prove their name by a certificate that MSRP_TLS_CA " +
      "verifies. `*.` matches one label. Relays that are not admitted are treated like clients. Without " +
      "MSRP_TLS_CA, `all` admits anybody with a certificate of a public authority.",
    example: "relay.example.net,*.relays.example.com",
    absent: "`all` with MSRP_TLS_CA, `none` without it",
    reload: "live"
  }),
  relayListen: optional("MSRP_RELAY_LISTEN", listeners, {
    expects: "comma-separated msrps sockets of MSRP_LISTEN",
    meaning: "The sockets to which other relays connect. Only there, a certificate is requested, and TLS sessions " +
      "are not resumed. Verifying a certificate takes time, so clients should use other sockets, or MSRP_RELAY_ADDRESSES " +
      "should say from where relays connect.",
    example: "msrps:relay.example.com:2856",
    absent: "all msrps sockets of MSRP_LISTEN, if MSRP_RELAY_PEERS admits any relay",
    reload: "live"
  }),
  relayAddresses: optional("MSRP_RELAY_ADDRESSES", networks, {
    expects: "comma-separated addresses and networks",
    meaning: "The addresses from which other relays connect. Clients of other addresses are not asked for a " +
      "certificate, so they cannot make the relay verify one, their TLS sessions may be resumed, and they cannot act as " +
      "relays. Behind a proxy, the address that counts is the one that it gives by the PROXY protocol.",
    example: "192.0.2.12,2001:db8:7::/64",
    absent: "every address",
    reload: "live"
  }),
  handshakesPerAddress: set("MSRP_TLS_HANDSHAKES_PER_ADDRESS", wholeNumber(1, 1_000_000), {
    expects: "a whole number from 1 to 1000000",
    meaning: "TLS handshakes of one address in progress at a time, on each listener; further ones wait for up to 10 " +
      "seconds. Where a certificate is requested, at most 8. Clients behind the same NAT share an address. " +
      "Loopback is exempt.",
    example: "200",
    default: "32",
    reload: "live"
  }),
  handshakeRate: set("MSRP_TLS_HANDSHAKE_RATE", wholeNumber(0, 1_000_000), {
    expects: "a whole number from 0 to 1000000",
    meaning: "TLS handshakes per second of one address, on each listener, after a burst as large as the number " +
      "allowed in 4 seconds; further ones wait for up to 10 seconds. A handshake that receives more than 4 " +
      "KiB counts as several. Loopback is exempt. 0: no limit.",
    example: "500",
    default: "64",
    reload: "live"
  })
}
