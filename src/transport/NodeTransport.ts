/** The network of this machine: TCP and TLS sockets of Node. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import { identity } from "effect/Function"
import type * as Scope from "effect/Scope"
import type * as SubscriptionRef from "effect/SubscriptionRef"
import * as Net from "node:net"
import * as Tls from "node:tls"
import { Crowd } from "../net/Crowd.ts"
import { codeOf } from "../net/ErrorCode.ts"
import { Resolver } from "../Resolver.ts"
import { checkServerIdentity, makeCertificates, type TlsOptions, verifiedNames } from "./Certificates.ts"
import type {
  Accept,
  Address,
  Connection,
  ConnectionFacts,
  ConnectOptions,
  LocalSocket,
  TransportShape
} from "./Connection.ts"
import { makeDefer } from "./Defer.ts"
import { NodeConnection } from "./NodeConnection.ts"
import { TransportError, type TransportErrorReason } from "./TransportError.ts"

export interface NodeOptions {
  /**
   * Certificate, key and trust. Given as a `SubscriptionRef`, a new value is used for every connection from then on, and
   * the open ones stay as they are. Without a certificate, `msrps` can be dialled but not listened on.
   */
  readonly tls?: TlsOptions | SubscriptionRef.SubscriptionRef<TlsOptions> | undefined
  /**
   * Whether a dialled `msrps` peer may present a certificate signed by itself (endpoints do, RFC 4975 §14.4). Never set
   * it where other relays are dialled. Default false.
   */
  readonly allowSelfSigned?: boolean | undefined
  /** Seconds within which an accepted connection must finish its TLS handshake. Default 10. */
  readonly setupTimeout?: number | undefined
  /** Seconds within which a dialled connection must be open, TLS handshake included. Default 10. */
  readonly connectTimeout?: number | undefined
  /** The most connections one listener has open at a time; further ones are closed at once. Default: no limit. */
  readonly maxConnections?: number | undefined
  /**
   * The most connections of one listener that are in the middle of their TLS handshake; the oldest of the address that
   * has most of them goes for a new one, so that whoever never finishes it keeps nobody out. Default: no limit.
   */
  readonly maxHandshakes?: number | undefined
  /**
   * `shared` reads into one buffer shared by all connections, which saves a 64 KiB buffer per read, and falls back to
   * `events` where this Node has no way to do it; `events` reads "data" events. Default `shared`.
   */
  readonly reads?: "shared" | "events" | undefined
}

