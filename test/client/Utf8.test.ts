/** Headers and comments are text to a program, and UTF-8 on the wire (RFC 4975 §9, utf8text). */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as fc from "fast-check"
import * as Client from "../../src/Client.ts"
import { OptionsError } from "../../src/options/Options.ts"
import { TestRelay } from "../../src/testing/TestRelay.ts"
import { Transport } from "../../src/Transport.ts"
import { pair, peer, relay, reportTo, sendTo, settled, simulated } from "./pair.ts"

const texts = [
  "\u00fc",
  "Gr\u00fc\u00dfe",
  "\u4e16\u754c",
  "\u{1f600} ok",
  "a \tb",
  "\u0085\u2028\u2029\u00a0x",
  "e\u0301",
  ""
]
/** One character for each octet. */
const octets = (text: string): string => Buffer.from(text).toString("latin1")

/** What a client writes. */
const written = Effect.fnUntraced(
  function*(send: (client: Client.Client) => Effect.Effect<unknown, Client.ClientError>) {
    const socket = { scheme: "msrp", host: "relay.example.com", port: 2855 } as const
    const all: Array<Buffer> = []
    yield* (yield* Transport).listen(socket, () => ({
      bytes: (some) => void all.push(Buffer.from(some)),
      closed: () => {}
    }))
    yield* Effect.scoped(Effect.flatMap(Client.connect(socket), send))
    yield* settled
    return Buffer.concat(all)
  },
  Effect.scoped
)

describe("text of headers and comments", () => {
  it.effect("goes as UTF-8", () =>
    Effect.gen(function*() {
      for (const text of texts) {
        const headers = [["X-Name", text]] as const
        const contentType = `text/plain; name="${text}"`
        const message = { toPath: peer, body: "Hi", failureReport: "no", headers, contentType } as const
        const frame = yield* written((client) => client.send(message))
        assert.include(frame.toString(), `\r\nX-Name: ${text}\r\nContent-Type: ${contentType}\r\n\r\n`)
        assert.include(
          (yield* written((client) => client.post({ method: "NICKNAME", toPath: peer, headers }))).toString(),
          `\r\nX-Name: ${text}\r\n`
        )
      }
    }).pipe(Effect.provide(simulated)))

  it.effect("comes as it was meant, in each place where a program sees it", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      for (const text of texts.filter((one) => one !== "")) {
        const value = octets(text)
        other.write(sendTo(client, "abcd", { body: "Hi", headers: `X-Name: \t${value} \r\n` }))
        const { first } = yield* client.messages.take
        const wanted = text.replace(/^[ \t]+|[ \t]+$/g, "")
        assert.strictEqual(first.header("x-name"), wanted)
        assert.deepStrictEqual(first.all("X-Name"), [wanted])
        assert.deepInclude(first.headers, ["X-Name", wanted])
        yield* other.frame

        other.write(reportTo(client, "mine1", "1-2/2", 400).replace("Text", value))
        const report = yield* client.reports.take
        assert.deepStrictEqual([report.status, report.comment], [400, wanted])
        assert.strictEqual(report.frame.header("Status"), `000 400 ${wanted}`)

        const fiber = yield* Effect.forkChild(Effect.flip(client.send({ toPath: peer, body: "Hi" })))
        const { transactionId } = yield* other.frame
        const paths = `To-Path: ${client.uri}\r\nFrom-Path: ${relay}\r\n`
        other.write(`MSRP ${transactionId} 403 ${value}\r\n${paths}-------${transactionId}$\r\n`)
        const { message, response } = yield* Fiber.join(fiber)
        assert.strictEqual(response?.comment, text)
        assert.strictEqual(message, `the answer was 403 ${text}`)
      }
      other.write(sendTo(client, "abcd", { body: "Hi" }).replace("text/plain", "text/plain; name=\"\xc3\xbc\""))
      assert.strictEqual((yield* client.messages.take).contentType, "text/plain; name=\"\u00fc\"")
    }).pipe(Effect.provide(simulated)))

  it.effect("is replaced where it is none, and nothing else is", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair()
      other.write(sendTo(client, "abcd", { body: "Hi", headers: "X-Name: a\xfcb \xe4\xb8\r\nX-Two: \xc3\xbc\r\n" }))
      const { first } = yield* client.messages.take
      assert.strictEqual(first.header("X-Name"), "a\ufffdb \ufffd")
      assert.strictEqual(first.header("X-Two"), "\u00fc")
      assert.deepStrictEqual(first.octets("X-Name"), ["a\xfcb \xe4\xb8"])
      assert.deepStrictEqual(first.octets("x-two"), ["\xc3\xbc"])
      assert.deepStrictEqual(first.octets("X-Three"), [])
    }).pipe(Effect.provide(simulated)))

  it.effect("passes a relay both ways as it was given, whatever it is", () =>
    Effect.gen(function*() {
      const { login } = yield* TestRelay
      const alice = yield* login("alice")
      const bob = yield* login("bob")
      const send = Effect.fnUntraced(function*(value: string) {
        const sent = yield* alice.client.send({
          toPath: alice.pathTo(bob),
          body: "x",
          headers: [["X-Name", value]],
          contentType: `text/plain; name="${value}"`,
          successReport: true
        })
        const { contentType, first } = yield* bob.client.messages.take
        assert.strictEqual(first.header("X-Name"), value)
        assert.strictEqual(contentType, `text/plain; name="${value}"`)
        yield* sent.delivered
      })
      for (const text of texts) yield* send(text.trim())
      const line = fc.string({ unit: "binary", maxLength: 40 })
        .map((text) => text.toWellFormed().replaceAll(/[\p{Cc}]/gu, "").replaceAll(/^ +| +$/g, ""))
      const run = Effect.runPromiseWith(yield* Effect.context())
      yield* Effect.promise(() => fc.assert(fc.asyncProperty(line, (text) => run(send(text))), { numRuns: 30 }))
    }).pipe(Effect.scoped, Effect.provide(TestRelay.layer())))

  it.effect("that is none in UTF-8 is refused, and its octets are counted", () =>
    Effect.gen(function*() {
      const { login } = yield* TestRelay
      const alice = yield* login("alice")
      const bob = yield* login("bob")
      const send = (headers: Client.SendOptions["headers"], contentType = "text/plain") =>
        alice.client.send({ toPath: alice.pathTo(bob), body: "x", headers, contentType })
      const refused = Effect.fnUntraced(function*(effect: Effect.Effect<unknown, Client.ClientError>) {
        const { cause, reason } = yield* Effect.flip(effect)
        assert.strictEqual(reason, "Options")
        assert.instanceOf(cause, OptionsError)
      })
      for (const one of ["\u00fc", "\u4e16", "\u{1f600}"]) {
        const text = (octets: number): string => one.repeat(Math.floor(octets / Buffer.byteLength(one)))
        // With its name and what is around it, of 7232.
        yield* send([["X", text(7227)]])
        assert.strictEqual((yield* bob.client.messages.take).first.header("X"), text(7227))
        yield* refused(send([["X", text(7232)]]))
        yield* refused(send([], `text/plain; name="${text(8128)}"`))
      }
      yield* refused(send([["X", "\ud800"]]))
      yield* refused(send([], "text/plain; name=\"\udfff\""))
    }).pipe(Effect.scoped, Effect.provide(TestRelay.layer())))

  it.effect("of a comment is cut where a relay takes no more of a line, also when it grows by being composed", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair({ respond: false, record: true })
      other.write(sendTo(client, "abcd", { body: "Hi" }))
      const send = yield* client.frames.take
      // One unit becomes two or three in NFC.
      for (const one of ["\u0958", "\ufb2c", "\u{1d160}", "\u4e16", "\u{1f600}"]) {
        yield* client.respond(send, 400, { comment: one.repeat(200) })
        const { comment } = yield* other.frame
        assert.isAbove(comment.length, 150)
        assert.isAtMost(comment.length, 200)
        assert.isTrue(comment.isWellFormed() && !comment.includes("\ufffd"))
      }
    }).pipe(Effect.provide(simulated)))
})

