/** A client of a program that stays online, on a network and a clock of the test's own. */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Client from "../../src/Client.ts"
import { Codec } from "../../src/Codec.ts"
import { OptionsError } from "../../src/options/Options.ts"
import { TestRelay, type TestRelayOptions } from "../../src/testing/TestRelay.ts"
import { TestNetwork, Transport } from "../../src/Transport.ts"
import { scripted } from "./Scripted.ts"

const RELAY = "msrps://relay.example.com:2855;tcp"
const OPTIONS: Client.OnlineOptions = { relay: RELAY, username: "alice", password: "wonderland" }

/** An online client, and the states that it goes through. */
const start = Effect.fnUntraced(function*(options: Partial<Client.OnlineOptions> = {}) {
  const alice = yield* Client.online({ ...OPTIONS, ...options })
  const states: Array<Client.OnlineState> = []
  yield* Effect.forkScoped(Stream.runForEach(alice.changes, (state) => Effect.sync(() => states.push(state))))
  const network = yield* TestNetwork
  yield* network.settled
  return { alice, states, tags: () => states.map(({ _tag }) => _tag) }
})

const pass = (time: string) =>
  Effect.flatMap(TestNetwork, ({ settled }) => Effect.andThen(TestClock.adjust(time as "1 second"), settled))

const pathOf = (state: Client.OnlineState | undefined): ReadonlyArray<string> =>
  state?._tag === "Online" ? state.path : []

const test = <E>(
  title: string,
  body: Effect.Effect<void, E, TestRelay | TestNetwork | Transport | Codec | Scope.Scope>,
  options: TestRelayOptions = {}
): void => it.effect(title, () => body.pipe(Effect.scoped, Effect.provide(TestRelay.layer(options))))

