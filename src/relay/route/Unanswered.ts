/**
 * What requests without an answer hold in memory until it comes or their time is over: the paths that a REPORT would take,
 * which may be as long as a header line, and a little for each request. It is counted for the connection that the requests came
 * in on, and for the user whose session they go through (`UserLoad`). Beyond either bound the connection is not read until
 * half of the bound is free again.
 *
 * A connection that several sessions share is not held for one user: requests of that user are refused instead. Nor is it held
 * for longer than the `hold` limit. After that, requests are accepted up to twice the bound, and refused on each way back that
 * has more than its part of what is left. A connection of one session is not held for longer either if no answers come and
 * others wait for its own: requests are accepted up to twice the bound.
 */
import type { CameFrom } from "../Observer.ts"
import type { Shared } from "../Shared.ts"
import { BoundedOctets, type BoundState } from "./BoundedOctets.ts"
import { HoldBudget } from "./HoldBudget.ts"
import type { Source } from "./Source.ts"

/** A way back, or a user, may hold one part in this many of what is left up to twice the bound. */
const PARTS = 32

/** A source whose requests without an answer are counted. */
export interface CountedSource extends Source {
  readonly unanswered: Unanswered
}

/** The requests without an answer that came in on one connection. */
export class Unanswered extends BoundedOctets {
  /** Where answers and REPORTs go; undefined once the connection is gone, so that requests do not keep it in memory. */
  source: Source | undefined
  readonly shared: Shared
  #gone: CameFrom | undefined
  /** Milliseconds of the monotonic clock when the hold began. */
  #since = 0
  readonly #holdBudget = new HoldBudget()

  constructor(source: Source) {
    super()
    this.source = source
    this.shared = source.shared
  }

  protected get most(): number {
    return this.shared.limits.unanswered
  }

  add(octets: number): void {
    if (!this.takes(octets) || this.full) return
    const { source } = this
    if (source === undefined) return
    const { reading, shared: { counters, turn } } = source
    const { severalSessions, severalUsers } = reading.sharing
    counters.unansweredOverLimit++
    const mayHold = !severalSessions || !severalUsers || !this.#holdBudget.isSpent(turn.now)
    this.state = mayHold ? "holding" : "refusing"
    if (!mayHold) return
    reading.hold()
    this.#since = turn.now
    this.wait(this.shared.limits.hold)
  }

  /** The limit of the hold is over: others do not wait any longer for these answers, or for those that are not read. */
  protected impatient(): void {
    const { source } = this
    if (source?.reading.sharing.othersWait(this.#since) === true) this.state = "refusing"
    else if (source?.reading.isAwaited === true && this.inVain) this.state = "exceeding"
    else return this.wait(this.shared.limits.hold)
    this.#release(source)
  }

  /** The connection, or what is known of it once it is gone. */
  get from(): CameFrom {
    return this.#gone ?? { number: this.source!.number, remote: this.source!.connection?.remote }
  }

  /**
   * Whether a further request is refused on a way back whose requests hold this many octets. On a connection of several users,
   * everything that the `user` of the way back holds counts, however many paths that user has.
   */
  refuses(octets: number, user: BoundedOctets): boolean {
    if (this.state !== "refusing") return this.atTwice
    const held = this.source?.reading.sharing.severalUsers === true ? user.octets : octets
    return held * PARTS > 2 * this.most - this.octets
  }

  protected relaxed(before: BoundState): void {
    if (before !== "holding") return
    this.waitNoMore()
    if (this.source !== undefined) this.#release(this.source)
  }

  #release({ reading, shared: { turn: { now } } }: Source): void {
    this.#holdBudget.charge(this.#since, now)
    reading.release()
  }

  /** Stops reading the connection, because this user has too much. */
  holdFor(user: object): void {
    const { source } = this
    if (source?.reading.holdFor(user) === true) source.shared.counters.unansweredOverLimit++
  }

  releaseFor(user: object): void {
    this.source?.reading.releaseFor(user)
  }

  /** The connection is gone. */
  close(): void {
    this.waitNoMore()
    this.#gone = this.from
    this.source = undefined
  }
}
