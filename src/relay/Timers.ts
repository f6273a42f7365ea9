/**
 * Time limits. The clock, and the alarm that calls back at the earliest deadline, are passed in.
 *
 * Each kind of limit has one duration, so its timers expire in the order in which they were started. A linked list for each
 * kind makes starting and stopping a timer constant work, and a stopped timer leaves nothing behind, whatever the number of
 * transactions in 30 seconds.
 */

/** An entry of a `TimerQueue`. Classes with a time limit extend it, so that starting a timer allocates nothing. */
export abstract class Timed {
  /** These fields are managed by the queue. */
  previous: Timed | undefined = undefined
  next: Timed | undefined = undefined
  queue: TimerQueue | undefined = undefined
  deadline = 0

  get isRunning(): boolean {
    return this.queue !== undefined
  }

  abstract expired(): void
}

/** Calls back when it expires. */
export class Timeout extends Timed {
  readonly #run: () => void
  constructor(run: () => void) {
    super()
    this.#run = run
  }
  override expired(): void {
    this.#run()
  }
}

/** Timers of each kind that expire in one call: after the machine was suspended for a while, all of them may be due. */
const AT_ONCE = 256

/** Milliseconds of delay from which on the process, or its machine, is assumed to have been suspended. */
const SUSPENDED = 1000

export class TimerQueue {
  readonly millis: number
  /** Whether no timers are started in the queue any more, because its limit has another duration now. */
  retired = false
  readonly #timers: Timers
  first: Timed | undefined = undefined
  #last: Timed | undefined = undefined

  constructor(timers: Timers, millis: number) {
    this.#timers = timers
    this.millis = millis
  }

  /** Starts a timer, or restarts it. `now` saves reading the clock when many are started. */
  start(timed: Timed, now = this.#timers.now()): void {
    timed.queue?.stop(timed)
    this.#timers.running++
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
    this.#timers.running--
    if (timed.previous === undefined) this.first = timed.next
    else timed.previous.next = timed.next
    if (timed.next === undefined) this.#last = timed.previous
    else timed.next.previous = timed.previous
    timed.previous = timed.next = timed.queue = undefined
  }
}

export const stopTimer = (timed: Timed | undefined): void => timed?.queue?.stop(timed)

export class Timers {
  /** Milliseconds of the monotonic clock. */
  readonly now: () => number
  readonly #alarm: (deadline: number) => void
  #queues: Array<TimerQueue> = []
  /** Called before timers expire. Set by `Switchboard`. */
  onExpiry: () => void = () => {}
  /** Called with what a timer throws, which is a defect. Set by `Switchboard`. */
  onDefect: (defect: unknown) => void = (defect) => {
    throw defect
  }
  #wakeAt = Infinity
  /** Whether the last call was late and was skipped, so that octets received before have a turn first. */
  #isForgiven = false
  /** The number of running timers. */
  running = 0

  /** `alarm` schedules one call of `expire` at a deadline, in place of the one scheduled before. */
  constructor(now: () => number, alarm: (deadline: number) => void) {
    this.now = now
    this.#alarm = alarm
  }

  queue(millis: number): TimerQueue {
    const queue = new TimerQueue(this, millis)
    this.#queues.push(queue)
    return queue
  }

  /**
   * The queue in which to start the timers of a limit from now on, if its duration may have changed from that of `queue`. Timers
   * that are running keep their deadlines.
   */
  retimed(queue: TimerQueue, millis: number): TimerQueue {
    if (queue.millis === millis) return queue
    queue.retired = true
    this.#queues = this.#queues.filter(({ first, retired }) => !retired || first !== undefined)
    const again = this.#queues.find((one) => one.retired && one.millis === millis)
    if (again === undefined) return this.queue(millis)
    again.retired = false
    return again
  }

  /** The number of queues. Retired queues are removed when they are empty. */
  get queues(): number {
    return this.#queues.length
  }

  wakeBy(deadline: number): void {
    if (deadline >= this.#wakeAt) return
    this.#wakeAt = deadline
    this.#alarm(deadline)
  }

  /** Expires the timers that are due, some at a time; if there are more, it is called again at once. */
  expire(): void {
    const now = this.now()
    // Octets that were received meanwhile, and are not read yet, may stop some timers. Skips once only, in case every turn is late.
    this.#isForgiven = !this.#isForgiven && now - this.#wakeAt > SUSPENDED
    this.#wakeAt = Infinity
    if (this.#isForgiven) return this.wakeBy(now)
    this.onExpiry()
    let next = Infinity
    for (const queue of this.#queues) {
      let timed = queue.first
      for (let i = 0; i < AT_ONCE && timed !== undefined && timed.deadline <= now; i++) {
        queue.stop(timed)
        try {
          timed.expired()
        } catch (defect) {
          // The others are of other users.
          this.onDefect(defect)
        }
        timed = queue.first
      }
      if (timed !== undefined && timed.deadline < next) next = timed.deadline
    }
    if (next !== Infinity) this.wakeBy(next)
  }
}
