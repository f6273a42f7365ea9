/**
 * Sockets that are not connections yet: a TLS handshake, a PROXY header or the opening of a WebSocket is under way. If there
 * are too many, the oldest of the source with the most is closed, so that peers which never finish do not lock out others.
 */
import type * as Net from "node:net"
import { Crowd } from "../net/Crowd.ts"
import { networkOf } from "../net/Network.ts"

export class PendingSockets {
  readonly #crowd = new Crowd<Net.Socket>(networkOf)
  readonly #evicted = new WeakSet<Net.Socket>()

  /** Adds a socket; if there are more than `most` now, one is closed. `source`: what it counts against (`sourceOf`). */
  add(source: string, socket: Net.Socket, most: number): void {
    this.#crowd.add(source, socket)
    if (this.#crowd.size <= most) return
    const first = this.#crowd.takeFirst()!
    this.#evicted.add(first)
    first.destroy()
  }

  delete(source: string, socket: Net.Socket): void {
    this.#crowd.delete(source, socket)
  }

  /** Whether the socket was closed to make room for another one. */
  isEvicted(socket: Net.Socket): boolean {
    return this.#evicted.has(socket)
  }
}