/** Makes the service; its outbound connections live as long as the scope. */
export const make = Effect.fnUntraced(function*(
  options: NodeOptions
): Effect.fn.Return<TransportShape, TransportError, Scope.Scope> {
  const { allowSelfSigned = false, connectTimeout = 10, setupTimeout = 10 } = options
  const { maxConnections = Infinity, maxHandshakes = Infinity } = options
  const run = yield* FiberSet.makeRuntime<never, void, never>()
  const resolver = yield* Resolver
  const certificates = yield* makeCertificates(options.tls ?? {})

  const defect = (error: unknown) => {
    run(Effect.logError("a connection was dropped because of a defect", Cause.die(error)))
  }
  const defer = makeDefer(defect)
  const surroundings = { reads: options.reads ?? "shared", defer, defect }

  /** Makes the connection and its receiver. The effect owns them: it ends when they are gone. */
  const adopt = (stream: Net.Socket, facts: ConnectionFacts, accept: Accept): [Connection, Effect.Effect<void>] => {
    const connection = new NodeConnection(stream, facts, surroundings)
    connection.start(accept)
    const owner = Effect.callback<void>((resume) => {
      connection.whenGone(() => resume(ended(connection)))
      return Effect.callback<void>((closed) => {
        connection.whenGone(() => closed(Effect.void))
        connection.destroy()
      })
    })
    return [connection, owner]
  }

  const listen = Effect.fnUntraced(function*(
    socket: LocalSocket,
    accept: Accept
  ): Effect.fn.Return<LocalSocket, TransportError, Scope.Scope> {
    const target = targetOf(socket)
    const secure = socket.scheme === "msrps"
    if (secure && certificates.current().options.cert === undefined) {
      return yield* new TransportError({
        operation: "listen",
        target,
        reason: "Certificate",
        cause: new Error("no certificate was given")
      })
    }
    // Made first, so that it closes last: nothing is accepted any more when the connections are destroyed.
    const own = yield* FiberSet.makeRuntime<never, void, never>()
    let bound = socket
    let open = 0

    const admit = (raw: Net.Socket, serve: (ends: Ends) => Effect.Effect<void>): void => {
      const ends = endsOf(raw)
      if (open >= maxConnections || ends === undefined) {
        raw.destroy()
        return
      }
      open++
      own(Effect.ensuring(Effect.suspend(() => serve(ends)), Effect.sync(() => open--)))
    }
    const serve = (stream: Net.Socket, ends: Ends, peerNames: ReadonlyArray<string>): Effect.Effect<void> =>
      adopt(stream, { ...ends, inbound: true, secure, socket: bound, peerNames }, accept)[1]

    const tcpServer = (): Net.Server =>
      Net.createServer({ noDelay: true, pauseOnConnect: true }, (raw) => {
        raw.on("error", ignore)
        admit(raw, (ends) => serve(raw, ends, []))
      })

    const tlsServer = (): Net.Server => {
      const handshakes = new Map<string, (stream: Tls.TLSSocket) => void>()
      const crowd = new Crowd<Net.Socket>()
      const server = Tls.createServer({
        ...certificates.current().options,
        noDelay: true,
        requestCert: true,
        rejectUnauthorized: false,
        SNICallback: (name, done) => done(null, certificates.named(name)),
        handshakeTimeout: NEVER
      })
      server.on("close", certificates.onChange((context) => server.setSecureContext(context)))
      server.on("tlsClientError", (_, stream) => stream.destroy())
      server.on("connection", (raw) => {
        raw.on("error", ignore)
        admit(raw, (ends) => {
          let owner: Effect.Effect<void> | undefined
          const key = keyOf(ends)
          return Effect.callback<void>((resume) => {
            raw.once("close", () => resume(Effect.void))
            crowd.add(ends.remote.host, raw)
            if (crowd.size > maxHandshakes) crowd.takeFirst()!.destroy()
            const secured = (stream: Tls.TLSSocket): void => {
              // At once: octets may follow in the same read.
              owner = serve(stream, ends, verifiedNames(stream))
              resume(Effect.void)
            }
            handshakes.set(key, secured)
          }).pipe(
            Effect.timeoutOrElse({ duration: setupTimeout * 1000, orElse: () => Effect.void }),
            Effect.ensuring(Effect.sync(() => {
              handshakes.delete(key)
              crowd.delete(ends.remote.host, raw)
            })),
            Effect.andThen(Effect.suspend(() => owner ?? Effect.sync(() => raw.destroy()))),
            Effect.onInterrupt(() => Effect.sync(() => raw.destroy()))
          )
        })
      })
      server.on("secureConnection", (stream) => {
        const ends = endsOf(stream)
        const handshake = ends === undefined ? undefined : handshakes.get(keyOf(ends))
        if (handshake === undefined) stream.destroy()
        else handshake(stream)
      })
      return server
    }

    const bind = (host: string, port: number): Effect.Effect<Net.Server, TransportError> =>
      Effect.callback((resume) => {
        const server = secure ? tlsServer() : tcpServer()
        server.once("error", (cause) => {
          resume(new TransportError({ operation: "listen", target, reason: reasonOf(codeOf(cause)), cause }))
        })
        server.listen(host === "*" ? { port } : { port, host }, () => {
          bound = { ...socket, port: portOf(server) }
          // Accepting fails when descriptors run out; the listener goes on.
          server.on("error", (cause) => void run(Effect.logWarning("accept failed", { target, code: codeOf(cause) })))
          resume(Effect.succeed(server))
        })
      })

    /** Both loopback addresses on one port; IPv6 only where the machine has it. */
    const bindLoopback = Effect.fnUntraced(function*() {
      const first = yield* bind("127.0.0.1", socket.port)
      const second = yield* bind("::1", portOf(first)).pipe(
        Effect.catch((error) => {
          if (ABSENT.has(codeOf(error.cause))) return Effect.succeed(undefined)
          first.close()
          return Effect.fail(error)
        })
      )
      return second === undefined ? [first] : [first, second]
    })

    yield* Effect.acquireRelease(
      socket.host.toLowerCase() === "localhost"
        ? Effect.retry(bindLoopback(), {
          times: 10,
          while: (error) => socket.port === 0 && error.reason === "AddressInUse"
        })
        : Effect.map(bind(socket.host, socket.port), (server) => [server]),
      (servers) => Effect.sync(() => servers.forEach((server) => server.close()))
    )
    return bound
  })

  const connect = (options: ConnectOptions, accept: Accept): Effect.Effect<Connection, TransportError> =>
    Effect.suspend(() => {
      let raw: Net.Socket | undefined
      const failed = (reason: TransportErrorReason, cause: unknown) =>
        new TransportError({ operation: "connect", target: targetOf(options), reason, cause })

      const dial = ({ address, from }: Way): Effect.Effect<Net.Socket, TransportError> =>
        Effect.callback((resume) => {
          const socket = Net.connect({
            host: address,
            port: options.port,
            noDelay: true,
            ...(from === undefined ? {} : { localAddress: from })
          })
          raw = socket
          socket.on("error", (cause) => resume(failed(reasonOf(codeOf(cause)), cause)))
          socket.once("connect", () => {
            socket.pause()
            resume(Effect.succeed(socket))
          })
        })

      const handshake = (socket: Net.Socket): Effect.Effect<Tls.TLSSocket, TransportError> =>
        Effect.callback((resume) => {
          const name = options.serverName ?? options.host
          const lenient = allowSelfSigned && options.relay !== true
          const own = options.localName === undefined ? undefined : certificates.named(options.localName)
          const stream = Tls.connect({
            socket,
            host: name,
            ...(Net.isIP(name) === 0 ? { servername: name } : {}),
            secureContext: own ?? certificates.current().first,
            rejectUnauthorized: !lenient,
            checkServerIdentity
          })
          stream.on("error", (cause) => {
            const reason = stream.authorizationError ? "Certificate" : reasonOf(codeOf(cause))
            resume(failed(reason, cause))
          })
          stream.once("close", () => resume(failed("Other", new Error("closed during the TLS handshake"))))
          stream.once("secureConnect", () => {
            stream.pause()
            // When lenient, nothing is refused yet; that one fault is let pass, and its names count for nothing.
            const fault = stream.authorized ? undefined : stream.authorizationError as unknown as string
            if (fault === undefined || fault === "DEPTH_ZERO_SELF_SIGNED_CERT") resume(Effect.succeed(stream))
            else resume(failed("Certificate", new Error(fault)))
          })
        })

      const timeout = { orElse: () => Effect.fail(failed("Timeout", undefined)) }
      /** The last way may take all the time there is. */
      const attempt = (
        way: Way,
        index: number,
        { length }: ReadonlyArray<Way>
      ): Effect.Effect<Net.Socket, TransportError> =>
        dial(way).pipe(
          index === length - 1 ? identity : Effect.timeoutOrElse({ duration: ATTEMPT, ...timeout }),
          Effect.flatMap((socket) => options.scheme === "msrps" ? handshake(socket) : Effect.succeed(socket)),
          Effect.onExit((exit) => Exit.isSuccess(exit) ? Effect.void : Effect.sync(() => raw?.destroy()))
        )
      const addresses = Net.isIP(options.host) === 0 ? resolver.addresses(options.host) : Effect.succeed([options.host])

      return addresses.pipe(
        Effect.mapError((error) => failed(reasonOf(error.code), error)),
        Effect.flatMap((found) => {
          const ways = waysTo(found, options)
          return ways.length === 0
            ? Effect.fail(failed("Forbidden", undefined))
            : Effect.firstSuccessOf(ways.map(attempt))
        }),
        Effect.timeoutOrElse({ duration: connectTimeout * 1000, ...timeout }),
        Effect.flatMap((stream: Net.Socket) => {
          const ends = endsOf(stream)
          if (stream.destroyed || ends === undefined) return Effect.fail(failed("Other", new Error("closed at once")))
          const [connection, owner] = adopt(stream, {
            ...ends,
            inbound: false,
            secure: options.scheme === "msrps",
            socket: options.from,
            peerNames: stream instanceof Tls.TLSSocket ? verifiedNames(stream) : []
          }, accept)
          run(owner)
          return Effect.succeed(connection)
        }),
        Effect.onExit((exit) => Exit.isSuccess(exit) ? Effect.void : Effect.sync(() => raw?.destroy()))
      )
    })

  return { listen, connect, identity: certificates.identity, defer }
})

