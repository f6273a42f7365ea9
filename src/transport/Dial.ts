/** Outbound connections. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { identity } from "effect/Function"
import * as Net from "node:net"
import * as Tls from "node:tls"
import { exitWithin } from "../clock/TimeLimit.ts"
import { withoutRootDot } from "../net/Hosts.ts"
import type { Current } from "../options/Live.ts"
import type { ResolverShape } from "../Resolver.ts"
import { withLookUpSpan } from "../resolver/LookUpSpan.ts"
import { CertificateFault } from "./CertificateFault.ts"
import type { Certificates } from "./Certificates.ts"
import type { Accept, Connection, ConnectOptions } from "./Connection.ts"
import type { Adopt } from "./Connections.ts"
import type { DescriptorWatch } from "./DescriptorWatch.ts"
import { failure, reasonOf } from "./Failure.ts"
import type { HandshakeSizes } from "./HandshakeSizes.ts"
import { KEEP_ALIVE, keepingAlive } from "./KeepAlive.ts"
import type { KeyUpdates } from "./KeyUpdates.ts"
import { certificateOf, checkServerIdentity, MAX_CERTIFICATES, type Proven, showsMoreThan } from "./PeerCertificate.ts"
import { socketAddresses } from "./SocketAddresses.ts"
import type { TransportError, TransportErrorReason } from "./TransportError.ts"
import type { TransportShape } from "./TransportShape.ts"
import { maskingKey } from "./websocket/MaskingKeys.ts"
import { openWebSocket } from "./websocket/Opening.ts"
import { OpeningFault } from "./websocket/OpeningFault.ts"
import { WebSocketConnection } from "./websocket/WebSocketConnection.ts"

/**
 * How outbound connections are made.
 *
 * @category options
 * @since 0.2.0
 */
export interface DialOptions {
  /**
   * Whether a dialled `msrps` peer may present a self-signed certificate, as endpoints do (RFC 4975 §14.4). Never set it
   * where other relays are dialled. Default false.
   */
  readonly allowSelfSigned?: boolean | undefined
  /** Seconds within which a dialled connection must be open, TLS handshake included. Default 10. */
  readonly connectTimeout?: number | undefined
  /** Seconds without traffic after which the system asks whether the peer is still there; 0: never. Default 60. */
  readonly keepAlive?: number | undefined
}

/** The parts of a transport that dials use. */
export interface DialParts {
  readonly certificates: Certificates
  readonly resolver: ResolverShape
  readonly adopt: Adopt
  readonly proven: Proven
  readonly defer: (task: () => void) => void
  readonly keyUpdates: KeyUpdates
  readonly sizes: HandshakeSizes
  readonly watch: DescriptorWatch
}

