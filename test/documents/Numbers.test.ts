/**
 * Numbers that documents and doc comments tell are those of the code. Each claim is the text that has to be there, made of the
 * constants: whoever changes one of them is told which sentence is wrong now. That the constants are what holds is for the
 * tests of their modules.
 */
import * as Duration from "effect/Duration"
import { assert, describe, it } from "vitest"
import { RETRY } from "../../src/client/Upkeep.ts"
import { detailBounds } from "../../src/logging/LineBudget.ts"
import { ranges } from "../../src/options/Ranges.ts"
import { INTERRUPTIBLE_ABOVE } from "../../src/protocol/FrameLimits.ts"
import { userBounds } from "../../src/relay/edge/EventLog.ts"
import { defaultRelayLimits as limits } from "../../src/relay/Limits.ts"
import { defaultSessionRules as sessions } from "../../src/relay/SessionTable.ts"
import { settingsTable } from "../../src/service/Settings.ts"
import { textOf } from "./fences.ts"

const factorOf = (text: string): number => {
  const [, quoted] = /^"(.+)"$/.exec(text) ?? []
  if (quoted !== undefined) return Duration.toSeconds(Duration.fromInputUnsafe(quoted as Duration.Input))
  return Number(text.replaceAll("_", ""))
}

/** A constant or a default of a module, also one that it keeps to itself; a time that is text as seconds. */
const from = (module: string, name: string): number => {
  const [, value] = new RegExp(`\\b${name} = ([^,;}\\n]+)`).exec(textOf(`src/${module}.ts`)) ?? []
  const number = value?.trim().replace(/\bDAY$/, "86_400_000").split(" * ").map(factorOf).reduce((a, b) => a * b) ?? NaN
  if (Number.isNaN(number)) throw new Error(`src/${module}.ts has no number ${name}`)
  return number
}

const { devDependencies, engines } = JSON.parse(textOf("package.json")) as {
  readonly devDependencies: Readonly<Record<"node", string>>
  readonly engines: Readonly<Record<"node", string>>
}
const NODE = engines.node.replace(">=", "")

/** Random scenarios that are played. */
const runs = (path: string, digits: RegExp): string => Number(digits.exec(textOf(path))?.[1]).toLocaleString("en")

/** What counts where a setting is not set. */
const defaultOf = (variable: string): string => {
  const { default: value } = settingsTable.find((setting) => setting.variable === variable) ?? {}
  if (value === undefined) throw new Error(`${variable} has no default`)
  return value
}

// ---- as documents write them

const count = (n: number): string => n < 10_000 ? String(n) : n.toLocaleString("en")

const UNITS = ["octets", "KiB", "MiB", "GiB"]
const size = (octets: number, unit = 0): string =>
  octets % 1024 === 0 && unit + 1 < UNITS.length ? size(octets / 1024, unit + 1) : `${count(octets)} ${UNITS[unit]}`

const WORDS = "no a two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen".split(
  " "
)
const ORDINALS = "none first second third fourth fifth sixth seventh eighth ninth tenth".split(" ")
/** In words. */
const some = (n: number, thing: string): string =>
  n === 0.5 ? `half a ${thing}` : `${WORDS[n]} ${thing}${n === 1 ? "" : "s"}`

/** How many lines of a document are like that. */
const linesOf = (path: string, line: RegExp): number => textOf(path).match(line)?.length ?? 0

/** A document without the ends of its lines, the blanks of its tables and the stars of comments. */
const plain = (path: string): string => textOf(path).replaceAll(/\n *\*(?!\/)/g, "\n").replaceAll(/\s+/g, " ")

