/**
 * All time limits of the relay, on Effect's Clock.
 *
 * Every kind of limit has one duration, so its timers expire in the order in which they were started: a linked list
 * each, constant work to start and to stop, and one fiber that sleeps until the earliest. Nothing is left behind when a
 * timer is stopped, however many transactions come and go in 30 seconds.
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { monotonicMillis } from "../clock/Monotonic.ts"

/** Something that waits in a `TimerQueue`; what is timed extends it, so that starting a timer allocates nothing. */
export abstract class Timed {
  /** The queue's own; not for others. */
  previous: Timed | undefined = undefined
  next: Timed | undefined = undefined
  queue: TimerQueue | undefined = undefined
  deadline = 0
  abstract expired(): void
}

export class TimerQueue {
  readonly millis: number
  readonly #timers: Timers
  first: Timed | undefined = undefined
  #last: Timed | undefined = undefined

  constructor(timers: Timers, millis: number) {
    this.#timers = timers
    this.millis = millis
  }

  /** Starts a timer, or starts it again. `now` for who has just looked at the clock, and starts many. */
  start(timed: Timed, now = this.#timers.now()): void {
    timed.queue?.stop(timed)
    timed.queue = this
    timed.deadline = now + this.millis
    timed.previous = this.#last
    if (this.#last === undefined) this.first = timed
    else this.#last.next = timed
    this.#last = timed
    this.#timers.wakeBy(timed.deadline)
  }

  stop(timed: Timed): void {
    if (timed.queue !== this) return
    if (timed.previous === undefined) this.first = timed.next
    else timed.previous.next = timed.next
    if (timed.next === undefined) this.#last = timed.previous
    else timed.next.previous = timed.previous
    timed.previous = timed.next = timed.queue = undefined
  }
}

export const stopTimer = (timed: Timed | undefined): void => timed?.queue?.stop(timed)

export class Timers {
  readonly #clock: Clock.Clock
  readonly #run: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
  readonly #queues: Array<TimerQueue> = []
  #sleeper: Fiber.Fiber<void> | undefined
  #wakeAt = Infinity

  /** `run` forks a fiber that ends with the relay. */
  constructor(clock: Clock.Clock, run: (effect: Effect.Effect<void>) => Fiber.Fiber<void>) {
    this.#clock = clock
    this.#run = run
  }

  now(): number {
    return monotonicMillis(this.#clock)
  }

  queue(millis: number): TimerQueue {
    const queue = new TimerQueue(this, millis)
    this.#queues.push(queue)
    return queue
  }

  /** How many timers are running; nothing that is over may be among them. */
  get running(): number {
    let count = 0
    for (const queue of this.#queues) for (let at = queue.first; at !== undefined; at = at.next) count++
    return count
  }

  wakeBy(deadline: number): void {
    if (deadline >= this.#wakeAt) return
    this.#wakeAt = deadline
    this.#sleeper?.interruptUnsafe()
    // A sleep has whole milliseconds; waking a little late is right, waking early would sleep again.
    this.#sleeper = this.#run(
      Effect.andThen(
        Effect.sleep(Duration.millis(Math.max(0, Math.ceil(deadline - this.now())))),
        Effect.sync(() => this.#expire())
      )
    )
  }

  #expire(): void {
    this.#sleeper = undefined
    this.#wakeAt = Infinity
    const now = this.now()
    let next = Infinity
    for (const queue of this.#queues) {
      let timed = queue.first
      while (timed !== undefined && timed.deadline <= now) {
        queue.stop(timed)
        timed.expired()
        timed = queue.first
      }
      if (timed !== undefined && timed.deadline < next) next = timed.deadline
    }
    if (next !== Infinity) this.wakeBy(next)
  }
}
