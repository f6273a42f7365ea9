/**
 * The event loop of the simulated network. Everything that happens at one time happens in turns; time passes only by the
 * `Clock`.
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** A task of a turn. */
export interface Task {
  readonly run: () => void
}

interface Timer extends Task {
  readonly due: number
}

/** What the event loop runs on. */
interface EventLoopParts {
  readonly clock: Clock.Clock
  /** Runs a task soon, but not inside the call. */
  readonly schedule: (task: () => void) => void
  /** Runs an effect in a fiber, and interrupts the one before it. */
  readonly sleep: (effect: Effect.Effect<void>) => void
  /** Random numbers in [0, 1) to shuffle the tasks of a turn by; undefined: they run in order. */
  readonly shuffle: (() => number) | undefined
}

/** Consecutive turns without tasks after which the network counts as settled. */
const QUIET_TURNS = 10

export class EventLoop {
  /** The exceptions of receivers and callbacks. */
  readonly defects: Array<unknown> = []

  readonly #parts: EventLoopParts
  #ready: Array<Task> = []
  #deferred: Array<() => void> = []
  #scheduled = false
  /** Timers, the latest first. */
  readonly #timers: Array<Timer> = []
  #asleepUntil = Infinity

  constructor(parts: EventLoopParts) {
    this.#parts = parts
  }

  /** Runs a task in the next turn. */
  soon(task: Task): void {
    this.#ready.push(task)
    this.#kick()
  }

  readonly defer = (task: () => void): void => {
    this.#deferred.push(task)
    this.#kick()
  }

  /** The current time in milliseconds. */
  now(): number {
    return this.#parts.clock.currentTimeMillisUnsafe()
  }

  /** Runs a task in the turn after the clock reaches `due`. */
  at(due: number, run: () => void): void {
    if (due <= this.now()) return this.soon({ run })
    const timers = this.#timers
    let low = 0
    let high = timers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (timers[middle]!.due > due) low = middle + 1
      else high = middle
    }
    timers.splice(low, 0, { due, run })
    if (due < this.#asleepUntil) {
      this.#asleepUntil = due
      this.#parts.sleep(this.#sleeper)
    }
  }

  /** The effect of the only fiber, which sleeps until the first timer is due. */
  readonly #sleeper: Effect.Effect<void> = Effect.suspend(() => {
    const timers = this.#timers
    const now = this.now()
    while (timers.length > 0 && timers.at(-1)!.due <= now) this.soon(timers.pop()!)
    if (timers.length === 0) {
      this.#asleepUntil = Infinity
      return Effect.void
    }
    this.#asleepUntil = timers.at(-1)!.due
    // Rounded up: a sleep of a part of a millisecond may end just before it is due, and would be repeated without end.
    const rest = Math.ceil(this.#asleepUntil - now)
    return Effect.flatMap(this.#parts.clock.sleep(Duration.millis(rest)), () => this.#sleeper)
  })

  #kick(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#parts.schedule(this.#turn)
  }

  readonly #turn = (): void => {
    this.#scheduled = false
    const ready = this.#ready
    this.#ready = []
    const { shuffle } = this.#parts
    if (shuffle !== undefined) {
      for (let i = ready.length - 1; i > 0; i--) {
        const other = Math.floor(shuffle() * (i + 1))
        const task = ready[i]!
        ready[i] = ready[other]!
        ready[other] = task
      }
    }
    for (const task of ready) task.run()
    const deferred = this.#deferred
    this.#deferred = []
    for (const task of deferred) this.safely(task)
  }

  /** Calls a receiver or a callback; returns false, and keeps the exception, if it throws. */
  safely(callback: () => void): boolean {
    try {
      callback()
      return true
    } catch (error) {
      this.defects.push(error)
      return false
    }
  }

  readonly settled: Effect.Effect<void> = Effect.suspend(() => {
    let quiet = 0
    return Effect.whileLoop({
      while: () => quiet < QUIET_TURNS,
      body: () => Effect.yieldNow,
      step: () => {
        quiet = this.#ready.length === 0 && this.#deferred.length === 0 ? quiet + 1 : 0
      }
    })
  })
}
