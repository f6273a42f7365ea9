import { cpuSeconds, ownCpu, type Usage, usage, waitSeconds } from "./cpu.ts"
import type { Latencies } from "./latencies.ts"

/** The results of one measurement. Times are in seconds, delays in milliseconds, memory in octets. */
export interface Stretch {
  readonly seconds: number
  /** Messages that arrived, AUTHs that succeeded, or sessions that were opened. */
  readonly count: number
  readonly octets: number
  readonly p50: number
  readonly p99: number
  readonly longest: number
  /** CPU time of the relay and of this process. */
  readonly relayCpu: number
  readonly clientCpu: number
  /** Time for which the relay was ready to run and had no processor. */
  readonly relayWait: number
  readonly before: Usage
  readonly after: Usage
}

/** Takes counts and the relay's CPU time at the same moment. It runs in the client, which may learn late of start and end. */
export class Stopwatch {
  private readonly pids: ReadonlyArray<number>
  private readonly count: number
  private readonly octets: number
  private readonly before: Usage
  private readonly time: number
  private readonly client: number
  private readonly relay: number
  private readonly waited: number

  /** `pids`: the relay's processes. */
  constructor(pids: ReadonlyArray<number>, count: number, octets: number) {
    this.pids = pids
    this.count = count
    this.octets = octets
    this.before = usage(pids)
    this.time = performance.now()
    this.client = ownCpu()
    this.waited = waitSeconds(pids)
    this.relay = cpuSeconds(pids)
  }

  stop(count: number, octets: number, latencies: Latencies): Stretch {
    const relayCpu = cpuSeconds(this.pids) - this.relay
    const seconds = (performance.now() - this.time) / 1000
    const relayWait = waitSeconds(this.pids) - this.waited
    const clientCpu = ownCpu() - this.client
    return {
      seconds,
      count: count - this.count,
      octets: octets - this.octets,
      p50: latencies.quantile(0.5),
      p99: latencies.quantile(0.99),
      longest: latencies.longest,
      relayCpu,
      clientCpu,
      relayWait,
      before: this.before,
      after: usage(this.pids)
    }
  }
}
