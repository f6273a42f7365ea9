/** The service in a program of one's own: the settings of the environment, but for what the program brings itself. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Authenticator } from "../src/Authenticator.ts"
import * as Client from "../src/Client.ts"
import { Codec } from "../src/Codec.ts"
import { Credentials } from "../src/Credentials.ts"
import { Relay } from "../src/Relay.ts"
import * as Resolver from "../src/Resolver.ts"
import * as Service from "../src/Service.ts"
import { Settings, SettingsError } from "../src/service/Settings.ts"
import { SessionRepo } from "../src/SessionRepo.ts"
import { SocketSelector } from "../src/SocketSelector.ts"
import { Transport } from "../src/Transport.ts"
import { logInto } from "./support/log.ts"

const environment = (env: Readonly<Record<string, string>>) => ConfigProvider.layer(ConfigProvider.fromEnvRecord(env))

/** A relay by name on a simulated network, which nothing else needs a certificate for. */
const named = {
  MSRP_URIS: "msrps://relay.example.com:2855;tcp",
  MSRP_LISTEN: "msrps:relay.example.com:2855",
  MSRP_DRAIN_TIMEOUT: "0"
}
const URI = named.MSRP_URIS
const listener = { scheme: "msrps", host: "relay.example.com", port: 2855 } as const

const own = Layer.succeed(
  Credentials,
  Credentials.make(({ username }) =>
    Effect.succeed(
      username === "dora" ? Option.some({ _tag: "Password", password: Redacted.make("explorer") }) : Option.none()
    )
  )
)

/** Runs the service with the settings, and what it logs. */
const running = <A, E, R, E2>(
  env: Readonly<Record<string, string>>,
  brought: Layer.Layer<R, E2>,
  body: (log: ReadonlyArray<string>) => Effect.Effect<A, E, Relay | Transport | Codec | Scope.Scope>
) => {
  const log: Array<string> = []
  const logger = logInto(log)
  return Effect.scoped(
    Effect.flatMap(
      Layer.build(Service.layer.pipe(
        Layer.provideMerge(brought),
        Layer.provideMerge(Layer.merge(Transport.layerTest(), Codec.layer)),
        Layer.provide([environment({ ...named, ...env }), logger])
      )),
      (context) => Effect.provideContext(body(log), context)
    )
  )
}

const statusOf = (error: object): unknown => "status" in error ? error.status : error

const login = Effect.fnUntraced(function*(username: string, password: string) {
  const client = yield* Client.connect(listener)
  return yield* client.auth({ relay: URI, username, password })
})

describe("Service.layer", () => {
  it.effect("takes users of the program's own, and says which variables do nothing then", () =>
    running(
      { MSRP_USERS: "alice:wonderland", MSRP_AUTH_EXPIRES: "77" },
      own,
      Effect.fnUntraced(function*(log) {
        assert.strictEqual((yield* login("dora", "explorer")).expires, 77)
        assert.strictEqual(statusOf(yield* Effect.flip(login("alice", "wonderland"))), 401)
        const text = log.join("\n")
        assert.include(text, "MSRP_USERS is not used: the program brings its own Credentials")
        assert.include(text, "services=\"Codec, Credentials, Transport\"")
        assert.notInclude(text, "wonderland")
      })
    ).pipe(Effect.scoped))

  it.effect("takes an authenticator, a repository and a selector of the program's own", () => {
    const kept: Array<string> = []
    const asked: Array<string> = []
    const brought = Layer.mergeAll(
      Layer.succeed(Authenticator, {
        authenticate: ({ authorization, realm }) =>
          Effect.succeed(
            authorization === undefined
              ? { _tag: "Challenge", wwwAuthenticate: ["Bearer realm=\"x\""], failed: false, stale: false }
              : { _tag: "Granted", username: "dora", realm, authenticationInfo: "qop=auth" }
          )
      }),
      Layer.effect(
        SessionRepo,
        SessionRepo.make({
          create: ({ username }) => Effect.sync(() => void kept.push(username)),
          end: () => Effect.void,
          list: Stream.empty
        })
      ),
      Layer.succeed(SocketSelector, {
        select: ({ destination }) => Effect.as(Effect.sync(() => void asked.push(destination.host)), undefined)
      })
    )
    return running(
      { MSRP_DIGEST_ALGORITHMS: "MD5", MSRP_SOCKET_ROUTES: "dst=a.example -> none", MSRP_USERS: "alice:wonderland" },
      brought,
      Effect.fnUntraced(function*(log) {
        const client = yield* Client.connect(listener)
        const answer = yield* client.request({ method: "AUTH", toPath: URI, headers: [["Authorization", "Bearer x"]] })
        assert.strictEqual(answer.status, 200)
        assert.deepStrictEqual(kept, ["dora"])
        const usePath = answer.headers.find(([name]) => name === "Use-Path")![1]
        yield* client.request({
          method: "SEND",
          toPath: [usePath, "msrps://peer.example.com:2855/x;tcp"],
          headers: [["Message-ID", "abcdef"], ["Byte-Range", "1-0/0"]]
        }).pipe(Effect.ignore)
        assert.deepStrictEqual(asked, ["peer.example.com"])
        for (
          const [variable, name] of [
            ["MSRP_DIGEST_ALGORITHMS", "Authenticator"],
            ["MSRP_USERS", "Authenticator"],
            ["MSRP_SOCKET_ROUTES", "SocketSelector"]
          ]
        ) {
          assert.include(log.join("\n"), `${variable} is not used: the program brings its own ${name}`)
        }
      })
    ).pipe(Effect.scoped)
  })

  it.effect("takes a resolver of the program's own, which is not there by itself", () => {
    const brought = Layer.merge(own, Resolver.layerRecords({}))
    return running(
      { MSRP_DNS_SERVERS: "192.0.2.53" },
      brought,
      Effect.fnUntraced(function*(log) {
        assert.include(log.join("\n"), "MSRP_DNS_SERVERS is not used: the program brings its own Resolver")
      })
    ).pipe(
      Effect.andThen(running({}, own, (log) => Effect.sync(() => assert.notInclude(log.join("\n"), "Resolver")))),
      Effect.scoped
    )
  })

  it.effect("has the users of the environment where the program brings none", () =>
    running(
      { MSRP_USERS: "alice:wonderland" },
      Layer.empty,
      Effect.fnUntraced(function*() {
        yield* login("alice", "wonderland")
      })
    ).pipe(Effect.scoped))

  it.effect("fails with all that is wrong, with examples", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(
        running({ MSRP_URIS: "msrp:", MSRP_NONCE_EXPIRE: "-1", MSRP_UIRS: "x" }, own, () => Effect.void)
      )
      assert.instanceOf(error, SettingsError)
      for (const name of ["MSRP_URIS", "MSRP_NONCE_EXPIRE", "MSRP_UIRS: there is no such variable"]) {
        assert.include(error.message, name)
      }
      assert.include(error.message, "for example MSRP_NONCE_EXPIRE=")
    }).pipe(Effect.scoped))
})

