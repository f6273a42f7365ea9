/** How long is a session URI valid? Half an hour passes in a millisecond: a simulated network, a simulated clock. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as Msrp from "msrp-relay"

const listen = [{ scheme: "msrps", host: "relay.example.com", port: 2855 }] as const
const users = [Msrp.passwordUser("alice", Redacted.make("wonderland"))]

const Simulation = Msrp.Relay.layer({ listen, authExpires: 1800 }).pipe(
  Layer.provide(Msrp.Authenticator.layerDigest().pipe(Layer.provide(Msrp.Credentials.layerMemory(users)))),
  Layer.provide([Msrp.SessionRepo.layerMemory(), Msrp.SocketSelector.layerDefault(listen)]),
  Layer.provideMerge([Msrp.Transport.layerTest(), Msrp.Codec.layer])
)

it.effect("a session URI is valid for half an hour", () =>
  Effect.gen(function*() {
    const alice = yield* Msrp.Client.connect(listen[0])
    const relay = "msrps://relay.example.com:2855;tcp"
    const grant = yield* alice.auth({ relay, username: "alice", password: "wonderland" })
    const toAlice = Msrp.Client.peerPath(grant, alice.uri)

    yield* TestClock.adjust("29 minutes")
    const bob = yield* Msrp.Client.connect(listen[0])
    yield* bob.send({ toPath: toAlice, body: "still there?" })
    assert.strictEqual((yield* alice.messages.take).body?.toString(), "still there?")

    yield* TestClock.adjust("1 minute")
    const error = yield* Effect.flip(bob.send({ toPath: toAlice, body: "and now?" }))
    assert.strictEqual(error.status, 481)
  }).pipe(Effect.provide(Simulation)))
