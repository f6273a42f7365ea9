/** Variables that bound what connections and sessions may take. */
import { ranges } from "../../../options/Ranges.ts"
import { octets, seconds, wholeNumber } from "../codecs/Quantities.ts"
import { variablesOf } from "../Variable.ts"

const { optional, set } = variablesOf("Limits")

export const limits = {
  maxConnections: set("MSRP_MAX_CONNECTIONS", wholeNumber(...ranges.connections), {
    expects: "a whole number from 1 to 1000000",
    meaning: "Connections at a time. Beyond this, the relay closes a connection that has not yet made a successful " +
      "request (the oldest one of the address that has most of them), otherwise the least recently used " +
      "connection without a session, otherwise the new one.",
    example: "2000",
    default: "10000",
    reload: "live"
  }),
  maxConnectionsPerAddress: optional("MSRP_MAX_CONNECTIONS_PER_ADDRESS", wholeNumber(...ranges.connectionsPerAddress), {
    expects: "a whole number from 1 to 1000000",
    meaning: "Connections at a time from one address. Clients behind the same NAT share an address.",
    example: "500",
    absent: "MSRP_MAX_CONNECTIONS",
    reload: "live"
  }),
  maxConnectionsInProbation: set("MSRP_MAX_CONNECTIONS_IN_PROBATION", wholeNumber(...ranges.connectionsInProbation), {
    expects: "a whole number from 1 to 1000000",
    meaning: "Connections at a time that have not yet made a successful request, for which they have 30 seconds. " +
      "Beyond this, the oldest one of the address that has most of them is closed. In addition, each listener " +
      "may have the same number of TLS handshakes in progress.",
    example: "200",
    default: "1000",
    reload: "live"
  }),
  idleLimit: set("MSRP_IDLE_LIMIT", seconds(...ranges.idle), {
    expects: "a time of 1 hour to 30 days",
    meaning: "The time without traffic after which a connection without sessions is closed (RFC 4976 section 6.5).",
    example: "1 day",
    default: "2 hours",
    reload: "live"
  }),
  drainTimeout: set("MSRP_DRAIN_TIMEOUT", seconds(...ranges.drain), {
    expects: "a time of 0 to 1 day",
    meaning: "The time that sessions have to end after SIGTERM, SIGINT or SIGQUIT, while new ones are refused. The " +
      "relay ends as soon as there are none. Process managers must wait longer than this before they kill the " +
      "relay. 0: all sessions end at once.",
    example: "10 minutes",
    default: "30",
    reload: "live"
  }),
  keepAlive: set("MSRP_TCP_KEEP_ALIVE", seconds(...ranges.keepAlive), {
    expects: "a time of 0 to 9 hours",
    meaning: "The time without traffic after which the operating system probes whether the peer is still there (TCP " +
      "keep-alive). A connection whose peer has vanished is closed. 0: off.",
    example: "30s",
    default: "60",
    reload: "live"
  }),
  maxDials: set("MSRP_MAX_DIALS", wholeNumber(...ranges.dials), {
    expects: "a whole number from 1 to 10000",
    meaning: "Connections to next hops that may be opening at a time for one user, over all connections of that " +
      "user. Requests that need more are answered 408.",
    example: "8",
    default: "32",
    reload: "live"
  }),
  maxNextHopsPerUser: set("MSRP_MAX_NEXT_HOPS_PER_USER", wholeNumber(...ranges.nextHops), {
    expects: "a whole number from 1 to 1000000",
    meaning: "Connections to next hops at a time for one user, over all connections of that user. Requests that need " +
      "more are answered 408.",
    example: "20",
    default: "100",
    reload: "live"
  }),
  maxNextHopsPerAddress: set("MSRP_MAX_NEXT_HOPS_PER_ADDRESS", wholeNumber(...ranges.nextHops), {
    expects: "a whole number from 1 to 1000000",
    meaning: "Connections to next hops at a time for all users from one address. Clients behind the same NAT, or " +
      "behind the same other relay, share an address.",
    example: "200",
    default: "1000",
    reload: "live"
  }),
  nextHopUnused: set("MSRP_NEXT_HOP_UNUSED_LIMIT", seconds(...ranges.unused), {
    expects: "a time of 1 minute to 1 day",
    meaning: "A connection that the relay made to a next hop is closed when no session has used it for this time " +
      "(checked once a minute).",
    example: "1 hour",
    default: "5 minutes",
    reload: "live"
  }),
  maxTransactions: set("MSRP_MAX_TRANSACTIONS", wholeNumber(...ranges.transactions), {
    expects: "a whole number from 16 to 1000000",
    meaning: "Unanswered requests to one receiver. Beyond this, the relay stops reading from those that send to it.",
    example: "1000",
    default: "16384",
    reload: "live"
  }),
  messageRate: set("MSRP_SESSION_MESSAGE_RATE", wholeNumber(0, ranges.requestRate[1]), {
    expects: "a whole number from 0 to 1000000",
    meaning: "Requests per second through one session in one direction; each chunk counts as one. Beyond this, the " +
      "relay stops reading from the sender for a while, and nothing is lost. On a connection of several " +
      "users, or of another relay, only that session waits, and requests that exceed its buffer fail. 0: no " +
      "limit.",
    example: "100",
    default: "0",
    reload: "live"
  }),
  octetRate: set("MSRP_SESSION_OCTET_RATE", octets(...ranges.octetRate, true), {
    expects: "0, or a size of 16 KiB to 1 GiB",
    meaning: "Octets of bodies per second through one session in one direction, with the same effect as " +
      "MSRP_SESSION_MESSAGE_RATE. 0: no limit.",
    example: "1 MiB",
    default: "0",
    reload: "live"
  }),
  connectTimeout: set("MSRP_CONNECT_TIMEOUT", seconds(...ranges.connectTimeout), {
    expects: "a time of 100 ms to 1 hour",
    meaning: "The time limit for opening a connection to a next hop, including the TLS handshake.",
    example: "5s",
    default: "10",
    reload: "live"
  }),
  stallLimit: set("MSRP_STALL_LIMIT", seconds(...ranges.stall), {
    expects: "a time of 1 second to 1 day",
    meaning: "A receiver that accepts no data for this time, while data waits for it, is disconnected.",
    example: "1 minute",
    default: "30",
    reload: "live"
  }),
  outputLimit: set("MSRP_OUTPUT_LIMIT", octets(...ranges.output), {
    expects: "a size of 4 KiB to 1 GiB",
    meaning: "Octets that wait to be written to one connection. Beyond this, the relay stops reading from those that " +
      "send to it.",
    example: "256 KiB",
    default: "128 KiB",
    reload: "live"
  }),
  sessionBuffer: set("MSRP_SESSION_BUFFER", octets(...ranges.session), {
    expects: "a size of 4 KiB to 1 GiB",
    meaning: "Octets buffered for one session whose receiver is slow. Beyond this, the relay stops reading from the " +
      "sender.",
    example: "1 MiB",
    default: "256 KiB",
    reload: "live"
  })
}
