import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as TestClock from "effect/testing/TestClock"
import * as TestConsole from "effect/testing/TestConsole"
import { Authenticator } from "../../../src/Authenticator.ts"
import { Codec } from "../../../src/Codec.ts"
import { Credentials, passwordUser } from "../../../src/Credentials.ts"
import { type MsrpUri, parseUri } from "../../../src/protocol/Uri.ts"
import { Relay } from "../../../src/Relay.ts"
import { probe, type ProbeOptions } from "../../../src/service/probe/Probe.ts"
import { parseRelay } from "../../../src/service/probe/Target.ts"
import { SessionRepo } from "../../../src/SessionRepo.ts"
import { SocketSelector } from "../../../src/SocketSelector.ts"
import { TestNetwork, Transport } from "../../../src/Transport.ts"
import { scripted } from "../../client/Scripted.ts"

const SOCKET = { scheme: "msrp", host: "relay.example.com", port: 2855 } as const
const uri = (text: string) => parseUri(text)!
const password = "wonderland"

const options: ProbeOptions = {
  relay: uri("msrp://relay.example.com:2855;tcp"),
  user: "alice",
  password: Redacted.make(password),
  size: 300_000,
  timeout: 10
}

const network = Layer.merge(Transport.layerTest(), Codec.layer)

const BY_MESSAGES = { ...SOCKET, transport: "ws", path: "/msrp", port: 2857 } as const

const relayAt = (uris?: ReadonlyArray<MsrpUri>) =>
  Relay.layer({ listen: [SOCKET, BY_MESSAGES], plaintextAuth: "always", uris }).pipe(
    Layer.provide([
      SessionRepo.layerMemory(),
      SocketSelector.layerRules([SOCKET], []),
      Authenticator.layerDigest().pipe(
        Layer.provide(Credentials.layerMemory([passwordUser("alice", Redacted.make(password))]))
      )
    ]),
    // What the relay logs is not what the probe says.
    Layer.provide(Layer.succeed(References.MinimumLogLevel, "Error")),
    Layer.provideMerge(network)
  )
const withRelay = relayAt()

const output = Effect.map(TestConsole.logLines, (lines) => lines.join("\n"))

