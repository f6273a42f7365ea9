import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import { Settings } from "../../src/service/Settings.ts"
import { tellStart } from "../../src/service/StartLog.ts"
import { version } from "../../src/service/Version.ts"

/** What is logged at the start with these settings, on a system with these limits. */
const start = Effect.fnUntraced(function*(env: Record<string, string>, limits: string) {
  const lines: Array<
    { readonly level: string; readonly message: string; readonly fields: Readonly<Record<string, unknown>> }
  > = []
  const logger = Logger.make(({ fiber, logLevel, message }) => {
    lines.push({ level: logLevel, message: String(message), fields: fiber.getRef(References.CurrentLogAnnotations) })
  })
  const files = FileSystem.layerNoop({
    readFileString: (path) => Effect.succeed(path.endsWith("somaxconn") ? "4096" : limits)
  })
  yield* Effect.gen(function*() {
    yield* tellStart(yield* Settings.parse(env), [
      { scheme: "msrp", host: "127.0.0.1", port: 2855 },
      { scheme: "msrps", host: "::1", port: 2856 },
      { scheme: "msrp", transport: "ws", host: "127.0.0.1", port: 2857 }
    ])
  }).pipe(Effect.provide([files, Logger.layer([logger])]))
  return lines
})

describe("the start", () => {
  it.effect("is told in one line: versions, listeners, limits and descriptors", () =>
    Effect.gen(function*() {
      const env = { MSRP_USERS: "alice:wonderland", MSRP_MAX_CONNECTIONS: "500", MSRP_MAX_SESSIONS: "700" }
      const lines = yield* start(env, "Max open files            9000    9999    files\n")
      assert.deepStrictEqual(lines, [{
        level: "Info",
        message: "serving",
        fields: {
          version,
          node: process.versions.node,
          listeners: "msrp://127.0.0.1:2855 msrps://[::1]:2856 ws://127.0.0.1:2857",
          relays: "none (MSRP_RELAY_PEERS says which)",
          maxConnections: 500,
          maxSessions: 700,
          descriptors: "9000/9999"
        }
      }])
    }))

  it.effect("tells which other relays are admitted, and from where", () =>
    Effect.gen(function*() {
      const told = (env: Record<string, string>) =>
        Effect.map(start({ MSRP_USERS: "alice:wonderland", ...env }, ""), (lines) => lines.at(-1)!.fields["relays"])
      const peers = { MSRP_RELAY_PEERS: "relay.example.net,*.example.com" }
      assert.strictEqual(yield* told(peers), "relay.example.net, *.example.com")
      const from = { MSRP_RELAY_ADDRESSES: "192.0.2.7,2001:db8::/32" }
      assert.strictEqual(
        yield* told({ ...peers, ...from }),
        "relay.example.net, *.example.com; from 192.0.2.7, 2001:db8::/32"
      )
    }))

  it.effect("warns of settings that are most likely not meant, and of open files that are too few", () =>
    Effect.gen(function*() {
      const env = { MSRP_CREDENTIALS: "ephemeral", MSRP_EPHEMERAL_SECRET: "x".repeat(32), MSRP_CALCULATE_HA1: "yes" }
      const lines = yield* start(env, "Max open files            1024    4096    files\n")
      assert.deepStrictEqual(lines.map(({ level }) => level), ["Warn", "Warn", "Info"])
      assert.match(lines[0]!.message, /^MSRP_CALCULATE_HA1 is not used/)
      assert.match(lines[1]!.message, /^1024 files may be open at a time, and MSRP_MAX_CONNECTIONS=10000 may need \d+/)
    }))

  it.effect("tells the password of a demo user, and where the system does not tell its limits, nothing of them", () =>
    Effect.gen(function*() {
      const [serving, demo, ...more] = yield* start({ MSRP_DEMO: "off" }, "")
      assert.deepStrictEqual(more, [])
      assert.propertyVal(serving!.fields, "descriptors", "unknown")
      assert.match(demo!.message, /a demo user may log in/)
      assert.hasAllKeys(demo!.fields, ["user", "password"])
    }))

  it.effect("ends with the link of the demo page, with the demo user, and never with one that is configured", () =>
    Effect.gen(function*() {
      const [, demo, page, ...more] = yield* start({}, "")
      assert.deepStrictEqual(more, [])
      const { password } = demo!.fields as { readonly password: string }
      assert.deepStrictEqual(page!.fields, { page: `http://localhost:2857/#user=demo&password=${password}` })
      const [, configured] = yield* start({ MSRP_DEMO: "on", MSRP_USERS: "alice:wonderland" }, "")
      assert.deepStrictEqual(configured!.fields, { page: "http://localhost:2857/" })
    }))
})
