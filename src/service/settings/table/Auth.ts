/** Variables that say how users log in (RFC 4976 §6.3, §9.1). */
import { ranges } from "../../../options/Ranges.ts"
import { algorithms, realm, realms } from "../codecs/Auth.ts"
import { DAY, seconds, wholeNumber } from "../codecs/Quantities.ts"
import { boolean } from "../codecs/Words.ts"
import { variablesOf } from "../Variable.ts"

const { optional, set } = variablesOf("AUTH")

export const auth = {
  realm: optional("MSRP_AUTH_REALM", realm, {
    expects: `1 to 255 characters without quotation marks, "\\" or control characters`,
    meaning: "The realm in which users authenticate. H(A1)s depend on it.",
    example: "example.org",
    absent: "the host of the URI in MSRP_URIS to which the AUTH is sent, in lower case",
    opensips: "auth_realm"
  }),
  expires: optional("MSRP_AUTH_EXPIRES", seconds(...ranges.expires, true), {
    expects: "a time of 1 second to 365 days, in whole seconds",
    meaning: "The lifetime of a session URI if the client does not request one.",
    example: "1800",
    absent: "1800, or the nearest value that `MSRP_AUTH_MIN_EXPIRES` and `MSRP_AUTH_MAX_EXPIRES` allow",
    opensips: "auth_expires",
    reload: "live"
  }),
  minExpires: optional("MSRP_AUTH_MIN_EXPIRES", seconds(...ranges.expires, true), {
    expects: "a time of 1 second to 365 days, in whole seconds",
    meaning: "The shortest lifetime that a client may request. A shorter one is answered 423 with Min-Expires.",
    example: "60",
    absent: "1 second",
    opensips: "auth_min_expires",
    reload: "live"
  }),
  maxExpires: optional("MSRP_AUTH_MAX_EXPIRES", seconds(...ranges.expires, true), {
    expects: "a time of 1 second to 365 days, in whole seconds",
    meaning: "The longest lifetime that a client may request. A longer one is answered 423 with Max-Expires.",
    example: "1h",
    absent: "no maximum; a client that requests more than 365 days is granted 365 days",
    opensips: "auth_max_expires",
    reload: "live"
  }),
  relayMaxExpires: set("MSRP_AUTH_MAX_EXPIRES_BEHIND_RELAYS", seconds(1, 365 * DAY, true), {
    expects: "a time of 1 second to 365 days, in whole seconds",
    meaning: "The longest lifetime that a client behind another relay may request, because its session does not end " +
      "when a connection closes. The lower of this and MSRP_AUTH_MAX_EXPIRES applies.",
    example: "2 hours",
    default: "1 day",
    reload: "live"
  }),
  nonceExpire: set("MSRP_NONCE_EXPIRE", seconds(1, DAY), {
    expects: "a time of 1 second to 1 day",
    meaning: "The lifetime of a nonce. An AUTH with an older nonce is answered 401 with stale=true.",
    example: "1 minute",
    default: "30",
    opensips: "nonce_expire",
    reload: "live"
  }),
  algorithms: set("MSRP_DIGEST_ALGORITHMS", algorithms, {
    expects: "SHA-256, MD5, or both with a comma between them",
    meaning: "The digest algorithms to offer, in this order. Some clients know only MD5, and some of those read only " +
      "the last challenge.",
    example: "MD5",
    default: "SHA-256,MD5",
    reload: "live"
  }),
  realmsWithoutMd5: set("MSRP_REALMS_WITHOUT_MD5", realms, {
    expects: "none, or comma-separated realms",
    meaning: "Realms in which MD5 is neither offered nor accepted, even if MSRP_DIGEST_ALGORITHMS contains it.",
    example: "secure.example.com",
    default: "none",
    reload: "live"
  }),
  freeFailuresPerUser: set("MSRP_AUTH_FREE_FAILURES", wholeNumber(1, 1_000_000), {
    expects: "a whole number from 1 to 1000000",
    meaning: "AUTHs with wrong credentials for one user of a realm from one address (behind another relay: through " +
      "that relay) that are answered without delay. Each further one doubles the delay, from 1 to 16 seconds; " +
      "failures are forgotten after 15 minutes.",
    example: "3",
    default: "10",
    reload: "live"
  }),
  freeFailuresPerAddress: set("MSRP_AUTH_FREE_FAILURES_PER_ADDRESS", wholeNumber(1, 1_000_000), {
    expects: "a whole number from 1 to 1000000",
    meaning: "AUTHs with wrong credentials from one address, of all users together, that are answered without delay. " +
      "Users who have logged in from that address before are not counted.",
    example: "1000",
    default: "100",
    reload: "live"
  }),
  allowPlaintextAuth: set("MSRP_ALLOW_PLAINTEXT_AUTH", boolean, {
    expects: "1, 0, true, false, yes, no, on or off",
    meaning: "Whether AUTH is allowed without TLS on every listener. On loopback it is always allowed (RFC 4976 " +
      "section 9.2).",
    example: "true",
    default: "false",
    reload: "live"
  }),
  maxFailedAuth: set("MSRP_MAX_FAILED_AUTH", wholeNumber(...ranges.failedAuths), {
    expects: "a whole number from 1 to 1000",
    meaning: "The number of failed AUTHs after which a connection is closed.",
    example: "3",
    default: "5",
    reload: "live"
  })
}