/** What is to be said when a connection is gone. */
const ended = ({ failure, remote }: NodeConnection): Effect.Effect<void> =>
  failure === undefined ? Effect.void : Effect.logDebug("connection failed", { remote, code: codeOf(failure) })

/** One address to connect to, and the local one to leave from (undefined: any). */
interface Way {
  readonly address: string
  readonly from: string | undefined
}

/**
 * The ways to what may be connected to, in the order to try them (RFC 4975 §6.2). Those that the given local address
 * can be left for come first: a host which has none of that family is reached from any.
 */
const waysTo = (
  addresses: ReadonlyArray<string>,
  { admits = () => true, from }: ConnectOptions
): ReadonlyArray<Way> => {
  const local = from === undefined || from.host === "0.0.0.0" || from.host === "::" ? "" : from.host
  const family = Net.isIP(local)
  const fits = (address: string): boolean => family !== 0 && Net.isIP(address) === family
  return addresses.filter(admits)
    .toSorted((a, b) => Number(fits(b)) - Number(fits(a)))
    .map((address) => ({ address, from: fits(address) ? local : undefined }))
}

/** Longer than any handshake may take: the limit comes from the `Clock`. */
const NEVER = 0x7fff_ffff

/** Milliseconds within which an address answers that has others behind it. */
const ATTEMPT = 2000

