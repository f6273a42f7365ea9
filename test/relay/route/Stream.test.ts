import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { LEAST_UNANSWERED } from "../../../src/relay/outbound/Window.ts"
import { send } from "../../support/harness.ts"
import { simulated } from "../../support/simulated.ts"

const scenario = simulated()

scenario(
  "R4975-7.1.1-01: a chunk whose last octet fills the window leaves in one piece, and none without octets follows",
  (world) =>
    Effect.gen(function*() {
      const { alice, bob, bobUri } = yield* world.pair()
      const [total, body] = [LEAST_UNANSWERED, "x".repeat(LEAST_UNANSWERED)]
      alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, range: `1-${total}/${total}`, body }))
      assert.strictEqual((yield* alice.peer.next).status, 200)
      const frame = yield* bob.next
      assert.deepStrictEqual([frame.body?.length, frame.flag], [total, "$"])
      bob.answer(frame)
      yield* bob.quiet
    })
)
