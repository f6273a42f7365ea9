/** Variables of the session table. */
import { ranges } from "../../../options/Ranges.ts"
import { DAY, seconds, wholeNumber } from "../codecs/Quantities.ts"
import { boolean } from "../codecs/Words.ts"
import { variablesOf } from "../Variable.ts"

const { set } = variablesOf("Sessions")

export const sessions = {
  hashSize: set("MSRP_HASH_SIZE", wholeNumber(1, 20), {
    expects: "a whole number from 1 to 20",
    meaning: "The session table has 2 to the power of this buckets, which are cleaned up a few at a time.",
    example: "12",
    default: "10",
    opensips: "hash_size"
  }),
  cleanupInterval: set("MSRP_CLEANUP_INTERVAL", seconds(1, DAY), {
    expects: "a time of 1 second to 1 day",
    meaning: "Time for one pass over the session table, removing what has expired.",
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
    meaning: "Sessions that one connection may have at a time.",
    example: "10",
    default: "100",
    reload: "live"
  }),
  maxSessionsPerUser: set("MSRP_MAX_SESSIONS_PER_USER", wholeNumber(...ranges.maxSessionsPerUser), {
    expects: "a whole number from 1 to 1000000",
    meaning: "Sessions that one user may have at a time, on however many connections; another AUTH is answered 403.",
    example: "50",
    default: "1000",
    reload: "live"
  }),
  maxSessionsPerRelay: set("MSRP_MAX_SESSIONS_PER_RELAY", wholeNumber(1, 10_000_000), {
    expects: "a whole number from 1 to 10000000",
    meaning:
      "Sessions that another relay may have at a time for clients behind it, on all its connections; another AUTH is " +
      "answered 403.",
    example: "500",
    default: "10000",
    reload: "live"
  }),
  relayGone: set("MSRP_RELAY_GONE", seconds(1, 30 * DAY), {
    expects: "a time of 1 second to 30 days",
    meaning: "For how long the sessions of another relay stay when there is no connection with it any more.",
    example: "1 minute",
    default: "5 minutes",
    reload: "live"
  }),
  extendActiveSessions: set("MSRP_EXTEND_ACTIVE_SESSIONS", boolean, {
    expects: "1, 0, true, false, yes, no, on or off",
    meaning: "A session through which requests pass lives on: each one gives it all its time again, and so does an " +
      "empty SEND of its owner to the relay. For clients that never refresh their AUTH; RFC 4976 section 6.3 wants none " +
      "to outlive the time it was given.",
    example: "true",
    default: "false",
    reload: "live"
  })
}
