/** The listeners of all machines of the network. */
import { isLoopback, isWildcard } from "../../net/Hosts.ts"
import type { Accept, LocalSocket } from "../Connection.ts"
import type { End } from "./End.ts"
import type { Host } from "./Machines.ts"

export interface Listener {
  /** The socket with its real port. */
  readonly socket: LocalSocket
  readonly machine: Host
  readonly accept: Accept
  readonly asksForCertificate: (address: string) => boolean
  /** The accepted ends that are open. */
  readonly ends: Set<End>
}

export class Listeners {
  readonly #all = new Set<Listener>()

  add(listener: Listener): void {
    this.#all.add(listener)
  }

  delete(listener: Listener): void {
    this.#all.delete(listener)
  }

  /** Whether another listener occupies the socket. */
  taken(on: Host, { host, port }: LocalSocket): boolean {
    return port !== 0 &&
      [...this.#all].some(({ machine, socket }) => machine === on && socket.port === port && overlap(socket.host, host))
  }

  /** The listener of a machine that a name and a port lead to. */
  reached(machine: Host, host: string, port: number): Listener | undefined {
    const name = host.toLowerCase()
    let found: Listener | undefined
    for (const listener of this.#all) {
      if (listener.machine !== machine || listener.socket.port !== port) continue
      const bound = listener.socket.host.toLowerCase()
      if (bound === name) return listener
      if (
        isWildcard(bound) || (isLoopback(bound) && isLoopback(name) && (bound === "localhost" || name === "localhost"))
        || (machine.names?.has(bound) === true && machine.names.has(name))
      ) found = listener
    }
    return found
  }
}

const overlap = (one: string, other: string): boolean =>
  one.toLowerCase() === other.toLowerCase() || isWildcard(one) || isWildcard(other)
  || (isLoopback(one) && isLoopback(other) && (one === "localhost" || other === "localhost"))