describe("probe", () => {
  it.effect("sends messages and files through a relay both ways", () =>
    Effect.gen(function*() {
      yield* probe(options)
      const lines = (yield* output).split("\n")
      assert.deepStrictEqual(lines.map((line) => line.replace(/^ok +\d+ ms +/, "ok ").replace(/: .*/, "")), [
        "probing msrp://relay.example.com:2855",
        "ok connect to msrp://relay.example.com:2855",
        "ok AUTH as alice",
        "ok connect the peer to msrp://relay.example.com:2855",
        "ok message from the peer to alice",
        "ok message from alice to the peer",
        "ok file of 300,000 octets from the peer to alice",
        "ok file of 300,000 octets from alice to the peer",
        "the relay works"
      ])
      assert.notInclude(lines.join("\n"), password)
    }).pipe(Effect.provide(withRelay)))

  it.effect("R7977-5.1-02 R7977-5.2.2-10: logs in by WebSocket; its peer comes by the Use-Path, which is of TCP", () =>
    Effect.gen(function*() {
      yield* probe({ ...options, relay: uri("msrp://relay.example.com:2857;ws"), path: "/msrp" })
      const lines = (yield* output).split("\n")
      assert.deepStrictEqual(
        lines.slice(0, 4).map((line) => line.replace(/^ok +\d+ ms +/, "ok ").replace(/: .*/, "")),
        [
          "probing ws://relay.example.com:2857/msrp",
          "ok connect to ws://relay.example.com:2857/msrp",
          "ok AUTH as alice",
          "ok connect the peer to msrp://relay.example.com:2855"
        ]
      )
      assert.match(lines.at(-1)!, /^the relay works: 7 steps/)
    }).pipe(Effect.provide(withRelay)))

  it.effect("says where no WebSocket is", () =>
    Effect.gen(function*() {
      const relay = uri("msrp://relay.example.com:2855;ws")
      const error = yield* Effect.flip(probe({ ...options, relay }))
      assert.match(error.message, /cannot connect ws:\/\/relay\.example\.com:2855/)
    }).pipe(Effect.provide(withRelay)))

  it("takes URIs of MSRP and of WebSocket, with the ports that they have by themselves", () => {
    const read = (text: string) =>
      Option.match(parseRelay(text), {
        onNone: () => undefined,
        onSome: ({ path, relay }) => [relay.text, path]
      })
    assert.deepStrictEqual(read("msrps://relay.example.com"), ["msrps://relay.example.com:2855;tcp", undefined])
    assert.deepStrictEqual(read("msrp://127.0.0.1"), ["msrp://127.0.0.1:2855;tcp", undefined])
    assert.deepStrictEqual(read("msrps://[::1]/"), ["msrps://[::1]:2855;tcp", undefined])
    assert.deepStrictEqual(read("msrp://192.0.2.1;tcp"), ["msrp://192.0.2.1:2855;tcp", undefined])
    assert.deepStrictEqual(read("wss://relay.example.com/msrp?x=1"), ["msrps://relay.example.com:443;ws", "/msrp?x=1"])
    assert.deepStrictEqual(read("ws://[::1]:2857"), ["msrp://[::1]:2857;ws", "/"])
    assert.deepStrictEqual(read("WS://relay.example.com"), ["msrp://relay.example.com:80;ws", "/"])
    for (
      const text of [
        "ws://",
        "ws:///x",
        "ws://a b",
        "wss://a/#b",
        "ws://a:99999",
        "ws://a;tcp",
        "http://a",
        "wss://::1",
        "msrp://::1",
        "msrp://a:99999",
        "msrp://a/session;tcp",
        "msrp://a;ws",
        "msrp://"
      ]
    ) {
      assert.isUndefined(read(text), text)
    }
  })

  it.effect("goes where Use-Path says or else to the given address, and stops at what a relay refuses", () =>
    Effect.gen(function*() {
      const other = yield* scripted(SOCKET)
      const fiber = yield* Effect.forkChild(Effect.flip(probe(options)))
      const owner = yield* other.end
      const usePath = "msrp://nobody.example.com:9000/Zk8sQ2vN5xW1rT7y;tcp"
      owner.answer(yield* owner.frame, 200, [["Use-Path", usePath], ["Expires", "60"]])
      const peer = yield* other.end
      const message = yield* peer.frame
      assert.isTrue(message.toPath.startsWith(`${usePath} msrp://`))
      peer.answer(message, 481)
      const error = yield* Fiber.join(fiber)
      assert.match(error.message, /message from the peer to alice: 481/)
      const lines = yield* output
      assert.match(lines, /AUTH as alice: granted for 60 s \(the relay did not prove/)
      assert.match(lines, /connect the peer to msrp:\/\/nobody\.example\.com:9000: .*nobody listens.* went to msrp:/)
      assert.notInclude(lines + error.message, "Zk8s")
    }).pipe(Effect.provide(network)))

  it.effect("says that user name or password are wrong", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(probe({ ...options, password: Redacted.make("guess") }))
      assert.strictEqual(error.step, "AUTH as alice")
      assert.match(
        error.message,
        /AUTH as alice: 401, user name or password is wrong, in the realm relay.example.com unless MSRP_AUTH_REALM is another/
      )
      assert.match(yield* output, /FAILED +\d+ ms {2}AUTH as alice/)
    }).pipe(Effect.provide(withRelay)))

  it.effect("says where the cause is to be found, if the status of a login has several", () =>
    Effect.gen(function*() {
      const other = yield* scripted(SOCKET)
      for (
        const [status, said] of [[408, /408, not possible now: the log .*`login failed`/], [
          403,
          /403, not allowed, .*: the log .*`login failed`/
        ]] as const
      ) {
        const fiber = yield* Effect.forkChild(Effect.flip(probe(options)))
        const owner = yield* other.end
        owner.answer(yield* owner.frame, status)
        const { message } = yield* Fiber.join(fiber)
        assert.include(message, "AUTH as alice: ")
        assert.match(message, said)
      }
    }).pipe(Effect.provide(network)))

  it.effect("says that the relay may have other names, if that closes the connection", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(probe(options))
      assert.match(
        error.message,
        /AUTH as alice: .* closed: perhaps the relay speaks TLS there, .*, or does not know msrp:\/\/relay\.example\.com:2855 as its own/
      )
    }).pipe(Effect.provide(relayAt([uri("msrp://other.example.com:2855;tcp")]))))

  it.effect("says that nobody listens", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(probe(options))
      assert.match(error.message, /connect to msrp:\/\/relay\.example\.com:2855: nobody listens/)
    }).pipe(Effect.provide(network)))

  it.effect("says what a certificate lacks", () =>
    Effect.gen(function*() {
      const { answer } = yield* TestNetwork
      answer("relay.example.com", 2856, "Certificate")
      const relay = uri("msrps://relay.example.com:2856;tcp")
      const error = yield* Effect.flip(probe({ ...options, relay }))
      assert.match(error.message, /certificate is not accepted.*--insecure/)
    }).pipe(Effect.provide(network)))

  it.effect("gives up when nothing happens for as long as the timeout", () =>
    Effect.gen(function*() {
      const other = yield* scripted(SOCKET)
      const fiber = yield* Effect.forkChild(Effect.flip(probe(options)))
      yield* Effect.flatMap(other.end, (end) => end.frame)
      yield* TestClock.adjust("9999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 seconds")
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error.step, "AUTH as alice")
      assert.match(error.message, /no response in time|nothing happened/)
    }).pipe(Effect.provide(network)))

  it.effect("gives up on a message that is taken and never arrives", () =>
    Effect.gen(function*() {
      const other = yield* scripted(SOCKET)
      const fiber = yield* Effect.forkChild(Effect.flip(probe(options)))
      const owner = yield* other.end
      const usePath = "msrp://relay.example.com:2855/Zk8sQ2vN5xW1rT7y;tcp"
      owner.answer(yield* owner.frame, 200, [["Use-Path", usePath], ["Expires", "60"]])
      const peer = yield* other.end
      peer.answer(yield* peer.frame, 200)
      yield* Effect.flatMap(TestNetwork, (network) => network.settled)
      yield* TestClock.adjust("20 seconds")
      assert.match((yield* Fiber.join(fiber)).message, /message from the peer to alice: nothing happened for 10 sec/)
    }).pipe(Effect.provide(network)))
})
