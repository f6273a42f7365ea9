/** Tasks on many items: a few items or steps in each turn, so that a turn does not become longer with the number of items. */
import { FRAME, type Turn } from "./Turn.ts"

/** The number of items, or steps, that are taken in each turn. */
const SLICE = 64

export class LongTasks {
  readonly #turn: Turn
  /** How many calls of `steps` continue in a later turn. */
  #underWay = 0
  /** The last turn in which steps were taken, and how many more may be taken in it. */
  #turnNumber = 0
  #left = SLICE

  constructor(turn: Turn) {
    this.#turn = turn
  }

  /** Calls `each` for all items, for `SLICE` of them in each turn, and then calls `then`. */
  slices<A>(all: Iterable<A>, each: (one: A) => void, then: () => void = () => {}): void {
    const turn = this.#turn
    const rest = [...all]
    const goOn = (): void => {
      for (const one of rest.splice(-SLICE)) each(one)
      turn.cost += SLICE * FRAME
      if (rest.length > 0) turn.continues({ goOn })
      else then()
    }
    turn.continues({ goOn })
  }

  /**
   * Takes the steps of a task that may be long, each of which costs about as much as a frame, and then calls `then`. The first
   * step is taken at once. All tasks together take `SLICE` steps in a turn, and one more for each that begins or continues.
   */
  steps(all: Iterable<void>, then: () => void = () => {}): void {
    const turn = this.#turn
    const rest = all[Symbol.iterator]()
    const take = (): void => {
      if (this.#turnNumber < turn.number) {
        this.#turnNumber = turn.number
        this.#left = SLICE
      }
      do {
        if (rest.next().done === true) return then()
        turn.cost += FRAME
      } while (--this.#left > 0)
      this.#underWay++
      turn.continues({ goOn })
    }
    // A task that throws is no longer under way.
    const goOn = (): void => {
      this.#underWay--
      take()
    }
    take()
  }

  /** Whether a task of `steps` is under way. */
  get isStepping(): boolean {
    return this.#underWay > 0
  }
}
