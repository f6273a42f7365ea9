/** Variables of the session table. */
import { ranges } from "../../../options/Ranges.ts"
import { DAY, seconds, wholeNumber } from "../codecs/Quantities.ts"
import { boolean } from "../codecs/Words.ts"
import { variablesOf } from "../Variable.ts"

const { set } = variablesOf("Sessions")

export const sessions = {
  hashSize: set("MSRP_HASH_SIZE", wholeNumber(1, 20), {
    expects: "a whole number from 1 to 20",
    meaning: "The session table has 2 to the power of this number of buckets. A clean-up removes expired sessions " +
      "from a few buckets at a time.",
    example: "12",
    default: "10",
    opensips: "hash_size"
  }),
  cleanupInterval: set("MSRP_CLEANUP_INTERVAL", seconds(1, DAY), {
    expects: "a time of 1 second to 1 day",
    meaning: "The duration of one pass over the session table, which removes expired sessions.",
    example: "2 minutes",
    default: "60",
    opensips: "cleanup_interval",
    reload: "live"
  }),
  maxSessions: set("MSRP_MAX_SESSIONS", wholeNumber(...ranges.maxSessions), {
    expects: "a whole number from 1 to 10000000",
    meaning: "Sessions at a time.",
    example: "20000",
    default: "100000",
    reload: "live"
  }),
  maxSessionsPerConnection: set("MSRP_MAX_SESSIONS_PER_CONNECTION", wholeNumber(...ranges.sessionsPerConnection), {
    expects: "a whole number from 1 to 1000000",
    meaning: "Sessions at a time on one connection.",
    example: "10",
    default: "100",
    reload: "live"
  }),
  maxSessionsPerUser: set("MSRP_MAX_SESSIONS_PER_USER", wholeNumber(...ranges.maxSessionsPerUser), {
    expects: "a whole number from 1 to 1000000",
    meaning: "Sessions at a time of one user, over all connections. Beyond this, AUTH is answered 403.",
    example: "50",
    default: "1000",
    reload: "live"
  }),
  maxSessionsPerRelay: set("MSRP_MAX_SESSIONS_PER_RELAY", wholeNumber(1, 10_000_000), {
    expects: "a whole number from 1 to 10000000",
    meaning: "Sessions at a time of all clients behind one other relay, over all its connections. Beyond this, AUTH " +
      "is answered 403.",
    example: "500",
    default: "10000",
    reload: "live"
  }),
  relayGone: set("MSRP_RELAY_GONE", seconds(1, 30 * DAY), {
    expects: "a time of 1 second to 30 days",
    meaning: "The time for which the sessions of clients behind another relay are kept after the last connection " +
      "with that relay has closed.",
    example: "1 minute",
    default: "5 minutes",
    reload: "live"
  }),
  extendActiveSessions: set("MSRP_EXTEND_ACTIVE_SESSIONS", boolean, {
    expects: "1, 0, true, false, yes, no, on or off",
    meaning: "Whether each request through a session, and each empty SEND from its owner to the relay, extends it by " +
      "its full lifetime. For clients that do not refresh their AUTH. RFC 4976 section 6.3 requires a session " +
      "to end when its lifetime is over.",
    example: "true",
    default: "false",
    reload: "live"
  })
}
