/**
 * Time limits, without a clock of their own: they are told what time it is, and say when they want to be called.
 *
 * Every kind of limit has one duration, so its timers expire in the order in which they were started: a linked list
 * each, constant work to start and to stop, and one alarm for the earliest. Nothing is left behind when a timer is
 * stopped, however many transactions come and go in 30 seconds.
 */

/** Something that waits in a `TimerQueue`; what is timed extends it, so that starting a timer allocates nothing. */
export abstract class Timed {
  /** The queue's own; not for others. */
  previous: Timed | undefined = undefined
  next: Timed | undefined = undefined
  queue: TimerQueue | undefined = undefined
  deadline = 0
  abstract expired(): void
}

/** Calls back when its time is over. */
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

/** Of each kind, those that expire at a time: a machine that was stopped for a while finds all of them over. */
const AT_ONCE = 256

/** Milliseconds after which it is late enough that the process, or its machine, was stopped. */
const STOPPED = 1000

export class TimerQueue {
  readonly millis: number
  /** Nothing is started in it any more: its limit has another time now. */
  retired = false
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
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
  readonly #alarm: (deadline: number) => void
  #queues: Array<TimerQueue> = []
  /** Called before the timers whose time is over. Set by `Switchboard`. */
  onExpiry: () => void = () => {}
  #wakeAt = Infinity
  /** It was late, and what came in before has had a turn. */
  #isForgiven = false
  /** How many timers are running; nothing that is over may be among them. */
  running = 0

  /** `alarm` has `expire` called at that time, once, instead of at the time it was told before. */
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
   * The queue to start timers in from now on, when a limit has another time than that of `queue`: those that run there
   * keep theirs.
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

  /** How many queues there are; those whose limit has another time now are forgotten when they are empty. */
  get queues(): number {
    return this.#queues.length
  }

  wakeBy(deadline: number): void {
    if (deadline >= this.#wakeAt) return
    this.#wakeAt = deadline
    this.#alarm(deadline)
  }

  /** Ends what is over now, some at a time: it is called again at once where there are more. */
  expire(): void {
    const now = this.now()
    // What came in meanwhile may put an end to some of them, and has not been read; but only once, where every turn is late.
    this.#isForgiven = !this.#isForgiven && now - this.#wakeAt > STOPPED
    this.#wakeAt = Infinity
    if (this.#isForgiven) return this.wakeBy(now)
    this.onExpiry()
    let next = Infinity
    for (const queue of this.#queues) {
      let timed = queue.first
      for (let i = 0; i < AT_ONCE && timed !== undefined && timed.deadline <= now; i++) {
        queue.stop(timed)
        timed.expired()
        timed = queue.first
      }
      if (timed !== undefined && timed.deadline < next) next = timed.deadline
    }
    if (next !== Infinity) this.wakeBy(next)
  }
}
