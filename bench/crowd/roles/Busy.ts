import { setTimeout as sleep } from "node:timers/promises"
import { makeBody } from "../../frames.ts"
import { sourceAddress } from "../../link.ts"
import { type Access, Pair } from "../../pair.ts"
import { inParallel } from "./inParallel.ts"
import { Meter } from "./Meter.ts"

/** Seconds that the first messages of all pairs may take. */
const PATIENCE = 30

/** Pairs that send in both directions as soon as what they sent has arrived. */
export class Busy extends Meter {
  private pairs: ReadonlyArray<Pair> = []

  static async open(
    access: Access,
    { pairs, size, window }: { readonly pairs: number; readonly size: number; readonly window: number }
  ): Promise<Busy> {
    const busy = new Busy()
    const { faults, latencies } = busy
    const conversation = { window, kind: "text", body: makeBody("text", size) } as const
    busy.pairs = await inParallel(
      pairs,
      (index) => Pair.open(access, conversation, index, faults, latencies, sourceAddress(access.target, index))
    )
    // One message in each direction, of some pairs at a time: all at once is more than Kamailio's processes can tell each
    // other about connections that they have not used yet.
    busy.rest()
    const started = inParallel(pairs, (index) => busy.pairs[index]!.start()).then(() => true)
    const deadline = performance.now() + PATIENCE * 1000
    while (!(await Promise.race([started, sleep(20, false)]))) {
      if (faults.broken > 0 || performance.now() > deadline) {
        throw new Error(`not every first message arrived: ${faults.first}`)
      }
    }
    busy.resume()
    return busy
  }

  /** Nothing more is sent. */
  rest(): void {
    for (const pair of this.pairs) pair.rest()
  }

  resume(): void {
    for (const pair of this.pairs) pair.resume()
  }

  protected totals() {
    let messages = 0
    let octets = 0
    for (const { a, b } of this.pairs) {
      messages += a.delivered + b.delivered
      octets += a.octets + b.octets
    }
    return [messages, octets] as const
  }
}
