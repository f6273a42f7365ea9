/** Options of the digest authenticator, and their defaults. */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { duration, oneOf, text, whole, wrongOrUnknown } from "../options/Options.ts"
import { REALM, realmKey } from "../protocol/digest/Challenge.ts"
import { type DigestAlgorithm, digestAlgorithms } from "../protocol/digest/Digest.ts"
import type { AttemptsOptions } from "./Attempts.ts"

/**
 * Options of `Authenticator.layerDigest`. They may change while the layer lives (`Live`).
 *
 * @category options
 * @since 0.1.0
 */
export interface DigestOptions extends AttemptsOptions {
  /** How long a nonce can be used; after that it is stale. A bare number is milliseconds. Absent: 30 seconds. */
  readonly nonceExpire?: Duration.Input | undefined
  /**
   * Algorithms that may be offered, most preferred first. Each that the credentials support too gets a challenge of its own.
   * Absent: SHA-256, MD5. Some clients know only MD5 and read only the last challenge.
   */
  readonly algorithms?: ReadonlyArray<DigestAlgorithm> | undefined
  /** Realms where MD5 is neither offered nor accepted (RFC 8760 §3). */
  readonly realmsWithoutMd5?: ReadonlyArray<string> | undefined
  /** Used nonces whose count is kept. Beyond that the one used first goes stale early. Absent: 65,536. */
  readonly maxNonces?: number | undefined
  /** How long the credentials may take to answer. Absent: 10 seconds. */
  readonly lookupTimeout?: Duration.Input | undefined
}

const NONCE_LIFE = "30 seconds"
const LOOKUP_TIME = "10 seconds"
const MAX_NONCES = 65_536

const failures = Schema.optional(whole([0, 1_000_000_000]))

/** What is wrong with options, if anything. */
export const wrongDigestOptions = wrongOrUnknown<DigestOptions>(
  "Authenticator.layerDigest",
  Schema.Struct({
    nonceExpire: Schema.optional(duration),
    algorithms: Schema.optional(Schema.Array(oneOf(...digestAlgorithms))),
    realmsWithoutMd5: Schema.optional(Schema.Array(text("a realm", (realm) => REALM.test(realm)))),
    maxNonces: Schema.optional(whole([1, 100_000_000])),
    lookupTimeout: Schema.optional(duration),
    freePerUser: failures,
    freePerAddress: failures
  })
)

/** Milliseconds for which a nonce can be used. */
export const nonceLifeOf = ({ nonceExpire = NONCE_LIFE }: DigestOptions): number => Duration.toMillis(nonceExpire)

export const maxNoncesOf = ({ maxNonces = MAX_NONCES }: DigestOptions): number => maxNonces

export const lookupTimeOf = ({ lookupTimeout = LOOKUP_TIME }: DigestOptions): Duration.Input => lookupTimeout

export const allowedAlgorithmsOf = ({ algorithms = digestAlgorithms }: DigestOptions): ReadonlyArray<DigestAlgorithm> =>
  algorithms

/** The keys of the realms without MD5. */
export const realmsWithoutMd5Of = ({ realmsWithoutMd5 = [] }: DigestOptions): ReadonlySet<string> =>
  new Set(realmsWithoutMd5.map(realmKey))
