/** Functions of a program that throw, or give what cannot be used. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Client from "../../src/Client.ts"
import { TestRelay } from "../../src/testing/TestRelay.ts"
import { TransportError } from "../../src/Transport.ts"
import { pair, peer, sendTo, settled, simulated } from "./pair.ts"

const throwing = () => {
  throw new RangeError("s3cret")
}
const failing = () => Promise.reject(new RangeError("s3cret"))
const worst = () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  throw proxy
}

/** What is logged. */
const logged = () => {
  const lines: Array<string> = []
  return { lines, layer: Logger.layer([Logger.map(Logger.formatLogFmt, (line) => void lines.push(line))]) }
}

/** What becomes of a promise that nobody waits for. */
const unhandled = Effect.acquireRelease(
  Effect.sync(() => {
    const errors: Array<unknown> = []
    const listener = (error: unknown): void => void errors.push(error)
    process.on("unhandledRejection", listener)
    return { errors, listener }
  }),
  ({ listener }) => Effect.sync(() => process.off("unhandledRejection", listener))
)

const nextTurn = Effect.promise(() => new Promise((resume) => setImmediate(resume)))

/** By the kind that is logged. */
const undecided: ReadonlyArray<readonly [kind: string, collect: () => any]> = [
  ["RangeError", throwing],
  ["object", failing],
  ["object", async () => "body"],
  ["undefined", () => undefined],
  ["object", () => null],
  ["string", () => "all"],
  ["boolean", () => true],
  ["function", () => () => "body"],
  ...[200, 0, 399, 600, 9999, 413.5, NaN, "413", undefined].map((refuse) => ["object", () => ({ refuse })] as const),
  ["RangeError", () => Object.defineProperty({}, "refuse", { get: throwing })]
]

describe("what collect gives", () => {
  it.effect("refuses that message where it is of no use, is logged once, and others go on", () => {
    const { layer, lines } = logged()
    return Effect.gen(function*() {
      const { errors } = yield* unhandled
      const refused = Effect.fnUntraced(function*(kind: string, collect: () => any) {
        let asked = 0
        const { client, other } = yield* pair({
          collect: ({ transactionId }) => {
            if (transactionId.startsWith("good")) return "body"
            asked++
            return collect()
          }
        })
        const asks = "Success-Report: yes\r\n"
        other.write(sendTo(client, "abc1", { body: "abc", at: [1, 6], headers: asks, flag: "+" }))
        other.write(sendTo(client, "abc2", { body: "def", at: [4, 6], headers: asks }))
        other.write(sendTo(client, "abc3", { body: "abc", headers: asks }))
        other.write(sendTo(client, "good", { body: "abc" }))
        const frames = yield* other.frames(4)
        assert.deepStrictEqual(frames.map(({ status }) => status), [413, 413, 413, 200])
        assert.strictEqual((yield* client.messages.take).first.transactionId, "good")
        assert.strictEqual(asked, 2)
        yield* settled
        assert.strictEqual(other.waiting, 0)
        assert.lengthOf(lines, 1)
        assert.match(
          lines.pop()!,
          new RegExp(`"a function that says what becomes of messages is broken" error=${kind}$`)
        )
      }, Effect.scoped)
      for (const [kind, collect] of undecided) yield* refused(kind, collect)
      yield* nextTurn
      assert.deepStrictEqual(errors, [])
    }).pipe(Effect.scoped, Effect.provide([simulated, layer]))
  })

  it.effect("is told to the sender, through a relay", () =>
    Effect.gen(function*() {
      const { login, socket, uri } = yield* TestRelay
      const alice = yield* login("alice")
      const bob = yield* Client.connect({ ...socket, collect: throwing })
      const { usePath } = yield* bob.auth({ relay: uri, username: "bob", password: "builder" })
      const toPath = [...alice.grant.usePath, ...usePath, bob.uri]
      const sent = yield* alice.client.send({ toPath, body: "Hi", successReport: true })
      const { reason, status } = yield* Effect.flip(sent.delivered)
      assert.deepStrictEqual([reason, status], ["Reported", 413])
    }).pipe(Effect.scoped, Effect.provide(TestRelay.layer())))

  it.effect("may be any status from 400 to 599, and the message is not asked about again", () =>
    Effect.gen(function*() {
      const refused = Effect.fnUntraced(function*(refuse: number) {
        let asked = 0
        const { client, other } = yield* pair({ collect: () => ++asked === 1 ? { refuse } : "body" })
        other.write(sendTo(client, "abc1", { body: "abc", at: [1, 6], flag: "+" }))
        other.write(sendTo(client, "abc2", { body: "def", at: [4, 6] }))
        other.write(sendTo(client, "abc3", { body: "abc" }))
        assert.deepStrictEqual((yield* other.frames(3)).map(({ status }) => status), [refuse, refuse, 200])
      }, Effect.scoped)
      for (const refuse of [400, 415, 481, 599]) yield* refused(refuse)
    }).pipe(Effect.scoped, Effect.provide(simulated)))
})

