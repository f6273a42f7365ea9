/** The claims of documents for those who run a relay. */
import { hash } from "node:crypto"
import { defaultRelayLimits as limits } from "../../../src/relay/Limits.ts"
import { defaultNextHopPorts } from "../../../src/relay/rules/NextHops.ts"
import { TIME_LIMIT } from "../../../src/service/check/SetupCheck.ts"
import { descriptorNeed } from "../../../src/service/Descriptors.ts"
import { MAX_OCTETS as MAX_ENV_FILE } from "../../../src/service/settings/EnvFile.ts"
import { variables } from "../../../src/service/settings/Table.ts"
import { LAST_EXPORT } from "../../../src/service/Telemetry.ts"
import { ACCEPTORS, BACKLOG } from "../../../src/transport/Bind.ts"
import { many, numberIn, size, time, timeIn, word } from "../sources.ts"
import { type Claim, defaultOf, others, proven, seconds } from "./Claim.ts"

const exitOf = (signal: string): number => numberIn(signals, `${signal}: `)
const signals = "src/service/Signals.ts"
const http = "src/credentials/Http.ts"
const transaction = numberIn("src/relay/Limits.ts", "const TRANSACTION = ")
const tlsLook = timeIn("src/service/settings/FollowTls.ts", "const LOOK = ")
const probation = numberIn("src/relay/Limits.ts", "const PROBATION = ")
const noticeDays = numberIn("src/service/settings/Validity.ts", "const NOTICE = ")

/** Where nothing is set: `localhost` by IPv4 and IPv6, each with TLS and without. */
const need = descriptorNeed({
  relay: {
    uris: [],
    sessions: {},
    listen: (["127.0.0.1", "::1"] as const).flatMap((host) =>
      (["msrp", "msrps"] as const).map((scheme) => ({ scheme, host, port: 2855 }))
    )
  }
})

