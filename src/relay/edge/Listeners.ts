/** Listeners to the events of a relay. They are called inside a turn, so an exception of theirs is caught. */
import * as Effect from "effect/Effect"
import { kindOf } from "../../logging/ErrorKind.ts"
import type { RelayEvent } from "./RelayEvent.ts"

type Listener = (event: RelayEvent) => void

export class Listeners {
  readonly #listeners = new Set<{ readonly hear: Listener }>()
  readonly #run: (effect: Effect.Effect<void>) => void

  /** `run` forks a fiber that ends with the relay. */
  constructor(run: (effect: Effect.Effect<void>) => void) {
    this.#run = run
  }

  /** Calls back with each event until the returned function is called. */
  readonly listen = (hear: Listener): () => void => {
    const one = { hear }
    this.#listeners.add(one)
    return () => void this.#listeners.delete(one)
  }

  /** A listener that throws is removed. */
  notify({ fields, level, message, time }: RelayEvent): void {
    if (this.#listeners.size === 0) return
    const event: RelayEvent = { time, level, message, fields }
    for (const one of this.#listeners) {
      try {
        one.hear(event)
      } catch (error) {
        this.#listeners.delete(one)
        const line = Effect.logError("a listener to events is broken")
        this.#run(Effect.annotateLogs(line, { error: kindOf(error) }))
      }
    }
  }
}
