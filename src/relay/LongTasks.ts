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

  /** Calls `each` for all items, for `SLICE` of them in each turn, and then calls `then`. If it throws, the others have their turn. */
  slices<A>(all: Iterable<A>, each: (one: A) => void, then: () => void = () => {}): void {
    const turn = this.#turn
    const rest = [...all]
    const goOn = (): void => {
      turn.cost += SLICE * FRAME
      let done = false
      try {
        for (let i = 0; i < SLICE && rest.length > 0; i++) each(rest.pop()!)
        done = rest.length === 0
      } finally {
        if (!done) turn.continues({ goOn })
      }
      if (done) then()
    }
    turn.continues({ goOn })
  }

  /**
   * Takes the steps of a task that may be long, each of which costs about as much as a frame, and then calls `then`. The first
   * step is taken at once. All tasks together take `SLICE` steps in a turn, and one more for each that begins or continues. A
   * generator that throws has no further step.
   */
  steps(all: Iterable<void>, then: () => void = () => {}): void {
    const turn = this.#turn
    const rest = all[Symbol.iterator]()
    const take = (): void => {
      if (this.#turnNumber < turn.number) {
        this.#turnNumber = turn.number
        this.#left = SLICE
      }
      let done = false
      try {
        do {
          done = rest.next().done === true
          if (!done) turn.cost += FRAME
        } while (!done && --this.#left > 0)
      } finally {
        if (!done) {
          this.#underWay++
          turn.continues({ goOn })
        }
      }
      if (done) then()
    }
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
