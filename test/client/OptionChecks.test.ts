/** Options of a client that cannot be used: they are told, and nothing is written. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { readFileSync } from "node:fs"
import * as Client from "../../src/Client.ts"
import { OptionsError } from "../../src/options/Options.ts"
import { pair, peer, relay, settled, simulated } from "./pair.ts"

const problemsOf = (error: unknown): ReadonlyArray<string> => {
  const cause = error instanceof Client.ClientError && error.reason === "Options" ? error.cause : error
  assert.instanceOf(cause, OptionsError)
  assert.notInclude(String(error), "wonderland")
  return cause.problems.map(({ option }) => option)
}

/** Each of them, by the name of what is wrong. */
const wrongToSend: ReadonlyArray<readonly [option: string, options: object]> = [
  ...[333.3, 1.5, NaN, 0, -1, "100", null].map((chunkSize) => ["chunkSize", { chunkSize }] as const),
  ...[1.5, NaN, 0, -1].map((window) => ["window", { window }] as const),
  ...[-1, 0.5, NaN, Infinity].map((size) => ["size", { body: Stream.empty, size }] as const),
  ["toPath", { toPath: undefined }],
  ["toPath", { toPath: [] }],
  ["toPath", { toPath: "" }],
  ["fromPath", { fromPath: 5 }],
  ["body", { body: 5 }],
  ["messageId", { messageId: "x y" }],
  ["contentType", { contentType: "" }],
  ["headers", { headers: { Name: "value" } }],
  ["byteRange.start", { byteRange: { start: 0, total: 10 } }],
  ["byteRange.total", { byteRange: { start: 1, total: 0.5 } }],
  ["byteRange.total", { body: "abc", byteRange: { start: 9, total: 10 }, flag: "+" }],
  ["byteRange.total", { body: "abc", byteRange: { start: 1, total: 10 } }],
  ["byteRange.total", { body: Stream.empty, size: 3, byteRange: { start: 1, total: 10 } }],
  ["failureReport", { failureReport: "maybe" }],
  ["successReport", { successReport: "yes" }],
  ["flag", { flag: "!" }],
  ["progress", { progress: 5 }]
]

const wrongToLogin: ReadonlyArray<readonly [option: string, options: object]> = [
  ["relay", { relay: undefined }],
  ["username", { username: undefined }],
  ["password", { password: undefined }],
  ["password", { password: Redacted.make(5) }],
  ["expires", { expires: NaN }],
  ["algorithms[0]", { algorithms: ["ROT13"] }],
  ["rspauth", { rspauth: "never" }],
  ["sendUri", { sendUri: "yes" }],
  ["via", { via: [] }],
  ["adjustExpires", { adjustExpires: 1 }]
]

const wrongToConnect: ReadonlyArray<readonly [option: string, options: object]> = [
  ["responseTimeout", { responseTimeout: "bogus" }],
  ["responseTimeout", { responseTimeout: NaN }],
  ["maxUnread", { maxUnread: -1 }],
  ["maxMessage", { maxMessage: 0.5 }],
  ["maxReports", { maxReports: Infinity }],
  ["collect", { collect: "all" }],
  ["collect", { collect: { refuse: "413" } }],
  ["admits", { admits: "all" }],
  ["respond", { respond: "no" }]
]

const wrongAddress: ReadonlyArray<readonly [option: string, options: object]> = [
  ["scheme", { scheme: "MSRPS" }],
  ["transport", { transport: "udp" }],
  ["host", { host: undefined }],
  ["port", { port: "2855" }]
]

describe("options that cannot be used", () => {
  it.effect("of send: nothing is written, and the connection goes on", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      for (const [option, options] of wrongToSend) {
        const error = yield* Effect.flip(
          client.send({ toPath: peer, body: new Uint8Array(1000), ...options })
        )
        assert.deepStrictEqual(problemsOf(error), [option])
      }
      yield* settled
      assert.strictEqual(other.waiting, 0)
      for (const chunkSize of [1, 333, Infinity, undefined]) {
        yield* client.send({ toPath: [peer], body: "abc", chunkSize, failureReport: "no", size: undefined })
      }
    }).pipe(Effect.provide(simulated)))

  it.effect("of auth", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      for (const [option, options] of wrongToLogin) {
        const wrong = { relay, username: "alice", password: "wonderland", ...options } as Client.AuthOptions
        assert.deepStrictEqual(problemsOf(yield* Effect.flip(client.auth(wrong))), [option])
      }
      yield* settled
      assert.strictEqual(other.waiting, 0)
    }).pipe(Effect.provide(simulated)))

  it.effect("of connect, to a host and by a URI, and of a client that stays online", () =>
    Effect.gen(function*() {
      for (const [option, options] of wrongAddress) {
        const address = { scheme: "msrp", host: "relay.example.com", port: 2855, ...options } as Client.ConnectOptions
        assert.deepStrictEqual(problemsOf(yield* Effect.flip(Client.connect(address))), [option])
      }
      for (const [option, options] of wrongToConnect) {
        const address = { scheme: "msrp", host: "relay.example.com", port: 2855, ...options } as Client.ConnectOptions
        assert.deepStrictEqual(problemsOf(yield* Effect.flip(Client.connect(address))), [option])
        const byUri = { relay, ...options } as Client.RelayOptions
        assert.deepStrictEqual(problemsOf(yield* Effect.flip(Client.connect(byUri))), [option])
        const online = { relay, username: "alice", password: "wonderland", ...options } as Client.OnlineOptions
        if (option !== "respond") {
          assert.deepStrictEqual(problemsOf(yield* Effect.flip(Client.online(online))), [option])
        }
      }
    }).pipe(Effect.scoped, Effect.provide(simulated)))
})

it("each option may be undefined: a setting that may be absent is passed as it is", () => {
  for (const path of ["client/Options.ts", "browser/Api.ts", "transport/Connection.ts"]) {
    const source = readFileSync(new URL(`../../src/${path}`, import.meta.url), "utf8")
    const optional = Array.from(source.matchAll(/readonly \w+\?:\s[^\n]*(?:\n +\|[^\n]*)*/g), ([text]) => text)
    assert.isAbove(optional.length, 3)
    assert.deepStrictEqual(optional.filter((text) => !text.includes("undefined")), [])
  }
})
