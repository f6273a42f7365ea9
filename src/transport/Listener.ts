/** Sockets that are listened on, and what comes in there. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"
import { codeOf, wordsOf } from "../net/ErrorCode.ts"
import type { Current } from "../options/Live.ts"
import { AcceptQueue } from "./AcceptQueue.ts"
import type { Certificates } from "./Certificates.ts"
import type { Accept, ListenOptions, LocalSocket } from "./Connection.ts"
import type { Adopt } from "./Connections.ts"
import { failure, reasonOf, targetOf } from "./Failure.ts"
import { type HandshakeLimits, Handshakes } from "./Handshakes.ts"
import { KEEP_ALIVE, keepAlive } from "./KeepAlive.ts"
import type { Proven } from "./PeerCertificate.ts"
import { ProxyHeaders } from "./ProxyHeaders.ts"
import { makeSlices } from "./Slices.ts"
import { type SocketAddresses, socketAddresses, sourceOf } from "./SocketAddresses.ts"
import type { TransportError } from "./TransportError.ts"
import type { TransportCounters } from "./TransportFacts.ts"
import type { TransportShape } from "./TransportShape.ts"
import type { Client } from "./websocket/Forwarded.ts"
import { type HandshakePolicy, isSameHost } from "./websocket/Handshake.ts"
import { type UpgradeLimits, Upgrades } from "./websocket/Upgrades.ts"
import { WebSocketConnection } from "./websocket/WebSocketConnection.ts"

/**
 * How connections are accepted, and how many.
 *
 * @category options
 * @since 0.2.0
 */
export interface ListenerOptions {
  /** Seconds that each step of an accepted connection may take: the header of a proxy, TLS, the opening of a WebSocket. Default 10. */
  readonly setupTimeout?: number | undefined
  /** The most connections one listener has open at a time; further ones are closed at once. Default: no limit. */
  readonly maxConnections?: number | undefined
  /**
   * The most connections of one listener that are in the middle of their TLS handshake; the oldest of the address that
   * has most of them goes for a new one, so that whoever never finishes it keeps nobody out. Default: no limit.
   */
  readonly maxHandshakes?: number | undefined
  /**
   * The most connections of one address, at one listener, that are in the middle of their TLS handshake; further ones wait
   * for `setupTimeout`. Default: no limit.
   */
  readonly maxHandshakesPerAddress?: number | undefined
  /**
   * TLS handshakes of one address in a second, at one listener; a longer one counts as several, and those of a few seconds
   * may come at once. Further ones wait for `setupTimeout`. Default: no limit.
   */
  readonly handshakeRate?: number | undefined
  /** Addresses for which these two do not count. Default: none. */
  readonly isExempt?: ((address: string) => boolean) | undefined
  /** Seconds without traffic after which the system asks whether the peer is still there; 0: never. At most 32,400, default 60. */
  readonly keepAlive?: number | undefined
  /** Those who connect for others. Default: none. */
  readonly proxies?: ProxyOptions | undefined
  /** For listeners whose transport is `ws`. */
  readonly webSocket?: WebSocketListenOptions | undefined
}

/**
 * Proxies that connect for clients, and what is believed of what they say.
 *
 * @category options
 * @since 0.2.0
 */
export interface ProxyOptions {
  /**
   * Addresses of proxies. What they say of a client counts as if he had connected himself: his address, and whether he speaks TLS
   * to them. A WebSocket client is told by `Forwarded`, or `X-Forwarded-For` and `X-Forwarded-Proto`.
   */
  readonly trusts: (address: string) => boolean
  /**
   * Listeners where they must say it before anything else by the PROXY protocol, version 1 or 2; who is no proxy must not.
   * Default: none.
   */
  readonly header?: ((socket: LocalSocket) => boolean) | undefined
}

/**
 * What listeners for WebSocket need besides (RFC 7977).
 *
 * @category options
 * @since 0.2.0
 */
