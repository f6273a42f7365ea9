/** Metrics of the process. */
import { counter, counterBy, type Family, gauge, gaugeBy, info } from "./Family.ts"

export const running: ReadonlyArray<Family> = [
  info(
    "build_info",
    "1, with what runs in its labels; only the service publishes it, or a program that provides its version",
    { version: "that of the relay", node: "that of Node.js" },
    ({ program: { version } }) => version === undefined ? undefined : { version, node: process.versions.node }
  ),
  gauge(
    "start_time_seconds",
    "When the process started, in seconds since 1970",
    ({ process: { startedAt } }) => startedAt
  ),
  counter("cpu_seconds_total", "Seconds of processors that the process has used", () => {
    const { system, user } = process.cpuUsage()
    return (system + user) / 1_000_000
  }),
  gaugeBy(
    "event_loop_delay_seconds",
    "Seconds that timers came too late in the last 10 seconds: half of them less, 1 % more, and the most",
    ["statistic", ["median", "p99", "max"]],
    ({ process: { eventLoopDelay } }, statistic) => eventLoopDelay[statistic]
  ),
  gaugeBy(
    "memory_bytes",
    "Octets of memory: in all (resident), of JavaScript's heap in use and reserved, and of buffers outside it",
    ["kind", ["resident", "heap used", "heap reserved", "buffers"]],
    (_, kind) => {
      const { arrayBuffers, heapTotal, heapUsed, rss } = process.memoryUsage()
      return kind === "resident" ? rss : kind === "heap used" ? heapUsed : kind === "buffers" ? arrayBuffers : heapTotal
    }
  ),
  gaugeBy(
    "kept_memory_bytes",
    "Octets of buffers that are used again: all of those for output, and those for parked requests that are free",
    ["kind", ["output", "free blocks"]],
    ({ relay }, kind) => kind === "output" ? relay.memory().output : relay.memory().freeBlocks
  ),
  gauge(
    "descriptors",
    "File descriptors that are open; NaN where the system does not tell",
    (sources) => sources.process.openDescriptors
  ),
  gauge(
    "descriptors_allowed",
    "File descriptors that may be open; NaN where the system does not tell",
    (sources) => sources.process.allowedDescriptors
  ),
  gauge("timers", "Time limits that are running", ({ relay }) => relay.gauges().timers),
  counterBy(
    "log_lines_dropped_total",
    "Lines of the log that were not written: more of the same than may be, or nobody took them",
    ["reason", ["over budget", "not taken"]],
    ({ log }, reason) => reason === "over budget" ? log.held : log.lost
  )
]
