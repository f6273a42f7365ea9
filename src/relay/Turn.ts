/**
 * The turns of the relay: what time it is, who has output to write when the octets at hand are dealt with, and whose turn
 * it is when somebody has brought more than may be done at a time.
 */

/** Somebody with output of this turn. */
export interface Writer {
  /** The turn ends: what there is to write is written. */
  endTurn(): void
}

/** Somebody whose share of a turn was used up. */
export interface Continuing {
  /** A further turn begins. */
  goOn(): void
}

/** What a frame costs beside its octets: about as much time as so many octets more. */
export const FRAME = 2048
/** The same of an AUTH. */
export const AUTH = 65_536
/** Of looking where a request goes whose paths are new. */
export const ROUTE = 16_384
/** Of octets that come in at a time, however few. */
export const READ = 1024

/** A turn is divided into so many shares at most: still smaller ones would cost more calls than frames. */
const SHARES = 5

/** What everybody may have done in a turn, even if that is long enough already: some frames. */
const LEAST = 8 * FRAME

/** So many have output before it is written, even if the turn goes on. */
const WRITERS = 32

/** How much longer turns are while nobody is there who would have to wait for their end: each turn has costs of its own. */
const LONG = 16

/** Milliseconds for which turns are short after somebody who brings little has brought a request. */
export const SHORT_FOR = 1000

/** Of those who wait for their turn, more are many. */
const CROWD = 64

/** What is done for many connections at once is done for so many of them in each turn. */
const SLICE = 64

export class Turn {
  /** Milliseconds of the monotonic clock when octets last came in, or were taken. */
  now: number
  /** Counts the turns. */
  number = 0
  /** What this turn has cost so far, in octets: whoever does something adds what that takes. */
  cost = 0
  /** The part of `cost` that is due to those who have used up their shares. */
  #usedUp = 0
  /** What this turn should cost, in octets. */
  budget!: number
  /** The budget of a turn while somebody is there who brings little at a time. */
  #short!: number
  /** Milliseconds of the monotonic clock until which that is so. */
  #shortUntil = -Infinity
  /** The smallest share of a turn, and what a share of this one is while it is within its budget; in octets. */
  least!: number
  #share!: number
  readonly #clock: () => number
  readonly #defer: (task: () => void) => void
  #writers: Array<Writer> = []
  readonly #continuing: Array<Continuing> = []
  /** `#end` is going to be called. */
  #ending = false
  /** How many `steps` go on in a later turn, and how many single ones may still be taken in this turn. */
  #underWay = 0
  #steps = SLICE

  /**
   * `defer` runs a task once the octets at hand have been delivered. `limit` is what a turn should cost, in octets: about half
   * a millisecond, so that whoever sends a message now and then need not wait for those who never stop. While there is nobody
   * but them, turns are longer.
   */
  constructor(clock: () => number, defer: (task: () => void) => void, limit: number) {
    this.#clock = clock
    this.#defer = defer
    this.now = clock()
    this.limit = limit
  }

  /** What a turn should cost from now on, in octets, as long as somebody is there who brings little at a time. */
  set limit(octets: number) {
    this.#short = octets
    this.least = Math.min(LEAST, octets / SHARES)
    this.#measure()
  }

  /** Somebody who brings little at a time has brought a request: those who bring much have short turns for a while. */
  hurry(): void {
    this.#shortUntil = this.now + SHORT_FOR
    if (this.budget > this.#short) this.#measure()
  }

  tick(): void {
    this.now = this.#clock()
  }

  /** What a connection may cost in this turn, in octets. */
  get share(): number {
    return this.cost < this.budget ? this.#share : this.least
  }

  /** It has cost what it should. */
  get long(): boolean {
    return this.cost >= this.budget
  }

  /** Many wait for their turn. */
  get crowded(): boolean {
    return this.#continuing.length > CROWD
  }

  /** Output of one turn leaves together: one write for each connection, however many frames it got. */
  writesAtEnd(writer: Writer): void {
    this.#writers.push(writer)
    this.#endSoon()
  }

  /** The octets of one read are dealt with. In a crowd not all wait for the last one, while what they need grows cold. */
  readEnds(): void {
    if (this.#writers.length >= WRITERS) this.#write()
  }

  /** It has used up its share, which was so much, and has its next turn when others had theirs. */
  continues(one: Continuing, cost = 0): void {
    this.#usedUp += cost
    this.#continuing.push(one)
    this.#endSoon()
  }

  /** Does something with each of many, with some of them in each turn, and then what follows. */
  slices<A>(all: Iterable<A>, each: (one: A) => void, then: () => void = () => {}): void {
    const rest = [...all]
    const goOn = (): void => {
      for (const one of rest.splice(-SLICE)) each(one)
      this.cost += SLICE * FRAME
      if (rest.length > 0) this.continues({ goOn })
      else then()
    }
    this.continues({ goOn })
  }

  /**
   * Takes the steps of something that may be long, each of which costs about as much as a frame, and then does what follows. The
   * first step is taken at once. Of all that goes by steps, `SLICE` are taken in a turn.
   */
  steps(all: Iterable<void>, then: () => void = () => {}): void {
    const rest = all[Symbol.iterator]()
    const take = (): void => {
      do {
        if (rest.next().done === true) return then()
        this.cost += FRAME
      } while (--this.#steps > 0)
      this.#underWay++
      this.continues({ goOn })
    }
    // What throws has no further step that somebody could wait for.
    const goOn = (): void => {
      this.#underWay--
      take()
    }
    take()
  }

  /** Something long is under way. */
  get isStepping(): boolean {
    return this.#underWay > 0
  }

  #endSoon(): void {
    if (this.#ending) return
    this.#ending = true
    this.#defer(this.#end)
  }

  /** Whatever throws: that is a defect, and all others go on. */
  readonly #end = (): void => {
    try {
      this.#do()
    } finally {
      this.#ending = this.#continuing.length > 0 || this.#writers.length > 0
      if (this.#ending) this.#defer(this.#end)
    }
  }

  #do(): void {
    // Those who have used up their shares get as much as all others did, and are no reason for more than that.
    const others = this.cost - this.#usedUp
    // First what those wait for who have brought little.
    this.#write()
    this.#next()
    if (this.#continuing.length > 0) {
      this.tick()
      this.#goOn(Math.max(this.budget, others))
      this.#write()
      this.#next()
    }
  }

  #next(): void {
    this.number++
    this.cost = this.#usedUp = 0
    this.#steps = SLICE
    this.#measure()
  }

  #measure(): void {
    this.budget = this.now < this.#shortUntil ? this.#short : LONG * this.#short
    this.#share = this.budget / Math.min(Math.max(this.#continuing.length, 1), SHARES)
  }

  /** In the order in which they came; whoever wants more again is behind all others. */
  #goOn(budget: number): void {
    const waiting = this.#continuing
    let went = 0
    try {
      for (const all = waiting.length; went < all && this.cost < budget;) waiting[went++]!.goOn()
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
