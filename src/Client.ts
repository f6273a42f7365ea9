/**
 * An MSRP endpoint (RFC 4975) that can be the client of a relay (RFC 4976), for programs and tests. It needs only the
 * `Transport` and `Codec` services, so it runs on real sockets as well as on the simulated network.
 *
 * ```ts
 * const alice = yield* Client.connect("msrps://relay.example.com:2855;tcp")
 * const grant = yield* alice.auth({ relay: "msrps://relay.example.com:2855;tcp", username: "alice", password })
 * // ... send Client.peerPath(grant, alice.uri) to the peer, and get the peer's path
 * yield* alice.send({ toPath: [...grant.usePath, ...peersPath], body: "Hello" })
 * const message = yield* alice.messages.take
 * ```
 *
 * `Client.connect` makes a single connection. `Client.online` logs in too, and connects again when the connection is lost.
 *
 * @module
 */

import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import type { Grant } from "./client/Auth.ts"
import { connectByUri } from "./client/ByUri.ts"
import { checked } from "./client/CheckedClient.ts"
import * as Endpoint from "./client/Endpoint.ts"
import { guardedConnect } from "./client/GuardedOptions.ts"
import * as Staying from "./client/Online.ts"
import { relayOptions } from "./client/OnlineOptions.ts"
import { checkConnect } from "./client/OptionChecks.ts"
import type { ConnectOptions, OnlineOptions, RelayOptions } from "./client/Options.ts"
import type { Codec } from "./Codec.ts"
import type { OptionsError } from "./options/Options.ts"
import type { MsrpUri } from "./protocol/Uri.ts"
import type { ResolverError } from "./Resolver.ts"
import type { Transport, TransportError } from "./Transport.ts"

export type { Grant, UsedNonce } from "./client/Auth.ts"
export { ClientError, type ClientErrorReason } from "./client/ClientError.ts"
export type { Collect } from "./client/Collect.ts"
export type { Client } from "./client/Endpoint.ts"
export type { ByteRange, Frame } from "./client/Frame.ts"
export type { Message } from "./client/Inbox.ts"
export type { Incoming } from "./client/Incoming.ts"
export type { Mailbox } from "./client/Mailbox.ts"
export { Online, type OnlineShape } from "./client/Online.ts"
export type { OnlineError, OnlineState } from "./client/OnlineState.ts"
export type { Current } from "./client/OnlineStatus.ts"
export type {
  AuthOptions,
  ClientOptions,
  ConnectOptions,
  Credentials,
  OnlineOptions,
  OnlineSendOptions,
  RelayOptions,
  RequestOptions,
  SendOptions
} from "./client/Options.ts"
export type { Progress } from "./client/OutgoingMessage.ts"
export type { Path } from "./client/Path.ts"
export type { Report } from "./client/Report.ts"
export type { Sent } from "./client/Sent.ts"
export { type ContentDisposition, formatDisposition, parseDisposition } from "./protocol/ContentDisposition.ts"
export type { Challenge } from "./protocol/digest/Challenge.ts"

/**
 * Connects to a host and port, or to the relay of a URI. A relay without a port is found by SRV (RFC 4976 §8), with the
 * `Resolver`. The connection ends with the scope.
 *
 * @category constructors
 * @since 0.1.0
 */
export const connect: {
  (
    options: ConnectOptions
  ): Effect.Effect<Endpoint.Client, TransportError | OptionsError, Transport | Codec | Scope.Scope>
  (
    relay: string | MsrpUri | RelayOptions
  ): Effect.Effect<
    Endpoint.Client,
    TransportError | ResolverError | OptionsError,
    Transport | Codec | Scope.Scope
  >
} = (
  given: ConnectOptions | string | MsrpUri | RelayOptions
): Effect.Effect<Endpoint.Client, any, Transport | Codec | Scope.Scope> => {
  // `RelayOptions` and `ConnectOptions` both have `relay`, and a URI has a host too: `text` tells URIs apart.
  if (Predicate.hasProperty(given, "host") && !("text" in given)) {
    const connected = Effect.flatMap(guardedConnect(given), (options) => Endpoint.connect(options))
    return Effect.andThen(checkConnect(given), Effect.map(connected, checked))
  }
  const options = typeof given === "string" || Predicate.hasProperty(given, "text") ? { relay: given } : given
  return Effect.flatMap(relayOptions("Client.connect", options), (uri) => connectByUri(uri, options))
}

/**
 * Logs in at a relay and stays online: it logs in again before the path expires, and connects again when the connection is lost,
 * after pauses that become longer. It ends when the scope closes, or when the relay refuses the user (401 or 403). `closed` gives
 * the reason, and operations that wait fail with it.
 *
 * ```ts
 * const bot = yield* Client.online({ relay: "msrps://relay.example.com;tcp", username: "bot", password })
 * const { path } = yield* bot.current
 * // ... send it to peers; `bot.changes` has each new one
 * const message = yield* bot.messages.take
 * yield* bot.reply(message, { body: "Hello" })
 * ```
 *
 * @category constructors
 * @since 0.2.0
 */
export const online: (
  options: OnlineOptions
) => Effect.Effect<Staying.OnlineShape, OptionsError, Transport | Codec | Scope.Scope> = Staying.online

/**
 * A client that stays online, as the service `Client.Online`.
 *
 * @category layers
 * @since 0.2.0
 */
export const layerOnline = (options: OnlineOptions): Layer.Layer<Staying.Online, OptionsError, Transport | Codec> =>
  Layer.effect(Staying.Online, Staying.online(options))

/**
 * A client that stays online, as the service `Client.Online`, with options from a configuration.
 *
 * @category layers
 * @since 0.2.0
 */
export const layerOnlineConfig = (
  config: Config.Config<OnlineOptions>
): Layer.Layer<Staying.Online, OptionsError | Config.ConfigError, Transport | Codec> =>
  Layer.unwrap(Effect.map(config, layerOnline))

/**
 * The path by which peers reach a client, for its SDP and the To-Path of their requests: Use-Path in reverse order, and then the
 * client's own URI (RFC 4976 §5.1).
 *
 * @category constructors
 * @since 0.1.0
 */
export const peerPath = (grant: Grant, uri: string): ReadonlyArray<string> => [
  ...grant.usePath.map(({ text }) => text).toReversed(),
  uri
]
