/** What a digest authenticator keeps from one AUTH to the next: nonces, failed attempts, and the options in force. */
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { monotonicMillis } from "../clock/Monotonic.ts"
import { follow, type Live } from "../options/Live.ts"
import type { OptionsError } from "../options/Options.ts"
import { realmKey } from "../protocol/digest/Challenge.ts"
import type { DigestAlgorithm } from "../protocol/digest/Digest.ts"
import { Attempts } from "./Attempts.ts"
import {
  allowedAlgorithmsOf,
  type DigestOptions,
  lookupTimeOf,
  maxNoncesOf,
  nonceLifeOf,
  realmsWithoutMd5Of,
  wrongDigestOptions
} from "./DigestOptions.ts"
import { Nonces } from "./Nonces.ts"

class DigestState {
  readonly nonces: Nonces
  readonly attempts: Attempts
  #options: DigestOptions
  #realmsWithoutMd5: ReadonlySet<string>

  /** `now` gives monotonic milliseconds. */
  constructor(options: DigestOptions, now: () => number) {
    this.nonces = new Nonces(now, nonceLifeOf(options), maxNoncesOf(options))
    this.attempts = new Attempts(options, now)
    this.#options = options
    this.#realmsWithoutMd5 = realmsWithoutMd5Of(options)
  }

  /** Replaces the options; they apply to existing nonces and failures too. */
  set options(options: DigestOptions) {
    this.#options = options
    this.#realmsWithoutMd5 = realmsWithoutMd5Of(options)
    this.nonces.life = nonceLifeOf(options)
    this.nonces.max = maxNoncesOf(options)
    this.attempts.options = options
  }

  /** Algorithms that the options allow, most preferred first. */
  get allowed(): ReadonlyArray<DigestAlgorithm> {
    return allowedAlgorithmsOf(this.#options)
  }

  /** How long the credentials may take to answer. */
  get lookupTime(): Duration.Input {
    return lookupTimeOf(this.#options)
  }

  /** Those of the available algorithms that are offered in a realm. */
  offeredIn(realm: string, available: ReadonlyArray<DigestAlgorithm>): ReadonlyArray<DigestAlgorithm> {
    return this.allowed.filter((algorithm) =>
      available.includes(algorithm) && (algorithm !== "MD5" || !this.#realmsWithoutMd5.has(realmKey(realm)))
    )
  }
}

/** State that follows its options until the scope closes. */
export const makeDigestState = Effect.fnUntraced(function*(
  given: Live<DigestOptions>
): Effect.fn.Return<DigestState, OptionsError, Scope.Scope> {
  const clock = yield* Clock.Clock
  // Options may be replaced before there is a state: it is then made with them.
  let state: DigestState | undefined
  const live = yield* follow(given, wrongDigestOptions, (options) => {
    if (state !== undefined) state.options = options
  })
  state = new DigestState(live.current, () => monotonicMillis(clock))
  return state
})