export const running: Readonly<Record<string, ReadonlyArray<Claim>>> = {
  "docs/tls.md": [
    `looks at its PEM files every ${time(tlsLook)}`,
    `${noticeDays} days before the end`,
    proven(
      "test/service/settings/Validity.test.ts",
      "is warned of from 14 days before on, of a short life in its last third",
      "14 days before the end, in the last third of a short life"
    ),
    proven("test/service/settings/FollowTls.test.ts", "whoever has one is told each day", "and then once a day"),
    proven(
      "test/service/settings/FollowTls.test.ts",
      "when it ends, not a day later",
      "when it ends, and then once a day"
    ),
    proven(
      "test/service/settings/FollowTls.test.ts",
      "halves of a renewal and broken files are not",
      "Two files are never written at once: it is tried again, and this line stands there once"
    ),
    proven(
      "test/service/settings/FollowTls.test.ts",
      "one that is not valid takes no place of one that is",
      "A certificate that is not valid now never takes the place of one that is"
    ),
    proven(
      "test/transport/Certificates.test.ts",
      "R8996-01 speaks 1.2 and 1.3, and nothing older",
      "TLS is 1.2 and 1.3 with forward secrecy"
    ),
    ...others("of ACME", "Port 80 (http-01) or DNS (dns-01)")
  ],
  "docs/nat.md": [
    `\`MSRP_TCP_KEEP_ALIVE\` (${seconds(defaultOf(variables.keepAlive))})`,
    `the relay's Ping (\`MSRP_WS_PING\`, ${seconds(defaultOf(variables.wsPing))})`,
    `its time limit for silence is ${word(defaultOf(variables.idleLimit) / 3600)} hours or more`,
    proven(
      "test/relay/rules/NextHops.test.ts",
      "refuses its own listeners, and the machine's addresses on every port",
      "the relay then knows it for its own, and never connects to it"
    ),
    ...others(
      "an example",
      "The machine has 10.0.0.5, and the world knows it as 203.0.113.5",
      "If clients have to address 203.0.113.5"
    ),
    ...others(
      "an advice, with the port of MSRP",
      "forward the port, 2855 to 2855",
      "passes TLS through, port 2855 to 2855"
    ),
    ...others("a program's name", "fail2ban"),
    ...others("what nginx does", "nginx closes after 60 seconds of silence by default")
  ],
  "docs/drain.md": [
    `at most for \`MSRP_DRAIN_TIMEOUT\` (${seconds(defaultOf(variables.drainTimeout))}), and then ends`,
    `the process ends at once, with ${exitOf("SIGTERM")} or ${exitOf("SIGINT")}`,
    `says (${limits.drain} by default), then ends`,
    `that comes twice within ${
      time(numberIn(signals, "const SAME = ")).replace("1", "a")
    }, from a terminal and from npm, is one`,
    `${word(limits.draining + limits.closing + 1)} seconds more for the end (${word(limits.draining)} for answers, ${
      word(limits.closing)
    } for peers that take nothing)`,
    `it is ${word(limits.draining + limits.closing + 1 + 2 * Number(LAST_EXPORT) / 1000)} seconds`,
    `it is closed when it has been idle for ${seconds(transaction)}`,
    `Requests under way have ${time(limits.draining * 1000).replace("1", "a")} for their answers`,
    proven(
      "test/service/Drain.test.ts",
      "ends it at once with a time limit of 0",
      "With `MSRP_DRAIN_TIMEOUT=0` it never drains"
    ),
    proven(
      "test/relay/edge/Ending.test.ts",
      "takes as long as the limit was when it began",
      "a relay that drains already has the time that it had"
    ),
    proven(
      "test/service/RollingRestart.test.ts",
      "loses no message and no login",
      "What is lost: nothing that was accepted"
    ),
    proven(
      "test/service/RollingRestart.test.ts",
      "under load",
      "does all of this with two relays under load, and counts"
    ),
    proven("test/service/Drain.test.ts", "until its client leaves", "Wait until the process has ended: exit code 0"),
    ...others(
      "what other programs do",
      "| after 10 seconds |",
      "| after 30 seconds |",
      "| after 90 seconds |"
    ),
    ...others("what would be otherwise", "so a client that refreshes for hours would never leave"),
    ...others(
      "an advice",
      "a weight of 0, or the record taken out",
      "Never have all relays drain at a time",
      "on one relay and have to move twice"
    )
  ],
  "docs/reload.md": [
    `looked at every ${time(tlsLook)} without a reload`,
    `It may have ${size(MAX_ENV_FILE)}`,
    ...others("what systems do", "The environment of a running process never changes")
  ],
  "docs/credentials.md": [
    `in hexadecimal, ${hash("md5", "").length} digits of MD5 or ${hash("sha256", "").length} of SHA-256`,
    proven(
      "test/credentials/Sql.test.ts",
      "nothing is said to one whose certificate is not good",
      "The connection with PostgreSQL is not encrypted unless the URL says so: `postgres://...?sslmode=require`, which also checks the certificate of the server. PGSSLMODE and its like are not read"
    ),
    proven(
      "test/credentials/Sql.test.ts",
      "PostgreSQL is asked on four connections at most",
      "Connections are made when they are needed"
    ),
    `at most ${word(numberIn("src/credentials/Sql.ts", "const { connections = "))}, and made again`,
    `up to ${seconds(numberIn("src/credentials/Sql.ts", "const TIMEOUT = "))}; nobody else does`,
    `no answer within ${time(timeIn(http, "timeout = "))} | the question is tried ${
      ["once", "twice"][numberIn(http, "const RETRIES = { times: ") - 1]
    } more`,
    `an answer of more than ${size(numberIn(http, "const MAX_ANSWER = "))}`,
    `At most ${numberIn(http, "const MAX_ASKED = ")} questions are under way at a time`,
    `\`MSRP_CREDENTIALS_CACHE\` (${seconds(defaultOf(variables.credentialsCache))})`,
    `takes more than ${time(timeIn("src/authenticator/DigestOptions.ts", "const LOOKUP_TIME = "))}`,
    proven(
      "test/service/settings/Users.test.ts",
      "removed users are looked for each minute where that is easy",
      "a minute for `memory`, `file` and `sql`, never for the others unless it is set"
    ),
    proven("test/credentials/SqlClient.test.ts", `username: "twice"`, "The same user twice is an error, not a choice")
  ],
  "docs/domains.md": [],
  "docs/farm.md": [],
  "docs/operations.md": [
    `each for ${seconds(TIME_LIMIT)} at most`,
    `and ${word(numberIn("src/service/main.ts", "const LAST = "))} seconds more, whatever TimeoutStopSec says`,
    `each within ${
      time(numberIn("src/service/Systemd.ts", "const TIME_LIMIT = "))
    }, and nothing waits for them but the end, for ${
      time(timeIn("src/service/Systemd.ts", "const LAST_WORDS = "))
    } at most`,
    `ends the process at once, with ${exitOf("SIGTERM")} or ${exitOf("SIGINT")}`,
    `${numberIn("src/service/Descriptors.ts", "const DIALLING_USERS = ")} × MSRP_MAX_DIALS`,
    `stopped for ${word(numberIn("src/service/PauseWatch.ts", "const STILL = ") / 1000)} seconds or more`,
    `that is about ${many(Math.round(need.total / 100) * 100)}`,
    `${ACCEPTORS} for each listener, and ${numberIn("src/service/Descriptors.ts", "const OTHERS = ")}`,
    proven(
      "test/service/check/process.test.ts",
      "ends with 0 when there are only warnings, and with 1 when the service would not work",
      "0 when the service would work, even with warnings; 1 when there is a problem"
    ),
    proven(
      "test/service/check/Check.test.ts",
      "has ports that are free while a relay should run",
      "the exit code is 1"
    ),
    proven(
      "test/service/Systemd.test.ts",
      "hears twice in the time of its watchdog that the service is alive",
      "twice in WatchdogSec"
    )
  ],
  "docs/sizing.md": [
    `(${many(limits.connections)} connections, each of them stalled)`,
    `up to ${many(limits.connections)} connections`,
    `\`MSRP_MAX_SESSIONS\` is ${many(defaultOf(variables.maxSessions))} already`,
    `\`net.core.somaxconn\` of ${BACKLOG} or more`,
    ...others(
      "rounded from docs/performance.md",
      "30,000 a second in both directions together over TCP, 15,000 to 25,000 over TLS",
      "the same from 4,000 pairs that are busy at once",
      "30,000 over TCP, 13,000 over TLS",
      "0.4 to 1.7 GB/s over TCP, 170 to 560 MB/s over TLS",
      "900 to 1,400 a second over TCP, 500 to 700 over TLS",
      "10,000 clients that come back at once after a restart",
      "7 to 11 seconds over TCP until all are in",
      "110 to 165 MB",
      "15 KB over TCP, 66 KB over TLS",
      "30 to 50 KB over TCP, 140 to 200 KB over TLS",
      "up to 0.7 MB each"
    ),
    ...others(
      "made of those",
      "10,000 clients with a message every ten seconds are 1,000 messages a second",
      "So 10,000 clients over TLS: 140 MB, and 660 MB for their sessions, and a margin for some hundred slow receivers: 1 GB",
      "is about 8 GB"
    )
  ],
  "docs/troubleshooting.md": [
    `said nothing for ${seconds(probation)}`,
    `did not answer for ${seconds(transaction)}`,
    ...others("what systems do", "a port below 1024, not as root"),
    ...others("what clients do", "Clients that never log in again", "port 9) and has not connected"),
    `a port below ${many(defaultNextHopPorts.at(-1)!.first).replace(",", "")} that is not ${
      defaultNextHopPorts[0]!.first
    }`
  ]
}