const [CHUNK, MAX_MESSAGE] = [from("client/Sending", "CHUNK"), size(from("client/Receiving", "MAX_MESSAGE"))]
const [RESPONSE_TIME, WAIT_ONLINE] = [
  from("client/Endpoint", "RESPONSE_TIME"),
  from("client/OnlineOptions", "WAIT_ONLINE")
]
const [AT_LEAST, AT_MOST] = [Duration.toSeconds(RETRY.atLeast), Duration.toSeconds(RETRY.atMost)]
const AWAITED = count(from("client/Deliveries", "MAX_AWAITED_REPORTS"))
const UNTAKEN = size(from("client/Incoming", "MAX_WAITING_OCTETS"))
const TAKE_WITHIN = from("client/Incoming", "TAKE_WITHIN")
const [QUEUE, QUEUE_OCTETS] = [
  from("browser/AsyncQueue", "MAX_WAITING"),
  size(from("browser/AsyncQueue", "MAX_OCTETS"))
]
const [MAX_SIZE, MAX_TEXT] = [size(from("browser/Chat", "MAX_SIZE")), size(from("browser/ReceivedMessage", "MAX_TEXT"))]
const DIGEST = "authenticator/DigestOptions"
const [LIMITS, TURN, LINES] = ["relay/Limits", "relay/Turn", "logging/LineBudget"] as const
const [ATTEMPTS, HANDSHAKES, HEP] = ["authenticator/Attempts", "transport/HandshakeBudget", "hep/HepSender"] as const
const SETUP_TIME = from("transport/ListenerOptions", "SETUP_TIME")
const EXPIRES = from("service/settings/checks/Auth", "DEFAULT_EXPIRES")
const LONGEST_EXPIRES = from("relay/rules/Auth", "LONGEST_EXPIRES") / 86_400
const TRANSACTION = from(LIMITS, "TRANSACTION")
const TRACES = from("relay/edge/Trace", "MAX_TRACES")
const admin = (name: string): number => from("admin/Limits", name)

