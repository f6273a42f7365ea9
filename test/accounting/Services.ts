/** What a relay of a scenario asks: an authenticator that does as each AUTH says, and a repository and a selector with defects. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { type AuthDecision, Authenticator } from "../../src/Authenticator.ts"
import { Codec } from "../../src/Codec.ts"
import { SessionRepo } from "../../src/SessionRepo.ts"
import { SocketSelector } from "../../src/SocketSelector.ts"

/** What the relay logs of defects of these services, and of nothing else. */
export const foreseen = /AUTH could not be decided|session repository|a connection could not be made/i

const challenge = (failed: boolean): Effect.Effect<AuthDecision> =>
  Effect.succeed({ _tag: "Challenge", wwwAuthenticate: ["Digest"], failed, stale: false })

/** One user after the other logs in, with a password that is never asked for, unless Authorization says how it ends. */
const anybody = Layer.sync(Authenticator, () => {
  let logins = 0
  return Authenticator.of({
    authenticate: ({ authorization, realm }) => {
      const granted = Effect.sync((): AuthDecision => ({
        _tag: "Granted",
        username: logins++ % 2 === 0 ? "somebody" : "another",
        realm,
        authenticationInfo: "none"
      }))
      switch (authorization) {
        case "slow":
          return Effect.delay(granted, 3000)
        case "dies":
          return Effect.die(new Error("no such method"))
        case "throws":
          throw new Error("no such method")
        case "never":
          return Effect.never
        case "challenge":
          return challenge(false)
        case "wrong":
          return challenge(true)
        case "rejected":
          return Effect.succeed({ _tag: "Rejected", status: 403, comment: "no" })
        case "odd":
          return Effect.succeed({} as AuthDecision)
        default:
          return granted
      }
    }
  })
})

/** `fails` is asked for each call. */
const fragile = (fails: () => boolean) => {
  const defect = Effect.die(new Error("no such method"))
  return Layer.mergeAll(
    Layer.effect(
      SessionRepo,
      SessionRepo.make({
        create: () => fails() ? defect : Effect.void,
        end: () => {
          if (fails()) throw new Error("no such method")
          return Effect.void
        },
        list: Stream.empty
      })
    ),
    Layer.succeed(SocketSelector, { select: () => fails() ? defect : Effect.succeed(undefined) })
  )
}

export const services = (fails: () => boolean) => Layer.fresh(Layer.mergeAll(Codec.layer, anybody, fragile(fails)))
