/**
 * A user's file does not arrive, and he calls. Whoever answers greps the log at info level for his name, or looks at the
 * history of the status page: each cause is told there, in its own words.
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { EventMessage } from "../src/Relay.ts"
import { fieldsOf } from "./support/events.ts"
import { send, until, type World } from "./support/harness.ts"
import { connectFrom, listenAs, machine, options } from "./support/relays.ts"
import { type Body, simulated } from "./support/simulated.ts"

/** What the log says of alice to who does not want to see details: `level=Info` and `user=alice`. */
const grep = (world: World): ReadonlyArray<Readonly<Record<string, string>>> =>
  world.log.filter((line) => /\blevel=info\b/i.test(line) && /\buser=alice( |$)/.test(line)).map(fieldsOf)

/** The cause as the log has it, and as the history of alice has it, which the status page shows. */
const isTold = (world: World, message: EventMessage, expected: Readonly<Record<string, string | RegExp>>) =>
  Effect.gen(function*() {
    const history = () => world.relay.operator.history("alice").filter((event) => event.message === message)
    yield* until(() => history().length > 0, message, () => world.log.join("\n"))
    const event = history().at(-1)!
    const lines = grep(world).filter((line) => line["message"] === message)
    assert.isNotEmpty(lines, `no line of alice: ${message}`)
    for (const [name, value] of Object.entries(expected)) {
      for (const told of [String(event.fields[name]), lines.at(-1)![name]!]) {
        if (typeof value === "string") assert.strictEqual(told, value)
        else assert.match(told, value)
      }
    }
    // Wherever it stands, it is about the same.
    for (const [name, value] of Object.entries(event.fields)) {
      if (name !== "times") assert.strictEqual(lines.at(-1)![name], String(value), name)
    }
  })

const file = "the octets of a file ".repeat(1000)

const fileTo = (usePath: string, uri: string, from: string): Buffer =>
  send({ to: `${usePath} ${uri}`, from, messageId: "file.1", body: file })

const complaint = (title: string, body: Body, more: Parameters<ReturnType<typeof simulated>>[2] = {}): void =>
  simulated()(`"my file does not arrive": ${title}`, body, more)

