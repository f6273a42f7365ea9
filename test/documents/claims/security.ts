/** The claims of docs/security.md. */
import { MAX_BODY } from "../../../src/admin/Access.ts"
import { ANSWER_TIME, MAX_CONNECTIONS, MAX_HEAD, REQUEST_TIME } from "../../../src/admin/Limits.ts"
import { MAX_BEHIND, MAX_PAGES } from "../../../src/admin/status/OpenPages.ts"
import { MAX_OCTETS as MAX_UNTAKEN, MAX_WAITING as MAX_MESSAGES } from "../../../src/browser/AsyncQueue.ts"
import { MAX_PACKET } from "../../../src/hep/Hep3.ts"
import { ADDRESS_BURST, ADDRESS_PAUSE, detailBounds, KIND_BURST, KIND_PAUSE } from "../../../src/logging/LineBudget.ts"
import { MAX_CONTROL } from "../../../src/protocol/websocket/FrameHead.ts"
import { MAX_IDLE } from "../../../src/protocol/websocket/FrameReader.ts"
import { userBounds } from "../../../src/relay/edge/EventLog.ts"
import { MAX_EVENTS, MAX_NAMES, MAX_RECENT, MAX_USERS } from "../../../src/relay/edge/History.ts"
import { MAX_TRACES, MAX_WAITING as MAX_FRAMES } from "../../../src/relay/edge/Trace.ts"
import { CLIENT_ANYWAY, CLIENT_PARTS } from "../../../src/relay/inbound/Logins.ts"
import { defaultRelayLimits as limits } from "../../../src/relay/Limits.ts"
import {
  ANSWERED_WITHIN,
  LEAST_OF_SEVERAL,
  LEAST_UNANSWERED,
  MOST_UNANSWERED,
  MOST_UNANSWERED_RELAYED
} from "../../../src/relay/outbound/Window.ts"
import { MAX_OUTPUT_OF_USER } from "../../../src/relay/OutputLoads.ts"
import { MAX_OF_USER } from "../../../src/relay/route/Blocked.ts"
import { MAX_RETRY_BUFFERS } from "../../../src/relay/route/RetryBuffer.ts"
import { MAX_WAITING_OF_USER } from "../../../src/relay/route/UserLoad.ts"
import { lookupsAtOnce } from "../../../src/resolver/Asker.ts"
import { TIME_LIMIT } from "../../../src/service/check/SetupCheck.ts"
import { MAX_OCTETS as MAX_ENV_FILE } from "../../../src/service/settings/EnvFile.ts"
import { variables } from "../../../src/service/settings/Table.ts"
import { MAX_OCTETS as MAX_SECRET_FILE } from "../../../src/service/settings/TextFile.ts"
import { MAX_WAITING as MAX_NOTICES } from "../../../src/service/Systemd.ts"
import { MAX_QUEUED } from "../../../src/transport/AcceptQueue.ts"
import { LOOK } from "../../../src/transport/HandshakeSizes.ts"
import { MAX_NEW_KEYS } from "../../../src/transport/KeyUpdates.ts"
import {
  HANDSHAKE,
  MAX_CERTIFICATES,
  MAX_PEER_NAMES,
  MAX_UNVERIFIED_CERTIFICATES
} from "../../../src/transport/PeerCertificate.ts"
import { MAX_PROXY_HEADER } from "../../../src/transport/ProxyHeader.ts"
import { MAX_UNTAKEN as MAX_TLS } from "../../../src/transport/TlsAnswers.ts"
import { MAX_HTTP_HEAD, MAX_HTTP_LINES } from "../../../src/transport/websocket/Upgrades.ts"
import { many, numberIn, size, time, timeIn, word } from "../sources.ts"
import { cells, type Claim, defaultOf, others, proven, seconds } from "./Claim.ts"

const held = (name: string): number => numberIn("src/relay/route/HoldBudget.ts", `const ${name} = `)

