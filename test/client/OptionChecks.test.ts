/** Options of a client that cannot be used: they are told, and nothing is written. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { readFileSync } from "node:fs"
import * as Client from "../../src/Client.ts"
import { OptionsError } from "../../src/options/Options.ts"
import { parseUri } from "../../src/protocol/Uri.ts"
import { pair, peer, relay, sendTo, settled, simulated } from "./pair.ts"

const problemsOf = (error: unknown): ReadonlyArray<string> => {
  const cause = error instanceof Client.ClientError && error.reason === "Options" ? error.cause : error
  assert.instanceOf(cause, OptionsError)
  assert.notInclude(String(error), "wonderland")
  return cause.problems.map(({ option }) => option)
}

/** What was handed to another thread. */
const detached = (): Uint8Array => {
  const octets = new Uint8Array(1000)
  structuredClone(octets.buffer, { transfer: [octets.buffer] })
  return octets
}

const injected = "msrp://bob.example.net:8145/kjhd37s2s20w2a;tcp\r\nX: y"
const wrongPaths = ["", "bob", injected, [], [""], [peer, 5], [peer, "bob"], { text: "bob" }, { text: 5 }, 5, null]

/** Each has one that is wrong, or is none. */
const wrongHeaders = [
  [["X"]],
  [["X", 5]],
  [["", "value"]],
  [["X Y", "value"]],
  [["X\r\nY", "value"]],
  [["X", "one\r\nY: two"]],
  [["X", "\u0000"]],
  [["X", "\ud800"]]
]

const wrongComments = ["O\r\nK", "O\nK", "O\u0000K", "O\u007fK", "O\u0085K", "O\u2028K", "O\u2029K", "\ud800", 5, null]

/** What is no option: no type says so where there are none. */
const unknown: ReadonlyArray<readonly [option: string, options: object]> = [
  ["expire", { expire: "wonderland" }],
  ["Expires", { Expires: undefined }]
]

/** Each of them, by the name of what is wrong. */
const wrongToSend: ReadonlyArray<readonly [option: string, options: object]> = [
  ...[333.3, 1.5, NaN, 0, -1, "100", null].map((chunkSize) => ["chunkSize", { chunkSize }] as const),
  ...[1.5, NaN, 0, -1].map((window) => ["window", { window }] as const),
  ...[-1, 0.5, NaN, Infinity].map((size) => ["size", { body: Stream.empty, size }] as const),
  ...[undefined, ...wrongPaths].map((toPath) => ["toPath", { toPath }] as const),
  ...wrongPaths.map((fromPath) => ["fromPath", { fromPath }] as const),
  ["body", { body: 5 }],
  ["body", { body: detached() }],
  ["body", { body: new Uint16Array(4) }],
  ["size", { size: 999 }],
  ["size", { body: "abc", size: 4 }],
  ["size", { body: "\u20ac", size: 1 }],
  ["size", { body: undefined, size: 1000 }],
  ["messageId", { messageId: "x y" }],
  ...["", "text", "text/", "text/plain\r\nX: y", "text/plain; name=\ud800", "text/pl\u0000ain", 5].map((contentType) =>
    ["contentType", { contentType }] as const
  ),
  ...wrongHeaders.map((headers) => ["headers[0]", { headers }] as const),
  ["headers", { headers: { Name: "value" } }],
  ["byteRange.start", { byteRange: { start: 0, total: 10 } }],
  ["byteRange.total", { byteRange: { start: 1, total: 0.5 } }],
  ["byteRange.total", { body: "abc", byteRange: { start: 9, total: 10 }, flag: "+" }],
  ["byteRange.total", { body: "abc", byteRange: { start: 1, total: 10 } }],
  ["byteRange.total", { body: Stream.empty, size: 3, byteRange: { start: 1, total: 10 } }],
  ["failureReport", { failureReport: "maybe" }],
  ["successReport", { successReport: "yes" }],
  ["flag", { flag: "!" }],
  ["progress", { progress: 5 }],
  ...unknown
]

