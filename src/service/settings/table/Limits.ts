/** Variables that bound what connections and sessions may take. */
import { ranges } from "../../../options/Ranges.ts"
import { octets, seconds, wholeNumber } from "../codecs/Quantities.ts"
import { variablesOf } from "../Variable.ts"

const { optional, set } = variablesOf("Limits")

export const limits = {
  maxConnections: set("MSRP_MAX_CONNECTIONS", wholeNumber(...ranges.connections), {
    expects: "a whole number from 1 to 1000000",
    meaning:
      "Connections at a time. When there are more, one that has proved nothing yet is closed, the oldest of the address that has most of them, " +
      "or the least recently used one without a session; if there is none, the new one.",
    example: "2000",
    default: "10000",
    reload: "live"
  }),
  maxConnectionsPerAddress: optional("MSRP_MAX_CONNECTIONS_PER_ADDRESS", wholeNumber(...ranges.connectionsPerAddress), {
    expects: "a whole number from 1 to 1000000",
    meaning: "Connections at a time from one address. Many clients behind one NAT have the same address.",
    example: "500",
    absent: "as many as there may be in all",
    reload: "live"
  }),
  maxConnectionsInProbation: set("MSRP_MAX_CONNECTIONS_IN_PROBATION", wholeNumber(...ranges.connectionsInProbation), {
    expects: "a whole number from 1 to 1000000",
    meaning:
      "Connections at a time that have not brought a successful request (they have 30 seconds); the oldest of the address that has most of them " +
      "is closed for a new one. As many more may be in the middle of their TLS handshake, on each listener.",
    example: "200",
    default: "1000",
    reload: "live"
  }),
  idleLimit: set("MSRP_IDLE_LIMIT", seconds(...ranges.idle), {
    expects: "a time of 1 hour to 30 days",
    meaning: "A connection without sessions is closed after this time without traffic (RFC 4976 section 6.5).",
    example: "1 day",
    default: "2 hours",
    reload: "live"
  }),
  drainTimeout: set("MSRP_DRAIN_TIMEOUT", seconds(...ranges.drain), {
    expects: "a time of 0 to 1 day",
    meaning:
      "Time for sessions to end by themselves after SIGTERM, SIGINT or SIGQUIT, while new ones are refused; without " +
      "sessions the relay ends at once. A process manager must wait longer than this before it kills the relay. 0: " +
      "all sessions end at once.",
    example: "10 minutes",
    default: "30",
    reload: "live"
  }),
  keepAlive: set("MSRP_TCP_KEEP_ALIVE", seconds(...ranges.keepAlive), {
    expects: "a time of 0 to 9 hours",
    meaning:
      "After so long without traffic the system asks whether the peer is still there, and closes the connection of one that " +
      "has gone without a word. 0: never.",
    example: "30s",
    default: "60",
    reload: "live"
  }),
  maxDials: set("MSRP_MAX_DIALS", wholeNumber(...ranges.dials), {
    expects: "a whole number from 1 to 10000",
    meaning:
      "Connections to next hops that one user may have in the making at a time, on however many connections; what needs more is answered 408.",
    example: "8",
    default: "32",
    reload: "live"
  }),
  maxNextHopsPerUser: set("MSRP_MAX_NEXT_HOPS_PER_USER", wholeNumber(...ranges.nextHops), {
    expects: "a whole number from 1 to 1000000",
    meaning:
      "Connections to next hops that one user may have, on however many connections of his; what needs more is answered 408.",
    example: "20",
    default: "100",
    reload: "live"
  }),
  maxNextHopsPerAddress: set("MSRP_MAX_NEXT_HOPS_PER_ADDRESS", wholeNumber(...ranges.nextHops), {
    expects: "a whole number from 1 to 1000000",
    meaning:
      "The same for all users from one address. Many clients behind one NAT, and all clients behind another relay, have the same address.",
    example: "200",
    default: "1000",
    reload: "live"
  }),
  nextHopUnused: set("MSRP_NEXT_HOP_UNUSED_LIMIT", seconds(...ranges.unused), {
    expects: "a time of 1 minute to 1 day",
    meaning:
      "A connection that was made to a next hop is closed when no session has used it for so long (looked at once a minute).",
    example: "1 hour",
    default: "5 minutes",
    reload: "live"
  }),
  maxTransactions: set("MSRP_MAX_TRANSACTIONS", wholeNumber(...ranges.transactions), {
    expects: "a whole number from 16 to 1000000",
    meaning: "Requests without an answer of one receiver before those who send to it are held.",
    example: "1000",
    default: "16384",
    reload: "live"
  }),
  messageRate: set("MSRP_SESSION_MESSAGE_RATE", wholeNumber(0, ranges.requestRate[1]), {
    expects: "a whole number from 0 to 1000000",
    meaning:
      "Requests (a chunk is one) per second through one session in one direction. Whoever is faster is not read for " +
      "a while; nothing is lost. A connection of one user waits as a whole. On that of several users, or of another relay, only " +
      "this session does: what is too much for its memory fails. 0: no bound.",
    example: "100",
    default: "0",
    reload: "live"
  }),
  octetRate: set("MSRP_SESSION_OCTET_RATE", octets(...ranges.octetRate, true), {
    expects: "0, or a size of 16 KiB to 1 GiB",
    meaning: "The same for the octets of their bodies.",
    example: "1 MiB",
    default: "0",
    reload: "live"
  }),
  connectTimeout: set("MSRP_CONNECT_TIMEOUT", seconds(...ranges.connectTimeout), {
    expects: "a time of 100 ms to 1 hour",
    meaning: "Time for a connection to the next hop to open, TLS handshake included.",
    example: "5s",
    default: "10",
    reload: "live"
  }),
  stallLimit: set("MSRP_STALL_LIMIT", seconds(...ranges.stall), {
    expects: "a time of 1 second to 1 day",
    meaning: "A receiver that takes nothing for this time, while something waits for it, is disconnected.",
    example: "1 minute",
    default: "30",
    reload: "live"
  }),
  outputLimit: set("MSRP_OUTPUT_LIMIT", octets(...ranges.output), {
    expects: "a size of 4 KiB to 1 GiB",
    meaning: "Octets that wait for one connection before those who send to it are held.",
    example: "256 KiB",
    default: "128 KiB",
    reload: "live"
  }),
  sessionBuffer: set("MSRP_SESSION_BUFFER", octets(...ranges.session), {
    expects: "a size of 4 KiB to 1 GiB",
    meaning: "Octets held for one session with a slow receiver before its sender is not read any more.",
    example: "1 MiB",
    default: "256 KiB",
    reload: "live"
  })
}
