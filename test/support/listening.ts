/** Servers of this process that nobody hands out: to have happen to them what the system does, and to see how they are set up. */
import * as Effect from "effect/Effect"
import { channel } from "node:diagnostics_channel"
import type { AddressInfo, Server } from "node:net"

const listens = channel("tracing:net.server.listen:asyncEnd")

/** Finds by its port a server that has begun to listen since. */
export const listening = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => {
      const servers = new Set<Server>()
      const add = (message: unknown): void => void servers.add((message as { readonly server: Server }).server)
      listens.subscribe(add)
      return { servers, add }
    }),
    ({ add }) => Effect.sync(() => listens.unsubscribe(add))
  ),
  ({ servers }) => (port: number): Server => {
    const found = [...servers].find((one) => (one.address() as AddressInfo | null)?.port === port)
    if (found === undefined) throw new Error(`nobody listens at ${port}`)
    return found
  }
)