/** An address family or address that the machine doesn't have. */
const ABSENT = new Set(["EADDRNOTAVAIL", "EAFNOSUPPORT"])

const reasons = new Map<string, TransportErrorReason>([
  ["ECONNREFUSED", "Refused"],
  ["ETIMEDOUT", "Timeout"],
  ["EHOSTUNREACH", "Unreachable"],
  ["ENETUNREACH", "Unreachable"],
  ["EHOSTDOWN", "Unreachable"],
  ["ENETDOWN", "Unreachable"],
  ["ENOTFOUND", "NameNotFound"],
  ["ENODATA", "NameNotFound"],
  ["EAI_AGAIN", "NameNotFound"],
  ["EADDRINUSE", "AddressInUse"]
])
const reasonOf = (code: string): TransportErrorReason => reasons.get(code) ?? "Other"

const targetOf = ({ scheme, host, port }: ConnectOptions | LocalSocket): string =>
  `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`

interface Ends {
  readonly local: Address
  readonly remote: Address
}

/** IPv4 addresses as such, on a socket for both families too. */
const plain = (address: string): string => address.startsWith("::ffff:") ? address.slice(7) : address

/** Both addresses of a socket; undefined when the peer has gone already. */
const endsOf = ({ localAddress, localPort, remoteAddress, remotePort }: Net.Socket): Ends | undefined =>
  localAddress === undefined || localPort === undefined || remoteAddress === undefined || remotePort === undefined
    ? undefined
    : {
      local: { host: plain(localAddress), port: localPort },
      remote: { host: plain(remoteAddress), port: remotePort }
    }

const keyOf = ({ local, remote }: Ends): string => `${local.host} ${remote.host} ${remote.port}`

const portOf = (server: Net.Server): number => (server.address() as Net.AddressInfo).port

const ignore = (): void => {}
