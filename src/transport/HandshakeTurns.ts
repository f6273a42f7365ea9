/** Makes the TLS handshakes of one address wait for each other: only some are under way at a time, and only some follow in a second. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type * as Net from "node:net"
import { monotonicMillis } from "../clock/Monotonic.ts"
import { networkOf } from "../net/Network.ts"
import { HandshakeBudget, OCTETS_OF_ONE } from "./HandshakeBudget.ts"

/** The limits of one address, for IPv6 of one network. */
export interface TurnLimits {
  /** The most handshakes under way. */
  readonly atOnce: number
  /** The most handshakes in a second. */
  readonly perSecond: number
  /** The most milliseconds that a handshake may wait because of `perSecond`. */
  readonly patience: number
}

/** The handshakes of one address that run or wait. */
interface Turns {
  readonly semaphore: Semaphore.Semaphore
  /** Permits that the semaphore has now. */
  slots: number
  users: number
}

export class HandshakeTurns {
  readonly #budget: HandshakeBudget
  readonly #turns = new Map<string, Turns>()

  constructor(perSecond: number) {
    this.#budget = new HandshakeBudget(perSecond, networkOf)
  }

  /** Runs the handshake of a socket when it is its turn; calls `refused` at once instead if it would wait too long. */
  run(
    raw: Net.Socket,
    host: string,
    { atOnce, patience, perSecond }: TurnLimits,
    handshake: Effect.Effect<void>,
    refused: () => void
  ): Effect.Effect<void> {
    const budget = this.#budget
    budget.perSecond = perSecond
    if (perSecond === Infinity) return this.#inSlot(host, atOnce, handshake)
    const counted = Effect.ensuring(handshake, Effect.sync(() => budget.spent(host, raw.bytesRead)))
    // Reserved inside the slot, when the octets of earlier handshakes have been charged.
    return this.#inSlot(
      host,
      atOnce,
      Clock.clockWith((clock) => {
        const wait = budget.reserve(host, monotonicMillis(clock), patience)
        if (wait === undefined) refused()
        return wait === undefined ? Effect.void : wait === 0 ? counted : Effect.delay(counted, wait)
      })
    )
  }

  /** Charges an address for what took as long as so many handshakes. */
  charge(host: string, handshakes: number): void {
    this.#budget.spent(host, (handshakes + 1) * OCTETS_OF_ONE)
  }

  #inSlot(host: string, slots: number, handshake: Effect.Effect<void>): Effect.Effect<void> {
    if (slots === Infinity) return handshake
    const network = networkOf(host)
    return Effect.suspend(() => {
      let turns = this.#turns.get(network)
      if (turns === undefined) {
        this.#turns.set(network, turns = { semaphore: Semaphore.makeUnsafe(slots), slots, users: 0 })
      }
      const used = turns
      used.users++
      const resized = used.slots === slots ? Effect.void : used.semaphore.resize(used.slots = slots)
      return Effect.ensuring(
        Effect.andThen(resized, used.semaphore.withPermit(handshake)),
        Effect.sync(() => {
          if (--used.users === 0) this.#turns.delete(network)
        })
      )
    })
  }
}