describe("a client that stays online", () => {
  test(
    "logs in, takes messages and answers them, with a path that peers can use",
    Effect.gen(function*() {
      const { alice, states, tags } = yield* start()
      assert.deepStrictEqual(tags(), ["Connecting", "Online"])
      const { path } = yield* alice.current
      assert.deepStrictEqual(pathOf(states[1]), path)
      assert.strictEqual(path.at(-1), alice.uri)
      const bob = yield* (yield* TestRelay).login("bob")
      const sent = yield* bob.client.send({
        toPath: [...bob.grant.usePath, ...path],
        body: "Hello",
        successReport: true
      })
      assert.strictEqual((yield* sent.delivered).status, 200)
      const message = yield* alice.messages.take
      assert.strictEqual(message.body?.toString(), "Hello")
      yield* alice.reply(message, { body: "Hello yourself" })
      const answer = yield* bob.client.messages.take
      assert.strictEqual(answer.body?.toString(), "Hello yourself")
      yield* alice.send({ to: bob.path, body: "by your path" })
      assert.strictEqual((yield* bob.client.messages.take).body?.toString(), "by your path")
    })
  )

  test(
    "logs in again before its path ends, so that it always has one, and says each new one",
    Effect.gen(function*() {
      const { alice, states, tags } = yield* start({ expires: 100 })
      const { relay } = yield* TestRelay
      const began = DateTime.toEpochMillis((states[1] as { readonly expiresAt: DateTime.Utc }).expiresAt) - 100_000
      assert.strictEqual(began, 0)
      for (let round = 1; round <= 3; round++) {
        yield* pass("79 seconds")
        assert.strictEqual(states.length, 1 + round)
        yield* pass("1 second")
        assert.strictEqual(states.length, 2 + round)
        assert.strictEqual(relay.gauges().connections, 1)
        const bob = yield* (yield* TestRelay).login("bob")
        // the one before is still good, and so is the new one
        for (const path of states.slice(-2).map(pathOf)) yield* bob.client.send({ toPath: path, body: "there?" })
        yield* bob.client.close
        yield* pass("0 seconds")
      }
      assert.isTrue(tags().slice(1).every((tag) => tag === "Online"))
      assert.strictEqual(new Set(states.slice(1).map((state) => pathOf(state)[0])).size, 4)
      assert.isTrue(states.slice(1).every((state) => pathOf(state).at(-1) === alice.uri))
    })
  )

  test(
    "comes back by another path when the link is cut, and goes on with the same mailboxes and own URI",
    Effect.gen(function*() {
      const { alice, states, tags } = yield* start()
      const { cut, login } = yield* TestRelay
      const bob = yield* login("bob")
      const first = yield* alice.current
      yield* bob.client.send({ toPath: first.path, body: "before" })
      const taking = yield* Effect.forkChild(alice.messages.takeN(2))
      yield* pass("0 seconds")
      yield* cut(first.client)
      assert.deepStrictEqual(tags(), ["Connecting", "Online", "Offline"])
      const offline = states[2] as Client.OnlineState & { readonly _tag: "Offline" }
      assert.isTrue(offline.error._tag === "ClientError" && offline.error.reason === "Closed")
      const wait = DateTime.toEpochMillis(offline.retryAt)
      assert.isTrue(wait >= 500 && wait <= 1000)
      // who sends now waits
      const sending = yield* Effect.forkChild(alice.send({ to: bob.path, body: "as soon as I can" }))
      yield* pass("1 second")
      assert.deepStrictEqual(tags().slice(3), ["Connecting", "Online"])
      yield* Fiber.join(sending)
      const second = yield* alice.current
      assert.notStrictEqual(second.path[0], first.path[0])
      assert.strictEqual(second.path[1], first.path[1])
      yield* bob.client.send({ toPath: second.path, body: "after" })
      const messages = yield* Fiber.join(taking)
      assert.deepStrictEqual(messages.map(({ body }) => body?.toString()), ["before", "after"])
      assert.strictEqual((yield* bob.client.messages.take).body?.toString(), "as soon as I can")
      // what came by the other connection is answered by this one
      yield* alice.reply(messages[0]!, { body: "late" })
      assert.strictEqual((yield* bob.client.messages.take).body?.toString(), "late")
    })
  )

  test(
    "ends when the password is wrong, and says so to all who wait",
    Effect.gen(function*() {
      const { alice, tags } = yield* start({ password: Redacted.make("looking-glass") })
      assert.deepStrictEqual(tags(), ["Connecting", "Closed"])
      const error = yield* alice.closed
      assert.deepInclude(error, { reason: "Refused", status: 401 })
      assert.strictEqual(yield* Effect.flip(alice.messages.take), error)
      assert.strictEqual(yield* Effect.flip(alice.current), error)
      assert.strictEqual(yield* Effect.flip(alice.send({ to: RELAY, body: "x" })), error)
      const { relay } = yield* TestRelay
      const logins = Object.values(relay.counters.logins)
      yield* pass("10 minutes")
      assert.deepStrictEqual(Object.values(relay.counters.logins), logins)
      assert.deepStrictEqual(yield* Stream.runCollect(alice.changes), [{ _tag: "Closed", error }])
      assert.notInclude(JSON.stringify(error.message), "looking-glass")
    })
  )

  test(
    "asks for credentials before each login, again when there were none, and ends when they are not good any more",
    Effect.gen(function*() {
      let asked = 0
      const credentials = Effect.suspend(() => {
        asked++
        return asked === 1 ? Effect.fail("no token") : Effect.succeed({
          username: "alice",
          password: asked < 4 ? "wonderland" : "old"
        })
      })
      const { alice, states, tags } = yield* start(
        { credentials, expires: 1000 }
      )
      assert.deepStrictEqual(tags(), ["Connecting", "Offline"])
      assert.deepInclude((states[1] as { readonly error: unknown }).error, {
        reason: "NoCredentials",
        cause: "no token"
      })
      yield* pass("1 second")
      yield* pass("801 seconds")
      assert.deepStrictEqual([asked, tags().at(-1)], [3, "Online"])
      yield* pass("801 seconds")
      yield* pass("4 seconds")
      assert.strictEqual((yield* alice.closed).status, 401)
      yield* pass("10 minutes")
      assert.strictEqual(asked, 4)
    })
  )

  test(
    "asks for credentials again when what was to give them was interrupted, but not when it is closed itself",
    Effect.gen(function*() {
      let [asked, stopped] = [0, 0]
      const credentials = Effect.suspend(() => {
        asked++
        return asked === 1
          ? Effect.interrupt
          : Effect.never.pipe(Effect.onInterrupt(() => Effect.sync(() => stopped++)))
      })
      const scope = yield* Scope.make()
      const { states, tags } = yield* Scope.provide(start({ credentials }), scope)
      assert.deepStrictEqual(tags(), ["Connecting", "Offline"])
      assert.strictEqual((states[1] as { readonly error: Client.ClientError }).error.reason, "NoCredentials")
      yield* pass("1 second")
      yield* Scope.close(scope, Exit.void)
      yield* pass("10 minutes")
      assert.deepStrictEqual([asked, stopped], [2, 1])
    })
  )

  test(
    "is online with credentials that take longer than a relay waits for a login",
    Effect.gen(function*() {
      let asked = 0
      const credentials = Effect.suspend(() => {
        asked++
        return Effect.delay(Effect.succeed({ username: "alice", password: "wonderland" }), "40 seconds")
      })
      const { tags } = yield* start({ credentials })
      yield* pass("39 seconds")
      assert.deepStrictEqual((yield* TestNetwork).connections(), [])
      yield* pass("1 second")
      assert.deepStrictEqual([asked, tags()], [1, ["Connecting", "Online"]])
    })
  )

  test(
    "tries again less and less often, never later than said, and soon after it was online",
    Effect.gen(function*() {
      const network = yield* TestNetwork
      const retry = { atLeast: "2 seconds", atMost: "1 minute" } as const
      network.answer("relay.example.com", 2855, "Refused")
      const { alice, states, tags } = yield* start({ retry })
      yield* pass("30 minutes")
      const waits = states.flatMap((state, i) =>
        state._tag === "Offline" ? [{ state, until: DateTime.toEpochMillis(state.retryAt), i }] : []
      )
      const lengths = waits.slice(1).map(({ until }, i) => until - waits[i]!.until)
      assert.isAbove(lengths.length, 30)
      lengths.forEach((length, i) => {
        assert.isAtLeast(length, 2000)
        assert.isAtMost(length, Math.min(60_000, 2000 * 2 ** (i + 2)))
      })
      assert.isAbove(Math.max(...lengths), 30_000)
      // at random
      assert.strictEqual(new Set(lengths).size, lengths.length)
      network.answer("relay.example.com", 2855, undefined)
      yield* pass("1 minute")
      assert.strictEqual(tags().at(-1), "Online")
      // As long as it waits at most.
      yield* pass("1 minute")
      const { cut } = yield* TestRelay
      yield* cut((yield* alice.current).client)
      yield* pass("4 seconds")
      assert.strictEqual(tags().at(-1), "Online")
    }).pipe(Random.withSeed(7))
  )

  for (
    const [what, random, waits] of [
      ["at least half a second", 0, Array<number>(8).fill(500)],
      ["at most 30 seconds, by way of twice as long each time", 1, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]]
    ] as const
  ) {
    test(
      `waits ${what} if nothing else is said`,
      Effect.gen(function*() {
        const network = yield* TestNetwork
        network.answer("relay.example.com", 2855, "Refused")
        const { states } = yield* start()
        yield* pass("3 minutes")
        const until = [
          0,
          ...states.flatMap((state) => state._tag === "Offline" ? [DateTime.toEpochMillis(state.retryAt)] : [])
        ]
        const lengths = until.slice(1).map((time, i) => time - until[i]!)
        assert.deepStrictEqual(lengths.slice(0, waits.length), [...waits])
      }).pipe(Effect.provideService(Random.Random, { nextDoubleUnsafe: () => random, nextIntUnsafe: () => random }))
    )
  }

  test(
    "lets no one wait for long who sends while it is not online",
    Effect.gen(function*() {
      const network = yield* TestNetwork
      network.answer("relay.example.com", 2855, "Refused")
      const { alice } = yield* start({ waitOnline: "10 seconds" })
      const sending = yield* Effect.forkChild(Effect.flip(alice.send({ to: RELAY, body: "x" })))
      yield* pass("9 seconds")
      assert.isUndefined(sending.pollUnsafe())
      yield* pass("1 second")
      assert.strictEqual((yield* Fiber.join(sending)).reason, "Offline")
    })
  )

  test(
    "lets them wait for 30 seconds if nothing else is said",
    Effect.gen(function*() {
      const network = yield* TestNetwork
      network.answer("relay.example.com", 2855, "Refused")
      const { alice } = yield* start()
      const current = yield* Effect.forkChild(Effect.flip(alice.current))
      yield* pass("29999 millis")
      assert.isUndefined(current.pollUnsafe())
      yield* pass("1 millis")
      const { cause, reason } = yield* Fiber.join(current)
      assert.deepStrictEqual([reason, (cause as { readonly _tag: string })._tag], ["Offline", "TransportError"])
    })
  )

  test(
    "ends with its scope: connection, session, mailboxes and whoever waits",
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const alice = yield* Scope.provide(Client.online(OPTIONS), scope)
      yield* alice.current
      const { relay } = yield* TestRelay
      const network = yield* TestNetwork
      assert.deepInclude(relay.gauges(), { connections: 1, sessions: 1 })
      const taking = yield* Effect.forkChild(Effect.flip(alice.messages.take))
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      assert.strictEqual((yield* alice.state)._tag, "Closed")
      assert.strictEqual(relay.gauges().connections, 1)
      yield* network.settled
      yield* Fiber.join(closing)
      assert.deepInclude(relay.gauges(), { connections: 0, sessions: 0 })
      assert.strictEqual((yield* Fiber.join(taking)).reason, "Closed")
      assert.strictEqual((yield* alice.state)._tag, "Closed")
      assert.strictEqual((yield* Effect.flip(alice.current)).reason, "Closed")
      yield* pass("10 minutes")
      assert.strictEqual(relay.gauges().connections, 0)
    })
  )

  test(
    "ends at once in the pause before the next try",
    Effect.gen(function*() {
      const network = yield* TestNetwork
      network.answer("relay.example.com", 2855, "Refused")
      const scope = yield* Scope.make()
      const alice = yield* Scope.provide(Client.online(OPTIONS), scope)
      yield* network.settled
      assert.strictEqual((yield* alice.state)._tag, "Offline")
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* alice.closed).reason, "Closed")
      assert.deepStrictEqual((yield* Stream.runCollect(alice.changes)).map(({ _tag }) => _tag), ["Closed"])
    })
  )

  test(
    "is not read while too much waits to be taken, also on the next connection",
    Effect.gen(function*() {
      const { alice } = yield* start({ maxUnread: 5000 })
      const { cut, login } = yield* TestRelay
      const bob = yield* login("bob")
      const send = (body: string) =>
        Effect.flatMap(
          alice.current,
          ({ path }) => bob.client.send({ toPath: path, body: body.repeat(6000), failureReport: "no" })
        )
      yield* send("a")
      yield* pass("0 seconds")
      yield* send("b")
      yield* pass("0 seconds")
      yield* cut((yield* alice.current).client)
      yield* pass("1 second")
      yield* send("c")
      yield* pass("0 seconds")
      assert.strictEqual((yield* alice.messages.take).body?.toString().at(0), "a")
      assert.isTrue(Option.isNone(yield* alice.messages.poll))
      // that which was not read is lost with its connection
      assert.strictEqual((yield* alice.messages.take).body?.toString().at(0), "c")
      assert.isTrue(Option.isNone(yield* alice.messages.poll))
    })
  )

  test(
    "is a layer",
    Effect.gen(function*() {
      const alice = yield* Client.Online
      const { path } = yield* alice.current
      assert.strictEqual(path.length, 2)
    }).pipe(Effect.provide(Client.layerOnline(OPTIONS)))
  )

  test(
    "is a layer with options out of a configuration, which says what is not there, and what cannot be used",
    Effect.gen(function*() {
      const made = (settings: Readonly<Record<string, string>>) =>
        Client.layerOnlineConfig(Config.all({
          relay: Config.String("RELAY"),
          username: Config.String("NAME"),
          password: Config.Redacted("PASSWORD")
        })).pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord(settings))))
      const settings = { RELAY, NAME: "alice", PASSWORD: "wonderland" }
      const alice = Context.get(yield* Layer.build(made(settings)), Client.Online)
      assert.lengthOf((yield* alice.current).path, 2)
      const tagOf = (one: Readonly<Record<string, string>>) =>
        Effect.map(Effect.flip(Layer.build(made(one))), ({ _tag }) => _tag)
      assert.strictEqual(yield* tagOf({ RELAY, NAME: "alice" }), "ConfigError")
      assert.strictEqual(yield* tagOf({ ...settings, RELAY: "relay.example.com" }), "OptionsError")
    })
  )
})

