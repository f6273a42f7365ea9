/**
 * What requests without an answer hold in memory until it comes, or its time is over: the paths that a REPORT goes along,
 * which may be as long as a header line, and something for each request. It is counted for the connection that they came
 * in on, and for the user whose session they go through (`UserLoad`). Beyond either bound the connection is not read until
 * half of it is free again. One that several sessions share is not held for one user: his requests are refused. Nor is it held
 * for longer than the `hold` limit: then requests are accepted up to twice the bound, and refused to each way back that has
 * more than its part of what is left.
 */
import type { CameFrom } from "../Observer.ts"
import type { Shared } from "../Shared.ts"
import { stopTimer, Timeout } from "../Timers.ts"
import { BoundedOctets } from "./BoundedOctets.ts"
import { HoldBudget } from "./HoldBudget.ts"
import type { Source } from "./Source.ts"

/** Of what is left up to twice the bound, a way back, or a user, may hold one in so many. */
const PARTS = 32

/** A source whose requests without an answer are counted. */
export interface CountedSource extends Source {
  readonly unanswered: Unanswered
}

/** That of one connection. */
export class Unanswered extends BoundedOctets {
  /** Whom answers and REPORTs go to. Nothing that waits for an answer keeps a connection in memory that is gone. */
  source: Source | undefined
  readonly shared: Shared
  #gone: CameFrom | undefined
  /** It was held in vain, so it is not held any more, and `refuses`. */
  #refusing = false
  #patience: Timeout | undefined
  /** Milliseconds of the monotonic clock when it was held. */
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
    this.full = true
    counters.unansweredOverLimit++
    this.#refusing = reading.shared && reading.severalUsers && this.#holdBudget.isSpent(turn.now)
    if (this.#refusing) return
    reading.hold()
    this.#since = turn.now
    this.shared.limits.hold.start(this.#patience ??= new Timeout(() => this.#impatient()))
  }

  /** Others wait no longer for the answers to some requests. */
  #impatient(): void {
    const { source } = this
    if (source?.reading.othersWait(this.#since) !== true) return this.shared.limits.hold.start(this.#patience!)
    this.#refusing = true
    this.#release(source)
  }

  /** The connection, or what is known of it when it is gone. */
  get from(): CameFrom {
    return this.#gone ?? { number: this.source!.number, remote: this.source!.connection?.remote }
  }

  /**
   * Is a further request refused to a way back whose requests hold so many octets. Where there are several users, what the
   * `user` of the way back has counts, however many paths he shows.
   */
  refuses(octets: number, user: BoundedOctets): boolean {
    if (!this.#refusing) return false
    const held = this.source?.reading.severalUsers === true ? user.octets : octets
    return held * PARTS > 2 * this.most - this.octets
  }

  protected relaxed(): void {
    if (!this.#refusing) {
      stopTimer(this.#patience)
      if (this.source !== undefined) this.#release(this.source)
    }
    this.#refusing = false
  }

  #release({ reading, shared: { turn: { now } } }: Source): void {
    this.#holdBudget.charge(this.#since, now)
    reading.release()
  }

  /** The connection is not read for this user, or is again. */
  holdFor(user: object): void {
    const { source } = this
    if (source?.reading.holdFor(user) === true) source.shared.counters.unansweredOverLimit++
  }

  releaseFor(user: object): void {
    this.source?.reading.releaseFor(user)
  }

  /** The connection is gone. */
  close(): void {
    stopTimer(this.#patience)
    this.#gone = this.from
    this.source = undefined
  }
}
