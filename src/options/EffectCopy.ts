/** Detects a program that runs with another copy of `effect` than this library. */
import * as Effect from "effect/Effect"
import { placeOf } from "../platform/Node.ts"

/** The program has another copy of `effect` than this library. This is an installation fault, so it is a defect rather than an error to handle. */
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

/** Compares prototypes of fibers, because each copy makes its own, while services and effects of two copies look alike. */
const isOurs = (fiber: object): boolean =>
  Object.getPrototypeOf(fiber) === (ours ??= Object.getPrototypeOf(Effect.runFork(Effect.void)))

/** Dies with `OtherEffect` if the running fiber is of another copy. */
export const checkEffectCopy: Effect.Effect<void> = Effect.withFiber((fiber) =>
  isOurs(fiber) ? Effect.void : Effect.die(new OtherEffect())
)