export interface WebSocketListenOptions {
  /**
   * May a page of this origin connect that asks for this `Host`; programs that are no browsers send no origin, and are not
   * asked about. Default: pages of the same host, and on loopback those of loopback.
   */
  readonly admitsOrigin?: HandshakePolicy["admitsOrigin"] | undefined
  /** Octets of a body that a chunk towards a client has at most. Default 65,536. */
  readonly piece?: number | undefined
  /** What answers requests to this listener that open no WebSocket: pages. Without it, 426. Default: nothing. */
  readonly serve?: ((listener: LocalSocket) => UpgradeLimits["serve"]) | undefined
}

/** The parts of a transport that listeners use. */
export interface ListenParts {
  readonly certificates: Certificates
  readonly counters: TransportCounters
  /** For connections that live as long as the listener. */
  readonly adopting: Effect.Effect<Adopt, never, Scope.Scope>
  readonly proven: Proven
  readonly defer: (task: () => void) => void
  /** Runs an effect beside everything else. */
  readonly run: (effect: Effect.Effect<void>) => void
  /** A connection has come in, with this descriptor where it is known: may it have that. */
  readonly watch: (descriptor?: number) => boolean
}

export const makeListen = (
  { adopting, certificates, counters, defer, proven, run, watch }: ListenParts,
  live: Current<ListenerOptions>
): TransportShape["listen"] =>
  Effect.fnUntraced(function*(
    socket: LocalSocket,
    accept: Accept,
    { asksForCertificate = false, busy }: ListenOptions = {}
  ): Effect.fn.Return<LocalSocket, TransportError, Scope.Scope> {
    const secure = socket.scheme === "msrps"
    if (secure && !certificates.hasDefault()) {
      return yield* failure("listen", socket, "Certificate", new Error("no certificate was given"))
    }
    // Made first, so that they close last: nothing is accepted any more when the connections are destroyed.
    const adopt = yield* adopting
    const own = yield* FiberSet.makeRuntime<never, void, never>()
    const arrivals = new AcceptQueue({
      most: () => live.current.maxConnections ?? Infinity,
      inSlices: makeSlices(defer, busy),
      accepted: (raw) => accepted(raw),
      turnedAway: () => void counters.turnedAway++
    })
    let bound = socket
    let open = 0
    let closed = false

    // The way of a socket that came in: its turn comes, there must be room, a proxy says for whom it is, TLS is spoken, then
    // WebSocket, then it is a connection.
    const arrived = (raw: Net.Socket): void => {
      raw.on("error", ignore)
      const ends = socketAddresses(raw)
      if (!watch(descriptorOf(raw)) || ends === undefined) {
        counters.turnedAway++
        raw.destroy()
      } else arrivals.add(raw, sourceOf(ends, limitsOf(live.current).isProxy))
    }
    const accepted = (raw: Net.Socket): void => {
      const ends = socketAddresses(raw)
      const { keepAlive: idle = KEEP_ALIVE, maxConnections = Infinity } = live.current
      if (closed || open >= maxConnections || ends === undefined) {
        counters.turnedAway++
        raw.destroy()
        return
      }
      keepAlive(raw, idle)
      open++
      raw.once("close", () => open--)
      own(Effect.suspend(() => introduced(raw, ends, handshakes)))
    }
    const introduced = (
      raw: Net.Socket,
      ends: SocketAddresses,
      handshakes: Handshakes | undefined
    ): Effect.Effect<void> => {
      const { proxies } = live.current
      return proxies?.header?.(socket) === true && proxies.trusts(ends.remote.host)
        ? headers.run(raw, ends, (client, byTls) => secured(raw, client, secure || byTls, handshakes, byTls))
        : secured(raw, ends, secure, handshakes, false)
    }
    const secured = (
      raw: Net.Socket,
      ends: SocketAddresses,
      isSecure: boolean,
      handshakes: Handshakes | undefined,
      byProxy: boolean
    ): Effect.Effect<void> =>
      handshakes === undefined
        ? opened(raw, ends, isSecure, byProxy)
        : handshakes.run(raw, ends, (stream) => opened(stream, ends, isSecure, byProxy))
    // Where a proxy ends the TLS of its clients, a certificate that it shows here is its own, and theirs proves nothing.
    const opened = (
      stream: Net.Socket,
      ends: SocketAddresses,
      isSecure: boolean,
      byProxy: boolean
    ): Effect.Effect<void> => {
      if (upgrades !== undefined) {
        return upgrades.run(stream, ends, isSecure, (client) => upgraded(stream, ends, client, byProxy))
      }
      const proof = byProxy ? UNPROVED : proven(stream)
      adopt(stream, { ...ends, inbound: true, secure: isSecure, socket: bound, ...proof }, accept)
      return Effect.void
    }
    const upgraded = (
      stream: Net.Socket,
      { local, remote }: SocketAddresses,
      client: Client,
      byProxy: boolean
    ): void => {
      const { host, port, secure } = client
      const proof = byProxy || limitsOf(live.current).isProxy(remote.host) ? UNPROVED : proven(stream)
      const facts = { local, remote: { host, port }, inbound: true, secure, socket: bound, ...proof }
      const { piece } = live.current.webSocket ?? {}
      adopt(stream, facts, (below) => new WebSocketConnection(below, accept, { defer, piece }))
    }
    const upgrades = socket.transport !== "ws" ? undefined : new Upgrades({
      path: socket.path ?? "/",
      limits: () => {
        const { isProxy: trusts, maxHandshakes, setupTimeout } = limitsOf(live.current)
        const { admitsOrigin = isSameHost, serve } = live.current.webSocket ?? {}
        return { admitsOrigin, maxHandshakes, serve: serve?.(bound), setupTimeout, trusts }
      },
      counters,
      inSlices: makeSlices(defer, busy),
      run,
      defect: (error) => run(Effect.logError("a WebSocket could not be opened because of a defect", Cause.die(error)))
    })

    const headers = new ProxyHeaders(() => limitsOf(live.current), counters)
    const asks = typeof asksForCertificate === "function" ? asksForCertificate : () => asksForCertificate
    const handshakes = secure
      ? new Handshakes(
        certificates,
        asks,
        () => limitsOf(live.current),
        counters,
        makeSlices(defer, busy, HANDSHAKES_AT_ONCE)
      )
      : undefined
    if (handshakes !== undefined) yield* Effect.addFinalizer(() => Effect.sync(() => handshakes.close()))

    const server = (): Net.Server => {
      const made = Net.createServer({ noDelay: true, pauseOnConnect: true }, arrived)
      made.once("listening", () => {
        bound = { ...socket, port: portOf(made) }
        // The listener goes on.
        made.on("error", (cause) => {
          counters.acceptsFailed++
          const facts = { listener: targetOf(socket), reason: wordsOf(cause) }
          run(Effect.annotateLogs(Effect.logWarning("accept failed"), facts))
        })
      })
      return made
    }

    yield* Effect.acquireRelease(
      bindAll(socket, server),
      (servers) =>
        Effect.sync(() => {
          closed = true
          closeAll(servers)
        })
    )
    return bound
  })