const wrongToLogin: ReadonlyArray<readonly [option: string, options: object]> = [
  ...[undefined, "relay", injected, 5, { text: "relay" }].map((one) => ["relay", { relay: one }] as const),
  ...unknown,
  ...[undefined, "", "a\r\nb", "\ud800", "\u0000"].map((username) => ["username", { username }] as const),
  ["password", { password: undefined }],
  ["password", { password: Redacted.make(5) }],
  ["expires", { expires: NaN }],
  ["algorithms[0]", { algorithms: ["ROT13"] }],
  ["rspauth", { rspauth: "never" }],
  ["sendUri", { sendUri: "yes" }],
  ["algorithms", { algorithms: [] }],
  ...wrongPaths.map((via) => ["via", { via }] as const),
  ["fromPath", { fromPath: "alice" }],
  ["after", { after: "nonce" }],
  ["after.nextNonce", { after: { nextNonce: 5 } }],
  ["after.used.nc", { after: { used: { nc: 0, challenge: { realm: "r", nonce: "n", algorithm: "MD5" } } } }],
  ["after.nextNonce", { after: { nextNonce: "n\r\nX: y" } }],
  ...["realm", "nonce", "opaque"].map((name) => {
    const challenge = { realm: "r", nonce: "n", algorithm: "MD5", [name]: "a\r\nb" }
    return [`after.used.challenge.${name}`, { after: { used: { nc: 1, challenge } } }] as const
  }),
  ["after.used.challenge", { after: { used: { nc: 1, challenge: null } } }],
  ["adjustExpires", { adjustExpires: 1 }]
]

const wrongToConnect: ReadonlyArray<readonly [option: string, options: object]> = [
  ["responseTimeout", { responseTimeout: "bogus" }],
  ["responseTimeout", { responseTimeout: NaN }],
  ["maxUnread", { maxUnread: -1 }],
  ["maxMessage", { maxMessage: 0.5 }],
  ["maxReports", { maxReports: Infinity }],
  ["collect", { collect: "all" }],
  ...["413", 200, 0, 399, 600, 9999, 413.5, undefined].map((refuse) => ["collect", { collect: { refuse } }] as const),
  ["admits", { admits: "all" }],
  ["path", { path: 5 }],
  ["path", { path: "msrp" }],
  ["path", { path: "/a b" }],
  ["from", { from: 5 }],
  ["from.host", { from: { scheme: "msrp", host: 5, port: 0 } }],
  ["respond", { respond: "no" }],
  ...unknown
]

const wrongAddress: ReadonlyArray<readonly [option: string, options: object]> = [
  ["scheme", { scheme: "MSRPS" }],
  ["transport", { transport: "udp" }],
  ["host", { host: undefined }],
  ["host", { host: "" }],
  ...["2855", 0, -1, 65_536, 1.5, NaN, Infinity].map((port) => ["port", { port }] as const),
  ["serverName", { serverName: 5 }],
  ["localName", { localName: "" }],
  ["relay", { relay: "yes" }]
]

const wrongToRequest: ReadonlyArray<readonly [option: string, options: object]> = [
  ...["", "send", "SEND\r\nTo-Path: x", "SE ND", "200", 5, undefined].map((method) => ["method", { method }] as const),
  ...wrongPaths.map((toPath) => ["toPath", { toPath }] as const),
  ...wrongPaths.map((fromPath) => ["fromPath", { fromPath }] as const),
  ...wrongHeaders.map((headers) => ["headers[0]", { headers }] as const),
  ["headers", { headers: { Name: "value" } }],
  ["body", { body: 5 }],
  ["body", { body: detached() }],
  ["flag", { flag: "!" }],
  ["transactionId", { transactionId: "x\r\n" }],
  ["transactionId", { transactionId: "abcd", body: "x\r\n-------abcd$\r\n" }],
  ...unknown
]

