/**
 * The service with the settings of the environment, but with signed tokens instead of passwords: another program, which knows the
 * users, signs `user.expiry` with a shared key. Run it: `TOKEN_KEY=... node examples/bearer-tokens.ts`.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { Authenticator, type TokenOwner } from "msrp-relay"
import * as Service from "msrp-relay/Service"
import { createHmac, timingSafeEqual } from "node:crypto"

/** A token: the user in base64url, the expiry in seconds since 1970, and the signature of both. */
const TOKEN = /^(?<user>[\w-]+)\.(?<expires>\d{1,12})\.(?<signature>[\w-]{43})$/

const ownerOf = (token: string, key: string, now: number): Option.Option<TokenOwner> => {
  const { expires = "", signature = "", user = "" } = TOKEN.exec(token)?.groups ?? {}
  const right = createHmac("sha256", key).update(`${user}.${expires}`).digest()
  const shown = Buffer.from(signature, "base64url")
  const expiresIn = Number(expires) * 1000 - now
  return shown.length === right.length && timingSafeEqual(shown, right) && expiresIn > 0
    ? Option.some({
      username: Buffer.from(user, "base64url").toString().normalize("NFC"),
      expiresIn: Duration.millis(expiresIn)
    })
    : Option.none()
}

const Tokens = Layer.unwrap(
  Effect.map(
    Config.Redacted("TOKEN_KEY"),
    (key) =>
      Authenticator.layerBearer((token) =>
        Effect.map(Clock.currentTimeMillis, (now) => ownerOf(Redacted.value(token), Redacted.value(key), now))
      )
  )
)

Service.layer.pipe(Layer.provide(Tokens), Layer.launch, NodeRuntime.runMain)
