/** What the environment says is what the relay does: each parameter from its variable to the wire. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { afterAll, assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { createHash } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { DatabaseSync } from "node:sqlite"
import * as Client from "../../src/Client.ts"
import { Codec } from "../../src/Codec.ts"
import { answerChallenge } from "../../src/protocol/digest/Answer.ts"
import { strongestChallenge } from "../../src/protocol/digest/Challenge.ts"
import { Relay } from "../../src/Relay.ts"
import { relay } from "../../src/service/Service.ts"
import { Settings } from "../../src/service/Settings.ts"
import { type Connection, Transport } from "../../src/Transport.ts"
import { until } from "../support/harness.ts"

/** A port that is free now. */
const freePort = Effect.scoped(Effect.gen(function*() {
  const transport = yield* Transport
  const receiver = { bytes: () => {}, closed: () => {} }
  return (yield* transport.listen({ scheme: "msrp", host: "127.0.0.1", port: 0 }, () => receiver)).port
}))

const service = (
  title: string,
  env: (port: number) => Record<string, string>,
  body: (
    world: {
      readonly client: Client.Client
      readonly uri: string
      readonly relay: Relay["Service"]
      readonly port: number
    }
  ) => Effect.Effect<
    void,
    unknown,
    Scope.Scope | Transport | Codec
  >
): void =>
  it.effect(title, () =>
    Effect.gen(function*() {
      const port = yield* freePort
      const settings = yield* Settings.parse({
        // The clock stands still, so nobody waits for sessions to end by themselves.
        MSRP_DRAIN_TIMEOUT: "0",
        MSRP_URIS: `msrp://127.0.0.1:${port};tcp`,
        MSRP_USERS: "alice:wonderland",
        ...env(port)
      })
      const running = yield* Layer.build(relay(settings))
      const client = yield* Client.connect({ scheme: "msrp", host: "127.0.0.1", port })
      yield* Effect.flatMap(Relay, (relay) => body({ client, relay, port, uri: `msrp://127.0.0.1:${port};tcp` })).pipe(
        Effect.provide(running)
      )
    }).pipe(Effect.provide([Transport.layerNode(), Codec.layer, NodeFileSystem.layer])))

const alice = { username: "alice", password: "wonderland" }
const refusal = <A, R>(effect: Effect.Effect<A, { readonly status?: number | undefined }, R>) =>
  Effect.map(Effect.flip(effect), ({ status }) => status)

service("MSRP_URIS: only they are the relay's own", () => ({}), ({ client, uri }) =>
  Effect.gen(function*() {
    const grant = yield* client.auth({ relay: uri, ...alice })
    assert.isTrue(grant.usePath[0]!.text.startsWith(uri.replace(";tcp", "/")))
    yield* Effect.flip(client.auth({ relay: "msrp://127.0.0.1:9;tcp", ...alice }))
    yield* client.closed
  }))

service("MSRP_AUTH_REALM", () => ({ MSRP_AUTH_REALM: "wonder.example" }), ({ client, uri }) =>
  Effect.gen(function*() {
    const challenge = yield* client.request({ method: "AUTH", toPath: uri })
    assert.include(JSON.stringify(challenge.headers), "wonder.example")
  }))

service("MSRP_AUTH_EXPIRES", () => ({ MSRP_AUTH_EXPIRES: "77" }), ({ client, uri }) =>
  Effect.gen(function*() {
    assert.strictEqual((yield* client.auth({ relay: uri, ...alice })).expires, 77)
  }))

service(
  "MSRP_AUTH_MIN_EXPIRES and MSRP_AUTH_MAX_EXPIRES",
  () => ({ MSRP_AUTH_MIN_EXPIRES: "100", MSRP_AUTH_MAX_EXPIRES: "200", MSRP_AUTH_EXPIRES: "150" }),
  ({ client, uri }) =>
    Effect.gen(function*() {
      const ask = (expires: number) => client.auth({ relay: uri, ...alice, expires })
      assert.strictEqual(yield* refusal(ask(99)), 423)
      assert.strictEqual(yield* refusal(ask(201)), 423)
      assert.strictEqual((yield* ask(100)).expires, 100)
      assert.strictEqual((yield* ask(200)).expires, 200)
    })
)

service("MSRP_NONCE_EXPIRE", () => ({ MSRP_NONCE_EXPIRE: "5" }), ({ client, uri }) =>
  Effect.gen(function*() {
    for (const [millis, status] of [[4999, 200], [5000, 401]] as const) {
      const challenge = yield* client.request({ method: "AUTH", toPath: uri })
      const values = challenge.headers.filter(([name]) => name === "WWW-Authenticate").map(([, value]) => value)
      yield* TestClock.adjust(millis)
      const authorization = answerChallenge(strongestChallenge(values)!, { ...alice, uri, nc: 1, cnonce: "abcdef" })!
      const answer = yield* client.request({ method: "AUTH", toPath: uri, headers: [["Authorization", authorization]] })
      assert.strictEqual(answer.status, status)
    }
  }))

service(
  "MSRP_CALCULATE_HA1: the stored value is an H(A1)",
  () => ({
    MSRP_CALCULATE_HA1: "0",
    MSRP_USERS: `alice@127.0.0.1:${createHash("md5").update("alice:127.0.0.1:wonderland").digest("hex")}`
  }),
  ({ client, uri }) =>
    Effect.gen(function*() {
      yield* client.auth({ relay: uri, ...alice })
      assert.strictEqual(yield* refusal(client.auth({ relay: uri, username: "alice", password: "wrong" })), 401)
    })
)