it.effect("a message that comes is refused with a status from 400 to 599 only", () =>
  Effect.gen(function*() {
    const { client, other } = yield* pair({ collect: "stream" })
    other.write(sendTo(client, "abc1", { body: "abc", at: [1, 6], flag: "+" }))
    assert.strictEqual((yield* other.frame).status, 200)
    const incoming = yield* client.incoming.take
    for (const status of [200, 399, 600, 413.5, NaN, "413", null] as ReadonlyArray<any>) {
      assert.strictEqual((yield* Effect.flip(incoming.refuse(status))).reason, "Options")
    }
    yield* incoming.refuse(415)
    other.write(sendTo(client, "abc2", { body: "def", at: [4, 6] }))
    assert.strictEqual((yield* other.frame).status, 415)
  }).pipe(Effect.provide(simulated)))

it.effect("an address that admits says nothing of use about is not connected to, and that is logged once", () => {
  const { layer, lines } = logged()
  const wrong: ReadonlyArray<readonly [kind: string | undefined, admits: () => any]> = [
    ["RangeError", throwing],
    ["object", worst],
    ["object", failing],
    ["object", async () => true],
    ["undefined", () => undefined],
    ["number", () => 1],
    ["string", () => "yes"],
    [undefined, () => false]
  ]
  return Effect.gen(function*() {
    const { errors } = yield* unhandled
    for (const [kind, admits] of wrong) {
      const error = yield* Effect.flip(Effect.scoped(pair({ admits })))
      assert.instanceOf(error, TransportError)
      assert.strictEqual(error.reason, "Forbidden")
      const line = `"a function that admits addresses is broken" error=${kind}`
      assert.deepStrictEqual(lines.splice(0).map((text) => text.endsWith(line)), kind === undefined ? [] : [true])
    }
    yield* pair({ admits: () => true })
    yield* nextTurn
    assert.deepStrictEqual(errors, [])
  }).pipe(Effect.scoped, Effect.provide([simulated, layer]))
})

it.effect("progress that is rejected later is logged once, told no more, and ends nothing", () => {
  const { layer, lines } = logged()
  const rejected: ReadonlyArray<() => any> = [failing, async () => throwing()]
  return Effect.gen(function*() {
    const { errors } = yield* unhandled
    const sent = Effect.fnUntraced(function*(progress: () => any) {
      const { client, other } = yield* pair()
      let calls = 0
      const fiber = yield* Effect.forkChild(client.send({
        toPath: peer,
        body: "x".repeat(25),
        chunkSize: 10,
        progress: () => (calls++, progress())
      }))
      const frames = yield* other.frames(3)
      yield* nextTurn
      const before = calls
      for (const frame of frames) other.answer(frame, 200)
      assert.strictEqual((yield* Fiber.join(fiber)).length, 25)
      assert.strictEqual(calls, before)
      assert.lengthOf(lines, 1)
      assert.match(lines.pop()!, /"a function that is told of progress is broken" error=RangeError$/)
    }, Effect.scoped)
    for (const progress of rejected) yield* sent(progress)
    yield* nextTurn
    assert.deepStrictEqual(errors, [])
  }).pipe(Effect.scoped, Effect.provide(Layer.mergeAll(simulated, layer)))
})
