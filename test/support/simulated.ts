/** Scenarios: each in a world of its own, of which nothing may be left in the end. */
import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Transport, type TransportError } from "../../src/Transport.ts"
import type { TestOptions } from "../../src/transport/testing/TestNetwork.ts"
import { makeWorld, type World, type WorldOptions } from "./harness.ts"

export type Body = (world: World) => Effect.Effect<void, TransportError, Scope.Scope>

/** Makes the world, has the scenario played in it, and sees that everything is gone. */
export const play = Effect.fnUntraced(function*(body: Body, options: WorldOptions = {}) {
  const world = yield* makeWorld(options)
  yield* body(world)
  yield* world.done
})

/**
 * Makes tests on the simulated network, where time passes as the test says. Options of one scenario are put over those of
 * all; `link` is how octets travel.
 */
export const simulated =
  (options: WorldOptions = {}, link: TestOptions = {}) => (title: string, body: Body, more: WorldOptions = {}): void =>
    it.effect(title, () => Effect.provide(play(body, { ...options, ...more }), Transport.layerTest(link)))
