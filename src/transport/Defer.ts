/**
 * Tasks that run when the octets at hand have been delivered.
 *
 * Node reads whatever there is to read before it does anything else: while more than a thousand connections have octets, up
 * to 48 times a thousand of them, which takes more than a second. So here it is said when that goes on for too long.
 */

/** After so many reads the tasks run in between. */
export const READS = 1024

/**
 * After so many, who is read waits for the next turn of the event loop. Stopping and starting costs a fifth of a message, so
 * that of four thousand busy pairs costs a twentieth more than with four times as many reads; and timers wait for a quarter of a
 * second instead of one.
 */
export const MOST_READS = 4096

export interface Defer {
  /** Runs a task later in this turn of the event loop, or in the next. */
  (task: () => void): void
  /** The octets of one read were delivered. True when there have been too many: whoever brought them waits for `nextTurn`. */
  readonly read: () => boolean
  /** Runs a task in the next turn of the event loop. */
  readonly nextTurn: (task: () => void) => void
}

/** Collects tasks and runs those of one turn of the event loop together, in order. */
export const makeDefer = (failed: (error: unknown) => void): Defer => {
  const soon = new Batch(failed)
  const next = new Batch(failed)
  let reads = 0
  let scheduled = false
  const runSoon = (): void => soon.run()
  const turn = (): void => {
    scheduled = false
    reads = 0
    soon.run()
    next.run()
  }
  const schedule = (): void => {
    if (scheduled) return
    scheduled = true
    setImmediate(turn)
  }
  const defer = (task: () => void): void => {
    soon.add(task)
    schedule()
  }
  return Object.assign(defer, {
    read: (): boolean => {
      if (++reads % READS === 0) {
        // Whoever only reads must not be stopped for good either.
        schedule()
        process.nextTick(runSoon)
      }
      return reads > MOST_READS
    },
    nextTurn: (task: () => void): void => {
      next.add(task)
      schedule()
    }
  })
}

/** Tasks that run together, in order. */
class Batch {
  readonly #failed: (error: unknown) => void
  #tasks: Array<() => void> = []
  #spare: Array<() => void> = []

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed
  }

  add(task: () => void): void {
    this.#tasks.push(task)
  }

  run(): void {
    const batch = this.#tasks
    this.#tasks = this.#spare
    for (let i = 0; i < batch.length; i++) {
      try {
        batch[i]!()
      } catch (error) {
        this.#failed(error)
      }
    }
    batch.length = 0
    this.#spare = batch
  }
}
