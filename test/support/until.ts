/** Waiting for what the relay does. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"

/** Milliseconds of real time after which something that is waited for will not come any more. */
const PATIENCE = 8000

/** Lines of a stack that say nothing of the test that waits. */
const INTERNAL = /support\/(until|Peer|World)\.ts/

/** Turns of the event loop until the condition holds. */
export const until = (condition: () => boolean, what = "a condition", more = () => ""): Effect.Effect<void> => {
  const origin = new Error().stack?.split("\n").filter((line) => !INTERNAL.test(line)).slice(1, 3).join("\n")
  let end = 0
  return Effect.whileLoop({
    while: () => !condition(),
    body: () => Effect.yieldNow,
    step: () => {
      const now = performance.now()
      if (end === 0) end = now + PATIENCE
      else if (now > end) assert.fail(`${what} did not come ${more()}\n${origin}`)
    }
  })
}
