/**
 * Credentials that expire by themselves, as TURN servers use them: the application gives a client a user name that contains
 * its time of expiry, and a password derived from the name with a secret shared with the relay. There is no list of users.
 *
 * ```
 * username = expiry [":" id]      expiry in seconds since 1970
 * password = base64(HMAC-SHA1(secret, username))
 * ```
 *
 * @module
 */

import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { createHmac } from "node:crypto"
import { Credentials, type Secret } from "../Credentials.ts"
import { checkOptions, type OptionsError, secret } from "../options/Options.ts"

/**
 * The secret that passwords are derived from.
 *
 * @category options
 * @since 0.1.0
 */
export interface EphemeralOptions {
  readonly secret: Redacted.Redacted
}

const optionsSchema = Schema.Struct({ secret: secret() })

const USERNAME = /^(\d{1,12})(?::|$)/

/**
 * The password for an ephemeral user name.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ephemeralPassword = (secret: Redacted.Redacted, username: string): Redacted.Redacted =>
  Redacted.make(createHmac("sha1", Redacted.value(secret)).update(username, "utf8").digest("base64"))

/**
 * Accepts every user name that has not expired, with the password derived from it.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerEphemeral = (options: EphemeralOptions): Layer.Layer<Credentials, OptionsError> =>
  Layer.effect(
    Credentials,
    Effect.gen(function*() {
      yield* checkOptions("layerEphemeral", optionsSchema, options)
      const { secret } = options
      const clock = yield* Clock.Clock
      return Credentials.make(({ username }) =>
        Effect.sync(() => {
          const expiry = USERNAME.exec(username)?.[1]
          if (expiry === undefined || Number(expiry) * 1000 <= clock.currentTimeMillisUnsafe()) return Option.none()
          return Option.some<Secret>({ _tag: "Password", password: ephemeralPassword(secret, username) })
        })
      )
    })
  )
