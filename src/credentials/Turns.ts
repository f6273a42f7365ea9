/**
 * Bounds the questions to a backend that are under way. Those that wait are asked in turn by the address of the client, or by that
 * of the relay that it is behind: questions of a stranger would otherwise delay the logins of all others, and with many addresses
 * a stranger gets one turn for each. Users who have logged in from there before wait in a line of their own, which has every
 * second turn.
 */
import * as Effect from "effect/Effect"
import { LinkedMap } from "../collections/LinkedMap.ts"
import type { UserKey } from "../Credentials.ts"
import { networkOf } from "../net/Network.ts"

/** Those who share a turn. A question of the relay itself has neither address. */
const askerOf = ({ relay, source }: UserKey): string =>
  source !== undefined ? networkOf(source) : relay === undefined ? "" : `behind ${networkOf(relay)}`

/** Questions that wait. Each is the function that lets it go on. */
class Line {
  readonly #askers = new LinkedMap<string, LinkedMap<() => void, undefined>>()

  add(asker: string, goOn: () => void): void {
    const waiting = this.#askers.get(asker) ?? new LinkedMap()
    if (waiting.size === 0) this.#askers.set(asker, waiting)
    waiting.set(goOn, undefined)
  }

  remove(asker: string, goOn: () => void): void {
    const waiting = this.#askers.get(asker)
    waiting?.delete(goOn)
    if (waiting?.size === 0) this.#askers.delete(asker)
  }

  /** Removes and returns the question whose turn it is. */
  next(): (() => void) | undefined {
    const asker = this.#askers.first?.key
    const goOn = asker === undefined ? undefined : this.#askers.touch(asker)?.first?.key
    if (asker !== undefined && goOn !== undefined) this.remove(asker, goOn)
    return goOn
  }
}

export class Turns {
  #free: number
  readonly #lines = { known: new Line(), others: new Line() }
  /** Whether the last one to go on was of the line `known`. */
  #wasKnown = false
  /** Whether those who wait are being let go on: one that ends at once must not call the next one from within. */
  #isCalling = false

  /** `atOnce`: the most questions under way. */
  constructor(atOnce: number) {
    this.#free = atOnce
  }

  /** Asks when it is the turn of this user. */
  run<A, E, R>(user: UserKey, asking: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    const ends = Effect.sync(() => {
      this.#free++
      this.#call()
    })
    return Effect.uninterruptibleMask((restore) =>
      Effect.suspend(() => {
        if (this.#free === 0) return restore(this.#wait(user))
        this.#free--
        return Effect.void
      }).pipe(Effect.flatMap(() => Effect.ensuring(restore(asking), ends)))
    )
  }

  /** Ends when it has its turn. */
  #wait(user: UserKey): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      const line = user.known === true ? this.#lines.known : this.#lines.others
      const asker = askerOf(user)
      const goOn = (): void => resume(Effect.void)
      line.add(asker, goOn)
      return Effect.sync(() => line.remove(asker, goOn))
    })
  }

  /** Lets those go on whose turn it is. */
  #call(): void {
    if (this.#isCalling) return
    this.#isCalling = true
    for (let next; this.#free > 0 && (next = this.#next()) !== undefined;) {
      this.#free--
      next()
    }
    this.#isCalling = false
  }

  #next(): (() => void) | undefined {
    const { known, others } = this.#lines
    const [first, second] = this.#wasKnown ? [others, known] : [known, others]
    const next = first.next()
    if (next !== undefined) this.#wasKnown = !this.#wasKnown
    return next ?? second.next()
  }
}
