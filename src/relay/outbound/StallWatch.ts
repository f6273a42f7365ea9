import type { Limits } from "../Limits.ts"
import { stopTimer, Timed } from "../Timers.ts"
import type { Turn } from "../Turn.ts"
import type { Outbox } from "./Outbox.ts"

/** The connection that is watched. */
export interface StallOwner {
  readonly shared: { readonly limits: Limits; readonly turn: Turn }
  readonly outbox: Outbox
  /** It has taken nothing for the stall limit. Gives whether it goes on, since it has said something after `since`. */
  stalled(since: number): boolean
}

/** Sees that a connection takes nothing for the stall limit although octets wait. */
export class StallWatch extends Timed {
  readonly #outbound: StallOwner
  armed = false
  #taken = 0
  #since = 0

  constructor(outbound: StallOwner) {
    super()
    this.#outbound = outbound
  }

  arm(): void {
    this.armed = true
    this.#taken = this.#outbound.outbox.taken
    this.#since = this.#outbound.shared.turn.now
    this.#outbound.shared.limits.stall.start(this)
  }

  /** Octets were taken: the limit begins anew, or has no object any more. */
  moved(): void {
    if (!this.armed) return
    if (this.#outbound.outbox.pending > 0) return this.arm()
    this.armed = false
    stopTimer(this)
  }

  override expired(): void {
    this.armed = false
    const { pending, taken } = this.#outbound.outbox
    if (pending === 0) return
    if (taken !== this.#taken || this.#outbound.stalled(this.#since)) this.arm()
  }
}
