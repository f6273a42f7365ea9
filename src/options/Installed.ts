/** Optional peer packages, loaded when they are needed. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { codeOf } from "../net/ErrorCode.ts"

/** A package that is needed cannot be loaded, usually because it is not installed. */
export class NotInstalled extends Data.TaggedError("NotInstalled")<{
  /** The name of the package on npm. */
  readonly name: string
  readonly cause: unknown
}> {
  override get message(): string {
    const { cause, name } = this
    return codeOf(cause) === "ERR_MODULE_NOT_FOUND"
      ? `${name} is not installed: npm install ${name}`
      : `${name} cannot be loaded: ${cause instanceof Error ? cause.message : codeOf(cause)}`
  }
}

/** Loads an optional package, and returns what it exports. */
export const loadInstalled = <A>(name: string, load: () => Promise<A>): Effect.Effect<A, NotInstalled> =>
  Effect.tryPromise({ try: load, catch: (cause) => new NotInstalled({ name, cause }) })
