import { Latencies } from "../../latencies.ts"
import { type Faults, noFaults } from "../../link.ts"
import { Stopwatch, type Stretch } from "../../stopwatch.ts"

export interface Metered extends Stretch {
  /** What went wrong since the client was opened. */
  readonly faults: Faults
}

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

  /** `pids`: whose CPU time and memory is read, too. */
  begin(pids: ReadonlyArray<number> = []): void {
    this.latencies.clear()
    this.watch = new Stopwatch(pids, ...this.totals())
  }

  end(): Metered {
    return { ...this.watch!.stop(...this.totals(), this.latencies), faults: this.faults }
  }
}
