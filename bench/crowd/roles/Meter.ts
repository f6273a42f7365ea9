import { setTimeout as sleep } from "node:timers/promises"
import { type Faults, noFaults } from "../../input.ts"
import { Latencies } from "../../latencies.ts"
import { Stopwatch, type Stretch } from "../../stopwatch.ts"

export interface Metered extends Stretch {
  /** What went wrong since the client was opened. */
  readonly faults: Faults
}

/** Seconds until what is asked for must have arrived. */
const PATIENCE = 60

/** What a role counts between `begin` and `end`. */
export abstract class Meter {
  protected readonly faults: Faults
  protected readonly latencies = new Latencies()
  private watch: Stopwatch | undefined

  constructor(faults = noFaults()) {
    this.faults = faults
  }

  /** Messages that have arrived, and octets in them. */
  protected abstract totals(): readonly [messages: number, octets: number]

  /**
   * Until so many messages more have arrived. What opening took has to be over before it counts: the collection of its garbage,
   * paths that nobody has taken yet, and code that is not compiled.
   */
  async warm(messages: number): Promise<void> {
    const enough = this.totals()[0] + messages
    for (const end = performance.now() + PATIENCE * 1000; this.totals()[0] < enough;) {
      if (performance.now() > end) throw new Error(`${messages} messages took longer than ${PATIENCE} s`)
      await sleep(20)
    }
  }

  /** `pids`: whose CPU time and memory is read, too. */
  begin(pids: ReadonlyArray<number> = []): void {
    this.latencies.clear()
    this.watch = new Stopwatch(pids, ...this.totals())
  }

  end(): Metered {
    return { ...this.watch!.stop(...this.totals(), this.latencies), faults: this.faults }
  }
}
