/**
 * How the relay goes out of service, in steps that the edge takes: it grants no sessions, refuses new requests, then ends all
 * connections. Each step has a condition that holds when nothing is left to wait for.
 */
import type { Hop } from "./Hop.ts"
import { STOPPED } from "./Loss.ts"
import type { Admission } from "./rules/Admission.ts"
import type { RelayOwners } from "./rules/RelayOwners.ts"
import type { Sessions } from "./Session.ts"
import type { Phase, Shared } from "./Shared.ts"

export class Shutdown {
  readonly #shared: Shared
  readonly #hops: ReadonlySet<Hop>
  readonly #sessions: Pick<Sessions, "size">
  readonly #admission: Admission
  readonly #relays: RelayOwners
  #ended = false

  constructor(
    shared: Shared,
    hops: ReadonlySet<Hop>,
    sessions: Pick<Sessions, "size">,
    admission: Admission,
    relays: RelayOwners
  ) {
    this.#shared = shared
    this.#hops = hops
    this.#sessions = sessions
    this.#admission = admission
    this.#relays = relays
  }

  get phase(): Phase {
    return this.#shared.phase
  }

  /**
   * Grants no sessions from now on. Existing sessions continue, new connections may take part in them, and connections that no
   * session uses are closed.
   */
  drain(): void {
    if (this.#shared.phase !== "serving") return
    this.#shared.phase = "draining"
    this.#admission.closeIdle(Infinity)
  }

  /** Serves again, unless the relay is stopping. */
  undrain(): void {
    if (this.#shared.phase !== "draining") return
    this.#shared.phase = "serving"
    this.#shared.conditions.check()
  }

  /** Whether there are no sessions, no pending answers, and no octets waiting to be written. */
  get drained(): boolean {
    return this.#sessions.size() === 0 && this.#shared.totals.bufferedOctets === 0 && this.answered
  }

  /** Refuses new requests, and closes new connections, from now on; answers still come back. */
  stop(): void {
    this.#shared.phase = "stopping"
    this.#relays.stop()
    this.#shared.conditions.check()
  }

  /**
   * Whether no sender waits for an answer: none is pending, or everything was sent and the senders that would get a report have gone.
   * Requests that wait for their turn or for a connection are still to be sent, and may be answered.
   */
  get answered(): boolean {
    const { totals: { bufferedOctets, parkedOctets, transactions }, tasks } = this.#shared
    if (tasks.isStepping) return false
    if (transactions === 0) return parkedOctets === 0
    if (bufferedOctets > 0) return false
    for (const { outbound } of this.#hops) if (outbound.transactions.isAwaited) return false
    return true
  }

  /** Ends all connections: requests without an answer are reported as failed, and what was written is sent. */
  end(): void {
    const { conditions, tasks } = this.#shared
    // All hops are still open then, so that reports can be written to any of them.
    tasks.steps(this.#losses(), () => {
      tasks.slices(this.#hops, (hop) => hop.finish("the relay stops"), () => {
        this.#ended = true
        conditions.check()
      })
    })
  }

  *#losses(): Iterable<void> {
    for (const { outbound } of this.#hops) {
      yield
      yield* outbound.givesUp(STOPPED)
    }
  }

  /** Whether there are no connections, and everything lost with them has been reported. */
  get empty(): boolean {
    return this.#hops.size === 0 && !this.#shared.tasks.isStepping
  }

  /** Whether all connections were ended and the operating system has taken their output; peers may not have closed yet. */
  get settled(): boolean {
    if (!this.#ended || this.#shared.tasks.isStepping) return false
    for (const { connection, outbound } of this.#hops) {
      if (connection !== undefined && outbound.outbox.waitingOctets > 0) return false
    }
    return true
  }
}
