/**
 * How the relay reaches the network. A fiber owns each connection and destroys it when the scope which it belongs to
 * closes.
 *
 * @module
 */

import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Live } from "./options/Live.ts"
import { oneEffect } from "./options/OneEffect.ts"
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

/**
 * The network, as a service.
 *
 * The contract, for a transport of one's own: `TransportShape` and `Connection` say what each call does and may not do. In
 * short:
 *
 * - Nothing throws, and nothing that the relay is told comes from inside a call of its own: neither octets, nor that a write is
 *   done, nor the close.
 * - Octets come in order, in memory that may be used again when `bytes` returns. What is written must not be touched before
 *   `written` is called, once for each write, in order, also when the connection is gone.
 * - `pause` is at once, and loses nothing; `pending` tells how much is not taken yet: by both the relay holds senders back.
 * - `closed` comes once, last.
 * - A connection is destroyed with its scope: that of `listen` for those that come in, that of the layer for those dialled.
 * - `defer` runs tasks when the octets at hand have been delivered: one for all connections.
 *
 * `makeDuplexes` makes connections of whatever is a `Duplex` of Node's, so that mostly only `listen` and `connect` are left:
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
 * `transportContract` of `msrp-relay/testing` has tests of that.
 *
 * @category services
 * @since 0.1.0
 */
export class Transport extends Context.Service<Transport, TransportShape>()("msrp-relay/Transport") {
  /** TCP and TLS sockets of this machine. Fails when the certificate or key is unusable. */
  static readonly layerNode = (
    options: Live<NodeTransport.NodeOptions> = {}
  ): Layer.Layer<Transport, TransportError | OptionsError> =>
    Layer.effect(Transport, Effect.andThen(oneEffect, NodeTransport.make(options)))

  /** The same with options out of a configuration. */
  static readonly layerNodeConfig = (
    config: Config.Config<Live<NodeTransport.NodeOptions>>
  ): Layer.Layer<Transport, TransportError | OptionsError | Config.ConfigError> =>
    Layer.unwrap(Effect.map(config, Transport.layerNode))

  /**
   * A network in memory, on the program's `Clock` (in tests: `TestClock`), with `TestNetwork` to control it. Every call
   * makes another network. Dies with an `OptionsError` if its options cannot be used.
   */
  static readonly layerTest = (
    options: TestOptions = {}
  ): Layer.Layer<Transport | TestNetwork> =>
    Layer.effectContext(
      Effect.map(makeTestNetwork(options), (network) =>
        Context.make(TestNetwork, network).pipe(Context.add(Transport, network.node())))
    )
}
