/** Long tasks that are done one after the other: if each began at once, all of them would take a step in the same turn. */
import type { LongTasks } from "./LongTasks.ts"

export class TaskQueue {
  readonly #tasks: Pick<LongTasks, "steps">
  readonly #then: () => void
  /** The steps of the tasks that have not begun. */
  readonly #waiting = new Set<Iterable<void>>()
  #isUnderWay = false

  /** `then` is called whenever all tasks are done. */
  constructor(tasks: Pick<LongTasks, "steps">, then: () => void) {
    this.#tasks = tasks
    this.#then = then
  }

  /** Adds the steps of a task. If one of its steps throws, those behind it begin with the next task that is added. */
  add(steps: Iterable<void>): void {
    this.#waiting.add(steps)
    if (!this.#isUnderWay) this.#tasks.steps(this.#all(), this.#then)
  }

  *#all(): Iterable<void> {
    this.#isUnderWay = true
    try {
      for (const steps of this.#waiting) {
        this.#waiting.delete(steps)
        yield* steps
      }
    } finally {
      this.#isUnderWay = false
    }
  }
}
