/**
 * Checks that a message costs about as much CPU time among very many connections as among a few.
 *
 *   node bench/crowd.ts --gate
 *
 * `npm run bench -- --crowd` measures crowds in detail.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { apartProcessors, processTree } from "./cpu.ts"
import { Remote } from "./crowd/remote.ts"
import type { Busy } from "./crowd/roles/Busy.ts"
import { account, crowdLimits } from "./crowd/Stage.ts"
import { ownRelay, type RunningRelay, startCommand } from "./relays.ts"
import { run, UsageError } from "./usage.ts"

const FEW = 100
const MANY = 1000
const SIZE = 300
/** The most that a message among many may cost, as a multiple of the cost of a message among few. */
const MOST = Number(process.env["BENCH_GATE_RATIO"] ?? 1.6)
const ROUNDS = 5
/** Seconds. */
const LENGTH = 1
const WARMUP = 1
/** Messages that a round needs to count: with fewer, other programs had the processors. */
const ENOUGH = 1000

interface Pairs {
  readonly relay: RunningRelay
  readonly pids: ReadonlyArray<number>
  readonly busy: Remote<Busy>
}

const apart = apartProcessors()
const print = (text: string): void => void process.stdout.write(`${text}\n`)

const start = async (command: string, pairs: number): Promise<Pairs> => {
  const relay = await ownRelay(command, 20, crowdLimits).start({ transport: "tcp", account, processors: apart?.relay })
  try {
    const access = { target: relay.target, account }
    const busy = await Remote.open("Busy", access, apart?.client, { pairs, size: SIZE, window: 1 })
    await sleep(WARMUP * 1000)
    await busy.call("rest")
    return { relay, pids: processTree(relay.pid), busy }
  } catch (error) {
    await relay.stop()
    throw error
  }
}

/** The relay's CPU time for a message, user and system, in microseconds; other programs on the machine affect it little. */
const cost = async ({ busy, pids }: Pairs): Promise<number> => {
  await busy.call("resume")
  await sleep(100)
  await busy.begin(pids)
  await sleep(LENGTH * 1000)
  const { count, relayCpu } = await busy.measured()
  await busy.call("rest")
  await sleep(100)
  return count < ENOUGH ? Infinity : relayCpu * 1e6 / count
}

const gate = async (command: string): Promise<void> => {
  const started: Array<Pairs> = []
  try {
    const few = await start(command, FEW)
    started.push(few)
    const many = await start(command, MANY)
    started.push(many)
    let [one, other] = [Infinity, Infinity]
    // The least of several rounds, because noise only adds to the cost; noise in the cost among few would make any ratio pass.
    for (let round = 0; round < ROUNDS; round++) {
      const [now, then] = [await cost(few), await cost(many)]
      print(`${FEW} pairs ${now.toFixed(1)} us, ${MANY} pairs ${then.toFixed(1)} us: ${(then / now).toFixed(2)}`)
      one = Math.min(one, now)
      other = Math.min(other, then)
    }
    const best = other / one
    print(`CPU time for a message among ${MANY} pairs is ${best.toFixed(2)} of that among ${FEW}; ${MOST} is allowed`)
    if (!(best <= MOST)) process.exitCode = 1
  } finally {
    for (const { busy, relay } of started) {
      busy.end()
      await relay.stop()
    }
  }
}

const usage = `Usage: node bench/crowd.ts --gate [options]; all else of a crowd: npm run bench -- --crowd

  --gate             fails if a message among ${MANY} pairs costs more than BENCH_GATE_RATIO (${MOST}) times one among ${FEW}
  --command COMMAND  what starts the relay (default "${startCommand}")
  --help             this text
`

await run(usage, {
  options: { gate: { type: "boolean", default: false }, command: { type: "string", default: startCommand } }
}, ({ values: { command, gate: wanted } }) => {
  if (!wanted) throw new UsageError("--gate: it does nothing else")
  return gate(command)
})
