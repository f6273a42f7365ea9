/**
 * Notices PROXY headers of peers that are not trusted as proxies. Such a header is octets like any others, and fails as what
 * the listener expects instead; only this says that a proxy may be missing among those that are trusted.
 */
import type * as Effect from "effect/Effect"
import type * as Net from "node:net"
import type { Accept, Address, Receiver } from "./Connection.ts"
import { beginsProxyHeader } from "./ProxyHeader.ts"
import { RefusalLog } from "./RefusalLog.ts"

export class StrayHeaders {
  readonly #log = new RefusalLog("strayHeader")
  readonly #run: (effect: Effect.Effect<void>) => void

  /** `run` runs an effect in a fiber of its own. */
  constructor(run: (effect: Effect.Effect<void>) => void) {
    this.#run = run
  }

  /** Looks at the first octets of a socket, and leaves them there. */
  peek(raw: Net.Socket, remote: Address): void {
    const first = raw.read() as Buffer | null
    if (first === null) return
    raw.unshift(first)
    this.#look(first, remote)
  }

  /** Looks at the first octets of a connection whose octets are MSRP from the beginning. */
  within(accept: Accept): Accept {
    return (connection) => {
      const receiver = accept(connection)
      const { remote } = connection
      let first = true
      const watched: Receiver = {
        bytes: (chunk) => {
          if (first) this.#look(chunk, remote)
          first = false
          receiver.bytes(chunk)
        },
        closed: (failure) => receiver.closed(failure)
      }
      return watched
    }
  }

  #look(octets: Buffer, remote: Address): void {
    if (beginsProxyHeader(octets)) this.#run(this.#log.tell(remote, "its address is not in MSRP_TRUSTED_PROXIES"))
  }
}
