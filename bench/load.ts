/**
 * The load client, in a process of its own: takes one `Job`, answers with one `Measurement`.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { ownCpu, processTree, type Usage, usage } from "./cpu.ts"
import type { Account } from "./digest.ts"
import { Counter, makeBody, SendFrame } from "./frames.ts"
import { Latencies } from "./latencies.ts"
import { type Faults, Link, noFaults, type Target } from "./link.ts"
import type { AuthScenario, IdleScenario, MessageScenario, Scenario } from "./scenarios.ts"

export interface Job {
  readonly scenario: Scenario
  readonly target: Target
  readonly account: Account
  /** The relay's first process. */
  readonly pid: number
  /** Seconds before and of the measurement. */
  readonly warmup: number
  readonly seconds: number
}

/** Times in seconds, delays in milliseconds, memory in octets. */
export interface Measurement {
  readonly seconds: number
  /** Messages that arrived, or AUTHs that succeeded, or sessions that are up. */
  readonly count: number
  readonly octets: number
  readonly p50: number
  readonly p99: number
  readonly relayCpu: number
  readonly clientCpu: number
  readonly before: Usage
  readonly after: Usage
  /** Over the whole run: messages sent that did not arrive, and that got no response. */
  readonly lost: number
  readonly unanswered: number
  readonly faults: Faults
}

/** What is counted between the start and the end of a measurement. */
class Stopwatch {
  private readonly pids: ReadonlyArray<number>
  private readonly time = performance.now()
  private readonly client = ownCpu()
  private readonly before: Usage
  private readonly count: number
  private readonly octets: number

  constructor(job: Job, count: number, octets: number) {
    this.pids = processTree(job.pid)
    this.count = count
    this.octets = octets
    this.before = usage(this.pids)
  }

  stop(count: number, octets: number, latencies: Latencies) {
    const after = usage(this.pids)
    return {
      seconds: (performance.now() - this.time) / 1000,
      count: count - this.count,
      octets: octets - this.octets,
      p50: latencies.quantile(0.5),
      p99: latencies.quantile(0.99),
      relayCpu: after.cpu - this.before.cpu,
      clientCpu: ownCpu() - this.client,
      before: this.before,
      after
    }
  }
}

/** Two ends of a session: `a` is authenticated at the relay, `b` knows its Use-Path URI. */
class Pair {
  readonly a: Link
  readonly b: Link
  stopped = false
  private readonly window: number
  private readonly latencies: Latencies
  /** When the last messages to each end were sent, by number modulo the window. */
  private readonly sentTo: { readonly a: Float64Array; readonly b: Float64Array }

  private constructor(
    a: Link,
    b: Link,
    usePath: string,
    index: number,
    scenario: MessageScenario,
    latencies: Latencies
  ) {
    this.a = a
    this.b = b
    this.window = scenario.window
    this.latencies = latencies
    this.sentTo = { a: new Float64Array(scenario.window), b: new Float64Array(scenario.window) }
    const body = makeBody(scenario.body, scenario.size)
    const contentType = scenario.body === "text" ? "text/plain" : "application/octet-stream"
    const prefix = index.toString(36).padStart(4, "0")
    // To-Path is the other end's path: from b through the relay to a, and from a through the same relay to b.
    const frame = (from: Link, to: Link, mark: string) =>
      new SendFrame({ prefix: prefix + mark, toPath: `${usePath} ${to.uri}`, fromPath: from.uri, body, contentType })
    a.converse(frame(a, b, "a"), { id: new Counter(`${prefix}b`), body })
    b.converse(frame(b, a, "b"), { id: new Counter(`${prefix}a`), body })
  }

  static async open(job: Job, scenario: MessageScenario, index: number, faults: Faults, latencies: Latencies) {
    const a = await Link.open(job.target, `a${index}`, faults)
    const usePath = await a.authenticate(job.target, job.account)
    const b = await Link.open(job.target, `b${index}`, faults)
    return new Pair(a, b, usePath, index, scenario, latencies)
  }

  /** Sends one message from `b`; once `a` has it, both directions run. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.a.onRead = () => {
        if (this.a.delivered === 0) return
        this.a.onRead = this.reader(this.a, this.b, this.sentTo.a)
        this.b.onRead = this.reader(this.b, this.a, this.sentTo.b)
        this.a.onRead()
        this.fill(this.a, this.b, this.sentTo.b, performance.now())
        this.a.flush()
        resolve()
      }
      this.sentTo.a[0] = performance.now()
      this.b.send()
      this.b.flush()
    })
  }

  private reader(link: Link, peer: Link, sentAt: Float64Array): () => void {
    const { latencies, window } = this
    let counted = 0
    return () => {
      if (link.delivered > counted) {
        const now = performance.now()
        for (; counted < link.delivered; counted++) latencies.record(now - sentAt[counted % window]!)
        if (!this.stopped) {
          this.fill(peer, link, sentAt, now)
          peer.flush()
        }
      }
      link.flush()
    }
  }

  private fill(from: Link, to: Link, sentAt: Float64Array, now: number): void {
    while (from.sent - to.delivered < this.window) {
      sentAt[from.sent % this.window] = now
      from.send()
    }
  }
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
  for (let i = 0; i < scenario.pairs; i++) pairs.push(await Pair.open(job, scenario, i, faults, latencies))
  const started = Promise.all(pairs.map((pair) => pair.start()))
  await Promise.race([started, settle(() => faults.broken > 0, 10)])
  if (pairs.some((pair) => pair.a.delivered === 0)) throw new Error(`not every first message arrived: ${faults.first}`)
  const links = pairs.flatMap((pair) => [pair.a, pair.b])

  await sleep(job.warmup * 1000)
  latencies.clear()
  const watch = new Stopwatch(job, total(links, "delivered"), total(links, "octets"))
  await sleep(job.seconds * 1000)
  const measured = watch.stop(total(links, "delivered"), total(links, "octets"), latencies)

  for (const pair of pairs) pair.stopped = true
  const missing = (field: "delivered" | "acknowledged") => total(links, "sent") - total(links, field)
  await settle(() => missing("delivered") + missing("acknowledged") === 0, 3)
  const counts = { lost: missing("delivered"), unanswered: missing("acknowledged") }
  const octets = total(links, "delivered") * scenario.size
  if (counts.lost === 0 && total(links, "octets") !== octets) faults.damaged++
  for (const link of links) link.destroy()
  return { ...measured, ...counts, faults }
}

/** On Linux all of 127/8 is there: more source addresses, so that ports of closed connections do not run out. */
const sourceAddress = (target: Target, index: number): string | undefined =>
  process.platform === "linux" && target.host === "127.0.0.1" ? `127.0.0.${2 + index % 200}` : undefined

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
  const watch = new Stopwatch(job, count, 0)
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
  // The first ones pay for what any number of sessions needs: code, tables, buffers.
  await openUpTo(500)
  await sleep(job.warmup * 1000)
  latencies.clear()
  const watch = new Stopwatch(job, links.length, 0)
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
