/** A connection's share of the turns of the relay. When it is used up, all that was read from the connection waits for a later turn. */
import { type Continuing, FRAME, type Line, READ, SHORT_FOR, type Turn } from "../Turn.ts"
import type { Reading } from "./Reading.ts"

export class TurnShare implements Continuing {
  readonly #turn: Turn
  readonly #reading: Reading
  readonly #probation: { readonly active: boolean }
  /** The last turn in which the connection had a cost, and that cost, in octets. */
  #turnNumber = 0
  #cost = 0
  /** The part of `#cost` that few frames cause, such as an AUTH or a new path. */
  #extra = 0
  /**
   * What the connection may cost in the turn in which it continues after a wait, and in the next one, in which it is read; both
   * count as one. 0: it has the common share.
   */
  #given = 0
  /** The value of `#cost` when the octets being processed came. */
  #costBefore = 0
  /** The number of the octets being processed that are not in `#cost` yet. */
  #unpaid = 0
  /** Whether there was a request in the octets being processed. */
  #requested = false
  /** Milliseconds of the monotonic clock until which the connection counts as one that brings much at a time. */
  #muchUntil = -Infinity
  /** What the connection had used up each time it waited, together, since it last went without a wait for a second, in octets. */
  #usedUp = 0
  /** Milliseconds of the monotonic clock when it last went on. */
  #wentOnAt = -Infinity
  /** Whether the connection waits for its turn. */
  waits = false
  /** Whether the connection is gone, and waits for no turn any more. */
  #last = false

  constructor(turn: Turn, reading: Reading, probation: { readonly active: boolean }) {
    this.#turn = turn
    this.#reading = reading
    this.#probation = probation
  }

  /** The processing of `octets` octets begins: those of a read, and those kept before. */
  readBegins(octets: number): void {
    this.#costBefore = this.#cost
    this.#unpaid = octets
    this.#requested = false
  }

  /** The octets were processed, but for `kept`. Those outside of frames cost too: line ends between frames, parts of header sections. */
  readEnds(kept: number): void {
    this.#costs(READ + Math.max(0, this.#unpaid - kept))
    const cost = this.#cost
    const turn = this.#turn
    if (cost - this.#extra > turn.least) this.#muchUntil = turn.now + SHORT_FOR
    else if (this.#requested && turn.now >= this.#muchUntil) turn.hurry()
    // After a wait, the connection is not read again if a further read would have to be kept in part.
    if (this.#given > 0 && 2 * cost - this.#costBefore > this.#given) this.wait(cost)
  }

  /** A frame, or a header section, of `octets` octets begins. */
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

  /** The additional cost of an expensive frame, which does not show how much the peer brings. */
  costsExtra(octets: number): void {
    this.#costs(octets)
    this.#extra += octets
  }

  /** Adds to the cost of this turn, in octets. */
  #costs(octets: number): void {
    const turn = this.#turn
    if (this.#turnNumber < turn.number) {
      this.#turnNumber = turn.number
      this.#cost = this.#extra = this.#given = 0
    }
    turn.cost += octets
    const cost = this.#cost += octets
    if (this.#given > 0 ? cost >= this.#given : cost >= turn.least && cost >= turn.share) this.wait(cost)
  }

  /** Waits for a turn behind all others in the same line. `cost`: what the connection has used up, in octets. */
  wait(cost = 0): void {
    if (this.waits || this.#last) return
    const turn = this.#turn
    this.waits = true
    this.#turnNumber = turn.number
    this.#cost = cost
    if (turn.now >= this.#wentOnAt + SHORT_FOR) this.#usedUp = 0
    this.#usedUp += cost
    this.#reading.stop()
    turn.continues(this, cost, this.#line)
  }

  /**
   * A connection that has not had a whole turn yet does not wait behind those that have: it may have brought a few messages at
   * once. One that never stops may have less at hand each time, so it is judged by what it has had in all.
   */
  get #line(): Line {
    if (this.#probation.active) return "probation"
    return this.#usedUp < this.#turn.limit ? "little" : "much"
  }

  /** The connection is gone: all that was read from it is processed now. */
  end(): void {
    this.#last = true
    this.goOn()
  }

  goOn(): void {
    if (!this.waits) return
    this.waits = false
    const turn = this.#turn
    this.#wentOnAt = turn.now
    const expected = this.#cost
    // Many octets at a time cost less, so after each wait the connection gets more of the turn, up to all of it.
    this.#given = Math.min(turn.budget, Math.max(turn.least, 2 * expected))
    this.#turnNumber = turn.number + 1
    this.#cost = this.#extra = 0
    this.#reading.go()
    // What is read next is processed in the same turn as what waits on other connections.
    if (!this.waits && expected > this.#cost) turn.cost += expected - this.#cost
  }
}
