/** A relay on a simulated network, with clients of it. */
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
import { amongOthers, checkOptions } from "../options/Options.ts"
import { sockets } from "../options/Relay.ts"
import { type OptionsError, Relay, type RelayOptions } from "../Relay.ts"
import { SessionRepo } from "../SessionRepo.ts"
import { SocketSelector } from "../SocketSelector.ts"
import { type LocalSocket, TestNetwork, Transport, type TransportError } from "../Transport.ts"
import { type TestOptions, testOptions } from "../transport/testing/TestNetwork.ts"

/**
 * The relay of a test, its users and its network.
 *
 * @category options
 * @since 0.2.0
 */
export interface TestRelayOptions {
  /**
   * Options of the relay; it listens by TLS as `relay.example.com` unless they say something else. Its clean-up is one step
   * for each `cleanupInterval` (`hashSize` 0), so that time passes quickly.
   */
  readonly relay?: Partial<RelayOptions> | undefined
  /** Users and their passwords, of every realm. Default: alice with `wonderland`, bob with `builder`. */
  readonly users?: Readonly<Record<string, string>> | undefined
  /** Options of its digest authenticator. */
  readonly digest?: DigestOptions | undefined
  /** How octets travel. With a `latency` nothing arrives before the clock has moved: fork what waits for it, then `pass`. */
  readonly network?: TestOptions | undefined
}

/**
 * A client that is logged in.
 *
 * @category models
 * @since 0.2.0
 */
export interface Party {
  readonly client: Client.Client
  readonly grant: Client.Grant
  /** What others address to write to it: the relay's URI of its session, and its own. */
  readonly path: ReadonlyArray<string>
  /** What this one addresses to write to another: by the relay, which both use. */
  readonly pathTo: (other: Party) => ReadonlyArray<string>
}

const SOCKET = { scheme: "msrps", host: "relay.example.com", port: 2855 } as const
const USERS = { alice: "wonderland", bob: "builder" }

/** The layers that get the rest look at it. */
const schema = Schema.Struct({
  relay: Schema.optional(amongOthers({
    listen: Schema.optional(sockets.check(Schema.isMinLength(1, { expected: "one socket or several" })))
  })),
  users: Schema.optional(Schema.Record(Schema.String, Schema.String)),
  digest: Schema.optional(Schema.Unknown),
  network: Schema.optional(testOptions)
})

/**
 * A relay to write tests against: on a network in memory and the clock of the test, so that a day passes in a moment and
 * nothing is left to chance. `Relay`, `TestNetwork`, `Transport`, `Codec` and `SessionRepo` are there besides.
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
  /** Where clients connect, and what AUTH addresses. */
  readonly socket: LocalSocket
  readonly uri: string
  /** A new client, until the scope closes. */
  readonly connect: Effect.Effect<Client.Client, TransportError, Scope.Scope>
  /** A new client with a session of this user. `expires` in seconds, as in its AUTH. On a network with latency fork it. */
  readonly login: (
    username: string,
    options?: {
      /** Seconds asked for. */
      readonly expires?: number | undefined
      /** By default that of the option `users`. */
      readonly password?: string | undefined
    }
  ) => Effect.Effect<Party, TransportError | Client.ClientError, Scope.Scope>
  /** Lets this time pass on the test's clock, and everything happen that is to happen then. */
  readonly pass: (time: Duration.Input) => Effect.Effect<void>
  /** Cuts the link of a client: what is on its way is lost, and both sides see the end. */
  readonly cut: (client: Client.Client) => Effect.Effect<void>
}>()("msrp-relay/testing/TestRelay") {
  /**
   * What is provided to it is used: `Credentials`, `Authenticator`, `SessionRepo`, `SocketSelector`, `Resolver`, `Codec`. The
   * rest is as in `options`, and in memory: the `Transport` too, whatever is provided.
   */
  static readonly layer = (options: TestRelayOptions = {}): Layer.Layer<
    TestRelay | Relay | TestNetwork | Transport | Codec | SessionRepo,
    TransportError | OptionsError | NoCommonAlgorithm
  > => Layer.unwrap(Effect.map(checkOptions("TestRelay.layer", schema, options), () => layerOf(options)))
}

/** What is there, or else this. */
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
  // The clock stands still when the test is over: a relay that waits for a client that does not read would wait for ever.
  yield* Effect.addFinalizer(() =>
    Effect.andThen(
      Effect.sync(() => {
        for (const connection of network.connections()) network.cut(connection)
      }),
      network.settled
    )
  )
  const connect = Effect.suspend(() => Client.connect(socket)).pipe(
    // It listens there.
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
    pass: (time) => Effect.andThen(passing(time), network.settled),
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
    // Everybody on this network may be reached: it has no addresses that anybody should be kept from.
    Layer.provideMerge(Relay.layer({
      nextHops: { allow: ["0.0.0.0/0", "::/0"] },
      ...relay,
      listen,
      // A pass of the clean-up is one step: each wakes the clock, and a day would have a million and a half of them.
      sessions: { hashSize: 0, ...relay.sessions },
      limits: { drain: 0, ...relay.limits }
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