const directory = mkdtempSync(`${tmpdir()}/msrp-`)
afterAll(() => rmSync(directory, { recursive: true }))

const usersFile = `${directory}/users`
const database = `${directory}/users.db`

service(
  "MSRP_CREDENTIALS, MSRP_USE_PATH: two domains on one relay, each with users and a name for it of its own",
  (port) => {
    writeFileSync(usersFile, "bob:other.example:builder\n")
    return {
      MSRP_URIS: `msrp://127.0.0.1:${port};tcp,msrp://other.example:${port};tcp`,
      MSRP_LISTEN: `msrp:127.0.0.1:${port}`,
      MSRP_CREDENTIALS: "memory,other.example=file",
      MSRP_CREDENTIALS_FILE: usersFile,
      MSRP_CALCULATE_HA1: "1",
      MSRP_USE_PATH: `other.example=msrp://one.other.example:${port};tcp`
    }
  },
  ({ client, port, uri }) =>
    Effect.gen(function*() {
      const other = `msrp://other.example:${port};tcp`
      const bob = { username: "bob", password: "builder" }
      const hostOf = (relay: string, user: typeof alice) =>
        Effect.map(client.auth({ relay, ...user }), ({ usePath }) => usePath[0]!.host)
      assert.strictEqual(yield* hostOf(uri, alice), "127.0.0.1")
      assert.strictEqual(yield* hostOf(other, bob), "one.other.example")
      assert.strictEqual(yield* refusal(client.auth({ relay: uri, ...bob })), 401)
      assert.strictEqual(yield* refusal(client.auth({ relay: other, ...alice })), 401)
    })
)

/** Users who can be taken away, and how. */
const stores: ReadonlyArray<readonly [string, Record<string, string>, () => void, () => void]> = [
  [
    "a file",
    { MSRP_CREDENTIALS_FILE: usersFile },
    () => writeFileSync(usersFile, "alice:127.0.0.1:wonderland\nbob:127.0.0.1:builder\n"),
    () => writeFileSync(usersFile, "bob:127.0.0.1:builder\n")
  ],
  [
    "a table that is remembered",
    { MSRP_SQL_URL: `sqlite:${database}`, MSRP_CREDENTIALS_CACHE: "1 hour" },
    () => {
      const users = new DatabaseSync(database)
      users.exec("CREATE TABLE subscriber (username TEXT, domain TEXT, password TEXT)")
      users.exec("INSERT INTO subscriber VALUES ('alice', '127.0.0.1', 'wonderland'), ('bob', '127.0.0.1', 'builder')")
      users.close()
    },
    () => {
      const users = new DatabaseSync(database)
      users.exec("DELETE FROM subscriber WHERE username = 'alice'")
      users.close()
    }
  ]
]

for (const [store, env, fill, remove] of stores) {
  service(
    `MSRP_CREDENTIALS_CHECK: who was taken away from ${store} loses his sessions`,
    () => {
      fill()
      return { MSRP_USERS: "", MSRP_CALCULATE_HA1: "1", MSRP_CREDENTIALS_CHECK: "10", ...env }
    },
    ({ client, relay, uri }) =>
      Effect.gen(function*() {
        yield* client.auth({ relay: uri, ...alice })
        yield* client.auth({ relay: uri, username: "bob", password: "builder" })
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(relay.gauges().sessions, 2)
        remove()
        const clock = Effect.andThen(TestClock.adjust("1 second"), Effect.yieldNow)
        const passing = yield* Effect.forkChild(Effect.forever(clock))
        yield* until(() => relay.gauges().sessions === 1, "the end of the sessions")
        yield* Fiber.interrupt(passing)
        assert.strictEqual(yield* refusal(client.auth({ relay: uri, ...alice })), 401)
        yield* client.auth({ relay: uri, username: "bob", password: "builder" })
      })
  )
}

service(
  "MSRP_HASH_SIZE and MSRP_CLEANUP_INTERVAL",
  () => ({ MSRP_HASH_SIZE: "1", MSRP_CLEANUP_INTERVAL: "10" }),
  ({ client, relay, uri }) =>
    Effect.gen(function*() {
      for (let i = 0; i < 40; i++) yield* client.auth({ relay: uri, ...alice, expires: 1 })
      assert.strictEqual(relay.gauges().sessions, 40)
      yield* TestClock.adjust("5 seconds")
      const left = relay.gauges().sessions
      assert.isTrue(left > 0 && left < 40, `${left} of 40`)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(relay.gauges().sessions, 0)
    })
)

service(
  "MSRP_SOCKET_ROUTES: the local socket of a new hop",
  (port) => ({
    MSRP_LISTEN: `msrp:127.0.0.1:${port},msrp:127.0.0.2:${port}`,
    MSRP_SOCKET_ROUTES: `dst=127.0.0.1 -> msrp:127.0.0.2:${port}`
  }),
  ({ client, uri }) =>
    Effect.gen(function*() {
      const transport = yield* Transport
      const seen: Array<Connection> = []
      const bob = yield* transport.listen({ scheme: "msrp", host: "127.0.0.1", port: 0 }, (connection) => {
        seen.push(connection)
        return { bytes: () => {}, closed: () => {} }
      })
      const grant = yield* client.auth({ relay: uri, ...alice })
      const toPath = [...grant.usePath, `msrp://127.0.0.1:${bob.port}/bob;tcp`]
      yield* client.send({ toPath, body: "hello" })
      yield* until(() => seen.length > 0, "the connection")
      assert.strictEqual(seen[0]!.remote.host, "127.0.0.2")
    })
)
