/**
 * The turns of the relay: the current time, the connections that have output to write when the octets at hand have been
 * processed, and the order in which connections continue that have brought more than one turn may process.
 */

/** A connection with output of this turn. */
export interface Writer {
  /** Writes the output at the end of the turn. */
  endTurn(): void
}

/** A task, or a connection, whose share of a turn was used up. */
export interface Continuing {
  /** Continues in a later turn. */
  goOn(): void
}

/**
 * The line in which something waits for a later turn. Each line has an equal part of a turn while something waits in others too, so
 * that neither chats wait behind a thousand file transfers or logins, nor these behind chats.
 *
 * - `little`: tasks, and connections that have more at hand than their share, but have not brought much before
 * - `probation`: connections in probation
 * - `much`: connections that have had as much as a whole turn, and go on
 */
export type Line = "little" | "probation" | "much"

/** The cost of a frame beside its octets, as the number of octets that take about as much time. */
export const FRAME = 2048
/** The additional cost of an AUTH, in octets. */
export const AUTH = 65_536
/** The additional cost of finding the route of a request with new paths, in octets. */
export const ROUTE = 16_384
/** The cost of one read beside its octets, in octets. */
export const READ = 1024

/** The most shares that a turn is divided into. With more, calls would cost more than frames. */
const SHARES = 5

/** The cost, in octets, that each connection may have in a turn even if the turn is used up. */
const LEAST = 8 * FRAME

/** The number of writers at which output is written although the turn continues: their data is still in the processor's caches. */
const WRITERS = 32

/** The factor by which turns are longer while no connection would have to wait for their end: each turn has fixed costs. */
const LONG = 16

/** Milliseconds for which turns are short after a request on a connection that brings little at a time. */
export const SHORT_FOR = 1000

/** The number of connections waiting for their turn above which there is a crowd. */
const CROWD = 64

export class Turn {
  /**
   * Milliseconds of the monotonic clock when octets were last received, or taken by the operating system. This and all other
   * fields of numbers have a number from the beginning, one with a fraction or `NaN` where it may have a fraction: V8 would otherwise
   * allocate memory whenever it changes.
   */
  now = NaN
  /** The number of this turn. */
  number = 0
  /** The cost of this turn so far, in octets. Work adds its cost here. */
  cost = 0
  /** The part of `cost` that is due to connections that have used up their shares. */
  #usedUp = 0
  /** What this turn should cost at most, in octets. */
  budget = 0
  /** The budget of a turn while there are connections that bring little at a time, in octets. */
  #short = 0
  /** Milliseconds of the monotonic clock until which turns have the short budget. */
  #shortUntil = -Infinity
  /** The smallest share of a turn, in octets. */
  least = NaN
  /** A share of this turn while the turn is within its budget, in octets. */
  #share = NaN
  readonly #clock: () => number
  readonly #defer: (task: () => void) => void
  #writers: Array<Writer> = []
  readonly #lines: Readonly<Record<Line, Array<Continuing>>> = { little: [], probation: [], much: [] }
  /** The order in which the lines continue in this turn. */
  readonly #order = Object.values(this.#lines)
  /** Whether a call of `#end` is scheduled. */
  #ending = false

  /**
   * `defer` runs a task once the octets at hand have been delivered. `limit` is what a turn should cost at most, in octets: about
   * half a millisecond, so that an occasional message need not wait for connections that send continuously. While there are only
   * such connections, turns are longer.
   */
  constructor(clock: () => number, defer: (task: () => void) => void, limit: number) {
    this.#clock = clock
    this.#defer = defer
    this.now = clock()
    this.limit = limit
  }

  /** What a turn should cost at most from now on, in octets, while there are connections that bring little at a time. */
  set limit(octets: number) {
    this.#short = octets
    this.least = Math.min(LEAST, octets / SHARES)
    this.#measure()
  }

  get limit(): number {
    return this.#short
  }

  /** A request came in on a connection that brings little at a time, so turns are short for a while. */
  hurry(): void {
    this.#shortUntil = this.now + SHORT_FOR
    if (this.budget > this.#short) this.#measure()
  }

  tick(): void {
    this.now = this.#clock()
  }

  /** The share of one connection in this turn, in octets. */
  get share(): number {
    return this.cost < this.budget ? this.#share : this.least
  }

  /** Whether the turn has used up its budget. */
  get long(): boolean {
    return this.cost >= this.budget
  }

  /** Whether many connections wait for their turn. */
  get crowded(): boolean {
    return this.#waiting > CROWD
  }

  get #waiting(): number {
    const { little, much, probation } = this.#lines
    return little.length + probation.length + much.length
  }

  /** Output of one turn is written together: one write for each connection, whatever the number of frames. */
  writesAtEnd(writer: Writer): void {
    this.#writers.push(writer)
    this.#endSoon()
  }

  /** The octets of one read have been processed. With many writers, output is written early, while it is in the processor's caches. */
  readEnds(): void {
    if (this.#writers.length >= WRITERS) this.#write()
  }

  /** Lets `one`, which has used up its share of `cost` octets, continue after all others that wait already in this line. */
  continues(one: Continuing, cost = 0, line: Line = "little"): void {
    this.#usedUp += cost
    this.#lines[line].push(one)
    this.#endSoon()
  }

  /** Throws a defect again in a task of its own, so that those who catch it can do the rest of their work. */
  throwsLater(defect: unknown): void {
    this.continues({
      goOn: () => {
        throw defect
      }
    })
  }

  #endSoon(): void {
    if (this.#ending) return
    this.#ending = true
    this.#defer(this.#end)
  }

  /** Ends the turn. If a connection or a task throws, which is a defect, those behind it continue in the next turn. */
  readonly #end = (): void => {
    try {
      this.#do()
    } finally {
      this.#ending = this.#waiting > 0 || this.#writers.length > 0
      if (this.#ending) this.#defer(this.#end)
    }
  }

  #do(): void {
    // Connections that have used up their shares get together as much as all others did; their own cost must not increase that.
    const others = this.cost - this.#usedUp
    // First the output for connections that have brought little.
    this.#write()
    this.#next()
    if (this.#waiting > 0) {
      this.tick()
      this.#goOn(Math.max(this.budget, others))
      this.#write()
      this.#next()
    }
  }

  #next(): void {
    this.number++
    this.cost = this.#usedUp = 0
    this.#measure()
  }

  #measure(): void {
    this.budget = this.now < this.#shortUntil ? this.#short : LONG * this.#short
    this.#share = this.budget / Math.min(Math.max(this.#waiting, 1), SHARES)
  }

  #goOn(budget: number): void {
    // Another line is the first in each turn, because one connection may use up the whole turn.
    this.#order.push(this.#order.shift()!)
    const lines = this.#order.filter((line) => line.length > 0)
    // One that goes on may wait again in another line.
    const counts = lines.map(({ length }) => length)
    lines.forEach((line, i) => this.#continue(line, counts[i]!, budget * (i + 1) / lines.length))
  }

  /** The first `most`, in the order in which they began to wait, until the turn has cost `until` octets. */
  #continue(waiting: Array<Continuing>, most: number, until: number): void {
    let went = 0
    try {
      while (went < most && this.cost < until) waiting[went++]!.goOn()
    } finally {
      waiting.splice(0, went)
    }
  }

  #write(): void {
    const writers = this.#writers
    this.#writers = []
    let wrote = 0
    try {
      while (wrote < writers.length) writers[wrote++]!.endTurn()
    } finally {
      if (wrote < writers.length) this.#writers.push(...writers.slice(wrote))
    }
  }
}
