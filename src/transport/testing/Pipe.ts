/** One direction of a connection: takes octets, lets them travel, and delivers them in pieces. */
import type { EventLoop, Task } from "./EventLoop.ts"
import { latencyOf, type Link, MAX_PIECE } from "./Link.ts"

/** What all pipes of a network share. */
export interface Medium {
  readonly loop: EventLoop
  /** How octets travel in pipes without options of their own. */
  readonly link: Link
  readonly random: () => number
}

/** The end that octets come from. */
export interface Writer {
  /** Calls back for octets that were taken. */
  call(written: () => void): void
  /** The close has been handed over. */
  settle(): void
  /** The reader has gone, and answered with a reset. */
  destroy(): void
}

/** The end that octets go to. */
export interface Reader {
  readonly paused: boolean
  /** Whether what comes in is thrown away. */
  readonly deaf: boolean
  /** Destroyed or closed. */
  readonly gone: boolean
  /** The close has come in. */
  readonly halfClosed: boolean
  /** A piece; valid only during the call. */
  give(chunk: Buffer): void
  /** The close comes in. */
  peerEnded(): void
}

/** Octets are delivered in here and overwritten afterwards, so a receiver that keeps a view is caught. */
const delivery = Buffer.allocUnsafeSlow(MAX_PIECE)
const POISON = 0xa5

/** One direction of a connection. */
export class Pipe implements Task {
  readonly #medium: Medium
  readonly #from: Writer
  readonly #to: () => Reader
  /** Set when the connection has options of its own. */
  link: Link | undefined
  stalled = false

  /** Written, not taken. */
  #queue: Array<{ readonly bytes: Uint8Array; at: number; readonly written: () => void }> = []
  #queued = 0
  /** Taken, not read by the receiver. */
  #held = 0
  #arrived: Array<Buffer> = []
  #arrivedAt = 0
  #waiting = false
  #lost = false
  #closing = false
  /** The close has been handed over, behind all octets. */
  finished = false
  #finArrived = false
  #lastDue = -Infinity
  /** What is to be done on arrival, in the order of sending. */
  readonly #underway: Array<() => void> = []

  constructor(medium: Medium, from: Writer, to: () => Reader) {
    this.#medium = medium
    this.#from = from
    this.#to = to
  }

  write(bytes: Uint8Array, written: () => void): void {
    this.#queue.push({ bytes, at: 0, written })
    this.#queued += bytes.length
    this.wake()
  }

  /** Octets beyond the window. */
  pending(): number {
    return Math.max(0, this.#queued - this.#room())
  }

  /** Closes after what was written. */
  end(): void {
    this.#closing = true
    this.wake()
  }

  /** Gives up what was not taken; what was taken still arrives, then the close. */
  abandon(): Array<() => void> {
    const queue = this.#queue
    this.#queue = []
    this.#queued = 0
    this.end()
    return queue.map(({ written }) => written)
  }

  /** Loses what is in flight or not read. */
  lose(): void {
    this.#lost = true
    this.#arrived = []
  }

  wake(): void {
    if (this.#waiting) return
    this.#waiting = true
    this.#medium.loop.soon(this)
  }

  readonly run = (): void => {
    this.#waiting = false
    if (this.#lost) return
    this.#take()
    this.#deliver()
    if ((this.#queue.length > 0 && this.#room() > 0) || this.#deliverable()) this.wake()
  }

  #options(): Link {
    return this.link ?? this.#medium.link
  }

  #latency(): number {
    return latencyOf(this.#options(), this.#medium.random)
  }

  #room(): number {
    return Math.max(0, this.#options().window - this.#held)
  }

  /** As the system would: copies what fits, and only now, so a writer that changes its octets too early is caught. */
  #take(): void {
    while (this.#queue.length > 0) {
      const room = this.#room()
      if (room === 0) return
      const head = this.#queue[0]!
      const chunk = Buffer.from(head.bytes.subarray(head.at, head.at + room))
      head.at += chunk.length
      this.#queued -= chunk.length
      this.#held += chunk.length
      this.#travel(() => this.#arrived.push(chunk))
      if (head.at === head.bytes.length) {
        this.#queue.shift()
        this.#from.call(head.written)
      }
    }
    if (this.#closing && !this.finished) {
      this.finished = true
      this.#travel(() => {
        this.#finArrived = true
      })
      this.#from.settle()
    }
  }

  #travel(arrive: () => void): void {
    const { loop } = this.#medium
    const due = Math.max(loop.now() + this.#latency(), this.#lastDue)
    this.#lastDue = due
    if (due <= loop.now() && this.#underway.length === 0) return arrive()
    this.#underway.push(arrive)
    loop.at(due, this.#arrive)
  }

  /** The oldest, whichever timer it is: what happens in one turn may be shuffled, what travels may not. */
  readonly #arrive = (): void => {
    const arrive = this.#underway.shift()!
    if (this.#lost) return
    arrive()
    this.wake()
  }

  #deliverable(): boolean {
    const to = this.#to()
    if (this.#arrived.length === 0 && !(this.#finArrived && !to.halfClosed)) return false
    return to.deaf || (!this.stalled && !to.paused)
  }

  #deliver(): void {
    if (!this.#deliverable()) return
    const to = this.#to()
    if (to.deaf) {
      const unread = this.#arrived.length > 0
      for (const chunk of this.#arrived) this.#held -= chunk.length
      this.#held += this.#arrivedAt
      this.#arrived = []
      this.#arrivedAt = 0
      // Octets for an end that has gone are answered with a reset.
      if (unread && to.gone) this.#medium.loop.at(this.#medium.loop.now() + this.#latency(), this.#reset)
    } else if (this.#arrived.length > 0) {
      const length = this.#collect()
      to.give(delivery.subarray(0, length))
      delivery.fill(POISON, 0, length)
      // The rest, and the close, in later turns.
      if (this.#arrived.length > 0) return
    }
    if (this.#finArrived && !to.halfClosed && (to.deaf || !to.paused)) to.peerEnded()
  }

  readonly #reset = (): void => {
    if (!this.#lost) this.#from.destroy()
  }

  /** Puts the next piece into the delivery buffer; gives its length. */
  #collect(): number {
    const { split } = this.#options()
    let available = -this.#arrivedAt
    for (const chunk of this.#arrived) available += chunk.length
    const wanted = typeof split === "number" ? split : split(available, this.#medium.random)
    const length = Math.min(Math.max(1, Math.floor(wanted) || 1), available, MAX_PIECE)
    let filled = 0
    while (filled < length) {
      const chunk = this.#arrived[0]!
      const taken = chunk.copy(delivery, filled, this.#arrivedAt, this.#arrivedAt + length - filled)
      filled += taken
      this.#arrivedAt += taken
      if (this.#arrivedAt === chunk.length) {
        this.#arrived.shift()
        this.#arrivedAt = 0
      }
    }
    this.#held -= length
    return length
  }
}
