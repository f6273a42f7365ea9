/** A relay on a simulated network, and clients for it. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { Authenticator, type DigestOptions, type NoCommonAlgorithm } from "../Authenticator.ts"
import * as Client from "../Client.ts"
import { Codec } from "../Codec.ts"
import { Credentials, passwordUser } from "../Credentials.ts"
import { defined } from "../options/Defined.ts"
import { amongOthers, checkOptions } from "../options/Options.ts"
import { listen as listenSchema } from "../options/RelayOptions.ts"
import { type OptionsError, Relay, type RelayOptions } from "../Relay.ts"
import { SessionRepo } from "../SessionRepo.ts"
import { SocketSelector } from "../SocketSelector.ts"
import { type LocalSocket, TestNetwork, Transport, type TransportError } from "../Transport.ts"
import { type TestOptions, testOptions } from "../transport/testing/TestNetwork.ts"

/**
 * Options of `TestRelay.layer`: the relay, its users and the network.
 *
 * @category options
 * @since 0.2.0
 */
export interface TestRelayOptions {
  /**
   * Options of the relay, which by default listens with TLS as `relay.example.com`. By default each clean-up is a single step
   * per `cleanupInterval` (`hashSize` 0), so that simulated time passes quickly.
   */
  readonly relay?: { readonly [Option in keyof RelayOptions]?: RelayOptions[Option] | undefined } | undefined
  /** Passwords by user name, valid in every realm. Default: alice with `wonderland`, bob with `builder`. */
  readonly users?: Readonly<Record<string, string>> | undefined
  /** Options of the digest authenticator. */
  readonly digest?: DigestOptions | undefined
  /** Options of the network. With a `latency`, octets arrive only when the clock moves: fork what waits for them, then `pass`. */
  readonly network?: TestOptions | undefined
}

/**
 * A client with a session.
 *
 * @category models
 * @since 0.2.0
 */
export interface Party {
  readonly client: Client.Client
  readonly grant: Client.Grant
  /** The path by which others send to this client: the session URI at the relay, and the URI of the client. */
  readonly path: ReadonlyArray<string>
  /** The path by which this client sends to another, through the relay that both use. */
  readonly pathTo: (other: Party) => ReadonlyArray<string>
}

const SOCKET = { scheme: "msrps", host: "relay.example.com", port: 2855 } as const
const USERS = { alice: "wonderland", bob: "builder" }

/** Checks the shape only: the layers that get the other options check their values. */
const schema = Schema.Struct({
  relay: Schema.optional(amongOthers({
    listen: Schema.optional(listenSchema)
  })),
  users: Schema.optional(Schema.Record(Schema.String, Schema.String)),
  digest: Schema.optional(Schema.Unknown),
  network: Schema.optional(testOptions)
})

/**
 * A relay for tests, on a network in memory and on the clock of the test, so that a day passes in a moment and runs are
 * repeatable. The layer also provides `Relay`, `TestNetwork`, `Transport`, `Codec` and `SessionRepo`.
 *
 * ```ts
 * it.effect("a session ends", () =>
 *   Effect.gen(function*() {
 *     const relay = yield* TestRelay
 *     const alice = yield* relay.login("alice")
 *     ...
 *   }).pipe(Effect.provide(TestRelay.layer())))
 * ```
 *
 * @category models
 * @since 0.2.0
 */
export class TestRelay extends Context.Service<TestRelay, {
  readonly relay: Relay["Service"]
  readonly network: TestNetwork["Service"]
  /** The socket that clients connect to, and the URI that AUTH addresses. */
  readonly socket: LocalSocket
  readonly uri: string
  /** Connects a new client, until the scope closes. */
  readonly connect: Effect.Effect<Client.Client, TransportError, Scope.Scope>
  /** Connects a new client and gets it a session of this user. On a network with latency it must be forked. */
  readonly login: (
    username: string,
    options?: {
      /** Duration of the session that the AUTH asks for, in seconds. */
      readonly expires?: number | undefined
      /** The password; by default that of the user in the option `users`. */
      readonly password?: string | undefined
    }
  ) => Effect.Effect<Party, TransportError | Client.ClientError, Scope.Scope>
  /** Runs everything that waits, then advances the clock of the test by this time, and runs what is due by then. */
  readonly pass: (time: Duration.Input) => Effect.Effect<void>
  /** Cuts the connection of a client: octets in flight are lost, and both sides see the close. */
  readonly cut: (client: Client.Client) => Effect.Effect<void>
}>()("msrp-relay/testing/TestRelay") {
  /**
   * Uses these services if they are provided: `Credentials`, `Authenticator`, `SessionRepo`, `SocketSelector`, `Resolver`,
   * `Codec`. All others come from `options` and are in memory; a `Transport` that is provided is not used.
   */
  static readonly layer = (options: TestRelayOptions = {}): Layer.Layer<
    TestRelay | Relay | TestNetwork | Transport | Codec | SessionRepo,
    TransportError | OptionsError | NoCommonAlgorithm
  > => Layer.unwrap(Effect.map(checkOptions("TestRelay.layer", schema, options), () => layerOf(options)))
}

