/**
 * The load client, in a process of its own: gets one `Job`, and answers with one `Measurement`.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { processTree } from "./cpu.ts"
import { makeBody } from "./frames.ts"
import { type Faults, noFaults } from "./input.ts"
import { Latencies } from "./latencies.ts"
import { Link, sourceAddress } from "./link.ts"
import { type Access, Pair } from "./pair.ts"
import type { AuthScenario, IdleScenario, MessageScenario, Scenario } from "./scenarios.ts"
import { Stopwatch, type Stretch } from "./stopwatch.ts"

export interface Job extends Access {
  readonly scenario: Scenario
  /** The first process of the relay. */
  readonly pid: number
  /** Seconds before and of the measurement. */
  readonly warmup: number
  readonly seconds: number
}

export interface Measurement extends Stretch {
  /** Messages of the whole run that did not arrive, and that got no response. */
  readonly lost: number
  readonly unanswered: number
  readonly faults: Faults
}

const total = (links: ReadonlyArray<Link>, field: "sent" | "delivered" | "octets" | "acknowledged"): number =>
  links.reduce((sum, link) => sum + link[field], 0)

/** Waits until `done`, but no longer than `seconds`. */
const settle = async (done: () => boolean, seconds: number): Promise<void> => {
  const deadline = performance.now() + seconds * 1000
  while (!done() && performance.now() < deadline) await sleep(20)
}

const runMessages = async (job: Job, scenario: MessageScenario): Promise<Measurement> => {
  const faults = noFaults()
  const latencies = new Latencies()
  const pairs: Array<Pair> = []
  const conversation = { window: scenario.window, kind: scenario.body, body: makeBody(scenario.body, scenario.size) }
  for (let i = 0; i < scenario.pairs; i++) pairs.push(await Pair.open(job, conversation, i, faults, latencies))
  const started = Promise.all(pairs.map((pair) => pair.start()))
  await Promise.race([started, settle(() => faults.broken > 0, 10)])
  if (pairs.some((pair) => pair.a.delivered === 0)) throw new Error(`not every first message arrived: ${faults.first}`)
  const links = pairs.flatMap((pair) => [pair.a, pair.b])

  await sleep(job.warmup * 1000)
  latencies.clear()
  const watch = new Stopwatch(processTree(job.pid), total(links, "delivered"), total(links, "octets"))
  await sleep(job.seconds * 1000)
  const measured = watch.stop(total(links, "delivered"), total(links, "octets"), latencies)

  for (const pair of pairs) pair.rest()
  const missing = (field: "delivered" | "acknowledged") => total(links, "sent") - total(links, field)
  await settle(() => missing("delivered") + missing("acknowledged") === 0, 3)
  const counts = { lost: missing("delivered"), unanswered: missing("acknowledged") }
  const octets = total(links, "delivered") * scenario.size
  if (counts.lost === 0 && total(links, "octets") !== octets) faults.damaged++
  for (const link of links) link.destroy()
  return { ...measured, ...counts, faults }
}

const runAuth = async (job: Job, scenario: AuthScenario): Promise<Measurement> => {
  const faults = noFaults()
  const latencies = new Latencies()
  let count = 0
  const stopping = new AbortController()
  const worker = async (index: number) => {
    for (let round = 0; !stopping.signal.aborted; round++) {
      const start = performance.now()
      const link = await Link.open(job.target, `s${index}x${round}`, faults, sourceAddress(job.target, index))
      await link.authenticate(job.target, job.account)
      latencies.record(performance.now() - start)
      count++
      await link.close()
    }
  }
  const workers = Promise.all(Array.from({ length: scenario.concurrency }, (_, index) => worker(index)))
  await Promise.race([workers, sleep(job.warmup * 1000)])
  latencies.clear()
  const watch = new Stopwatch(processTree(job.pid), count, 0)
  await Promise.race([workers, sleep(job.seconds * 1000)])
  const measured = watch.stop(count, 0, latencies)
  stopping.abort()
  await workers
  return { ...measured, lost: 0, unanswered: 0, faults }
}

const runIdle = async (job: Job, scenario: IdleScenario): Promise<Measurement> => {
  const faults = noFaults()
  const latencies = new Latencies()
  const links: Array<Link> = []
  const openUpTo = async (count: number) => {
    let next = links.length
    const worker = async () => {
      while (next < count) {
        const index = next++
        const start = performance.now()
        const link = await Link.open(job.target, `i${index}`, faults, sourceAddress(job.target, index))
        links.push(link)
        await link.authenticate(job.target, job.account)
        latencies.record(performance.now() - start)
      }
    }
    await Promise.all(Array.from({ length: 16 }, worker))
  }
  // The first sessions take the memory that any number of sessions needs: code, tables, buffers.
  await openUpTo(500)
  await sleep(job.warmup * 1000)
  latencies.clear()
  const watch = new Stopwatch(processTree(job.pid), links.length, 0)
  await openUpTo(500 + scenario.sessions)
  await sleep(job.seconds * 1000)
  const measured = watch.stop(links.length, 0, latencies)
  for (const link of links) link.destroy()
  return { ...measured, lost: 0, unanswered: 0, faults }
}

const run = (job: Job): Promise<Measurement> => {
  const { scenario } = job
  if (scenario.kind === "messages") return runMessages(job, scenario)
  return scenario.kind === "auth" ? runAuth(job, scenario) : runIdle(job, scenario)
}

process.once("message", (job: Job) => {
  run(job).then(
    (measurement) => process.send!({ measurement }),
    (error: unknown) => process.send!({ error: error instanceof Error ? error.message : String(error) })
  ).finally(() => process.disconnect())
})
