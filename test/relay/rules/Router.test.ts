import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { send } from "../../support/harness.ts"
import { simulated } from "../../support/simulated.ts"

const scenario = simulated({ plaintextAuth: "always" })

describe("the owner of a session", () => {
  scenario(
    "R4976-6.4-16 R4976-9.3-06: is reached by the first four hosts and ports that its From-Path has named",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const bob = world.party("bob")
        const hosts = Array.from({ length: 5 }, (_, i) => `msrp://alice${i}.invalid:9/a;tcp`)
        for (const from of hosts) {
          alice.peer.write(send({ to: `${alice.usePath} ${bob}`, from, body: "hi" }))
          assert.strictEqual((yield* alice.peer.next).status, 408)
        }
        const peer = yield* world.connect
        const statuses: Array<number> = []
        for (const host of [alice.uri, ...hosts]) {
          peer.write(send({ to: `${alice.usePath} ${host}`, from: bob }))
          statuses.push((yield* peer.next).status)
        }
        assert.deepStrictEqual(statuses, [200, 200, 200, 200, 403, 403])
      })
  )
})
