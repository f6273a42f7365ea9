import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { LEAST_UNANSWERED } from "../../../src/relay/outbound/Window.ts"
import { collect, type Frame, header, send } from "../../support/harness.ts"
import { pattern } from "../../support/Recorder.ts"
import { simulated } from "../../support/simulated.ts"

const scenario = simulated()

const OCTETS = 2000
const MESSAGES = 2 * LEAST_UNANSWERED / OCTETS

scenario(
  "R4976-6.4.1-16: any number of messages whose arrival is not answered is passed on at once, and others not behind so many octets",
  (world) =>
    Effect.gen(function*() {
      const { alice, bob, bobUri } = yield* world.pair()
      const got: Array<Frame> = []
      bob.onFrame = (frame) => void got.push(frame)
      collect(alice.peer)
      const sends = Effect.fnUntraced(function*(headers: ReadonlyArray<string>) {
        for (let i = 0; i < MESSAGES; i++) {
          const body = pattern(OCTETS)
          const range = `1-${OCTETS}/${OCTETS}`
          alice.peer.write(
            send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, messageId: `m${i}`, range, body, headers })
          )
        }
        yield* world.network!.settled
        return got.splice(0).map((frame) => header(frame, "Message-ID")).length
      })
      assert.strictEqual(yield* sends(["Failure-Report: partial"]), Math.ceil(MESSAGES))
      assert.isBelow(yield* sends([]), MESSAGES)
    })
)
