/**
 * Tasks that run when the octets at hand have been delivered.
 *
 * Node reads whatever there is to read before it does anything else: while more than a thousand connections have octets, up
 * to 48 times a thousand of them, which takes more than a second. So here it is said when that goes on for too long.
 */

/** What a read costs beside its octets: about as much time as so many octets more. */
export const READ = 4096

/**
 * After so many octets the tasks run in between, and who is read waits for the next turn of the event loop: beside four thousand busy
 * pairs timers wait for a tenth of a second, with twice as much for a fifth, and with half as much a message costs a tenth more.
 */
export const MOST = 4_194_304

/** So many who have waited are read again in one turn: at least that much is brought by them. */
export const AGAIN = MOST / READ

export interface Defer {
  /** Runs a task later in this turn of the event loop, or in the next. */
  (task: () => void): void
  /** So many octets of one read were delivered. True when it has been too much: whoever brought them waits for `nextTurn`. */
  readonly read: (octets: number) => boolean
  /** Runs a task that reads again, in a later turn of the event loop: in the next one, unless many wait. */
  readonly nextTurn: (task: () => void) => void
}

/** Collects tasks and runs those of one turn of the event loop together, in order. */
export const makeDefer = (failed: (error: unknown) => void): Defer => {
  const soon = new Batch(failed)
  const next = new Batch(failed)
  let cost = 0
  let between = MOST
  let scheduled = false
  const runSoon = (): void => soon.run()
  const turn = (): void => {
    scheduled = false
    cost = 0
    between = MOST
    soon.run()
    next.run(AGAIN)
    if (next.size > 0) schedule()
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
    read: (octets: number): boolean => {
      cost += READ + octets
      if (cost >= between) {
        between = cost + MOST
        // Whoever only reads must not be stopped for good either.
        schedule()
        process.nextTick(runSoon)
      }
      return cost >= MOST
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

  get size(): number {
    return this.#tasks.length
  }

  add(task: () => void): void {
    this.#tasks.push(task)
  }

  run(most = Infinity): void {
    let batch = this.#tasks
    if (batch.length > most) batch = batch.splice(0, most)
    else this.#tasks = this.#spare
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
