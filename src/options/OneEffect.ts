/** Whether the program runs its effects with the copy of `effect` that this library is made with. */
import * as Effect from "effect/Effect"
import { placeOf } from "../platform/Node.ts"

/** The program has another copy of `effect` than this library. A fault of the installation: a defect, not an error to handle. */
export class OtherEffect extends Error {
  override readonly name = "OtherEffect"

  constructor() {
    super(
      `This program runs with another copy of "effect" than msrp-relay does, which uses ${placeOf("effect")}. ` +
        `Services, metrics and types of two copies do not fit together. Keep one: "npm ls effect" shows them, and ` +
        `peerDependencies in the package.json of msrp-relay which versions will do.`
    )
  }
}

let ours: object | null

/** Fibers are made by the copy that runs them. Nothing else tells: services and effects of two copies look alike. */
const isOurs = (fiber: object): boolean =>
  Object.getPrototypeOf(fiber) === (ours ??= Object.getPrototypeOf(Effect.runFork(Effect.void)))

/** Dies with `OtherEffect` if there are two, before half of what the program does is seen by neither. */
export const oneEffect: Effect.Effect<void> = Effect.withFiber((fiber) =>
  isOurs(fiber) ? Effect.void : Effect.die(new OtherEffect())
)
