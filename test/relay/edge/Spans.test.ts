/** What takes time is seen as spans: an AUTH, a dial and its look-ups; no message is. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { Credentials, passwordUser, userTable } from "../../../src/Credentials.ts"
import { layerRecords } from "../../../src/Resolver.ts"
import { Transport } from "../../../src/Transport.ts"
import { makeWorld, request, send } from "../../support/harness.ts"
import { ca, localhost } from "../../support/pki.ts"
import { recordingTracer } from "../../support/spans.ts"

/** Credentials with a span of their own, as those in a database have. */
const users = userTable([passwordUser("alice", Redacted.make("wonderland"))])
const own = Layer.succeed(
  Credentials,
  Credentials.make((user) =>
    Effect.withSpan(Effect.andThen(Effect.yieldNow, Effect.succeed(users.lookup(user))), "own")
  )
)

describe("spans", () => {
  it.effect("an AUTH is one, with its result; those of custom credentials are in it", () => {
    const { seen, tracer } = recordingTracer()
    return Effect.gen(function*() {
      const world = yield* makeWorld({ credentials: own })
      const alice = yield* world.login()
      const challenge = yield* world.challenge(alice.peer, alice.uri)
      yield* world.auth(alice.peer, alice.uri, world.authorization(challenge, { password: "wrong" }))
      const auth = (status: number, result: string) => ({
        name: "msrp.auth",
        parent: undefined,
        attributes: { scheme: "msrp", behindRelay: false, status, result }
      })
      const inside = { name: "own", parent: "msrp.auth", attributes: {} }
      assert.deepStrictEqual(
        seen().filter(({ name }) => name !== "around"),
        [
          auth(401, "challenged"),
          auth(200, "granted"),
          inside,
          auth(401, "challenged"),
          auth(401, "wrong credentials"),
          inside
        ]
      )
      // Nothing secret, and nothing of the session.
      const all = JSON.stringify(seen())
      for (const secret of world.secrets) assert.notInclude(all, secret)
      // A relay that was started within a span has no AUTHs in it: they are none of its doing.
    }).pipe(Effect.withSpan("around"), Effect.provide(Transport.layerTest()), Effect.withTracer(tracer))
  })

  it.effect("a dial is one, its look-up in it, and its end; messages are none", () => {
    const { seen, tracer } = recordingTracer()
    return Effect.gen(function*() {
      const world = yield* makeWorld({ plaintextAuth: "always" })
      const alice = yield* world.login()
      const bob = yield* world.listen
      for (let i = 0; i < 10; i++) {
        alice.peer.write(send({ to: `${alice.usePath} ${bob.uri}`, from: alice.uri, body: "hi", messageId: `m${i}` }))
        assert.strictEqual((yield* alice.peer.next).status, 200)
      }
      const peer = yield* bob.accepted
      for (const frame of yield* peer.take(10)) peer.answer(frame)
      alice.peer.write(request("AUTH", { to: `${alice.usePath} msrps://nowhere.example;tcp`, from: alice.uri }))
      yield* world.network!.settled
      assert.deepStrictEqual(seen().filter(({ name }) => name !== "msrp.auth"), [
        {
          name: "msrp.dial",
          parent: undefined,
          attributes: { scheme: "msrp", host: "localhost", port: bob.socket.port, relay: false, result: "connected" }
        },
        {
          name: "msrp.dial",
          parent: undefined,
          attributes: { scheme: "msrps", host: "nowhere.example", relay: true, result: "failed" }
        },
        { name: "dns.lookup", parent: "msrp.dial", attributes: { type: "SRV", name: "_msrps._tcp.nowhere.example" } }
      ])
    }).pipe(Effect.provide([Transport.layerTest(), layerRecords({})]), Effect.withTracer(tracer))
  })

  it.live("the addresses of a host are looked up in a span of its dial", () => {
    const { seen, tracer } = recordingTracer()
    return Effect.gen(function*() {
      const world = yield* makeWorld({ scheme: "msrps" })
      const alice = yield* world.login()
      const bob = yield* world.listen
      alice.peer.write(send({ to: `${alice.usePath} ${bob.uri}`, from: alice.uri, body: "hi" }))
      yield* bob.accepted
      assert.deepInclude(seen(), {
        name: "dns.lookup",
        parent: "msrp.dial",
        attributes: { type: "address", name: "localhost" }
      })
    }).pipe(Effect.provide(Transport.layerNode({ tls: { ...localhost, ca } })), Effect.withTracer(tracer))
  })
})
