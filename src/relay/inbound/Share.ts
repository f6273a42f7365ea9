/** A connection's share of the turns of the relay. Who has used it up waits for a later turn, with all that was read of him. */
import { type Continuing, FRAME, READ, SHORT_FOR, type Turn } from "../Turn.ts"
import type { Reading } from "./Reading.ts"

export class Share implements Continuing {
  readonly #turn: Turn
  readonly #reading: Reading
  /** What has been done for it in the last turn in which something was, since it was given a share of its own for two. */
  #number = 0
  #cost = 0
  /** What of that was for what most frames do not need. */
  #rare = 0
  /** What it was given when it went on, for that turn and the next one, in which it reads; 0: what everybody may have. */
  #given = 0
  /** What the last read began with. */
  #before = 0
  /** Its octets that are not paid for. */
  #unpaid = 0
  /** That read brought a request. */
  #requested = false
  /** Milliseconds of the monotonic clock until which its peer is somebody who brings much at a time. */
  #muchUntil = -Infinity
  /** It waits for its turn. */
  waits = false
  /** This is its last turn. */
  #last = false

  constructor(turn: Turn, reading: Reading) {
    this.#turn = turn
    this.#reading = reading
  }

  /** So many octets are here. */
  readBegins(octets: number): void {
    this.#before = this.#cost
    this.#unpaid = octets
    this.#requested = false
  }

  /** So many are kept. Those of no frame cost as well: line ends between them, or a piece of a header section. */
  readEnds(kept: number): void {
    this.costs(READ + Math.max(0, this.#unpaid - kept))
    const cost = this.#cost
    const turn = this.#turn
    if (cost - this.#rare > turn.least) this.#muchUntil = turn.now + SHORT_FOR
    else if (this.#requested && turn.now >= this.#muchUntil) turn.hurry()
    // Whoever waited before reads no more when a further read would have to be kept in part.
    if (this.#given > 0 && 2 * cost - this.#before > this.#given) this.wait(cost)
  }

  /** A frame, or its header section: so many octets. */
  begins(request: boolean, octets: number): void {
    if (request) this.#requested = true
    this.#unpaid -= octets
    this.costs(FRAME + octets)
  }

  /** Octets of the body of a long chunk. */
  goesOn(octets: number): void {
    this.#unpaid -= octets
    this.costs(octets)
  }

  /** What a frame needs beside that, and most do not: it does not tell that much is brought. */
  needs(octets: number): void {
    this.costs(octets)
    this.#rare += octets
  }

  /** So much is done for it in this turn, in octets. */
  costs(octets: number): void {
    const turn = this.#turn
    if (this.#number < turn.number) {
      this.#number = turn.number
      this.#cost = this.#rare = 0
      this.#given = this.#before = 0
    }
    turn.cost += octets
    const cost = this.#cost += octets
    if (this.#given > 0 ? cost >= this.#given : cost >= turn.least && cost >= turn.share) this.wait(cost)
  }

  /** It has its turn behind all others who wait. `cost`: what it has used up. */
  wait(cost = 0): void {
    if (this.waits || this.#last) return
    this.waits = true
    this.#number = this.#turn.number
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
    this.#given = Math.min(turn.limit, Math.max(turn.least, 2 * expected))
    this.#number = turn.number + 1
    this.#cost = this.#rare = this.#before = 0
    this.#reading.go()
    // What is read next is dealt with in the same turn as what others have waiting.
    if (!this.waits && expected > this.#cost) turn.cost += expected - this.#cost
  }
}