describe("what is no text to a program", () => {
  it.effect("the challenge of a relay is answered with its octets", () =>
    Effect.gen(function*() {
      for (const realm of ["\xfc", "\xc3\xbc", "\xe4\xb8"]) {
        const frames = yield* answered(realm)
        assert.include(frames.toString("latin1"), `realm="${realm}"`)
      }
    }).pipe(Effect.provide(simulated)))

  it.effect("a login with a user, a realm and a password that are none in ASCII is proven", () =>
    Effect.gen(function*() {
      const { connect, uri } = yield* TestRelay
      const client = yield* connect
      const grant = yield* client.auth({ relay: uri, username: "J\u00fcrgen", password: "p\u00e4ss \u4e16" })
      assert.isTrue(grant.proven)
    }).pipe(
      Effect.scoped,
      Effect.provide(TestRelay.layer({
        users: { "J\u00fcrgen": "p\u00e4ss \u4e16" },
        relay: { authRealm: "Gr\u00fc\u00dfe" }
      }))
    ))
})

/** What a client writes to a relay of that realm. */
const answered = Effect.fnUntraced(function*(realm: string) {
  const socket = { scheme: "msrp", host: "relay.example.com", port: 2855 } as const
  const all: Array<Buffer> = []
  yield* (yield* Transport).listen(socket, (connection) => ({
    bytes: (some) => {
      all.push(Buffer.from(some))
      const id = /^MSRP (\S+) AUTH/.exec(some.toString())?.[1]
      const from = /From-Path: (\S+)/.exec(some.toString())?.[1]
      const challenge = `Digest realm="${realm}", nonce="abc", qop="auth", algorithm=SHA-256`
      const response = all.length > 1
        ? `MSRP ${id} 403 No\r\nTo-Path: ${from}\r\nFrom-Path: ${relay}\r\n-------${id}$\r\n`
        : `MSRP ${id} 401 No\r\nTo-Path: ${from}\r\nFrom-Path: ${relay}\r\nWWW-Authenticate: ${challenge}\r\n-------${id}$\r\n`
      connection.write(Buffer.from(response, "latin1"), () => {})
    },
    closed: () => {}
  }))
  const client = yield* Client.connect(socket)
  const error = yield* Effect.flip(client.auth({ relay, username: "alice", password: "wonderland" }))
  assert.strictEqual(error.status, 403)
  return Buffer.concat(all)
}, Effect.scoped)