/** A service that is provided, or else the given layer. */
const given = <I, S, E>(key: Context.Key<I, S>, other: Layer.Layer<I, E>): Layer.Layer<I, E> =>
  Layer.unwrap(Effect.map(
    Effect.context(),
    (context): Layer.Layer<I, E> =>
      Option.match(Context.getOption(context, key), {
        onNone: () => other,
        onSome: (service) => Layer.succeed(key, service)
      })
  ))

const passing = (time: Duration.Input): Effect.Effect<void> =>
  Effect.flatMap(Clock.Clock, (clock) =>
    "adjust" in clock
      ? TestClock.adjust(time)
      : Effect.die(new Error("TestRelay.pass needs a TestClock: it.effect brings one, as does TestClock.layer()")))

const make = Effect.fnUntraced(function*(users: Readonly<Record<string, string>>) {
  const relay = yield* Relay
  const network = yield* TestNetwork
  const services = Context.make(Transport, yield* Transport).pipe(Context.add(Codec, yield* Codec))
  const socket = relay.sockets[0]!
  const uri = relay.uris[0]!.text
  // The clock no longer advances when the test is over, so the relay would wait for ever for a client that does not read.
  yield* Effect.addFinalizer(() =>
    Effect.andThen(
      Effect.sync(() => {
        for (const connection of network.connections()) network.cut(connection)
      }),
      network.settled
    )
  )
  const connect = Effect.suspend(() => Client.connect(socket)).pipe(
    // The socket is valid, because the relay listens on it.
    Effect.catchTag("OptionsError", Effect.die),
    Effect.provideContext(services)
  )
  return TestRelay.of({
    relay,
    network,
    socket,
    uri,
    connect,
    login: Effect.fnUntraced(function*(username, { expires, password = users[username] } = {}) {
      if (password === undefined) {
        return yield* Effect.die(new Error(`TestRelay has no password of ${username}: give it in users, or to login`))
      }
      const client = yield* connect
      const grant = yield* client.auth({
        relay: uri,
        username,
        password,
        ...(expires === undefined ? {} : { expires })
      })
      return {
        client,
        grant,
        path: Client.peerPath(grant, client.uri),
        pathTo: (other) => [...grant.usePath.map(({ text }) => text), ...other.path]
      }
    }),
    // What was forked before must not find that its time limit is over already.
    pass: (time) => network.settled.pipe(Effect.andThen(passing(time)), Effect.andThen(network.settled)),
    cut: ({ connection }) => Effect.andThen(Effect.sync(() => network.cut(connection)), network.settled)
  })
})

const layerOf = (options: TestRelayOptions) => {
  const { digest = {}, relay = {}, users = USERS } = options
  const listen = relay.listen ?? [SOCKET]
  const credentials = given(
    Credentials,
    Credentials.layerMemory(Object.entries(users).map(([name, word]) => passwordUser(name, Redacted.make(word))))
  )
  return Layer.effect(TestRelay, make(users)).pipe(
    // All addresses may be dialled: a network in memory has none that need protection.
    Layer.provideMerge(Relay.layer({
      nextHops: { allow: ["0.0.0.0/0", "::/0"] },
      ...defined(relay),
      listen,
      // One step per pass of the clean-up: each step wakes the clock, and a day would otherwise take a million and a half.
      sessions: { hashSize: 0, ...defined(relay.sessions) },
      limits: { drain: 0, ...defined(relay.limits) }
    })),
    Layer.provide([
      given(SocketSelector, SocketSelector.layerDefault(listen)),
      given(Authenticator, Authenticator.layerDigest(digest).pipe(Layer.provide(credentials)))
    ]),
    Layer.provideMerge([
      Transport.layerTest(options.network ?? {}),
      given(Codec, Codec.layer),
      given(SessionRepo, SessionRepo.layerMemory())
    ])
  )
}