describe("before a relay that proves nothing", () => {
  it.effect("ends: it is not told what the password would be again and again", () =>
    Effect.gen(function*() {
      const socket = { scheme: "msrp", host: "relay.example.com", port: 2855 } as const
      const relay = yield* scripted(socket)
      const alice = yield* Client.online({ ...OPTIONS, relay: "msrp://relay.example.com:2855;tcp" })
      const end = yield* relay.end
      end.answer(yield* end.frame, 401, [[
        "WWW-Authenticate",
        `Digest realm="r", nonce="n", qop="auth", algorithm=MD5`
      ]])
      end.answer(yield* end.frame, 200, [["Use-Path", RELAY], ["Expires", "100"]])
      yield* (yield* TestNetwork).settled
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual((yield* alice.closed).reason, "Unproven")
    }).pipe(Effect.scoped, Effect.provide(Layer.mergeAll(Transport.layerTest(), Codec.layer))))

  test(
    "is not online from when its connection is given up: who sends meanwhile waits for the next one",
    Effect.gen(function*() {
      const { alice } = yield* start({ expires: 100, responseTimeout: "3 seconds" })
      const { client } = yield* alice.current
      const network = yield* TestNetwork
      network.stall(client.connection)
      yield* pass("80 seconds")
      yield* pass("3 seconds")
      const next = yield* Effect.forkScoped(alice.current)
      yield* network.settled
      assert.isUndefined(next.pollUnsafe())
      yield* pass("3 seconds")
      yield* pass("1 second")
      assert.notStrictEqual((yield* Fiber.join(next)).client, client)
    })
  )

  it.effect("goes on when nothing is answered: the connection is given up, and another one made", () =>
    Effect.gen(function*() {
      const relay = yield* scripted({ scheme: "msrp", host: "relay.example.com", port: 2855 })
      yield* Client.online({ ...OPTIONS, relay: "msrp://relay.example.com:2855;tcp" })
      const network = yield* TestNetwork
      yield* relay.end
      yield* network.settled
      const [first] = network.connections()
      // not even its end gets through
      network.stall(first!)
      const gone = yield* Deferred.make<void>()
      yield* Effect.forkScoped(Effect.andThen(relay.end, Deferred.succeed(gone, undefined)))
      yield* pass("30 seconds")
      yield* pass("3 seconds")
      yield* pass("1 second")
      assert.isTrue(yield* Deferred.isDone(gone))
      assert.notInclude(network.connections(), first)
    }).pipe(Effect.scoped, Effect.provide(Layer.mergeAll(Transport.layerTest(), Codec.layer))))
})

