/** A connection's share of the turns of the relay. Who has used it up waits for a later turn, with all that was read of him. */
import type { Continuing, Turn } from "../Turn.ts"
import type { Reading } from "./Reading.ts"

export class Share implements Continuing {
  readonly #turn: Turn
  readonly #reading: Reading
  /** What has been done for it in the last turn in which something was. */
  #number = 0
  #cost = 0
  /** It waits for its turn. */
  waits = false
  /** This is its last turn. */
  #last = false
  /** What the turn in which it goes on costs at least: as much as is probably read then. */
  #expected = 0

  constructor(turn: Turn, reading: Reading) {
    this.#turn = turn
    this.#reading = reading
  }

  /** So many octets were read; so many of them are kept. */
  read(octets: number, kept: number): void {
    this.#expected = kept > 0 ? 0 : octets
  }

  /** So much is done for it in this turn, in octets. */
  costs(octets: number): void {
    const turn = this.#turn
    if (this.#number !== turn.number) {
      this.#number = turn.number
      this.#cost = 0
    }
    turn.cost += octets
    const cost = this.#cost += octets
    if (cost >= turn.least && cost >= turn.share) this.wait(cost)
  }

  /** It has its turn behind all others who wait. `cost`: what it has used up. */
  wait(cost = 0): void {
    if (this.waits || this.#last) return
    this.waits = true
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
    // What is read next is dealt with in the same turn as what others have waiting.
    this.#turn.cost += this.#expected
    this.#reading.go()
  }
}