describe("complaints", () => {
  complaint("his password is wrong", (world) =>
    Effect.gen(function*() {
      const peer = yield* world.connect
      const from = world.party()
      const challenge = yield* world.challenge(peer, from)
      yield* world.auth(peer, from, world.authorization(challenge, { password: "looking-glass" }))
      yield* isTold(world, "login failed", { status: "401", reason: "wrong credentials" })
    }))

  complaint("his session has expired", (world) =>
    Effect.gen(function*() {
      const { alice, bob, bobUri } = yield* world.pair()
      yield* TestClock.adjust("30 minutes")
      alice.peer.write(fileTo(alice.usePath, bobUri, alice.uri))
      assert.strictEqual((yield* alice.peer.next).status, 481)
      yield* isTold(world, "session ended", { reason: "expired", seconds: /^18\d\d/ })
      yield* isTold(world, "request refused", {
        direction: "sent",
        status: "481",
        reason: "there is no such session, or it is over"
      })
      // Also what his peer still sends him.
      bob.write(send({ to: `${alice.usePath} ${alice.uri}`, from: bobUri, body: "where are you?" }))
      assert.strictEqual((yield* bob.next).status, 481)
      yield* isTold(world, "request refused", { direction: "received", status: "481" })
    }), { sessions: { cleanupInterval: "2 hours" } })

  complaint("its receiver does not want it", (world) =>
    Effect.gen(function*() {
      const { alice, bob, bobUri } = yield* world.pair()
      alice.peer.write(fileTo(alice.usePath, bobUri, alice.uri))
      bob.answer(yield* bob.next, "413 Too large")
      yield* isTold(world, "message not delivered", {
        direction: "sent",
        status: "413",
        reason: "its receiver refused it"
      })
    }))

  complaint("its receiver has stalled", (world) =>
    Effect.gen(function*() {
      const { alice, bob, bobUri } = yield* world.pair()
      bob.connection.pause()
      for (let i = 0; i < 12; i++) alice.peer.write(fileTo(alice.usePath, bobUri, alice.uri))
      yield* world.network!.settled
      yield* TestClock.adjust("31 seconds")
      yield* isTold(world, "message not delivered", { status: "408", reason: "its receiver takes nothing" })
      yield* isTold(world, "connection ended", { party: "peer", reason: "takes no octets" })
    }))

  complaint("policy forbids where it is to go", (world) =>
    Effect.gen(function*() {
      const alice = yield* world.login()
      alice.peer.write(fileTo(alice.usePath, "msrp://10.0.0.1:7000/bob;tcp", alice.uri))
      assert.strictEqual((yield* alice.peer.next).status, 403)
      yield* isTold(world, "request refused", {
        status: "403",
        reason: "connections to the next hop are forbidden",
        target: "msrp://10.0.0.1:7000"
      })
      // The same by a name.
      yield* world.transport.listen({ scheme: "msrp", host: "127.0.0.1", port: 7000 }, () => ({
        bytes: () => {},
        closed: () => {}
      }))
      alice.peer.write(fileTo(alice.usePath, "msrp://localhost:7000/bob;tcp", alice.uri))
      yield* isTold(world, "dial failed", {
        target: "msrp://localhost:7000",
        reason: "connections to it are forbidden"
      })
      yield* isTold(world, "message not delivered", { status: "403", reason: "its next hop may not be reached" })
    }), { listen: [{ scheme: "msrp", host: "203.0.113.5", port: 2855 }], plaintextAuth: "always" })

  complaint("the certificate of the next hop is not right", (world) =>
    Effect.gen(function*() {
      // Under this name somebody answers who has a certificate for another one.
      yield* machine(world, "outer.example.com", ["elsewhere.example.com"]).listen(
        { scheme: "msrps", host: "outer.example.com", port: 2855 },
        () => ({ bytes: () => {}, closed: () => {} })
      )
      const peer = yield* connectFrom(world, machine(world, "client.example.com", []))
      const alice = yield* world.login({ peer, uri: "msrps://client.example.com:9/a1;tcp" })
      peer.write(fileTo(alice.usePath, "msrps://outer.example.com:2855/bob;tcp", alice.uri))
      yield* isTold(world, "dial failed", { target: "msrps://outer.example.com:2855", reason: /^a certificate / })
      yield* isTold(world, "message not delivered", { status: "408", reason: "its next hop cannot be reached" })
    }), options)

  complaint("somebody else has the session already", (world) =>
    Effect.gen(function*() {
      const alice = yield* world.login()
      const carol = yield* world.login({ username: "carol" })
      // Who has written to carol before has her session; the file of alice is refused.
      yield* world.join(carol)
      alice.peer.write(fileTo(alice.usePath, `${carol.usePath} ${carol.uri}`, alice.uri))
      assert.strictEqual((yield* alice.peer.next).status, 506)
      yield* isTold(world, "request refused", {
        direction: "sent",
        status: "506",
        reason: "the session has a peer on another connection",
        peerUser: "carol"
      })
    }))

  complaint("to him: its sender has vanished", (world) =>
    Effect.gen(function*() {
      const { alice, bob, bobUri } = yield* world.pair()
      bob.write(fileTo(alice.usePath, alice.uri, bobUri).subarray(0, 9000))
      yield* until(() => alice.peer.partialBody > 0, "its beginning")
      world.network!.cut(bob.connection)
      yield* isTold(world, "message cut off", {
        direction: "received",
        reason: /^the connection of its sender: failed: ECONNRESET/
      })
    }))

  complaint("his own connection broke off", (world) =>
    Effect.gen(function*() {
      const { alice, bob, bobUri } = yield* world.pair()
      alice.peer.write(fileTo(alice.usePath, bobUri, alice.uri).subarray(0, 9000))
      yield* until(() => bob.partialBody > 0, "its beginning")
      world.network!.cut(alice.peer.connection)
      yield* isTold(world, "message cut off", { direction: "sent", reason: /ECONNRESET/ })
      yield* isTold(world, "session ended", { reason: "its connection closed", connectionEnd: "failed: ECONNRESET" })
    }))

  complaint("the next relay does not answer, nor does a listener of it", (world) =>
    Effect.gen(function*() {
      const outer = yield* listenAs(world, "outer.example.com")
      const peer = yield* connectFrom(world, machine(world, "client.example.com", []))
      const alice = yield* world.login({ peer, uri: "msrps://client.example.com:9/a1;tcp" })
      peer.write(fileTo(alice.usePath, "msrps://outer.example.com:2855/bob;tcp", alice.uri))
      yield* until(() => outer.length > 0, "the connection")
      yield* isTold(world, "dial succeeded", { target: "msrps://outer.example.com:2855" })
      yield* TestClock.adjust("31 seconds")
      yield* isTold(world, "message not delivered", { status: "408", reason: "no answer in time" })
    }), options)
})
