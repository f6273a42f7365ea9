/** Headers that a program gives: none of the client's own, and as many as a relay takes. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Client from "../../src/Client.ts"
import { OptionsError } from "../../src/options/Options.ts"
import type { HeaderLines } from "../../src/protocol/Encoder.ts"
import { TestRelay } from "../../src/testing/TestRelay.ts"
import { pair, peer, relay, sendTo, settled, simulated } from "./pair.ts"

const problemsOf = ({ cause, reason }: Client.ClientError): OptionsError["problems"] => {
  assert.strictEqual(reason, "Options")
  assert.instanceOf(cause, OptionsError)
  return cause.problems
}
const optionsOf = (error: Client.ClientError): ReadonlyArray<string> => problemsOf(error).map(({ option }) => option)

const many = (count: number): HeaderLines => Array.from({ length: count }, (_, i) => [`X-${i}`, "y"])
const long = (octets: number): HeaderLines => [["X", "y".repeat(octets - 5)]]
const ofAny = ["To-Path", "from-path"]
const ofSend = [...ofAny, "Message-ID", "BYTE-RANGE", "Success-Report", "failure-report", "content-Type"]
const withHole: HeaderLines = Object.assign(Array.from<HeaderLines[number]>({ length: 0 }), { 1: ["X", "y"] as const })
const tooMuch: ReadonlyArray<HeaderLines> = [many(58), long(7233), [...many(50), ...long(7200)]]
const uri = (length: number): string => `msrp://bob.example.net:8145/${"a".repeat(length - 32)};tcp`

describe("headers", () => {
  it.effect("that the client writes itself, and more than a relay takes, are not sent", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair({ respond: false, record: true })
      other.write(sendTo(client, "abcd", { body: "Hi" }))
      const frame = yield* client.frames.take
      const ways: ReadonlyArray<
        readonly [own: ReadonlyArray<string>, (headers: HeaderLines) => Effect.Effect<unknown, Client.ClientError>]
      > = [
        [ofSend, (headers) => client.send({ toPath: peer, body: "x", headers })],
        [ofAny, (headers) => client.request({ method: "NICKNAME", toPath: peer, headers })],
        [ofAny, (headers) => client.post({ method: "NICKNAME", toPath: peer, headers })],
        [ofAny, (headers) => client.respond(frame, 200, { headers })]
      ]
      for (const [own, ask] of ways) {
        for (const name of own) {
          assert.deepStrictEqual(optionsOf(yield* Effect.flip(ask([[name, "1"]]))), ["headers[0]"])
        }
        for (const headers of tooMuch) assert.deepStrictEqual(optionsOf(yield* Effect.flip(ask(headers))), ["headers"])
      }
      const long17 = Array.from({ length: 17 }, () => peer)
      for (
        const options of [{ toPath: [1, 2, 3, 4, 5].map(() => uri(2000)) }, { toPath: long17 }, {
          toPath: peer,
          contentType: `a/${"b".repeat(8100)}`
        }]
      ) {
        assert.deepStrictEqual(optionsOf(yield* Effect.flip(client.send({ body: "x", ...options }))), ["toPath"])
      }
      const body = "x".repeat(10_241)
      const large = client.post({ method: "NICKNAME", toPath: peer, body })
      assert.deepStrictEqual(optionsOf(yield* Effect.flip(large)), ["body"])
      yield* settled
      assert.strictEqual(other.waiting, 0)
      yield* client.post({
        method: "SEND",
        toPath: peer,
        body,
        headers: [["Message-ID", "mess1"], ["Content-Type", "a/b"]]
      })
      assert.strictEqual((yield* other.frame).messageId, "mess1")
    }).pipe(Effect.provide(simulated)))

  it.effect("that cannot be used are told by their names, and nothing of their values is", () =>
    Effect.gen(function*() {
      const { client } = yield* pair()
      const told = (headers: any) =>
        Effect.map(Effect.flip(client.send({ toPath: peer, body: "x", headers })), (error) => {
          assert.notInclude(String(error), "s3cret")
          return problemsOf(error).map(({ option, problem }) => `${option} ${problem}`)
        })
      const ofValue = (at: number, name: string) => `headers[${at}] must have text in one line as the value of ${name}`
      assert.deepStrictEqual(
        yield* told([["X-One", "1"], ["X-Two", "s3cret\r\n"], ["to-path", "s3cret"], ["X-Three"], ["X-Four", 5]]),
        [
          ofValue(1, "X-Two"),
          "headers[2] must not be to-path, which the client writes itself",
          ofValue(3, "X-Three"),
          ofValue(4, "X-Four")
        ]
      )
      const aPair = "must be a pair of a name and a value"
      const name = "must have a name of letters, digits, hyphens and the like"
      assert.deepStrictEqual(
        yield* told([["X: s3cret", "1"], "X: s3cret", [], ["", "s3cret"], null, ["X", "1", "s3cret"]]),
        [
          `headers[0] ${name}`,
          `headers[1] ${aPair}`,
          `headers[2] ${aPair}`,
          `headers[3] ${name}`,
          `headers[4] ${aPair}`,
          `headers[5] ${aPair}`
        ]
      )
      assert.deepStrictEqual(yield* told(withHole), [`headers[0] ${aPair}`])
      assert.deepStrictEqual(yield* told(many(58)), ["headers must be at most 57 pairs of a name and a value"])
      assert.deepStrictEqual(yield* told(long(7233)), ["headers must be of at most 7232 octets in all"])
      for (const wrong of [{ "X-One": "s3cret" }, 5, null, "X: s3cret"]) {
        assert.deepStrictEqual(yield* told(wrong), ["headers must be at most 57 pairs of a name and a value"])
      }
      const throwing = Object.defineProperty(["X"], 1, {
        get: () => {
          throw new RangeError("s3cret")
        }
      })
      assert.deepStrictEqual(yield* told([throwing]), ["headers must be at most 57 pairs of a name and a value"])
    }).pipe(Effect.provide(simulated)))

  it.effect("beside paths that are too long: it is told which, or that they are together", () =>
    Effect.gen(function*() {
      const { client } = yield* pair()
      const uris = (count: number): ReadonlyArray<string> => Array.from({ length: count }, () => peer)
      const told = (options: Partial<Client.SendOptions>) =>
        Effect.map(
          Effect.flip(client.send({ toPath: peer, body: "x", ...options })),
          (error) => problemsOf(error).map(({ option, problem }) => `${option} ${problem}`)
        )
      const mostUris = "must be at most 16 URIs"
      const mostOctets = "must be at most 8128 octets"
      const together = "toPath must be, with fromPath, at most 17 URIs, and with contentType 8128 octets"
      const five = [1, 2, 3, 4, 5].map(() => uri(2000))
      const contentType = (octets: number): string => `a/${"b".repeat(octets - 2)}`
      assert.deepStrictEqual(yield* told({ toPath: uris(17) }), [`toPath ${mostUris}`])
      assert.deepStrictEqual(yield* told({ fromPath: uris(17) }), [`fromPath ${mostUris}`])
      assert.deepStrictEqual(yield* told({ toPath: uris(17), fromPath: five }), [
        `toPath ${mostUris}`,
        `fromPath ${mostOctets}`
      ])
      assert.deepStrictEqual(yield* told({ toPath: five }), [`toPath ${mostOctets}`])
      assert.deepStrictEqual(yield* told({ contentType: contentType(8129) }), [`contentType ${mostOctets}`])
      assert.deepStrictEqual(yield* told({ contentType: contentType(8100) }), [together])
      assert.deepStrictEqual(yield* told({ toPath: uris(9), fromPath: uris(9) }), [together])
      assert.deepStrictEqual(yield* told({ toPath: five.slice(2), fromPath: five.slice(2) }), [together])
      const login = { relay, username: "alice", password: "wonderland" }
      for (const [via, problem] of [[uris(16), mostUris], [five, mostOctets]] as const) {
        const error = yield* Effect.flip(client.auth({ ...login, via }))
        assert.deepStrictEqual(problemsOf(error), [{
          option: "via",
          problem: problem.replace("be", "be, with relay,")
        }])
      }
      const tight = { ...login, relay: `msrp://${"a".repeat(200)};tcp`, fromPath: [1, 2, 3, 4].map(() => uri(1990)) }
      assert.deepStrictEqual(optionsOf(yield* Effect.flip(client.auth(tight))), ["relay"])
    }).pipe(Effect.provide(simulated)))

  it.effect("beside a path that just fits: the own URI is in it, also where the client puts it there", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      const { length } = client.uri
      const long = (octets: number): string => [...[1, 2, 3, 4].map(() => uri(1600)), uri(octets - 6404)].join(" ")
      const ways: ReadonlyArray<(toPath: string) => Effect.Effect<unknown, Client.ClientError>> = [
        (toPath) => client.send({ toPath, failureReport: "no" }),
        (toPath) => client.send({ toPath, failureReport: "no", fromPath: client.uri }),
        (toPath) => client.post({ method: "NICKNAME", toPath })
      ]
      for (const ask of ways) {
        yield* ask(long(8128 - length))
        assert.strictEqual((yield* other.frame).toPath.length, 8128 - length)
        assert.deepStrictEqual(optionsOf(yield* Effect.flip(ask(long(8129 - length)))), ["toPath"])
      }
      const login = { relay, username: "alice", password: "wonderland" }
      const via = long(8128 - length - relay.length)
      assert.deepStrictEqual(optionsOf(yield* Effect.flip(client.auth({ ...login, via }))), ["via"])
    }).pipe(Effect.provide(simulated)))

  it.effect("beside the path of a peer that is too long with the relay's: it is named as it was given", () =>
    Effect.gen(function*() {
      const { uri: address } = yield* TestRelay
      const alice = yield* Client.online({ relay: address, username: "alice", password: "wonderland" })
      const told = (effect: Effect.Effect<unknown, Client.ClientError>) =>
        Effect.map(Effect.flip(effect), (error) => ({
          option: optionsOf(error).join(),
          message: error.message.split(": ")[1]!
        }))
      const uris = Array.from({ length: 16 }, () => peer)
      const five = [1, 2, 3, 4, 5].map(() => uri(2000))
      assert.deepStrictEqual(yield* told(alice.send({ to: uris, body: "x" })), {
        option: "to",
        message: "to must be, with Use-Path, at most 16 URIs"
      })
      assert.deepStrictEqual(yield* told(alice.send({ to: five, body: "x" })), {
        option: "to",
        message: "to must be, with Use-Path, at most 8128 octets"
      })
      assert.deepStrictEqual(yield* told(alice.send({ to: uris.slice(2), fromPath: uris.slice(12), body: "x" })), {
        option: "to",
        message: "to must be, with Use-Path and fromPath, at most 17 URIs, and with contentType 8128 octets"
      })
      const message = { fromPath: [address, ...five].join(" "), toPath: alice.uri } as Client.Message
      assert.strictEqual((yield* told(alice.reply(message, { body: "x" }))).option, "message.fromPath")
    }).pipe(Effect.scoped, Effect.provide(TestRelay.layer())))

  it.effect("beside as many URIs as may be pass a relay, which moves them from one path to the other", () =>
    Effect.gen(function*() {
      const { login } = yield* TestRelay
      const alice = yield* login("alice")
      const bob = yield* login("bob")
      const { uri: own } = alice.client
      const uris = (count: number): ReadonlyArray<string> => Array.from({ length: count }, () => peer)
      const toPath = alice.pathTo(bob)
      const fromPath = [own, ...uris(16 - toPath.length)]
      yield* alice.client.send({ toPath, fromPath, body: "x" })
      assert.lengthOf((yield* bob.client.messages.take).fromPath.split(" "), 16)
      // Its next hop is not there.
      const far = [...alice.grant.usePath.map(({ text }) => text), ...uris(15)]
      for (const from of [undefined, own]) {
        const { status } = yield* Effect.flip(alice.client.send({ toPath: far, fromPath: from, body: "x" }))
        assert.strictEqual(status, 403)
      }
    }).pipe(Effect.scoped, Effect.provide(TestRelay.layer())))

  it.effect("as many and as long as may be pass a relay, beside the longest paths", () =>
    Effect.gen(function*() {
      const { login } = yield* TestRelay
      const alice = yield* login("alice")
      const bob = yield* login("bob")
      const to = alice.pathTo(bob)
      const options = { body: "x", successReport: true, failureReport: "partial" as const }
      for (const headers of [many(57), long(7232)]) {
        const sent = yield* alice.client.send({ ...options, toPath: to, headers })
        assert.strictEqual((yield* sent.delivered).status, 200)
        assert.lengthOf((yield* bob.client.messages.take).first.headers, headers.length + 5)
      }
      // Their next hop is not there, which is no reason to end the connection.
      const paths = [...alice.grant.usePath.map(({ text }) => text), uri(1900), uri(1900), uri(1900), uri(1900)]
      const rest = 8128 - paths.join(" ").length - "text/plain".length - 1 - alice.client.uri.length
      const { status } = yield* Effect.flip(
        alice.client.send({ toPath: [...paths, uri(rest)], body: "x", headers: long(7232), successReport: true })
      )
      assert.strictEqual(status, 403)
      const sent = yield* alice.client.send({ ...options, toPath: to })
      assert.strictEqual((yield* sent.delivered).status, 200)
    }).pipe(Effect.scoped, Effect.provide(TestRelay.layer())))
})