const attempts = "src/authenticator/Attempts.ts"
const resolver = "src/Resolver.ts"
const probation = numberIn("src/relay/Limits.ts", "const PROBATION = ")
const handshakesAsked = numberIn("src/transport/Handshakes.ts", "const ASKED_AT_ONCE = ")
const handshakesOfAddress = defaultOf(variables.handshakesPerAddress)
const handshakeRate = defaultOf(variables.handshakeRate)
const setup = numberIn("src/transport/ListenerOptions.ts", "const SETUP_TIME = ")
const noticeDays = numberIn("src/service/settings/Validity.ts", "const NOTICE = ")
const freeOfUser = numberIn(attempts, "const FREE_PER_USER = ")
const threads = numberIn("src/service/ThreadPool.ts", "const THREADS = ")
const tidied = timeIn("src/Relay.ts", "const IDLE_CHECK = ")
const halfOf = (millis: number): string => millis === 500 ? "half a second" : `${millis} ms`
const pace = (burst: number, pause: number): string =>
  pause > 1000 ? `${many(burst)} and one in ${pause / 1000} s` : `${many(burst)} and one a second`

export const security: Readonly<Record<string, ReadonlyArray<Claim>>> = {
  "docs/security.md": [
    `connect for ${seconds(probation)};`,
    `${seconds(probation)} of probation`,
    `| connections of one address that wait for their turn at a listener | | ${many(MAX_QUEUED)} |`,
    `| probation | | ${seconds(probation)}, ${limits.unsuccessful} requests |`,
    `| ${limits.dials} connections in the making for each user`,
    `| ${limits.failedAuths} failures close a connection`,
    `from the ${freeOfUser + 1}th on each is answered after twice the time, up to ${
      numberIn(attempts, "const LONGEST_DELAY = ") / 1000
    } seconds`,
    `until ${many(numberIn(attempts, "const WELCOME_FAILURES = "))} in a row have failed there`,
    `${numberIn(attempts, "const LATE_BEHIND_RELAY = ")} late answers behind a relay at a time`,
    `relay is known by ${numberIn("src/relay/rules/Directory.ts", "const MAX_SHOWN = ")} names`,
    `is held for ${word(limits.hold)} seconds at most`,
    `for ${word(held("STRETCH") / (held("PART") - 1) / 1000)} seconds for each user and then for ${
      ["half", "a third"][held("PART") - 2]
    } of the time`,
    `on a connection of several sessions for ${
      word(limits.hold)
    } seconds; then those that hold most are refused there; on another one until answers come, or for ${
      word(limits.hold)
    } seconds if others wait for its own`,
    `until the receiver has given no sign for ${
      seconds(ANSWERED_WITHIN / 1000)
    } while nobody else has sent there for a minute, and for ${
      time(numberIn("src/relay/Limits.ts", "const UNHEARD = "))
    } at most`,
    `(${handshakesAsked} where one is asked for)`,
    `certificates of ${size(MAX_CERTIFICATES)}, ${
      size(MAX_UNVERIFIED_CERTIFICATES)
    } if not verified, with their chain and ${
      size(HANDSHAKE)
    } for the rest of the handshake and what comes with its end, ${MAX_PEER_NAMES} names; as many octets of a handshake under way, within ${
      halfOf(LOOK)
    }; ${
      size(MAX_TLS)
    } of key updates and the like from a peer that does not take the answers; ${MAX_NEW_KEYS} new keys in a row without data`,
    `| octets of a handshake under way; where a certificate is asked for | | ${size(HANDSHAKE)}; ${
      size(HANDSHAKE + MAX_CERTIFICATES)
    } | closed within ${halfOf(LOOK)} |`,
    `| new keys of TLS 1.3 in a row without data | | ${MAX_NEW_KEYS} | closed, and counts as ${
      numberIn("src/transport/Handshakes.ts", "const COST_OF_KEYS = ")
    } handshakes |`,
    `| ${size(MAX_TLS)}, within ${seconds(numberIn("src/transport/Connections.ts", "const LOOK = \""))} | closed |`,
    `warnings from ${noticeDays} days before the end`,
    `| octets of a name server's answer | | ${many(numberIn("src/resolver/Srv.ts", "const MAX_ANSWER = "))} |`,
    `| octets that wait for the receivers of one user in all, with their paths | | ${size(MAX_WAITING_OF_USER)} |`,
    `| answers that the peer of a connection does not read; another relay | | ${size(limits.responses)}; ${
      size(limits.relay)
    } |`,
    `| frames that have begun and not ended, of a user, strangers at one address; of another relay | | ${
      size(MAX_OUTPUT_OF_USER)
    }; ${size(limits.relay)} |`,
    `| output that waits for a user, strangers at one address; for another relay | | ${size(MAX_OUTPUT_OF_USER)}; ${
      size(limits.relay)
    } |`,
    `| ${size(LEAST_UNANSWERED)} to ${size(MOST_UNANSWERED)}, as fast as it answers; ${
      size(MOST_UNANSWERED_RELAYED)
    } by way of a relay; from ${size(LEAST_OF_SEVERAL)} on for several on a slow connection |`,
    `| a connection of several sessions that is held for one receiver | | ${seconds(limits.hold)} |`,
    `| ${size(limits.relayed)}; ${size(limits.relay)} |`,
    `| a chunk whose session has expired | | ${seconds(limits.overtime)} |`,
    `| ${size(limits.unanswered)}, of several sessions or of a peer whose own answers are waited for ${
      size(2 * limits.unanswered)
    }; ${size(limits.unansweredOfUser)}, likewise ${size(2 * limits.unansweredOfUser)} |`,
    `| AUTHs under way on a relay's connection; of a client there | | ${limits.auths}; 1 in ${CLIENT_PARTS} of the places that are left, or ${CLIENT_ANYWAY} |`,
    `Of one user, ${many(MAX_OF_USER)} stopped messages are remembered`,
    `| ${
      size(numberIn("src/relay/route/RetryBuffer.ts", "const MAX_KEPT = "))
    }, ${MAX_RETRY_BUFFERS} sessions of a connection |`,
    `| look-ups of a user | | ${limits.lookups} a minute |`,
    // libuv has half of its threads for them.
    `| look-ups of addresses, of all users | \`UV_THREADPOOL_SIZE\` | ${lookupsAtOnce(`${threads}`)} under way, of ${
      threads / 2
    }; half for users whose names took long |`,
    `| ${numberIn(resolver, "const MAX_ASKED = ")} under way, ${numberIn(resolver, "const MAX_WAITING = ")} waiting |`,
    `| ${numberIn(resolver, "const MAX_RECORDS = ")}, ${seconds(numberIn(resolver, "const MAX_TTL = "))}, ${
      numberIn(resolver, "const MAX_ADDRESSES = ")
    } |`,
    `| deciding an AUTH | | ${seconds(limits.authDecision)} |`,
    `wait ${seconds(setup)}, then closed`,
    cells(seconds, variables.relayGone),
    `| ${pace(ADDRESS_BURST, ADDRESS_PAUSE)} for an address, ${pace(KIND_BURST, KIND_PAUSE)} in all |`,
    `| ${userBounds.addressBurst} of a kind at once, then one a second; ${many(userBounds.kindBurst)} and ${
      many(1000 / userBounds.kindPause)
    } a second in all |`,
    `| ${1000 / detailBounds.addressPause} a second for an address, ${1000 / detailBounds.kindPause} in all |`,
    `| ${many(MAX_USERS)} users, ${MAX_NAMES} names that only failed, ${MAX_EVENTS} events each; ${MAX_RECENT} ends |`,
    `| ${MAX_CONNECTIONS} connections, ${size(MAX_HEAD)} of head, ${size(MAX_BODY)} of body, ${
      REQUEST_TIME / 1000
    } s for a request, ${Number.parseInt(ANSWER_TIME)} s for an answer |`,
    `| status pages | | ${MAX_PAGES}; ${size(MAX_BEHIND)} waits for one |`,
    `| traces | | ${MAX_TRACES}; ${many(MAX_FRAMES)} frames wait for each |`,
    `| ${size(MAX_PACKET)} a packet, ${many(MAX_FRAMES)} frames wait |`,
    `| one check of \`msrp-relay check\` | | ${seconds(TIME_LIMIT)} |`,
    cells(many, variables.maxConnections),
    cells(many, variables.maxConnectionsInProbation),
    cells(seconds, variables.idleLimit),
    cells(many, variables.maxFailedAuth),
    cells(many, variables.freeFailuresPerUser),
    cells(many, variables.freeFailuresPerAddress),
    cells(many, variables.maxSessions),
    cells(many, variables.maxSessionsPerUser),
    cells(many, variables.maxSessionsPerConnection),
    cells(many, variables.maxDials),
    cells(many, variables.maxTransactions),
    cells(size, variables.outputLimit, variables.sessionBuffer),
    cells(seconds, variables.stallLimit),
    cells(many, variables.maxNextHopsPerUser),
    cells(many, variables.maxNextHopsPerAddress),
    cells(seconds, variables.nextHopUnused),
    cells(many, variables.maxSessionsPerRelay),
    cells(seconds, variables.relayMaxExpires),
    cells(seconds, variables.keepAlive),
    cells(seconds, variables.drainTimeout),
    `| ${handshakesOfAddress}; ${handshakeRate} a second |`,
    `per address ${handshakesOfAddress} handshakes under way`,
    `and ${handshakeRate} a second, counted by octets`,
    `| ${MAX_NOTICES} wait, ${time(numberIn("src/service/Systemd.ts", "const TIME_LIMIT = "))} each |`,
    `| ${size(MAX_ENV_FILE)}, a regular file |`,
    `at debug level each has a line, ${1000 / detailBounds.addressPause} a second at most for an address`,
    `The head of a handshake has at most ${size(MAX_HTTP_HEAD)} and ${MAX_HTTP_LINES} lines`,
    `Control frames have ${MAX_CONTROL} octets`,
    `has at most ${MAX_PROXY_HEADER} octets and ${seconds(setup)}`,
    `Frames without a message may come ${many(MAX_IDLE)} in a row`,
    `at most ${many(MAX_MESSAGES)} messages that are not taken and ${
      size(MAX_UNTAKEN)
    } of each kind (messages, files) of a session, ${
      size(numberIn("src/browser/Link.ts", "const MAX_WAITING_OCTETS = "))
    } in all`,
    `a file of at most ${size(MAX_SECRET_FILE)}`,
    `counts as its /${numberIn("src/net/Network.ts", "const PREFIX = ")} wherever`,
    `is closed within ${time(tidied).replace("1", "a")}`,
    `| questions to an HTTP service of users | | ${
      numberIn("src/credentials/Http.ts", "const MAX_ASKED = ")
    } under way |`,
    proven("test/protocol/Ident.test.ts", "has 120 random bits and never comes twice", "a secret of 120 random bits"),
    proven("test/transport/Certificates.test.ts", "R8996-01 speaks 1.2 and 1.3, and nothing older", "TLS 1.2 and 1.3"),
    proven("test/transport/Certificates.test.ts", "R4976-9.2-26 has forward secrecy", "with forward secrecy"),
    proven(
      "test/conformance/O-relays.test.ts",
      "another relay is never reached without TLS",
      "relays are never reached without"
    ),
    proven(
      "test/service/StartLog.test.ts",
      "never with one that is configured",
      "Passwords that were configured are never in it"
    ),
    proven(
      "test/service/settings/SecretFiles.test.ts",
      "what is in it is not told",
      "Paths are logged, contents never"
    ),
    proven("test/Admin.test.ts", "is its owner's alone, and gone afterwards", "A Unix socket has mode 0600"),
    proven(
      "test/service/Reload.test.ts",
      "without secrets",
      "A reload and a check tell names of variables, and never their values"
    ),
    proven(
      "test/service/check/Check.test.ts",
      "has passwords, of which none is told",
      "and a check tell names of variables"
    ),
    proven(
      "test/service/Reload.test.ts",
      "with anything wrong changes nothing",
      "A reload that finds anything wrong changes nothing"
    ),
    proven(
      "test/relay/Changes.test.ts",
      "limits of what there is count for what comes, and close nobody",
      "closes nobody for a limit that is lower now"
    ),
    proven(
      "test/service/settings/FollowTls.test.ts",
      "one that is not valid takes no place of one that is",
      "and never replaces a valid certificate by one that is not valid"
    ),
    ...others("the threat, not what stands against it", "| a sender that never pauses |", "| octets that never end |"),
    ...others("of the benchmark", "compares the times of 2,000 guesses of either kind")
  ]
}