describe("Service.config", () => {
  const env = {
    ...named,
    MSRP_LISTEN: "msrp:127.0.0.1:2855",
    MSRP_URIS: "msrp://127.0.0.1:2855;tcp",
    MSRP_AUTH_EXPIRES: "77",
    MSRP_NONCE_EXPIRE: "5",
    MSRP_USERS: "alice:wonderland",
    MSRP_DNS_SERVERS: "192.0.2.53",
    MSRP_SOCKET_ROUTES: "dst=a.example -> none"
  }
  const provider = ConfigProvider.fromEnvRecord(env)

  it.effect("has for each layer what the service has", () =>
    Effect.gen(function*() {
      const settings = yield* Effect.provide(Settings.parse(env), NodeFileSystem.layer)
      assert.deepStrictEqual(yield* Service.config.relay.parse(provider), settings.relay)
      assert.deepStrictEqual(yield* Service.config.digest.parse(provider), settings.digest)
      assert.deepStrictEqual(yield* Service.config.resolver.parse(provider), settings.resolver)
      const { pollSignal, tls } = yield* Service.config.transport.parse(provider)
      assert.deepStrictEqual(tls, settings.tls)
      assert.isTrue(pollSignal)
      const { rules, sockets } = yield* Service.config.sockets.parse(provider)
      assert.deepStrictEqual([rules.length, sockets], [1, settings.relay.listen])
      assert.deepStrictEqual((yield* Service.config.removedUsers.parse(provider)).interval, Duration.minutes(1))
    }).pipe(Effect.provide(environment({}))))

  it.effect("makes a relay with users of the program's own in a few lines, on whatever network", () =>
    Effect.gen(function*() {
      const context = yield* Layer.build(
        Relay.layerConfig(Service.config.relay).pipe(
          Layer.provide([SessionRepo.layerMemory(), SocketSelector.layerRulesConfig(Service.config.sockets)]),
          Layer.provide(Layer.provide(Authenticator.layerDigestConfig(Service.config.digest), own)),
          Layer.provideMerge([Transport.layerTest(), Codec.layer]),
          Layer.provide(environment(env))
        )
      )
      const client = yield* Effect.provideContext(
        Client.connect({ scheme: "msrp", host: "127.0.0.1", port: 2855 }),
        context
      )
      assert.strictEqual(
        (yield* client.auth({ relay: env.MSRP_URIS, username: "dora", password: "explorer" })).expires,
        77
      )
    }))

  it.effect("has the users of the environment, too", () =>
    Effect.gen(function*() {
      const { lookup } = yield* Credentials
      assert.isTrue(Option.isSome(yield* lookup({ username: "alice", realm: "x" })))
    }).pipe(Effect.provide(Credentials.layerConfig(Service.config.credentials).pipe(Layer.provide(environment(env))))))

  it.effect("is a Config: it can be nested, and changed", () =>
    Effect.gen(function*() {
      // Who has users of his own needs none in the environment.
      const { MSRP_USERS: _, ...without } = env
      yield* Service.config.relay.parse(ConfigProvider.fromEnvRecord(without))
      assert.include(
        (yield* Effect.flip(Service.config.credentials.parse(ConfigProvider.fromEnvRecord(without)))).message,
        "nobody can log in"
      )
      const nested = ConfigProvider.fromEnvRecord(
        Object.fromEntries(Object.entries(env).map(([name, value]) => [`SIDE_${name}`, value]))
      )
      assert.strictEqual((yield* Config.nested(Service.config.relay, "SIDE").parse(nested)).authExpires, 77)
      const less = Config.map(Service.config.relay, (relay) => ({ ...relay, authExpires: 5 }))
      assert.strictEqual((yield* less.parse(provider)).authExpires, 5)
    }).pipe(Effect.provide(environment({}))))

  it.effect("fails with all that is wrong, in whatever part it is", () =>
    Effect.gen(function*() {
      const bad = environment({
        ...env,
        MSRP_HASH_SIZE: "99",
        MSRP_NONCE_EXPIRE: "-1",
        MSRP_USERS: ":",
        MSRP_UIRS: "x"
      })
      const error = yield* Effect.flip(Effect.provide(Service.config.relay, bad))
      for (const name of ["MSRP_HASH_SIZE", "MSRP_NONCE_EXPIRE", "MSRP_USERS", "MSRP_UIRS"]) {
        assert.include(error.message, name)
      }
      assert.instanceOf((error.cause as { readonly cause: unknown }).cause, SettingsError)
    }))
})
