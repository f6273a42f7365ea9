/** What every world looks for in its log (`World.secrets`), and what is there instead. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ha1 } from "../../src/protocol/digest/Digest.ts"
import { sessionLabel } from "../../src/protocol/Ident.ts"
import { parseUri } from "../../src/protocol/Uri.ts"
import { Transport } from "../../src/Transport.ts"
import { makeWorld, send } from "../support/harness.ts"

describe("secrets", () => {
  it.effect("R4976-9.4-10: a session is known in the log by a short hash of its session-id", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld()
      const { granted, usePath } = yield* world.login()
      const id = parseUri(usePath)!.sessionId!
      const line = world.log.find((one) => one.includes("login granted"))
      assert.include(line, `session=${sessionLabel(id)} user=alice realm=localhost`)
      assert.match(line!, /level=info/i)
      assert.notInclude(line, id)
      assert.strictEqual(granted.status, 200)
      yield* world.done
    }).pipe(Effect.provide(Transport.layerTest())))

  it.effect("R4976-9.4-10: passwords, H(A1), digests, session-ids and bodies are looked for in every log", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld()
      const { alice, bob, bobUri } = yield* world.pair()
      alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body: "between you and me" }))
      bob.answer(yield* bob.next)
      yield* alice.peer.next
      const digest = /response="(\w+)"/.exec(world.authorization(yield* world.challenge(alice.peer, alice.uri)))![1]!
      for (
        const secret of [
          "wonderland",
          ha1("MD5", "alice", "localhost", "wonderland"),
          ha1("SHA-256", "alice", "localhost", "wonderland"),
          digest,
          parseUri(alice.usePath)!.sessionId!,
          parseUri(bobUri)!.sessionId!,
          "between you and me"
        ]
      ) assert.isTrue(world.secrets.has(secret), secret)
      yield* world.done
      world.log.push(`an unlikely line with ${digest} in it`)
      assert.isTrue((yield* Effect.exit(world.done))._tag === "Failure", "it would be seen")
    }).pipe(Effect.provide(Transport.layerTest())))
})
