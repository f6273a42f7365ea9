/** All metrics of a relay by group, from which the published metrics and docs/metrics.md are made. */
import { connections, sessions, tls } from "./Connections.ts"
import type { Family } from "./Family.ts"
import { running } from "./Running.ts"
import { credentialsSeconds, dialSeconds, type Seconds } from "./Seconds.ts"
import { traffic } from "./Traffic.ts"

const histogram = ({ help, name, results }: Seconds<string>): Family => ({
  name,
  type: "histogram",
  help,
  labels: { result: results },
  series: () => [],
  changes: false
})

export const catalogue: ReadonlyArray<readonly [group: string, ReadonlyArray<Family>]> = [
  ["Traffic", traffic],
  ["Connections", [...connections, histogram(dialSeconds)]],
  ["TLS", tls],
  ["Sessions and logins", [...sessions, histogram(credentialsSeconds)]],
  ["The process", running]
]

export const families: ReadonlyArray<Family> = catalogue.flatMap(([, group]) => group)
