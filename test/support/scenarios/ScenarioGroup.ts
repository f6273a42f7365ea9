/** Tests that run on every transport. */
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { OptionsError } from "../../../src/Relay.ts"
import type { LocalSocket, Transport, TransportError } from "../../../src/Transport.ts"
import { makeWorld, type World, type WorldOptions } from "../harness.ts"

/** What the relay and its peers speak with each other on. */
export interface Setting {
  /** The first words of the titles. */
  readonly name: string
  readonly scheme: LocalSocket["scheme"]
  readonly transport: () => Layer.Layer<Transport, TransportError | OptionsError>
  /** What clients connect by. */
  readonly by: "tcp" | "ws"
}

type Play = (world: World) => Generator<Effect.Effect<unknown, TransportError, Scope.Scope>, void, never>

interface Scenario {
  readonly title: string
  readonly play: Play
  readonly options: (scheme: LocalSocket["scheme"]) => WorldOptions
}

/** The scenarios about one subject. */
export class ScenarioGroup {
  readonly title: string
  readonly #scenarios: Array<Scenario> = []

  constructor(title: string) {
    this.title = title
  }

  /** Adds one: a relay with these options, empty again at the end. */
  readonly scenario = (
    title: string,
    play: Play,
    options: WorldOptions | Scenario["options"] = {}
  ): void => {
    this.#scenarios.push({ title, play, options: typeof options === "function" ? options : () => options })
  }

  /** Makes a test of each. */
  run({ by, name, scheme, transport }: Setting): void {
    describe(`${name}: ${this.title}`, () => {
      for (const { options, play, title } of this.#scenarios) {
        it.effect(title, () =>
          Effect.gen(function*() {
            const world = yield* makeWorld({ scheme, by, ...options(scheme) })
            yield* Effect.gen(() => play(world))
            yield* world.done
          }).pipe(Effect.provide(transport())))
      }
    })
  }
}
