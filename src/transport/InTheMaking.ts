/**
 * Sockets on which something is under way before they are connections: a handshake, the opening of a WebSocket, the header of a
 * proxy. Where there are too many, the oldest goes of the address that has most of them, so that whoever never finishes keeps
 * nobody out.
 */
import type * as Net from "node:net"
import { Crowd } from "../net/Crowd.ts"
import { networkOf } from "../net/Network.ts"

export class InTheMaking {
  readonly #crowd = new Crowd<Net.Socket>(networkOf)
  readonly #evicted = new WeakSet<Net.Socket>()

  /** There may be `most` at a time. `place`: where it counts, mostly the address of its peer. */
  add(place: string, socket: Net.Socket, most: number): void {
    this.#crowd.add(place, socket)
    if (this.#crowd.size <= most) return
    const first = this.#crowd.takeFirst()!
    this.#evicted.add(first)
    first.destroy()
  }

  delete(place: string, socket: Net.Socket): void {
    this.#crowd.delete(place, socket)
  }

  /** Has it gone for another one. */
  isEvicted(socket: Net.Socket): boolean {
    return this.#evicted.has(socket)
  }
}
