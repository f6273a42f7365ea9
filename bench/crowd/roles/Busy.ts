import { setTimeout as sleep } from "node:timers/promises"
import { makeBody } from "../../frames.ts"
import { sourceAddress } from "../../link.ts"
import { type Access, Pair } from "../../pair.ts"
import { inParallel } from "./inParallel.ts"
import { Meter } from "./Meter.ts"

/** Seconds within which all pairs must be open. */
const PATIENCE = 90

/** Pairs that send in both directions, each message when the one before has arrived. */
export class Busy extends Meter {
  private pairs: ReadonlyArray<Pair> = []

  static async open(
    access: Access,
    { pairs, size, window }: { readonly pairs: number; readonly size: number; readonly window: number }
  ): Promise<Busy> {
    const busy = new Busy()
    const { faults, latencies } = busy
    const conversation = { window, kind: "text", body: makeBody("text", size) } as const
    // Each pair sends one message in each direction at once, because the relay closes connections that bring none, and the
    // processes of Kamailio cannot pass on thousands of unused connections at a time.
    const opening = inParallel(pairs, async (index) => {
      const pair = await Pair.open(access, conversation, index, faults, latencies, sourceAddress(access.target, index))
      pair.rest()
      await pair.start()
      return pair
    })
    const deadline = performance.now() + PATIENCE * 1000
    for (;;) {
      const opened = await Promise.race([opening, sleep(20, undefined)])
      if (opened !== undefined) {
        busy.pairs = opened
        break
      }
      if (faults.broken > 0 || performance.now() > deadline) {
        throw new Error(`not every first message arrived: ${faults.first}`)
      }
    }
    busy.resume()
    return busy
  }

  /** Stops sending. */
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
