/** A connection's share of the turns of the relay. Who has used it up waits for a later turn, with all that was read of him. */
import { type Continuing, FRAME, READ, SHORT_FOR, type Turn } from "../Turn.ts"
import type { Reading } from "./Reading.ts"

export class TurnShare implements Continuing {
  readonly #turn: Turn
  readonly #reading: Reading
  /** The last turn in which something was done for it, and what that has cost, in octets. */
  #turnNumber = 0
  #cost = 0
  /** The part of `#cost` that is due to what few frames need, as an AUTH or a new path. */
  #extra = 0
  /**
   * What it may cost in the turn in which it goes on after it has waited, and in the one after, in which it reads: both count as
   * one. 0: a share like everybody's.
   */
  #given = 0
  /** What `#cost` was when the octets came that are dealt with now. */
  #costBefore = 0
  /** How many of these octets do not count in `#cost` so far. */
  #unpaid = 0
  /** These octets have brought a request. */
  #requested = false
  /** Milliseconds of the monotonic clock until which its peer counts as somebody who brings much at a time. */
  #muchUntil = -Infinity
  /** It waits for its turn. */
  waits = false
  /** Its connection is gone: it waits for no turn any more. */
  #last = false

  constructor(turn: Turn, reading: Reading) {
    this.#turn = turn
    this.#reading = reading
  }

  /** So many octets are there to be dealt with: those that came in, and those that were kept before. */
  readBegins(octets: number): void {
    this.#costBefore = this.#cost
    this.#unpaid = octets
    this.#requested = false
  }

  /** They were dealt with, and so many are kept. Those of no frame cost as well: line ends between frames, pieces of header sections. */
  readEnds(kept: number): void {
    this.#costs(READ + Math.max(0, this.#unpaid - kept))
    const cost = this.#cost
    const turn = this.#turn
    if (cost - this.#extra > turn.least) this.#muchUntil = turn.now + SHORT_FOR
    else if (this.#requested && turn.now >= this.#muchUntil) turn.hurry()
    // Whoever waited before reads no more when a further read would have to be kept in part.
    if (this.#given > 0 && 2 * cost - this.#costBefore > this.#given) this.wait(cost)
  }

  /** A frame, or its header section: so many octets. */
  begins(request: boolean, octets: number): void {
    if (request) this.#requested = true
    this.#unpaid -= octets
    this.#costs(FRAME + octets)
  }

  /** Octets of the body of a long chunk. */
  goesOn(octets: number): void {
    this.#unpaid -= octets
    this.#costs(octets)
  }

  /** What a frame costs that needs more than most do: that tells nothing of how much its peer brings. */
  costsExtra(octets: number): void {
    this.#costs(octets)
    this.#extra += octets
  }

  /** So much is done for it in this turn, in octets. */
  #costs(octets: number): void {
    const turn = this.#turn
    if (this.#turnNumber < turn.number) {
      this.#turnNumber = turn.number
      this.#cost = this.#extra = 0
      this.#given = this.#costBefore = 0
    }
    turn.cost += octets
    const cost = this.#cost += octets
    if (this.#given > 0 ? cost >= this.#given : cost >= turn.least && cost >= turn.share) this.wait(cost)
  }

  /** It has its turn behind all others who wait. `cost`: what it has used up. */
  wait(cost = 0): void {
    if (this.waits || this.#last) return
    this.waits = true
    this.#turnNumber = this.#turn.number
    this.#cost = cost
    this.#reading.stop()
    this.#turn.continues(this, cost)
  }

  /** Its connection is gone: all that was read of it is dealt with now. */
  end(): void {
    this.#last = true
    this.goOn()
  }

  goOn(): void {
    if (!this.waits) return
    this.waits = false
    const turn = this.#turn
    const expected = this.#cost
    // Many octets at a time cost less, so who waited has more and more of the turn, up to all of it.
    this.#given = Math.min(turn.budget, Math.max(turn.least, 2 * expected))
    this.#turnNumber = turn.number + 1
    this.#cost = this.#extra = this.#costBefore = 0
    this.#reading.go()
    // What is read next is dealt with in the same turn as what others have waiting.
    if (!this.waits && expected > this.#cost) turn.cost += expected - this.#cost
  }
}