describe("a client that ends by a defect", () => {
  test(
    "tells it to all who wait",
    Effect.gen(function*() {
      const defect = new Error("a defect of credentials")
      const { alice, states } = yield* start({ credentials: Effect.die(defect) })
      const error = yield* alice.closed
      assert.deepInclude(error, { reason: "Closed", cause: defect })
      assert.deepStrictEqual(states.at(-1), { _tag: "Closed", error })
      assert.strictEqual(yield* Effect.flip(alice.current), error)
      assert.strictEqual(yield* Effect.flip(alice.messages.take), error)
    }).pipe(Effect.provideService(References.MinimumLogLevel, "None"))
  )

  test(
    "credentials that are none are no defect: they are asked for again",
    Effect.gen(function*() {
      for (const none of [{}, undefined, null, { username: "alice", password: 5 }] as ReadonlyArray<any>) {
        const { states } = yield* Effect.scoped(start({ credentials: Effect.succeed(none) }))
        const state = states.at(-1)
        assert.isTrue(
          state?._tag === "Offline" && state.error._tag === "ClientError" && state.error.reason === "Options"
        )
      }
    })
  )
})

describe("options", () => {
  const nowhere = Layer.mergeAll(Transport.layerTest(), Codec.layer)
  it.effect("that cannot be used are all told, without what is secret", () =>
    Effect.gen(function*() {
      const wrong = {
        relay: "msrps://relay.example.com/kjhd37s2s20w2a;tcp",
        username: "",
        expires: 0.5,
        retry: { atLeast: "0 seconds" },
        waitOnline: "soon"
      } as unknown as Client.OnlineOptions
      const error = yield* Effect.flip(Effect.scoped(Client.online(wrong)))
      assert.instanceOf(error, OptionsError)
      assert.deepStrictEqual(error.problems.map(({ option }) => option), [
        "relay",
        "username",
        "expires",
        "retry.atLeast",
        "waitOnline"
      ])
      assert.notInclude(error.message, "kjhd37")
    }).pipe(Effect.provide(nowhere)))

  it.effect("that do not go together, too", () =>
    Effect.gen(function*() {
      const wrong = {
        relay: RELAY,
        username: "alice",
        retry: { atLeast: "1 minute" }
      } as unknown as Client.OnlineOptions
      const error = yield* Effect.flip(Effect.scoped(Client.online(wrong)))
      assert.deepStrictEqual(error.problems.map(({ option }) => option), ["retry.atLeast", "username"])
      const exit = yield* Effect.exit(Effect.scoped(Layer.build(Client.layerOnline(wrong))))
      assert.isTrue(Exit.isFailure(exit) && Cause.squash(exit.cause) instanceof OptionsError)
    }).pipe(Effect.provide(nowhere)))

  it.effect("of a message are told before it is online", () =>
    Effect.gen(function*() {
      const bot = yield* Client.online(OPTIONS)
      const wrong = [
        bot.send({ to: RELAY, body: "x", chunkSize: NaN }),
        bot.send({ to: undefined as unknown as string, body: "x" }),
        bot.reply({ fromPath: RELAY, toPath: RELAY } as Client.Message, { body: "x", window: 1.5 })
      ]
      for (const one of wrong) assert.strictEqual((yield* Effect.flip(one)).reason, "Options")
    }).pipe(Effect.scoped, Effect.provide(nowhere)))

  it.effect("that are undefined are those that are not given", () =>
    Effect.gen(function*() {
      const relay = yield* TestRelay
      const bob = yield* relay.login("bob")
      const absent = undefined as number | undefined
      const alice = yield* Client.online({
        ...OPTIONS,
        expires: absent,
        maxUnread: absent,
        retry: { atLeast: undefined }
      })
      const sent = yield* alice.send({ to: bob.path, fromPath: undefined, body: "x", size: absent, chunkSize: absent })
      assert.strictEqual(sent.length, 1)
      const { fromPath } = yield* bob.client.messages.take
      assert.isTrue(fromPath.endsWith(alice.uri))
    }).pipe(Effect.scoped, Effect.provide(TestRelay.layer())))
})