export const makeConnect = (
  { adopt, certificates, defer, keyUpdates, proven, resolver, sizes, watch }: DialParts,
  live: Current<DialOptions>
): TransportShape["connect"] => {
  /** Milliseconds. */
  const timeLimit = (): number => (live.current.connectTimeout ?? CONNECT_TIME) * 1000

  const connect = (options: ConnectOptions, accept: Accept): Effect.Effect<Connection, TransportError> =>
    Effect.suspend(() => {
      const { keepAlive = KEEP_ALIVE } = live.current
      const secure = options.scheme === "msrps"
      const byMessages = options.transport === "ws"
      const failed = failing(options)
      const timeout = { orElse: () => Effect.fail(failed("Timeout", undefined)) }
      let raw: Net.Socket | undefined
      const destroy = Effect.sync(() => raw?.destroy())

      /** Tries one way; only the last may take all the remaining time. */
      const attempt = (
        way: Way,
        index: number,
        { length }: ReadonlyArray<Way>
      ): Effect.Effect<Net.Socket, TransportError> =>
        Effect.suspend(() => {
          const refusal = watch.refusal()
          return refusal === undefined
            ? connected(() => raw = leave(way, options, keepAlive), failed)
            : Effect.fail(failed("OutOfDescriptors", undefined))
        }).pipe(
          index === length - 1 ? identity : Effect.timeoutOrElse({ duration: ATTEMPT, ...timeout }),
          Effect.flatMap((socket) => secure ? handshake(socket, options) : Effect.succeed(socket)),
          Effect.flatMap((stream) => byMessages ? upgraded(stream, options) : Effect.succeed(stream)),
          Effect.onExit((exit) => Exit.isSuccess(exit) ? Effect.void : destroy)
        )

      const addresses = Net.isIP(options.host) === 0
        ? addressesOf(options, failed).pipe(withLookUpSpan("address", options.host))
        : Effect.succeed([options.host])
      return addresses.pipe(
        Effect.flatMap((found) => {
          const ways = waysTo(found, options)
          return ways.length === 0
            ? Effect.fail(failed("Forbidden", undefined))
            : Effect.firstSuccessOf(ways.map(attempt))
        }),
        Effect.timeoutOrElse({ duration: timeLimit(), ...timeout }),
        Effect.flatMap((stream) => {
          const ends = socketAddresses(stream)
          if (stream.destroyed || ends === undefined) return Effect.fail(failed("Other", new Error("closed at once")))
          const facts = { ...ends, inbound: false, secure, socket: options.from, ...proven(stream) }
          let messages: Connection | undefined
          const connection = adopt(
            stream,
            facts,
            byMessages
              ? (below) => new WebSocketConnection(below, (one) => accept(messages = one), { defer, key: maskingKey })
              : accept
          )
          return Effect.succeed(messages ?? connection)
        }),
        Effect.onExit((exit) => Exit.isSuccess(exit) ? Effect.void : destroy)
      )
    })

  /** A custom resolver may be one that cannot be interrupted. */
  const addressesOf = (
    { host }: ConnectOptions,
    failed: Failed
  ): Effect.Effect<ReadonlyArray<string>, TransportError> =>
    Effect.flatMap(exitWithin(resolver.addresses(host), timeLimit()), (exit) =>
      exit === undefined
        ? Effect.fail(failed("Timeout", undefined))
        : Effect.mapError(exit, (error) => failed(reasonOf(error), error)))

  const upgraded = (stream: Net.Socket, options: ConnectOptions): Effect.Effect<Net.Socket, TransportError> => {
    const { host, path = "/", port, scheme, serverName } = options
    return Effect.mapError(
      openWebSocket(stream, { host: serverName ?? host, port, secure: scheme === "msrps", path }),
      (cause) => failing(options)(cause instanceof OpeningFault ? "WebSocket" : reasonOf(cause), cause)
    )
  }

  /** Does the TLS handshake, and checks the certificate of the peer. */
  const handshake = (socket: Net.Socket, options: ConnectOptions): Effect.Effect<Tls.TLSSocket, TransportError> =>
    Effect.callback<Tls.TLSSocket, TransportError>((resume) => {
      const failed = failing(options)
      const name = options.serverName ?? options.host
      const lenient = live.current.allowSelfSigned === true && options.relay !== true
      const stream = Tls.connect({
        socket,
        host: name,
        // RFC 6066 §3: without the dot of the root.
        ...(Net.isIP(name) === 0 ? { servername: withoutRootDot(name) } : {}),
        secureContext: certificates.client(options.localName),
        // Checked below, where a certificate that is refused can be described.
        rejectUnauthorized: false,
        checkServerIdentity
      })
      stream.on("keylog", (line: Buffer) => keyUpdates.logged(line, stream))
      stream.on("session", () => keyUpdates.count(stream))
      const tooLong = new CertificateFault("is too long, with its chain", undefined, name)
      sizes.watch(socket, true, () => resume(failed("Certificate", tooLong)))
      stream.on("error", (cause) => {
        resume(failed(reasonOf(cause), cause))
      })
      stream.once("close", () => resume(failed("Other", new Error("closed during the TLS handshake"))))
      stream.once("secureConnect", () => {
        sizes.done(socket)
        keyUpdates.watch(stream, options.host)
        stream.pause()
        const error = stream.authorized ? undefined : stream.authorizationError as unknown as string
        // That fault is accepted if lenient; the names of the certificate prove nothing then.
        if (error !== undefined && !(lenient && error === "DEPTH_ZERO_SELF_SIGNED_CERT")) {
          resume(failed("Certificate", new CertificateFault(error, certificateOf(stream), name)))
        } else if (showsMoreThan(stream, MAX_CERTIFICATES)) {
          resume(failed("Certificate", tooLong))
        } else resume(Effect.succeed(stream))
      })
    }).pipe(Effect.ensuring(Effect.sync(() => sizes.done(socket))))

  return connect
}

type Failed = (reason: TransportErrorReason, cause: unknown) => TransportError

const failing = (options: ConnectOptions): Failed => (reason, cause) => failure("connect", options, reason, cause)

/** A remote address to connect to, and the local address to connect from (undefined: any). */
interface Way {
  readonly address: string
  readonly from: string | undefined
}

/**
 * The ways to the admitted addresses, in the order to try them (RFC 4975 §6.2). Addresses of the same family as the given
 * local address come first; those of the other family are connected to from any address.
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

/** Begins to connect. */
const leave = ({ address, from }: Way, { port }: ConnectOptions, keepAlive: number): Net.Socket =>
  Net.connect({
    host: address,
    port,
    noDelay: true,
    ...keepingAlive(keepAlive),
    ...(from === undefined ? {} : { localAddress: from })
  })

/** Makes a socket, and waits until it is connected; nothing is read from it yet. */
const connected = (make: () => Net.Socket, failed: Failed): Effect.Effect<Net.Socket, TransportError> =>
  Effect.callback((resume) => {
    let socket: Net.Socket
    try {
      socket = make()
    } catch (cause) {
      // Node throws if the address or the port is invalid.
      return resume(failed("Other", cause))
    }
    socket.on("error", (cause) => resume(failed(reasonOf(cause), cause)))
    socket.once("connect", () => {
      socket.pause()
      resume(Effect.succeed(socket))
    })
  })

/** Seconds: the default of `connectTimeout`. */
const CONNECT_TIME = 10

/** Milliseconds after which the next address is tried. */
const ATTEMPT = 2000