/** Seconds. */
const SETUP_TIME = 10

/** One takes a millisecond or less; with RSA keys of 4096 bits up to ten. */
const HANDSHAKES_AT_ONCE = 4

const UNPROVED: ReturnType<Proven> = { peerNames: [] }

const NO_PROXIES: ProxyOptions = { trusts: () => false }

const limitsOf = ({
  handshakeRate = Infinity,
  isExempt = () => false,
  maxHandshakes = Infinity,
  maxHandshakesPerAddress = Infinity,
  proxies: { trusts: isProxy } = NO_PROXIES,
  setupTimeout = SETUP_TIME
}: ListenerOptions): HandshakeLimits => ({
  handshakeRate,
  isExempt,
  isProxy,
  maxHandshakes,
  maxHandshakesPerAddress,
  setupTimeout
})

/** Binds all addresses that a host stands for. */
const bindAll = (
  socket: LocalSocket,
  server: () => Net.Server
): Effect.Effect<ReadonlyArray<Net.Server>, TransportError> => {
  const bindOne = (host: string, port: number, reusePort: boolean): Effect.Effect<Net.Server, TransportError> =>
    Effect.callback((resume) => {
      const made = server()
      made.once("error", (cause) => resume(failure("listen", socket, reasonOf(cause), cause)))
      const options = { port, backlog: BACKLOG, reusePort, ...(host === "*" ? {} : { host }) }
      made.listen(options, () => resume(Effect.succeed(made)))
    })

  const bind = Effect.fnUntraced(function*(host: string, port: number) {
    // Any port of the address first, to see that this machine has it, and which is free.
    const first = yield* bindOne(host, 0, false)
    const bound = port === 0 ? portOf(first) : port
    yield* Effect.callback<void>((resume) => void first.close(() => resume(Effect.void)))
    // A port that several may bind is not bound where another relay of the same user listens already.
    if (port !== 0 && (yield* isTaken(host, port))) {
      const cause = Object.assign(new Error("somebody listens there"), { code: "EADDRINUSE" })
      return yield* failure("listen", socket, reasonOf(cause), cause)
    }
    const servers: Array<Net.Server> = []
    return yield* Effect.gen(function*() {
      for (let i = 0; i < ACCEPTORS; i++) servers.push(yield* bindOne(host, bound, true))
      return servers
    }).pipe(Effect.catch((error) => {
      closeAll(servers)
      // Where a port can't be shared, one accepts.
      return codeOf(error.cause) === "ENOTSUP" || codeOf(error.cause) === "EINVAL"
        ? Effect.map(bindOne(host, bound, false), (one) => [one])
        : Effect.fail(error)
    }))
  })

  /** Both loopback addresses on one port; IPv6 only where the machine has it. */
  const bindLoopback = Effect.fnUntraced(function*() {
    const first = yield* bind("127.0.0.1", socket.port)
    const second = yield* bind("::1", portOf(first[0]!)).pipe(
      Effect.catch((error) => {
        if (ABSENT.has(codeOf(error.cause))) return Effect.succeed([])
        closeAll(first)
        return Effect.fail(error)
      })
    )
    return [...first, ...second]
  })

  return socket.host.toLowerCase() === "localhost"
    ? Effect.retry(bindLoopback(), {
      times: 10,
      while: (error) => socket.port === 0 && error.reason === "AddressInUse"
    })
    : bind(socket.host, socket.port)
}

