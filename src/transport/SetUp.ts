/** The steps from an accepted socket to a connection: the header of a proxy, the TLS handshake, the opening of a WebSocket. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Net from "node:net"
import type { Current } from "../options/Live.ts"
import type { Certificates } from "./Certificates.ts"
import type { Accept, ListenOptions, LocalSocket } from "./Connection.ts"
import type { Adopt } from "./Connections.ts"
import type { Defer } from "./Defer.ts"
import { Handshakes } from "./Handshakes.ts"
import type { HandshakeSizes } from "./HandshakeSizes.ts"
import type { KeyUpdates } from "./KeyUpdates.ts"
import { limitsOf, type ListenerOptions } from "./ListenerOptions.ts"
import type { Proven } from "./PeerCertificate.ts"
import type { Arrived } from "./PendingSockets.ts"
import { ProxyHeaders } from "./ProxyHeaders.ts"
import { makeSlices } from "./Slices.ts"
import type { SocketAddresses } from "./SocketAddresses.ts"
import { StrayHeaders } from "./StrayHeaders.ts"
import type { TransportCounters } from "./TransportFacts.ts"
import type { Client } from "./websocket/Forwarded.ts"
import { isSameHost } from "./websocket/Handshake.ts"
import { Upgrades } from "./websocket/Upgrades.ts"
import { WebSocketConnection } from "./websocket/WebSocketConnection.ts"

/** The parts of a transport that these steps use. */
export interface SetUpParts {
  readonly certificates: Certificates
  readonly counters: TransportCounters
  readonly proven: Proven
  readonly defer: Defer
  readonly keyUpdates: KeyUpdates
  readonly sizes: HandshakeSizes
  /** Runs an effect in a fiber of its own. */
  readonly run: (effect: Effect.Effect<void>) => void
}

/** The listener that sockets come in on. */
interface SetUpListener extends ListenOptions {
  readonly socket: LocalSocket
  /** The socket with its real port, once it is bound. */
  readonly bound: () => LocalSocket
  readonly adopt: Adopt
  readonly accept: Accept
}

/** A socket on its way through the steps, each of which passes on what it has learned. */
interface Newcomer {
  readonly stream: Net.Socket
  /** The remote address is that of the client, once a proxy has given it. */
  readonly addresses: SocketAddresses
  /** Whether the client speaks TLS, to this listener or to its proxy. */
  readonly secure: boolean
  /** Whether a PROXY header says that the client speaks TLS to its proxy. */
  readonly tlsAtProxy: boolean
  /** Whether its first octets are still to come, and a PROXY header among them would be that of a proxy that is not trusted. */
  readonly mayStray: boolean
}

/** TLS handshakes in one turn of the event loop: each takes a millisecond or less, with RSA keys of 4096 bits up to ten. */
const HANDSHAKES_AT_ONCE = 4

const UNPROVED: ReturnType<Proven> = { peerNames: [] }

/** Makes the function that does all steps; its effect completes when the socket has become a connection or is closed. */
export const makeSetUp = Effect.fnUntraced(function*(
  { certificates, counters, defer, keyUpdates, proven, run, sizes }: SetUpParts,
  live: Current<ListenerOptions>,
  { accept, adopt, asksForCertificate = false, bound, busy, socket }: SetUpListener
): Effect.fn.Return<(newcomer: Newcomer) => Effect.Effect<void>, never, Scope.Scope> {
  const headers = new ProxyHeaders(() => limitsOf(live.current), counters)
  const strays = new StrayHeaders(run)
  const handshakes = socket.scheme === "msrps"
    ? new Handshakes(
      certificates,
      typeof asksForCertificate === "function" ? asksForCertificate : () => asksForCertificate,
      () => limitsOf(live.current),
      counters,
      makeSlices(defer, busy, HANDSHAKES_AT_ONCE),
      keyUpdates,
      sizes
    )
    : undefined
  if (handshakes !== undefined) yield* Effect.addFinalizer(() => Effect.sync(() => handshakes.close()))
  const upgrades = socket.transport !== "ws" ? undefined : new Upgrades({
    path: socket.path ?? "/",
    limits: () => {
      const { isProxy: trusts, maxHandshakes, setupTimeout } = limitsOf(live.current)
      const { admitsOrigin = isSameHost, serve } = live.current.webSocket ?? {}
      return { admitsOrigin, maxHandshakes, serve: serve?.(bound()), setupTimeout, trusts }
    },
    counters,
    inSlices: makeSlices(defer, busy),
    run,
    defect: (error) => run(Effect.logError("a WebSocket could not be opened because of a defect", Cause.die(error)))
  })

  const peekOf = ({ addresses, mayStray }: Newcomer): Arrived | undefined =>
    mayStray ? (stream) => strays.peek(stream, addresses.remote) : undefined

  const adoptWebSocket = (
    { addresses, stream, tlsAtProxy }: Newcomer,
    { hidden, host, port, secure }: Client
  ): void => {
    const { local, remote } = addresses
    const proof = tlsAtProxy || limitsOf(live.current).isProxy(remote.host) ? UNPROVED : proven(stream)
    const facts = { local, remote: { host, port }, hidden, inbound: true, secure, socket: bound(), ...proof }
    const { piece } = live.current.webSocket ?? {}
    adopt(stream, facts, (below) => new WebSocketConnection(below, accept, { defer, piece }))
  }

  const adoptStream = ({ addresses, mayStray, secure, stream, tlsAtProxy }: Newcomer): void => {
    // If the client's TLS ends at the proxy, a certificate shown here is the proxy's, and proves nothing about the client.
    const proof = tlsAtProxy ? UNPROVED : proven(stream)
    adopt(
      stream,
      { ...addresses, inbound: true, secure, socket: bound(), ...proof },
      mayStray ? strays.within(accept) : accept
    )
  }

  const afterHandshake = (newcomer: Newcomer): Effect.Effect<void> => {
    if (upgrades === undefined) {
      adoptStream(newcomer)
      return Effect.void
    }
    const { addresses, secure, stream } = newcomer
    return upgrades.run(stream, addresses, secure, (client) => adoptWebSocket(newcomer, client), peekOf(newcomer))
  }

  const afterHeader = (newcomer: Newcomer): Effect.Effect<void> =>
    handshakes === undefined
      ? afterHandshake(newcomer)
      : handshakes.run(
        newcomer.stream,
        newcomer.addresses,
        (stream) => afterHandshake({ ...newcomer, stream, mayStray: false }),
        peekOf(newcomer)
      )

  return (newcomer) => {
    const { addresses, secure, stream } = newcomer
    const { proxies } = live.current
    if (proxies?.header?.(socket) !== true) return afterHeader(newcomer)
    if (!proxies.trusts(addresses.remote.host)) return afterHeader({ ...newcomer, mayStray: true })
    return headers.run(
      stream,
      addresses,
      (client, tlsAtProxy) => afterHeader({ ...newcomer, addresses: client, secure: secure || tlsAtProxy, tlsAtProxy })
    )
  }
})
