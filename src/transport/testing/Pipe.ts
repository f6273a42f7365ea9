/** One direction of a connection: takes octets, delays them, and delivers them in pieces. */
import type { EventLoop, Task } from "./EventLoop.ts"
import { latencyOf, type Link, MAX_PIECE } from "./Link.ts"

/** The parts of a network that all pipes share. */
export interface Medium {
  readonly loop: EventLoop
  /** How octets travel in pipes without options of their own. */
  readonly link: Link
  readonly random: () => number
}

/** The end that writes into a pipe. */
export interface Writer {
  /** Calls `written` for octets that were taken. */
  call(written: () => void): void
  /** Called when the close has been handed over. */
  settle(): void
  /** Called when the reader has gone, and answered with a reset. */
  destroy(): void
}

/** The end that reads from a pipe. */
export interface Reader {
  readonly paused: boolean
  /** Whether octets that come in are discarded. */
  readonly deaf: boolean
  /** Whether the end is destroyed or closed. */
  readonly gone: boolean
  /** Whether the close has come in. */
  readonly halfClosed: boolean
  /** Delivers a piece, which is valid only during the call. */
  give(chunk: Buffer): void
  /** Delivers the close. */
  peerEnded(): void
}

/** The buffer of delivered pieces; overwritten after each delivery, so that a receiver that keeps a view of it is caught. */
const delivery = Buffer.allocUnsafeSlow(MAX_PIECE)
const POISON = 0xa5

export class Pipe implements Task {
  readonly #medium: Medium
  readonly #from: Writer
  readonly #to: () => Reader
  /** Defined if the connection has options of its own. */
  link: Link | undefined
  stalled = false

  /** Writes that are not taken completely. */
  #queue: Array<{ readonly bytes: Uint8Array; at: number; readonly written: () => void }> = []
  #queued = 0
  /** Octets taken, and not read by the receiver. */
  #held = 0
  #arrived: Array<Buffer> = []
  #arrivedAt = 0
  #waiting = false
  #lost = false
  #closing = false
  /** Whether the close has been handed over, after all octets. */
  finished = false
  #finArrived = false
  #lastDue = -Infinity
  /** Actions on arrival, in the order of sending. */
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

  /** Octets that do not fit into the window. */
  pending(): number {
    return Math.max(0, this.#queued - this.#room())
  }

  /** Closes the pipe after all writes. */
  end(): void {
    this.#closing = true
    this.wake()
  }

  /** Drops octets that were not taken, and returns their callbacks. Octets that were taken still arrive, then the close. */
  abandon(): Array<() => void> {
    const queue = this.#queue
    this.#queue = []
    this.#queued = 0
    this.end()
    return queue.map(({ written }) => written)
  }

  /** Drops all octets in flight or not read. */
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

  /** Copies the octets that fit, as the system would; not earlier, so that a writer that changes them too early is caught. */
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

  /** Runs the oldest action, whichever timer fired: the tasks of a turn may be shuffled, octets in flight may not. */
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
      // As in TCP, octets for a closed end are answered with a reset.
      if (unread && to.gone) this.#medium.loop.at(this.#medium.loop.now() + this.#latency(), this.#reset)
    } else if (this.#arrived.length > 0) {
      const length = this.#collect()
      to.give(delivery.subarray(0, length))
      delivery.fill(POISON, 0, length)
      // The rest and the close are delivered in later turns.
      if (this.#arrived.length > 0) return
    }
    if (this.#finArrived && !to.halfClosed && (to.deaf || !to.paused)) to.peerEnded()
  }

  readonly #reset = (): void => {
    if (!this.#lost) this.#from.destroy()
  }

  /** Copies the next piece into the delivery buffer, and returns its length. */
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
