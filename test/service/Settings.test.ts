/** The settings as a whole. */
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { isLoopback } from "../../src/net/Hosts.ts"
import { canonicalHost } from "../../src/protocol/Uri.ts"
import { Settings, settingsTable } from "../../src/service/Settings.ts"
import { bad } from "./settings/bad.ts"
import { disk, parse, problemsOf, revealed, sockets, uriTexts, users } from "./settings/environment.ts"

describe("Settings", () => {
  describe("without configuration", () => {
    it.effect("serves the own machine, with a certificate made at start and a demo user", () =>
      Effect.gen(function*() {
        const settings = yield* parse({ PATH: "/bin", MSRP_USERS: "", MSRP_URIS: " " })
        assert.deepStrictEqual(uriTexts(settings), [
          "msrp://localhost:2855;tcp",
          "msrps://localhost:2856;tcp",
          "msrp://localhost:2857;ws",
          "msrp://127.0.0.1:2855;tcp",
          "msrp://[::1]:2855;tcp",
          "msrps://127.0.0.1:2856;tcp",
          "msrps://[::1]:2856;tcp",
          "msrp://127.0.0.1:2857;ws",
          "msrp://[::1]:2857;ws"
        ])
        assert.includeMembers(sockets(settings), ["msrp 127.0.0.1 2855", "msrps 127.0.0.1 2856", "msrp 127.0.0.1 2857"])
        for (const { host } of settings.relay.listen) assert.isTrue(isLoopback(host))
        assert.deepStrictEqual(settings.selfSigned, ["localhost", "127.0.0.1", "::1"])
        assert.strictEqual(settings.relay.plaintextAuth, "loopback")
        assert.deepStrictEqual(settings.warnings, [])
        const password = Redacted.value(settings.demo!.password)
        assert.match(password, /^[\w-]{16}$/)
        assert.deepStrictEqual(revealed(settings), [["demo", undefined, password]])
        const other = yield* parse({})
        assert.notStrictEqual(Redacted.value(other.demo!.password), password)
      }))

    it.effect("has the defaults that the table tells", () =>
      Effect.gen(function*() {
        const explicit = Object.fromEntries(
          settingsTable.flatMap(({ default: text, variable }) => text === undefined ? [] : [[variable, text]])
        )
        const settings = yield* parse(users)
        assert.deepStrictEqual(settings, yield* parse({ ...explicit, ...users }))
        const { digest, relay } = settings
        assert.strictEqual(relay.authExpires, 1800)
        assert.strictEqual(relay.sessions.hashSize, 10)
        assert.strictEqual(Duration.toSeconds(relay.sessions.cleanupInterval!), 60)
        assert.strictEqual(Duration.toSeconds(digest.nonceExpire!), 30)
        assert.deepStrictEqual(digest.algorithms, ["SHA-256", "MD5"])
        assert.strictEqual(relay.authMinExpires, undefined)
        assert.strictEqual(relay.authMaxExpires, undefined)
      }))

    it.effect("has as many more handshakes as there may be in probation, and no limit of an address on loopback", () =>
      Effect.gen(function*() {
        const { relay, transport } = yield* parse({ ...users, MSRP_MAX_CONNECTIONS_IN_PROBATION: "200" })
        assert.deepStrictEqual([relay.limits?.connectionsInProbation, transport.maxHandshakes], [200, 200])
        const addresses = ["127.0.0.1", "::1", "192.0.2.1", "10.0.0.1", "2001:db8::1"]
        assert.deepStrictEqual(addresses.filter((address) => transport.isExempt!(address)), ["127.0.0.1", "::1"])
        assert.strictEqual((yield* parse({ ...users, MSRP_TLS_HANDSHAKE_RATE: "0" })).transport.handshakeRate, Infinity)
      }))

    it.effect("keeps the demo user when only something else is set", () =>
      Effect.gen(function*() {
        assert.isDefined((yield* parse({ MSRP_LOG_LEVEL: "debug", MSRP_AUTH_EXPIRES: "60" })).demo)
      }))

    it.effect.each([
      users,
      { MSRP_SQL_URL: "sqlite:/users.db" },
      { MSRP_HTTP_URL: "http://localhost/" },
      { MSRP_EPHEMERAL_SECRET: "north-pole" },
      { MSRP_CREDENTIALS_FILE: "/users" }
    ])("has no demo user when there is %o", (env) =>
      Effect.gen(function*() {
        const demo = yield* Effect.match(parse(env), { onFailure: () => undefined, onSuccess: ({ demo }) => demo })
        assert.isUndefined(demo)
      }))

    it.effect.each([
      { MSRP_URIS: "msrp://localhost;tcp" },
      { MSRP_LISTEN: "msrp:127.0.0.1:2855" },
      { MSRP_CREDENTIALS: "memory" },
      { MSRP_CALCULATE_HA1: "0" }
    ])("wants users once there is %o", (env) =>
      Effect.gen(function*() {
        assert.deepStrictEqual(Object.keys(yield* problemsOf(env)), ["MSRP_USERS"])
      }))
  })

  describe("errors", () => {
    const names = settingsTable.map(({ variable }) => variable)
    const texts = fc.oneof(
      fc.constantFrom(...settingsTable.map(({ example }) => example), ...Object.values(bad).flat()),
      fc.string({ unit: "binary", maxLength: 60 }),
      fc.stringMatching(/^[-msrp:/[\]@;,.%0-9a-f >=*]{0,60}$/)
    )
    const environments = fc.dictionary(
      fc.oneof(
        { arbitrary: fc.constantFrom(...names), weight: 5 },
        { arbitrary: fc.string({ maxLength: 20 }).map((name) => `MSRP_${name}`), weight: 1 },
        { arbitrary: fc.string({ maxLength: 20 }), weight: 1 }
      ),
      texts,
      { maxKeys: 12 }
    )

    it.effect("any environment gives settings that fit together, or an error", () =>
      Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(environments, async (env) => {
            const result = await Effect.runPromise(Effect.result(parse(env)))
            if (Result.isFailure(result)) {
              assert.isAbove(result.failure.problems.length, 0)
              for (const { variable } of result.failure.problems) assert.isTrue(variable.startsWith("MSRP_"))
              return
            }
            const { relay, selfSigned, tls } = result.success
            const { listen, uris } = relay
            assert.isAbove(uris.length, 0)
            for (const uri of uris) assert.isTrue(uri.port! > 0 && uri.sessionId === undefined)
            assert.isAbove(listen.length, 0)
            const bound = listen.map(({ host, port }) => `${canonicalHost(host)} ${port}`)
            assert.strictEqual(new Set(bound).size, bound.length)
            if (listen.some(({ scheme }) => scheme === "msrps")) {
              assert.isTrue(tls.cert !== undefined || (selfSigned?.length ?? 0) > 0)
              assert.isTrue(tls.cert !== undefined || listen.every(({ host }) => isLoopback(host)))
            }
            assert.isAtMost(relay.authMinExpires ?? 0, relay.authExpires!)
            assert.isAtLeast(relay.authMaxExpires ?? Infinity, relay.authExpires!)
          }),
          { numRuns: 500 }
        )
      ))
  })

  describe("layer", () => {
    it.effect("reads what the ConfigProvider has", () =>
      Effect.gen(function*() {
        const { relay } = yield* Settings
        assert.strictEqual(relay.authRealm, "example.org")
      }).pipe(Effect.provide(Settings.layer.pipe(Layer.provide([
        disk,
        ConfigProvider.layer(ConfigProvider.fromEnvRecord({ MSRP_AUTH_REALM: "example.org" }))
      ])))))

    it.effect("fails with the problems", () =>
      Effect.gen(function*() {
        const provider = ConfigProvider.layer(ConfigProvider.fromEnvRecord({ MSRP_HASH_SIZE: "0", MSRP_TYPO: "1" }))
        const error = yield* Effect.flip(Layer.build(Settings.layer.pipe(Layer.provide([disk, provider]))))
        assert.deepStrictEqual(error.problems.map(({ variable }) => variable), ["MSRP_HASH_SIZE", "MSRP_TYPO"])
      }))
  })
})
