/**
 * The network of the relay. Each connection belongs to a scope, which destroys it when it closes.
 *
 * @module
 */

import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { checkEffectCopy } from "./options/EffectCopy.ts"
import type { Live } from "./options/Live.ts"
import type { OptionsError } from "./options/Options.ts"
import * as NodeTransport from "./transport/NodeTransport.ts"
import { make as makeTestNetwork, TestNetwork, type TestOptions } from "./transport/testing/TestNetwork.ts"
import type { TransportError } from "./transport/TransportError.ts"
import type { TransportShape } from "./transport/TransportShape.ts"

export type { KeyPair, TlsOptions } from "./transport/Certificates.ts"
export {
  type Accept,
  type Address,
  type CloseReason,
  type Connection,
  ConnectionFacts,
  type ConnectOptions,
  type ListenOptions,
  type LocalSocket,
  type Receiver
} from "./transport/Connection.ts"
export type { DialOptions } from "./transport/Dial.ts"
export { type Duplexes, type DuplexFacts, makeDuplexes } from "./transport/Duplex.ts"
export type { ListenerOptions, ProxyOptions, WebSocketListenOptions } from "./transport/ListenerOptions.ts"
export type { NodeOptions } from "./transport/NodeTransport.ts"
export { TestNetwork } from "./transport/testing/TestNetwork.ts"
export { TransportError, type TransportErrorReason } from "./transport/TransportError.ts"
export type {
  CertificateFacts,
  HandshakeFailure,
  ProxyHeaderFailure,
  TransportFacts,
  WebSocketRefusal
} from "./transport/TransportFacts.ts"
export type { TransportShape } from "./transport/TransportShape.ts"
export { wrapConnection, wrapReceiver, wrapTransport } from "./transport/Wrapping.ts"

/**
 * The network, as a service.
 *
 * The contract for a custom transport: `TransportShape` and `Connection` specify each function. In short:
 *
 * - Nothing throws, and no callback runs inside a call of the relay: neither `bytes`, nor `written`, nor `closed`.
 * - Octets are delivered in order, in memory that may be reused when `bytes` returns. Octets being written must not be changed
 *   before `written` is called, once for each write, in order, also if the connection is closed.
 * - `pause` takes effect at once, and loses nothing; `pending` is the number of octets not taken yet. The relay uses both for
 *   back-pressure.
 * - `closed` is called once, last. If `accept`, or a receiver, throws, only its connection is closed.
 * - A connection is destroyed with its scope: that of `listen` for inbound connections, that of the layer for dialled ones.
 * - `defer` runs tasks when all available octets have been delivered; all connections share one.
 *
 * `makeDuplexes` makes connections of any `Duplex` of Node, so that mostly only `listen` and `connect` are left to write:
 *
 * ```ts
 * const Tunnels = Layer.effect(Transport, Effect.gen(function*() {
 *   const { defer, open } = yield* makeDuplexes
 *   return {
 *     defer,
 *     identity: () => 0,
 *     listen: (socket, accept) => onTunnel((stream) => void open(stream, { inbound: true, socket }, accept)),
 *     connect: (options, accept) => Effect.map(openTunnel(options), (stream) => open(stream, { inbound: false }, accept))
 *   }
 * }))
 * ```
 *
 * `wrapTransport` makes a transport of another one, `wrapConnection` and `wrapReceiver` what it gives and takes:
 *
 * ```ts
 * let octets = 0
 * const counted = (accept: Accept): Accept => (connection) =>
 *   accept(wrapConnection(connection, {
 *     write: (bytes, written, ends) => {
 *       octets += bytes.length
 *       connection.write(bytes, written, ends)
 *     }
 *   }))
 * const Counted = Layer.effect(Transport, Effect.map(Transport, (inner) => wrapTransport(inner, counted))).pipe(
 *   Layer.provide(Transport.layerNode())
 * )
 * ```
 *
 * `transportContract` of `msrp-relay/testing` has tests of that.
 *
 * @category services
 * @since 0.1.0
 */
export class Transport extends Context.Service<Transport, TransportShape>()("msrp-relay/Transport") {
  /** TCP and TLS sockets of this machine. Fails if the certificate or key is unusable. */
  static readonly layerNode = (
    options: Live<NodeTransport.NodeOptions> = {}
  ): Layer.Layer<Transport, TransportError | OptionsError> =>
    Layer.effect(Transport, Effect.andThen(checkEffectCopy, NodeTransport.make(options)))

  /** `layerNode` with options from a configuration. */
  static readonly layerNodeConfig = (
    config: Config.Config<Live<NodeTransport.NodeOptions>>
  ): Layer.Layer<Transport, TransportError | OptionsError | Config.ConfigError> =>
    Layer.unwrap(Effect.map(config, Transport.layerNode))

  /**
   * A network in memory, on the program's `Clock` (in tests: `TestClock`), with `TestNetwork` to control it. Each call makes a
   * new network. Dies with an `OptionsError` if its options are invalid.
   */
  static readonly layerTest = (
    options: TestOptions = {}
  ): Layer.Layer<Transport | TestNetwork> =>
    Layer.effectContext(
      Effect.map(makeTestNetwork(options), (network) =>
        Context.make(TestNetwork, network).pipe(Context.add(Transport, network.node())))
    )
}