/** By where they stand. */
const claims: Readonly<Record<string, ReadonlyArray<string>>> = {
  "README.md": [
    `brings its own Node.js ${devDependencies.node.split(".")[0]}`
  ],
  "CONTRIBUTING.md": [
    `plays ${runs("package.json", /"test:soak": "MSRP_TEST_RUNS=(\d+) /)} random scenarios`,
    `\`npm test\` plays ${runs("test/Accounting.test.ts", /const RUNS = .* (\d+)\)/)} and ${
      runs("test/Accounting.test.ts", /const LINKED = .* (\d+)\)/)
    } of them`
  ],
  "docs/install.md": [
    `runs as user ${/^USER (\d+):/m.exec(textOf("examples/docker/Dockerfile"))?.[1]},`,
    `mode ${/chmod 0(\d+) "\$deb\/etc\/msrp-relay\/relay\.env"/.exec(textOf("examples/debian/build.sh"))?.[1]},`,
    `needs Node.js ${NODE} or later`,
    `depends on \`nodejs\` ${NODE} or later`
  ],
  "examples/debian/build.sh": [`nodejs (>= ${NODE})`],
  "docs/client.md": [
    `up to \`waitOnline\`, ${WAIT_ONLINE} seconds by default`,
    `no answer within ${RESPONSE_TIME} seconds (\`responseTimeout\`)`,
    `or with ${AWAITED} newer ones that are awaited`,
    `It goes in chunks of ${size(CHUNK)} (\`chunkSize\`)`,
    `up to ${MAX_MESSAGE} each (\`maxMessage\`)`
  ],
  "src/client/Options.ts": [
    `in one that is hashed. Default ${MAX_MESSAGE}.`,
    `beyond it reading pauses. Default ${size(from("client/Mailboxes", "MAX_UNREAD"))}.`,
    `the oldest are forgotten. Default ${count(from("client/Mailboxes", "MAX_REPORTS"))}.`,
    `How long to wait for a response. Default ${RESPONSE_TIME} seconds`,
    `at once. Default: ${AT_LEAST} and ${AT_MOST} seconds.`,
    `wait to be online. Default ${WAIT_ONLINE} seconds.`,
    `others want to send. Default ${count(CHUNK)}.`,
    `wait for their responses at a time. Default ${from("client/Sending", "WINDOW")}.`
  ],
  "src/client/Sent.ts": [`when ${AWAITED} newer messages wait`],
  "src/client/Incoming.ts": [`not taken for ${TAKE_WITHIN} seconds with ${UNTAKEN} or more waiting`],
  "docs/browser.md": [
    `from ${some(AT_LEAST, "second")} to at most ${AT_MOST} seconds`,
    `is renewed when ${from("client/Upkeep", "RENEW_AT") / 10} % of its time are over`,
    `wait to be taken | ${QUEUE}, ${QUEUE_OCTETS} | 413`,
    `those of all sessions | ${size(from("browser/Link", "MAX_WAITING_OCTETS"))} | 413`,
    `is taken and not read | ${UNTAKEN} | its sender waits; refused after ${TAKE_WITHIN} seconds`,
    `a text | ${MAX_TEXT} |`,
    `(\`maxSize\` of the session) | ${MAX_SIZE} | 413`,
    `while nothing can be read | ${size(from("browser/WebSocketConnection", "MAX_HELD"))} | the connection is closed`,
    `towards the relay | ${size(from("browser/WebSocketConnection", "PIECE"))} | the next one`,
    `the next one; ${from("client/Sending", "WINDOW")} are on their way at most`,
    `from the relay | ${size(from("browser/WebSocketConnection", "MAX_MESSAGE"))} | the connection is closed`,
    `that are awaited | ${AWAITED} |`,
    `an answer | ${from("browser/WebSocketTransport", "CONNECT_WITHIN")} s; ${RESPONSE_TIME} s |`,
    `\`Timeout\` | no answer within ${RESPONSE_TIME} seconds`
  ],
  "src/browser/Api.ts": [
    `within ${AT_MOST} seconds, or when the browser is online`,
    `At most ${QUEUE} and ${QUEUE_OCTETS} wait to be taken`,
    `answered 413. Default ${MAX_SIZE}.`,
    `While it arrives, ${UNTAKEN} may wait to be read`,
    `refused when nothing is read for ${TAKE_WITHIN} seconds`,
    `Rejects with \`Dropped\` above ${MAX_TEXT}.`,
    `its last ${from("browser/ReceivedMessage", "MAX_NAME")} characters at most`
  ],
  "docs/websocket.md": [
    `| head of the HTTP request | ${size(from("transport/websocket/Upgrades", "MAX_HTTP_HEAD"))},`,
    `, ${from("transport/websocket/Upgrades", "MAX_HTTP_LINES")} lines |`,
    `| control frames | ${from("protocol/websocket/FrameHead", "MAX_CONTROL")} octets |`,
    `looked at | ${from("transport/websocket/Forwarded", "MAX_PROXIES")}, from the nearest on |`
  ],
  "docs/trace.md": [
    `A chunk of more than ${INTERRUPTIBLE_ABOVE} octets has two entries`,
    `beyond ${from("trace/Mask", "MAX_LINE")} characters of a line`,
    `beyond ${from("trace/Mask", "MAX_LINES")} of all header lines`,
    `A packet has ${from("hep/Hep3", "MAX_PACKET")} octets at most`,
    `(chunk 11) is ${from("hep/Hep3", "TEXT")}, text`,
    `Up to ${from("relay/edge/Trace", "MAX_WAITING")} frames wait; those beyond them are dropped`,
    `their number is logged once ${some(from(HEP, "LOST") / 60, "minute")}`,
    `connects again after ${from(HEP, "FIRST_PAUSE")} to ${from(HEP, "LONGEST_PAUSE")} seconds`,
    `looks the name up again every ${from(HEP, "RESOLVE_AGAIN") / 60} minutes`,
    `There are ${TRACES} traces at a time at most`,
    `Each keeps up to ${from("relay/edge/Trace", "MAX_WAITING")} frames for a reader that is slow`
  ],
  "docs/admin.md": [
    `A token is ${from("admin/Token", "MIN_TOKEN")} characters or more`,
    `it is the one within ${some(from("admin/Token", "CHECK"), "second")}`,
    `in the last ${from("admin/StatusFeed", "WINDOW") / 60_000} minutes`,
    `\`limit\` (1 to ${from("admin/Model", "MAX_PAGE")}, default ${from("admin/Model", "DEFAULT_PAGE")})`,
    `says that it goes on. ${TRACES} at a time`,
    `without a length or above ${from("admin/Access", "MAX_BODY")} octets`,
    `an answer that takes longer than ${admin("ANSWER_TIME")} seconds`,
    `${admin("MAX_CONNECTIONS")} connections at a time`,
    `${admin("MAX_REQUESTS")} requests on one; ${size(admin("MAX_HEAD"))} of header`,
    `${admin("REQUEST_TIME") / 1000} seconds for a request to come in, ${admin("ANSWER_TIME")} for its answer`,
    `does not take what was written for ${admin("STALL_TIME") / 1000} to ${2 * admin("STALL_TIME") / 1000} seconds`,
    `without a request is closed after ${admin("REQUEST_TIME") / 1000} seconds`,
    `one that had an answer after ${admin("IDLE_TIME") / 1000 + 1}.`,
    `at most ${size(from("relay/Blocks", "MOST_FREE"))} are free`
  ],
  "docs/metrics.md": [`timers came too late in the last ${from("metrics/Process", "WINDOW")} seconds`],
  "docs/log.md": [
    `is cut off at ${from("logging/Printable", "MAX_PRINTED")} characters`,
    `${from(LINES, "ADDRESS_BURST")} lines of a kind at once for an address, then one in ${
      from(LINES, "ADDRESS_PAUSE") / 1000
    } seconds`,
    `; ${from(LINES, "KIND_BURST")} at once and one ${some(from(LINES, "KIND_PAUSE") / 1000, "second")} in all`,
    `${userBounds.addressBurst} lines of a kind at once and then one ${some(userBounds.addressPause / 1000, "second")}`,
    `${count(userBounds.kindBurst)} and ${1000 / userBounds.kindPause} a second for all users`,
    `${detailBounds.addressBurst} and then ${1000 / detailBounds.addressPause} a second for an address`,
    `${detailBounds.kindBurst} and ${1000 / detailBounds.kindPause} a second in all`,
    `told once ${some(from("logging/BoundedLog", "HELD_BACK") / 60, "minute")} by`,
    `did not answer for ${TRANSACTION} seconds: its client hangs`,
    `at its next request, or within ${some(sessions.cleanupInterval / 60_000, "minute")}`,
    `had no connection for ${some(limits.relayGone / 60, "minute")}`,
    `its peer took nothing for ${limits.stall} seconds`,
    `does not answer for ${some(from("relay/edge/SessionKeeper", "LAST_WORDS"), "second")} while the relay stops`
  ],
  "docs/architecture.md": [
    `up to ${INTERRUPTIBLE_ABOVE} octets of body wait for their end-line`,
    `or when ${size(limits.output)} are there`,
    `when ${from(TURN, "WRITERS")} connections have got something`,
    `its ${TRANSACTION} seconds begin`,
    `answered, ${TRANSACTION} s after its last octet left`,
    `2xx, ${TRANSACTION} s, more than is kept`,
    `without an answer: ${size(from("relay/outbound/Window", "LEAST_UNANSWERED"))} at first`,
    `${size(from("relay/route/Flow", "REPORTS"))} of REPORTs wait on`,
    `Beyond ${size(from("relay/route/UserLoad", "MAX_WAITING_OF_USER"))} in all`,
    `Beyond ${size(from("relay/OutputLoads", "MAX_OUTPUT_OF_USER"))} of messages and answers`,
    `nor do they in the ${some(from("relay/inbound/Reading", "BEHIND") / 1000, "second")} after`,
    `${some(from("relay/outbound/Transaction", "MOST_BEHIND") / 60_000, "minute")} after it was sent`,
    `A 200 waits for ${from(LIMITS, "DELAYED") / 1000} seconds at most`,
    `gives up a request after ${TRANSACTION} seconds`,
    `may still come is checked each ${some(from(LIMITS, "LATE") / 1000, "second").replace("a ", "")}`,
    `flows write in turns of ${size(from("relay/outbound/Outbound", "QUANTUM"))}`,
    `for ${some(from(TURN, "SHORT_FOR") / 1000, "second")}, only those`,
    `turns are ${some(from(TURN, "LONG"), "time")} as long`
  ],
  "docs/clients.md": [
    `not read for up to ${some(limits.hold, "second")}`,
    `is held for ${some(limits.hold, "second")} at most`,
    `a chunk of more than ${INTERRUPTIBLE_ABOVE} octets on while it comes`,
    `a receiver that stands still for ${some(limits.hold, "second")} fails`,
    `408 as soon as ${size(limits.relayed)} of it wait`,
    `A Message-ID of more than ${from("protocol/Grammar", "MAX_MESSAGE_ID")} characters`
  ],
  "docs/configuration.md": [
    `requests on their way have ${some(limits.draining, "second")} for their answers`,
    `peers ${some(from("relay/edge/Ending", "LAST_WORDS"), "second")} to close when all that is written has gone out`,
    `(${some(limits.closing, "second").replace(" seconds", "")} if it does not go out)`,
    `the number is logged once ${some(from("logging/BoundedLog", "HELD_BACK") / 60, "minute")}`,
    `read again within ${from("service/settings/FollowTls", "LOOK")} seconds when their files change`,
    `From ${from("service/settings/Validity", "NOTICE") / 86_400_000} days before`,
    `a warning at start and once ${some(from("service/settings/FollowTls", "REMIND") / 86_400_000, "day")}`,
    `successful request, for which they have ${from(LIMITS, "PROBATION")} seconds`,
    `(checked once ${some(from("Relay", "IDLE_CHECK") / 60, "minute")})`,
    `from ${from(ATTEMPTS, "FIRST_DELAY") / 1000} to ${from(ATTEMPTS, "LONGEST_DELAY") / 1000} seconds; failures`,
    `failures are forgotten after ${from(ATTEMPTS, "FORGOTTEN_AFTER") / 60_000} minutes`,
    `further ones wait for up to ${SETUP_TIME} seconds. Where a certificate`,
    `Where a certificate is requested, at most ${from("transport/Handshakes", "ASKED_AT_ONCE")}.`,
    `a burst as large as the number allowed in ${
      from(HANDSHAKES, "BURST")
    } seconds; further ones wait for up to ${SETUP_TIME} seconds`,
    `A handshake that receives more than ${size(from(HANDSHAKES, "OCTETS_OF_ONE"))} counts as several`,
    `\`MSRP_AUTH_EXPIRES\` | ${EXPIRES}, or the nearest value`,
    `no maximum; a client that requests more than ${LONGEST_EXPIRES} days is granted ${LONGEST_EXPIRES} days`
  ],
  "docs/demo.md": [
    `knows up to ${from("demo/page/neighbours", "MAX_TABS")} others`,
    `are configured, at port ${from("service/settings/table/Addresses", "DEMO_PORT")};`
  ],
  "docs/upgrading.md": [
    `wants Node.js ${NODE} or newer`,
    `(\`MSRP_DRAIN_TIMEOUT\`, ${defaultOf("MSRP_DRAIN_TIMEOUT")} seconds)`
  ],
  "docs/from-opensips.md": [
    `The ${some(linesOf("docs/from-opensips.md", /^modparam\("msrp_relay"/gm), "parameter")} are those`,
    `| \`hash_size\` | 10 | \`MSRP_HASH_SIZE\` | ${defaultOf("MSRP_HASH_SIZE")} |`,
    `\`MSRP_CLEANUP_INTERVAL\` | ${defaultOf("MSRP_CLEANUP_INTERVAL")} s |`,
    `\`MSRP_NONCE_EXPIRE\` | ${defaultOf("MSRP_NONCE_EXPIRE")} s |`,
    `\`MSRP_AUTH_EXPIRES\` | ${EXPIRES} s, or the nearest`,
    `nobody gets more than ${LONGEST_EXPIRES} days, **behind relays ${
      defaultOf("MSRP_AUTH_MAX_EXPIRES_BEHIND_RELAYS")
    }**`,
    `\`MSRP_STALL_LIMIT\` (${defaultOf("MSRP_STALL_LIMIT")} s)`,
    `\`MSRP_CONNECT_TIMEOUT\` (${defaultOf("MSRP_CONNECT_TIMEOUT")} s) for connections to next hops`,
    `incoming connections have ${SETUP_TIME} s`,
    `the ${ORDINALS[Number(defaultOf("MSRP_MAX_FAILED_AUTH"))]} closes the connection`
  ],
  "docs/from-ag-msrprelay.md": [
    `\`MSRP_MAX_FAILED_AUTH\` (${defaultOf("MSRP_MAX_FAILED_AUTH")})`,
    `\`MSRP_NONCE_EXPIRE\` (${defaultOf("MSRP_NONCE_EXPIRE")} s)`,
    `\`MSRP_AUTH_EXPIRES\` (${EXPIRES} s)`,
    `\`MSRP_LOG_LEVEL\` (\`${defaultOf("MSRP_LOG_LEVEL")}\`)`,
    `up to ${defaultOf("MSRP_MAX_SESSIONS_PER_CONNECTION")}; clients that open a connection for each`,
    `after ${defaultOf("MSRP_STALL_LIMIT")} seconds without a sign of life`
  ],
  "src/relay/Limits.ts": [
    `The limit is ${from(TURN, "LONG")} times as high`,
    `frame counts as ${size(from(TURN, "FRAME"))}, a new path as ${size(from(TURN, "ROUTE"))}, an AUTH as ${
      size(from(TURN, "AUTH"))
    }, and a read as ${size(from(TURN, "READ"))}`,
    `each with at least a ${ORDINALS[from(TURN, "SHARES")]}`
  ],
  "src/Authenticator.ts": [`answers within ${limits.authDecision} seconds (the limit \`authDecision\`)`],
  "src/Credentials.ts": [`within ${from(DIGEST, "LOOKUP_TIME")} seconds (\`DigestOptions.lookupTimeout\`)`],
  "src/SessionRepo.ts": [
    `one that takes longer than ${limits.authDecision} seconds or dies`,
    `called after the fact, ${from("relay/edge/SessionKeeper", "AT_ONCE")} at a time`,
    `it is read again ${from("relay/edge/SessionKeeper", "RETRY")} seconds later`,
    `default ${from("SessionRepo", "MAX_CHANGES").toLocaleString("en").replace(",", " ")}.`
  ],
  "src/authenticator/DigestOptions.ts": [
    `is milliseconds. Absent: ${from(DIGEST, "NONCE_LIFE")} seconds.`,
    `goes stale early. Absent: ${count(from(DIGEST, "MAX_NONCES"))}.`,
    `may take to answer. Absent: ${from(DIGEST, "LOOKUP_TIME")} seconds.`
  ],
  "src/authenticator/Attempts.ts": [
    `that cost nothing. Absent: ${from(ATTEMPTS, "FREE_PER_USER")}.`,
    `of all users together. Absent: ${from(ATTEMPTS, "FREE_PER_ADDRESS")}.`
  ],
  "src/credentials/Cached.ts": [
    `long after. Absent: ${from("credentials/Cached", "timeToLive")} seconds.`,
    `that are remembered. Absent: ${count(from("credentials/Cached", "capacity"))}.`
  ],
  "src/credentials/File.ts": [
    `is milliseconds. Absent: ${some(from("credentials/File", "checkInterval"), "second")}.`,
    `the file may have. Absent: ${size(from("credentials/File", "maxOctets"))}.`
  ],
  "src/credentials/Http.ts": [`for one try. Absent: ${from("credentials/Http", "timeout")} seconds.`],
  "src/credentials/Sql.ts": [
    `and for an answer. Absent: ${from("credentials/Sql", "TIMEOUT")}.`,
    `Connections at a time. Absent: ${from("credentials/Sql", "connections")}.`
  ],
  "src/transport/ListenerOptions.ts": [
    `the opening of a WebSocket. Default ${SETUP_TIME}.`,
    `At most ${count(ranges.keepAlive[1])}, default ${from("transport/KeepAlive", "KEEP_ALIVE")}.`,
    `has at most. Default ${count(from("transport/websocket/WebSocketConnection", "PIECE"))}.`
  ],
  "src/transport/Dial.ts": [
    `TLS handshake included. Default ${from("transport/Dial", "CONNECT_TIME")}.`,
    `0: never. Default ${from("transport/KeepAlive", "KEEP_ALIVE")}.`
  ],
  "src/relay/edge/Operator.ts": [
    `(at most ${from("relay/edge/Scan", "MAX_ITEMS")}, default ${from("relay/edge/Scan", "ITEMS")})`
  ],
  "src/Relay.ts": [
    `0..20, default ${sessions.hashSize}.`,
    `is milliseconds. Default ${some(sessions.cleanupInterval / 60_000, "minute")}.`,
    `Sessions at a time. Default ${sessions.maxSessions.toLocaleString("en").replace(",", " ")}.`,
    `on however many connections. Default ${sessions.maxSessionsPerUser}.`,
    `when the AUTH has no Expires. Default ${from("Relay", "EXPIRES")}.`,
    `whose sessions outlive a connection. Default ${from("Relay", "RELAY_MAX_EXPIRES")}.`,
    `There may be ${TRACES} traces at a time.`
  ]
}

describe("numbers", () => {
  it.each(Object.entries(claims))("of %s are those of the code", (path, texts) => {
    const text = plain(path)
    assert.deepStrictEqual(texts.filter((one) => !text.includes(one)), [])
  })
})