/** Whether somebody listens on an address of this machine. */
const isTaken = (host: string, port: number): Effect.Effect<boolean> =>
  Effect.callback<boolean>((resume) => {
    const near = host === "*" || host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host
    const socket = Net.connect({ host: near, port })
    const told = (taken: boolean): void => {
      socket.destroy()
      resume(Effect.succeed(taken))
    }
    socket.once("connect", () => told(true))
    socket.on("error", () => told(false))
    return Effect.sync(() => void socket.destroy())
  }).pipe(Effect.timeoutOrElse({ duration: "1 second", orElse: () => Effect.succeed(false) }))

const closeAll = (servers: ReadonlyArray<Net.Server>): void => servers.forEach((one) => void one.close())

/**
 * Node accepts one connection of each listening socket before it looks again at whatever else there is to read: with a
 * thousand busy connections, one in 20 ms. So there are several for each address, among which the system divides what comes.
 */
export const ACCEPTORS = 16

/**
 * Connections that the system holds until they are accepted, where it allows so many (on Linux `net.core.somaxconn`). With
 * Node's 511 a thousand clients that come at once wait for their SYNs to be repeated.
 */
export const BACKLOG = 4096

/** An address family or address that the machine doesn't have. */
const ABSENT = new Set(["EADDRNOTAVAIL", "EAFNOSUPPORT"])

/** Node has it on systems that have descriptors. */
const descriptorOf = (raw: Net.Socket): number | undefined =>
  (raw as unknown as { readonly _handle?: { readonly fd?: number } | null })._handle?.fd

const portOf = (server: Net.Server): number => (server.address() as Net.AddressInfo).port

const ignore = (): void => {}
