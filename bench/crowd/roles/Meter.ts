import { setTimeout as sleep } from "node:timers/promises"
import { type Faults, noFaults } from "../../input.ts"
import { Latencies } from "../../latencies.ts"
import { Stopwatch, type Stretch } from "../../stopwatch.ts"

export interface Metered extends Stretch {
  /** The faults since the client was opened. */
  readonly faults: Faults
}

/** Seconds within which the messages that `warm` waits for must arrive. */
const PATIENCE = 60

/** Counts and delays between `begin` and `end`. */
export abstract class Meter {
  protected readonly faults: Faults
  protected readonly latencies = new Latencies()
  private watch: Stopwatch | undefined

  constructor(faults = noFaults()) {
    this.faults = faults
  }

  /** Messages that have arrived, and their octets. */
  protected abstract totals(): readonly [messages: number, octets: number]

  /**
   * Waits until this many more messages have arrived. The effects of opening have to be over before the measurement: garbage,
   * paths that were not used yet, and code that is not compiled.
   */
  async warm(messages: number): Promise<void> {
    const enough = this.totals()[0] + messages
    for (const end = performance.now() + PATIENCE * 1000; this.totals()[0] < enough;) {
      if (performance.now() > end) throw new Error(`${messages} messages took longer than ${PATIENCE} s`)
      await sleep(20)
    }
  }

  /** `pids`: processes whose CPU time and memory are measured as well. */
  begin(pids: ReadonlyArray<number> = []): void {
    this.latencies.clear()
    this.watch = new Stopwatch(pids, ...this.totals())
  }

  end(): Metered {
    return { ...this.watch!.stop(...this.totals(), this.latencies), faults: this.faults }
  }
}
