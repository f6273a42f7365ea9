/** Makes a certificate at the start of a relay that has none. */
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Net from "node:net"
import { loadInstalled } from "../options/Installed.ts"
import type { KeyPair } from "./Certificates.ts"

/**
 * A self-signed certificate could not be made.
 *
 * @category errors
 * @since 0.1.0
 */
export class SelfSignedError extends Data.TaggedError("SelfSignedError")<{ readonly cause: unknown }> {
  override get message(): string {
    const { cause } = this
    return `no certificate can be made: ${cause instanceof Error ? cause.message : String(cause)}`
  }
}

const YEAR = 365 * 24 * 60 * 60 * 1000

/**
 * Makes an ECDSA P-256 key and a self-signed certificate for these host names and IP addresses (at least one), valid for a
 * year from now. Peers accept it only if they are configured to trust it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeSelfSigned = Effect.fnUntraced(
  function*(names: readonly [string, ...Array<string>]): Effect.fn.Return<KeyPair, SelfSignedError> {
    const now = yield* Clock.currentTimeMillis
    // Loaded only when needed: the package is an optional peer dependency.
    const { generate } = yield* loadInstalled("selfsigned", () => import("selfsigned")).pipe(
      Effect.mapError((cause) => new SelfSignedError({ cause }))
    )
    const made = yield* Effect.tryPromise({
      try: () =>
        generate([{ name: "commonName", value: names[0] }], {
          keyType: "ec",
          curve: "P-256",
          algorithm: "sha256",
          notBeforeDate: new Date(now),
          notAfterDate: new Date(now + YEAR),
          extensions: [
            { name: "basicConstraints", cA: false, critical: true },
            { name: "keyUsage", digitalSignature: true, critical: true },
            { name: "extKeyUsage", serverAuth: true, clientAuth: true },
            {
              name: "subjectAltName",
              altNames: names.map((name) => Net.isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name })
            }
          ]
        }),
      catch: (cause) => new SelfSignedError({ cause })
    })
    return { cert: made.cert, key: Redacted.make(made.private) }
  }
)
