/**
 * Sockets that are not connections yet: a TLS handshake, a PROXY header or the opening of a WebSocket is under way. If there
 * are too many, the oldest of the source with the most is closed, so that peers which never finish do not lock out others.
 */
import * as Effect from "effect/Effect"
import type * as Net from "node:net"
import { Crowd } from "../net/Crowd.ts"
import { networkOf } from "../net/Network.ts"

/** The limits of one step of the set-up. */
export interface SetUpLimits {
  /** Seconds within which the step must be finished. */
  readonly setupTimeout: number
  /** The most sockets in the step; beyond it, the oldest of the source with the most is closed. */
  readonly maxHandshakes: number
}

/** Called when the first octets of a socket are there to be read; it must leave them there. */
export type Arrived = (socket: Net.Socket) => void

export class PendingSockets {
  readonly #crowd = new Crowd<Net.Socket>(networkOf)
  readonly #evicted = new WeakSet<Net.Socket>()

  /**
   * Runs a step of the set-up of a socket, within its limits. Completes when the step is done, its time is up (then after
   * `late`), or the socket is closed, which the step has to notice. `source`: what the socket counts against (`sourceOf`).
   */
  run(
    socket: Net.Socket,
    source: string,
    { maxHandshakes, setupTimeout }: SetUpLimits,
    step: Effect.Effect<void>,
    late: Effect.Effect<void>
  ): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (socket.destroyed) return Effect.void
      this.#add(socket, source, maxHandshakes)
      return step
    }).pipe(
      Effect.timeoutOrElse({ duration: setupTimeout * 1000, orElse: () => late }),
      Effect.ensuring(Effect.sync(() => this.#crowd.delete(source, socket))),
      Effect.onInterrupt(() => Effect.sync(() => socket.destroy()))
    )
  }

  #add(socket: Net.Socket, source: string, most: number): void {
    this.#crowd.add(source, socket)
    if (this.#crowd.size <= most) return
    const first = this.#crowd.takeFirst()!
    this.#evicted.add(first)
    first.destroy()
  }

  /** Whether the socket was closed to make room for another one. */
  isEvicted(socket: Net.Socket): boolean {
    return this.#evicted.has(socket)
  }
}
