/** A relay whose users come from your own code. Run it: `node examples/own-credentials.ts` */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { Authenticator, Codec, Credentials, Relay, SessionRepo, SocketSelector, Transport } from "msrp-relay"

/** Asked at each AUTH. Anything may happen here: a query, a request to another service. */
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

const listen = [{ scheme: "msrp", host: "localhost", port: Number(process.env["PORT"] ?? 2855) }] as const

const Main = Relay.layer({ listen }).pipe(
  Layer.provide([
    Transport.layerNode(),
    Codec.layer,
    SessionRepo.layerMemory(),
    SocketSelector.layerDefault(listen),
    Authenticator.layerDigest().pipe(Layer.provide(OwnCredentials))
  ])
)

NodeRuntime.runMain(Layer.launch(Main))
