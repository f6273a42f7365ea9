/**
 * Tasks that run when all available octets have been delivered.
 *
 * Node reads all sockets before it does anything else: if more than a thousand connections have octets, up to 48 times a
 * thousand of them, which takes more than a second. So this also limits how much is read in one turn of the event loop.
 */

/** The cost of a read besides its octets, in octets that take the same time. */
export const READ = 4096

/**
 * Octets (with `READ` for each read) after which the tasks run, and the turn of the event loop is to end. Where it cannot be ended,
 * further reads wait for the next one: with four thousand busy pairs, timers are late by a tenth of a second, with twice the value by a
 * fifth, and with half of it a message costs a tenth more.
 */
export const MOST = 4_194_304

/** The most connections that read again in one turn, each of which costs at least `READ`. */
export const AGAIN = MOST / READ

export interface Defer {
  /** Runs a task later in this turn of the event loop, or in the next. */
  (task: () => void): void
  /**
   * Counts the octets of one read. `mayFollow`: whether the connection may be read again before others. True if this turn has
   * had enough: the connection has to read on in `nextTurn`.
   */
  readonly read: (octets: number, mayFollow: boolean) => boolean
  /** Runs a task that reads again in the next turn of the event loop, or later if many wait. */
  readonly nextTurn: (task: () => void) => void
  /** Runs a task as soon as the code that runs now has ended. */
  readonly nextTick: (task: () => void) => void
}

/**
 * Collects tasks and runs those of one turn of the event loop together, in order. `endPoll` lets the turn end when all connections
 * that have octets have been read once, so that few have to wait for `nextTurn`; called at most once in a turn.
 */
export const makeDefer = (failed: (error: unknown) => void, endPoll?: () => void): Defer => {
  const soon = new Batch(failed)
  const next = new Batch(failed)
  const ticked = new Batch(failed)
  let cost = 0
  let between = MOST
  let scheduled = false
  const runSoon = (): void => soon.run()
  const tick = (): void => ticked.run()
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
    read: (octets: number, mayFollow: boolean): boolean => {
      cost += READ + octets
      if (cost < MOST) return false
      if (cost >= between) {
        if (between === MOST) endPoll?.()
        between = cost + MOST
        // A turn that only reads has to reset the count as well.
        schedule()
        process.nextTick(runSoon)
      }
      return mayFollow || endPoll === undefined
    },
    nextTurn: (task: () => void): void => {
      next.add(task)
      schedule()
    },
    nextTick: (task: () => void): void => {
      if (ticked.add(task) === 1) process.nextTick(tick)
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

  /** Returns how many tasks wait. */
  add(task: () => void): number {
    return this.#tasks.push(task)
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
