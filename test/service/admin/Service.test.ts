/** The admin API of the service: its settings without secrets, and the sessions of the relay that it runs in. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Client from "../../../src/Client.ts"
import { Codec } from "../../../src/Codec.ts"
import { Metrics } from "../../../src/Metrics.ts"
import { SLAB } from "../../../src/relay/Slabs.ts"
import { settingsInForce } from "../../../src/service/admin/Config.ts"
import { layer } from "../../../src/service/admin/Service.ts"
import { makeLive } from "../../../src/service/LiveSettings.ts"
import { Reload } from "../../../src/service/Reload.ts"
import { liveRelay } from "../../../src/service/Service.ts"
import { Settings, settingsTable } from "../../../src/service/Settings.ts"
import { secretVariables } from "../../../src/service/settings/SecretFiles.ts"
import { type Variables, variables } from "../../../src/service/settings/Table.ts"
import { Transport } from "../../../src/Transport.ts"
import { request } from "../../support/http.ts"

it("settings are told as they are in force, and no secret", () => {
  const secret = "north-pole"
  const keyOf = (name: string) =>
    (Object.keys(variables) as Array<keyof Variables>).find((key) => variables[key].variable === name)!
  const told = settingsInForce(
    new Map([
      ...[...secretVariables].map((name) => [keyOf(name), secret] as const),
      [keyOf("MSRP_LOG_LEVEL"), "debug"] as const
    ])
  )
  assert.deepStrictEqual(told.map(({ name }) => name), settingsTable.map(({ variable }) => variable))
  assert.notInclude(JSON.stringify(told), secret)
  const of = (name: string) => told.find((one) => one.name === name)
  assert.deepStrictEqual(of("MSRP_LOG_LEVEL"), { name: "MSRP_LOG_LEVEL", value: "debug", set: true, secret: false })
  assert.deepStrictEqual(of("MSRP_LOG_FORMAT"), {
    name: "MSRP_LOG_FORMAT",
    value: "pretty",
    set: false,
    secret: false
  })
  assert.deepStrictEqual(of("MSRP_LISTEN"), { name: "MSRP_LISTEN", set: false, secret: false })
  assert.deepStrictEqual(of("MSRP_USERS"), { name: "MSRP_USERS", set: true, secret: true })
})

it("what sounds like a secret is one, or the path of a file", () => {
  for (const { variable } of settingsTable) {
    if (!/SECRET|TOKEN|PASSWORD|USERS$|_URL$|_KEY$/.test(variable)) continue
    // Paths, names of columns, and names of users.
    if (/_FILE$|_COLUMN$|^MSRP_TLS_KEY$|^MSRP_HEP_USERS$/.test(variable)) continue
    assert.isTrue(secretVariables.has(variable), variable)
  }
})

it.effect("sessions of the relay are seen, and ended; the answer to a reload has its warnings", () =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = `${yield* fs.makeTempDirectoryScoped()}/admin.sock`
    const port = yield* Effect.scoped(Effect.gen(function*() {
      const transport = yield* Transport
      const receiver = { bytes: () => {}, closed: () => {} }
      return (yield* transport.listen({ scheme: "msrp", host: "127.0.0.1", port: 0 }, () => receiver)).port
    }))
    const uri = `msrp://127.0.0.1:${port};tcp`
    const env = {
      MSRP_URIS: uri,
      MSRP_USERS: "alice:wonderland",
      MSRP_ADMIN: path,
      MSRP_DRAIN_TIMEOUT: "0",
      MSRP_MAX_SESSIONS: "1"
    }
    const users = "alice:wonderland,bob@elsewhere.example:builder"
    const settings = yield* Settings.parse(env)
    const live = yield* makeLive(settings)
    yield* Layer.build(
      layer(live, settings.admin!).pipe(
        Layer.provide([Reload.layer(live), Metrics.layer]),
        Layer.provide(liveRelay(live)),
        Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord({ ...env, MSRP_USERS: users })))
      )
    )
    const client = yield* Client.connect({ scheme: "msrp", host: "127.0.0.1", port })
    yield* client.auth({ relay: uri, username: "alice", password: "wonderland" })
    const { items, total } = (yield* request(path, "/sessions")).json
    assert.deepStrictEqual([total, items[0].user, items[0].realm], [1, "alice", "127.0.0.1"])
    const overview = (yield* request(path, "/overview")).json
    assert.strictEqual(overview.sessions, 1)
    assert.deepInclude(overview.memory, { output: SLAB, freeBlocks: 0 })
    const notReady = ["there is 1 session, which is the limit"]
    assert.deepStrictEqual(overview.notReady, notReady)
    assert.deepStrictEqual((yield* request(path, "/status")).json.snapshot.notReady, notReady)
    assert.strictEqual((yield* request(path, "/connections")).json.total, 1)
    const label = `/sessions/${items[0].session}`
    assert.strictEqual((yield* request(path, label, { method: "DELETE" })).status, 200)
    assert.strictEqual((yield* request(path, "/sessions")).json.total, 0)
    assert.strictEqual((yield* request(path, "/readyz")).status, 200)
    const { changed, warnings } = (yield* request(path, "/reload", { method: "POST" })).json
    assert.deepStrictEqual(changed, ["MSRP_USERS"])
    assert.match(warnings.join("\n"), /^MSRP_USERS has in entry 2 a realm that no client is asked for/m)
  }).pipe(Effect.provide([Transport.layerNode(), Codec.layer, NodeFileSystem.layer])))
