/** What time it is, and what has output to write when the octets at hand are dealt with. */

/** Somebody with output of this turn. */
export interface Writer {
  /** The turn ends: what there is to write is written. */
  endTurn(): void
}

export class Turn {
  /** Milliseconds of the monotonic clock when octets last came in, or were taken. */
  now: number
  readonly #clock: () => number
  readonly #defer: (task: () => void) => void
  #writers: Array<Writer> = []

  /** `defer` runs a task once the octets at hand have been delivered. */
  constructor(clock: () => number, defer: (task: () => void) => void) {
    this.#clock = clock
    this.#defer = defer
    this.now = clock()
  }

  tick(): void {
    this.now = this.#clock()
  }

  /** Output of one turn leaves together: one write for each connection, however many frames it got. */
  writesAtEnd(writer: Writer): void {
    if (this.#writers.push(writer) === 1) this.#defer(this.#end)
  }

  readonly #end = (): void => {
    const writers = this.#writers
    this.#writers = []
    for (const writer of writers) writer.endTurn()
  }
}
