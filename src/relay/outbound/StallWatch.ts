import type { Limits } from "../Limits.ts"
import { stopTimer, Timed } from "../Timers.ts"
import type { Turn } from "../Turn.ts"
import type { Outbox } from "./Outbox.ts"

/** The connection that is watched. */
interface StallWatchOwner {
  readonly shared: { readonly limits: Limits; readonly turn: Turn }
  readonly outbox: Outbox
  /** The peer has taken nothing for the `stall` limit. Returns whether it is alive, that is, has sent something after `since`. */
  stalled(since: number): boolean
}

/** Detects that a peer has taken nothing for the `stall` limit although octets wait. */
export class StallWatch extends Timed {
  readonly #outbound: StallWatchOwner
  #taken = 0
  #since = 0

  constructor(outbound: StallWatchOwner) {
    super()
    this.#outbound = outbound
  }

  arm(): void {
    this.#taken = this.#outbound.outbox.taken
    this.#since = this.#outbound.shared.turn.now
    this.#outbound.shared.limits.stall.start(this)
  }

  /** Octets were taken: the limit begins again, or is stopped if no octets wait. */
  moved(): void {
    if (!this.isRunning) return
    if (this.#outbound.outbox.pending > 0) this.arm()
    else stopTimer(this)
  }

  override expired(): void {
    const { pending, taken } = this.#outbound.outbox
    if (pending === 0) return
    if (taken !== this.#taken || this.#outbound.stalled(this.#since)) this.arm()
  }
}
