/**
 * The benchmark: starts a relay, loads it over loopback from another process, and prints the cost.
 *
 *   npm run bench -- --help
 */
import { mkdir, writeFile } from "node:fs/promises"
import { cpus } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { apartProcessors } from "./cpu.ts"
import { crowd, crowdScenarios, isCrowdScenario } from "./crowd/main.ts"
import { crowdLimits } from "./crowd/Stage.ts"
import { measureAll } from "./measure.ts"
import { kamailio, ownRelay, startCommand } from "./relays.ts"
import { scenarios, transports as all } from "./scenarios.ts"
import { positive, run, UsageError, whole } from "./usage.ts"

const help = `Usage: npm run bench -- [options]

  --crowd                very many clients at once, instead of the scenarios for single figures
  --only NAME            only this scenario (may be repeated): ${scenarios.map(({ name }) => name).join(", ")};
                         with --crowd: ${Object.keys(crowdScenarios).join(", ")}
  --tcp, --tls           only over TCP, only over TLS (default both)
  --ws, --wss            by WebSocket, without and with TLS; not with --crowd
  --seconds N            length of each measurement (default 3; with --crowd 1.5)
  --repeat N             measure N times and take the medians (default 1; not with --crowd)
  --scale N              with --crowd: numbers of clients are multiplied with this (default 1)
  --json FILE            where the results go (default bench/results/TIME.json)
  --command COMMAND      what starts the relay (default "${startCommand}")
  --ready-seconds N      how long that may take (default 20)
  --kamailio             also measure Kamailio, in turn with this relay, and compare
  --kamailio-workers N   how many of its processes read from connections (default 1)
  --no-pin               leave relay and client to the scheduler (default: on processors of their own, if there is
                         more than one and \`taskset\` is there)
  --no-relay             only Kamailio
  --help                 this text
`

const print = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

await run(help, {
  options: {
    crowd: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    tcp: { type: "boolean", default: false },
    tls: { type: "boolean", default: false },
    ws: { type: "boolean", default: false },
    wss: { type: "boolean", default: false },
    seconds: { type: "string" },
    scale: { type: "string", default: "1" },
    repeat: { type: "string", default: "1" },
    json: { type: "string" },
    command: { type: "string", default: startCommand },
    "ready-seconds": { type: "string", default: "20" },
    kamailio: { type: "boolean", default: false },
    "kamailio-workers": { type: "string", default: "1" },
    "no-pin": { type: "boolean", default: false },
    "no-relay": { type: "boolean", default: false }
  }
}, async ({ values: options }) => {
  const known = (name: string) =>
    options.crowd ? isCrowdScenario(name) : scenarios.some((scenario) => scenario.name === name)
  const unknown = options.only.find((name) => !known(name))
  if (unknown !== undefined) throw new UsageError(`--only: there is no scenario "${unknown}"`)
  const seconds = positive(options.seconds ?? (options.crowd ? "1.5" : "3"), "seconds")
  const repeat = whole(options.repeat, "repeat")
  const readySeconds = positive(options["ready-seconds"], "ready-seconds")
  const workers = whole(options["kamailio-workers"], "kamailio-workers")
  const named = all.filter((transport) => options[transport])
  const transports = named.length === 0 ? ["tcp", "tls"] as const : named
  if (options.crowd && (options.ws || options.wss)) throw new UsageError("--crowd: not by WebSocket")
  const chosen = scenarios.filter(({ name }) => options.only.length === 0 || options.only.includes(name))

  const relays = options["no-relay"] ? [] : [ownRelay(options.command, readySeconds, options.crowd ? crowdLimits : {})]
  if (options.kamailio || options["no-relay"]) {
    const other = await kamailio(workers)
    if (other === undefined) print("Kamailio with its msrp module is not installed; going on without it.\n")
    else relays.push(other)
  }

  const apart = options["no-pin"] ? undefined : apartProcessors()
  const started = new Date()
  const failures: Array<string> = []
  const fail = (what: string): void => void failures.push(what)
  const { command } = options
  const scale = positive(options.scale, "scale")
  const results = options.crowd
    ? await crowd(
      { relays, apart, seconds, scale, transports, print, fail, command, readySeconds },
      options.only.filter(isCrowdScenario)
    )
    : { rows: await measureAll(relays, chosen, transports, { seconds, repeat, apart, print, fail }) }

  const file = options.json ??
    join(dirname(fileURLToPath(import.meta.url)), "results", `${started.toISOString().replaceAll(":", "-")}.json`)
  await mkdir(dirname(file), { recursive: true })
  const machine = { node: process.version, platform: process.platform, cpu: cpus()[0]?.model, cores: cpus().length }
  await writeFile(
    file,
    `${
      JSON.stringify(
        { started, machine, processors: apart, command, seconds, repeat, ...results, failures },
        undefined,
        2
      )
    }\n`
  )
  print(`\nResults: ${file}`)
  for (const failure of failures) print(`failed: ${failure}`)
  if (failures.length > 0 || Object.values(results).flat().some(({ errors }) => errors > 0)) process.exitCode = 1
})
