/** Listeners: accept sockets, within their limits, and set them up. */
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"
import { wordsOf } from "../net/ErrorCode.ts"
import type { Current } from "../options/Live.ts"
import { AcceptQueue } from "./AcceptQueue.ts"
import { bindAll, closeAll, portOf } from "./Bind.ts"
import type { Accept, ListenOptions, LocalSocket } from "./Connection.ts"
import type { Adopt } from "./Connections.ts"
import type { DescriptorWatch } from "./DescriptorWatch.ts"
import { failure } from "./Failure.ts"
import { KEEP_ALIVE, keepAlive } from "./KeepAlive.ts"
import { limitsOf, type ListenerOptions } from "./ListenerOptions.ts"
import { makeSetUp, type SetUpParts } from "./SetUp.ts"
import { makeSlices } from "./Slices.ts"
import { socketAddresses, sourceOf } from "./SocketAddresses.ts"
import { handleOf } from "./SocketHandle.ts"
import { socketText } from "./SocketText.ts"
import type { TransportError } from "./TransportError.ts"
import type { TransportShape } from "./TransportShape.ts"

/** The parts of a transport that listeners use. */
interface ListenParts extends SetUpParts {
  /** Makes connections that live as long as the listener. */
  readonly adopting: Effect.Effect<Adopt, never, Scope.Scope>
  readonly watch: DescriptorWatch
}

const ignore = (): void => {}

export const makeListen = (parts: ListenParts, live: Current<ListenerOptions>): TransportShape["listen"] => {
  const { adopting, certificates, counters, defer, run, watch } = parts
  return Effect.fnUntraced(function*(
    socket: LocalSocket,
    accept: Accept,
    options: ListenOptions = {}
  ): Effect.fn.Return<LocalSocket, TransportError, Scope.Scope> {
    const secure = socket.scheme === "msrps"
    if (secure && !certificates.hasDefault()) {
      return yield* failure("listen", socket, "Certificate", new Error("no certificate was given"))
    }
    // Acquired first, so released last: when the connections are destroyed, nothing is accepted any more.
    const adopt = yield* adopting
    const fork = yield* FiberSet.makeRuntime<never, void, never>()
    let bound = socket
    let open = 0
    let closed = false
    const setUp = yield* makeSetUp(parts, live, { ...options, socket, bound: () => bound, adopt, accept })

    const turnAway = (raw: Net.Socket): void => {
      counters.turnedAway++
      raw.destroy()
    }
    const accepted = (raw: Net.Socket): void => {
      const addresses = socketAddresses(raw)
      const { keepAlive: idle = KEEP_ALIVE, maxConnections = Infinity } = live.current
      if (closed || open >= maxConnections || addresses === undefined) return turnAway(raw)
      keepAlive(raw, idle)
      open++
      raw.on("close", () => open--)
      fork(Effect.suspend(() => setUp({ stream: raw, addresses, secure, tlsAtProxy: false, mayStray: false })))
    }
    const queue = new AcceptQueue({
      most: () => live.current.maxConnections ?? Infinity,
      inSlices: makeSlices(defer, options.busy),
      accepted,
      turnedAway: () => void counters.turnedAway++
    })
    const arrived = (raw: Net.Socket): void => {
      raw.on("error", ignore)
      const addresses = socketAddresses(raw)
      if (!watch.admits(handleOf(raw)?.fd) || addresses === undefined) turnAway(raw)
      else queue.add(raw, sourceOf(addresses, limitsOf(live.current).isProxy))
    }
    const makeServer = (): Net.Server => {
      const server = Net.createServer({ noDelay: true, pauseOnConnect: true }, arrived)
      server.once("listening", () => {
        bound = { ...socket, port: portOf(server) }
        // An error while accepting does not end the server.
        server.on("error", (cause) => {
          counters.acceptsFailed++
          const facts = { listener: socketText(socket), reason: wordsOf(cause) }
          run(Effect.annotateLogs(Effect.logWarning("accept failed"), facts))
        })
      })
      return server
    }

    yield* Effect.acquireRelease(
      bindAll(socket, makeServer),
      (servers) =>
        Effect.sync(() => {
          closed = true
          closeAll(servers)
        })
    )
    return bound
  })
}
