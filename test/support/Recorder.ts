import * as Effect from "effect/Effect"
import type { Accept, Connection, Receiver } from "../../src/Transport.ts"

/** A receiver that keeps everything, and can be waited for. */
export class Recorder implements Receiver {
  connection!: Connection
  readonly chunks: Array<Buffer> = []
  length = 0
  closures = 0
  /** Called for every chunk, before waiters are looked at. */
  onBytes: (chunk: Buffer) => void = () => {}
  onClosed: () => void = () => {}
  #waiters: Array<{ readonly condition: () => boolean; readonly resume: () => void }> = []

  readonly accept: Accept = (connection) => {
    this.connection = connection
    return this
  }

  readonly bytes = (chunk: Buffer): void => {
    if (this.closures > 0) throw new Error("octets after the close")
    this.chunks.push(Buffer.from(chunk))
    this.length += chunk.length
    this.onBytes(chunk)
    this.changed()
  }

  readonly closed = (): void => {
    this.closures++
    this.onClosed()
    this.changed()
  }

  get received(): Buffer {
    return Buffer.concat(this.chunks)
  }

  changed(): void {
    const waiters = this.#waiters
    this.#waiters = waiters.filter(({ condition }) => !condition())
    for (const { condition, resume } of waiters) if (condition()) resume()
  }

  /** Waits until the condition holds; it is looked at whenever something happened here. */
  readonly until = (condition: () => boolean): Effect.Effect<void> =>
    Effect.callback((resume) => {
      if (condition()) resume(Effect.void)
      else this.#waiters.push({ condition, resume: () => resume(Effect.void) })
    })

  readonly untilLength = (length: number): Effect.Effect<void> => this.until(() => this.length >= length)

  readonly untilClosed: Effect.Effect<void> = Effect.suspend(() => this.until(() => this.closures > 0))
}

/** Yields until the condition holds; for what tells nobody when it changes. */
export const poll = (condition: () => boolean): Effect.Effect<void> =>
  Effect.whileLoop({ while: () => !condition(), body: () => Effect.yieldNow, step: () => {} })

/** Lets the event loop turn a number of times. */
export const turns = (count: number): Effect.Effect<void> => {
  let left = count
  return poll(() => left-- <= 0)
}

/** Octets that differ at every distance of a power of two. */
export const pattern = (length: number, seed = 1): Buffer => {
  const bytes = Buffer.allocUnsafe(length)
  let state = seed
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    bytes[i] = state >>> 16
  }
  return bytes
}
