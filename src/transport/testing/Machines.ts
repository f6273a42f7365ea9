/** The machines of the network, and the names that lead to them. */
import * as Net from "node:net"
import { isLoopback } from "../../net/Hosts.ts"

/**
 * One of several machines of the network.
 *
 * @category models
 * @since 0.1.0
 */
export interface Machine {
  /** Its host names and addresses. Loopback names lead to the dialling machine itself. */
  readonly names: ReadonlyArray<string>
  /**
   * DNS names in its certificate, which its peers see as `peerNames`, and by which it may be dialled over TLS. Default: as
   * a client it presents no certificate, as a server one for the name that was dialled.
   */
  readonly certificate?: ReadonlyArray<string> | undefined
  /** When the certificate expires, in milliseconds of the monotonic clock. Default: never. */
  readonly certificateUntil?: number | undefined
}

/** A machine as the network sees it. */
export interface Host {
  readonly address: string
  /** Its names in lower case; undefined: every name that no other machine has. */
  readonly names: ReadonlySet<string> | undefined
  readonly certificate: ReadonlyArray<string> | undefined
  readonly certificateUntil?: number | undefined
}

export class Machines {
  /** The machine that has every name that no other machine has. */
  readonly first: Host = { address: "127.0.0.1", names: undefined, certificate: undefined }
  readonly #others: Array<Host> = []

  add(given: Machine): Host {
    const machine: Host = {
      address: given.names.find((name) => Net.isIP(name) !== 0) ?? `10.0.0.${this.#others.length + 1}`,
      names: new Set(given.names.map((name) => name.toLowerCase())),
      certificate: given.certificate?.map((name) => name.toLowerCase()),
      certificateUntil: given.certificateUntil
    }
    this.#others.push(machine)
    return machine
  }

  /** The machine that a name (in lower case) leads to when it is dialled on `dialling`. */
  named(name: string, dialling: Host): Host {
    if (isLoopback(name)) return dialling
    return this.#others.find(({ names }) => names?.has(name)) ?? this.first
  }
}
