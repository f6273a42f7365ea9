/**
 * The service with the settings of the environment, and users of your own. Run it:
 * `MSRP_URIS="msrp://127.0.0.1:2855;tcp" node --conditions=source examples/service.ts`
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { Credentials } from "msrp-relay"
import * as Service from "msrp-relay/Service"

const OwnCredentials = Layer.succeed(
  Credentials,
  Credentials.make(({ username }) =>
    Effect.succeed(
      username.startsWith("guest-")
        ? Option.some({ _tag: "Password", password: Redacted.make(`welcome, ${username}`) })
        : Option.none()
    )
  )
)

Service.layer.pipe(Layer.provide(OwnCredentials), Layer.launch, NodeRuntime.runMain)
