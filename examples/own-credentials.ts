/**
 * The service with the settings of the environment, and a custom backend of users. Run it: `node examples/own-credentials.ts`, with the
 * variables of docs/configuration.md, for example `MSRP_LISTEN=msrp:127.0.0.1:2855`.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { Credentials } from "msrp-relay"
import * as Service from "msrp-relay/Service"

/** Called for each AUTH. It may do anything, for example query a database or another service. */
const OwnCredentials = Layer.succeed(
  Credentials,
  Credentials.make(({ realm, username }) =>
    Effect.succeed(
      username.startsWith("guest-") && realm === "localhost"
        ? Option.some({ _tag: "Password", password: Redacted.make(`welcome, ${username}`) })
        : Option.none()
    )
  )
)

Service.layer.pipe(Layer.provide(OwnCredentials), Layer.launch, NodeRuntime.runMain)