/** What is no options at all. */
const none: ReadonlyArray<any> = [undefined, null, 5, true, [], () => {}]

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
      for (const one of none) assert.deepStrictEqual(problemsOf(yield* Effect.flip(client.send(one))), ["options"])
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
      for (const one of none) assert.deepStrictEqual(problemsOf(yield* Effect.flip(client.auth(one))), ["options"])
      yield* settled
      assert.strictEqual(other.waiting, 0)
    }).pipe(Effect.provide(simulated)))

  it.effect("of a request, with or without a response, and of octets as they are", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      const ways: ReadonlyArray<(options: Client.RequestOptions) => Effect.Effect<unknown, Client.ClientError>> = [
        client.request,
        client.post
      ]
      for (const ask of ways) {
        for (const [option, options] of wrongToRequest) {
          const wrong = { method: "NICKNAME", toPath: peer, ...options } as Client.RequestOptions
          assert.deepStrictEqual(problemsOf(yield* Effect.flip(ask(wrong))), [option])
        }
        for (const one of none) assert.deepStrictEqual(problemsOf(yield* Effect.flip(ask(one))), ["options"])
      }
      for (const octets of [5, undefined, detached()] as ReadonlyArray<any>) {
        assert.deepStrictEqual(problemsOf(yield* Effect.flip(client.sendOctets(octets))), ["octets"])
      }
      yield* settled
      assert.strictEqual(other.waiting, 0)
      const headers = [["X-Name", "\u00e4 \tb"]] as const
      yield* client.post({
        method: "FILE_OFFSET",
        toPath: [peer],
        headers,
        body: "x",
        transactionId: "abcd",
        flag: "+"
      })
      assert.strictEqual((yield* other.frame).header("X-Name"), headers[0][1])
    }).pipe(Effect.provide(simulated)))

  it.effect("of a response, and of a REPORT", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair({ respond: false, record: true })
      other.write(sendTo(client, "abcd", { body: "Hi" }))
      const send: any = yield* client.frames.take
      const respond: (...given: ReadonlyArray<any>) => Effect.Effect<void, Client.ClientError> = client.respond
      const report: (...given: ReadonlyArray<any>) => Effect.Effect<void, Client.ClientError> = client.report
      const right = { status: 200, byteRange: "1-2/2" }
      const wrong: ReadonlyArray<readonly [string, Effect.Effect<void, Client.ClientError>]> = [
        ...[undefined, null, 5, {}].map((request) => ["request", respond(request, 200)] as const),
        ...[undefined, 99, 1000, 200.5, NaN, "200"].map((status) => ["status", respond(send, status)] as const),
        ...wrongHeaders.map((headers) => ["headers[0]", respond(send, 200, { headers })] as const),
        ...wrongComments.map((comment) => ["comment", respond(send, 200, { comment })] as const),
        ["expire", respond(send, 200, { expire: 5 })],
        ["expire", report(send, { ...right, expire: 5 })],
        ...[undefined, {}].map((one) => ["send", report(one, right)] as const),
        ["status", report(send, { ...right, status: 0 })],
        ...wrongComments.map((comment) => ["comment", report(send, { ...right, comment })] as const),
        ...[undefined, "", "1-2", "1-2/2\r\nX: y"].map((byteRange) =>
          ["byteRange", report(send, { ...right, byteRange })] as const
        )
      ]
      for (const [option, effect] of wrong) assert.deepStrictEqual(problemsOf(yield* Effect.flip(effect)), [option])
      assert.deepStrictEqual(problemsOf(yield* Effect.flip(report(send))), ["status", "byteRange"])
      yield* settled
      assert.strictEqual(other.waiting, 0)
      yield* respond(send, 200, null)
      yield* report(send, right)
      assert.deepStrictEqual((yield* other.frames(2)).map(({ method, status }) => method || status), [200, "REPORT"])
    }).pipe(Effect.provide(simulated)))

  it.effect("a comment is any text in one line, and goes as UTF-8", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair({ respond: false, record: true })
      other.write(sendTo(client, "abcd", { body: "Hi" }))
      const send = yield* client.frames.take
      const comments = ["No", "Sch\u00f6n", "\u4e16\u754c", "\u{1f600} ok", "x".repeat(200), ""]
      for (const comment of comments) {
        yield* client.respond(send, 400, { comment })
        yield* client.report(send, { status: 400, byteRange: "1-2/2", comment })
        const [response, report] = yield* other.frames(2)
        assert.strictEqual(response!.comment, comment)
        assert.strictEqual(report!.header("Status"), `000 400 ${comment}`.trimEnd())
      }
      // A relay takes no line without end.
      yield* client.respond(send, 400, { comment: "\u4e16".repeat(5000) })
      assert.strictEqual((yield* other.frame).comment, "\u4e16".repeat(200))
    }).pipe(Effect.provide(simulated)))

  it.effect("of what a streamed body gives: the message is given up", () =>
    Effect.gen(function*() {
      const sent = Effect.fnUntraced(function*(before: number, piece: Uint8Array) {
        const { client, other } = yield* pair()
        const body = Stream.concat(Stream.make(new Uint8Array(before)), Stream.make(piece))
        const error = yield* Effect.flip(client.send({ toPath: peer, body, chunkSize: 100, failureReport: "no" }))
        assert.deepStrictEqual(problemsOf(error), ["body"])
        yield* settled
        return (yield* other.frames(other.waiting)).map(({ flag }) => flag).join("")
      }, Effect.scoped)
      for (const piece of [undefined, null, "text", 5, [1], new ArrayBuffer(8), detached()] as ReadonlyArray<any>) {
        assert.strictEqual(yield* sent(0, piece), "")
        assert.match(yield* sent(300, piece), /^\+*#$/)
      }
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
        assert.deepStrictEqual(problemsOf(yield* Effect.flip(Client.online(online))), [option])
      }
      for (const one of none) {
        assert.deepStrictEqual(problemsOf(yield* Effect.flip(Client.connect(one))), ["options"])
        assert.deepStrictEqual(problemsOf(yield* Effect.flip(Client.online(one))), ["options"])
      }
      const retry = { relay, username: "alice", password: "wonderland", retry: { atleast: 5 } }
      assert.deepStrictEqual(problemsOf(yield* Effect.flip(Client.online(retry as object as Client.OnlineOptions))), [
        "retry.atleast"
      ])
      const login = { relay, username: "alice", password: "wonderland" } as Client.RelayOptions
      const { message } = yield* Effect.flip(Client.connect(login))
      assert.include(message, "username is no option; password is no option")
      // Those that somebody has made himself.
      const uri = { ...parseUri(relay)! }
      const text = "msrp://relay.example.com;tcp\r\n"
      const wrong = [{ text }, { text: 5 }, { ...uri, text }, { ...uri, transport: Symbol("tcp") }, { ...uri, port: 1 }]
      for (const one of [undefined, 5, ...wrong] as ReadonlyArray<any>) {
        assert.deepStrictEqual(problemsOf(yield* Effect.flip(Client.connect({ relay: one }))), ["relay"])
        const online = { relay: one, username: "alice", password: "wonderland" }
        assert.deepStrictEqual(problemsOf(yield* Effect.flip(Client.online(online))), ["relay"])
      }
      assert.include((yield* Effect.flip(Client.connect({} as Client.RelayOptions))).message, ": relay is missing")
    }).pipe(Effect.scoped, Effect.provide(simulated)))

  it.effect("of a reply: to what is no message", () =>
    Effect.gen(function*() {
      const bot = yield* Client.online({ relay, username: "alice", password: "wonderland" })
      for (const message of [undefined, null, 5, {}, { fromPath: "bob", toPath: relay }] as ReadonlyArray<any>) {
        const problems = problemsOf(yield* Effect.flip(bot.reply(message, { body: "x" })))
        assert.isTrue(problems.every((one) => ["options", "fromPath", "toPath"].includes(one)))
      }
      const message = { fromPath: relay, toPath: relay } as Client.Message
      for (const one of none) {
        assert.deepStrictEqual(problemsOf(yield* Effect.flip(bot.reply(message, one))), ["options"])
      }
      for (const one of none) assert.deepStrictEqual(problemsOf(yield* Effect.flip(bot.send(one))), ["options"])
      const ofReply: typeof unknown = [["to", { to: peer }], ["fromPath", { fromPath: relay }], ...unknown]
      for (const [option, options] of ofReply) {
        assert.deepStrictEqual(problemsOf(yield* Effect.flip(bot.reply(message, options))), [option])
      }
      const wrong = [["toPath", { to: peer, toPath: peer }], ["expire", { to: peer, expire: 5 }]] as const
      for (const [option, options] of wrong) {
        assert.deepStrictEqual(problemsOf(yield* Effect.flip(bot.send(options))), [option])
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
