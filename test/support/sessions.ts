/** Sessions that tests begin with, two at a time. */
import * as Effect from "effect/Effect"
import type { World } from "./harness.ts"

/** Alice and Carol, each with a session on a connection of her own. */
export const twoSessions = Effect.fnUntraced(function*(world: World) {
  return { alice: yield* world.login(), carol: yield* world.login({ username: "carol" }) }
})

/** Alice with two sessions on one connection: `bob` has joined the first, `other` the second. */
export const sharedConnection = Effect.fnUntraced(function*(world: World) {
  const pair = yield* world.pair()
  const second = yield* world.login({ peer: pair.alice.peer })
  return { ...pair, second, other: yield* world.join(second) }
})
