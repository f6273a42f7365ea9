/** The service: a relay as its settings say (RFC 4976), from the environment to the listening sockets. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Authenticator } from "../Authenticator.ts"
import { Codec } from "../Codec.ts"
import { Relay } from "../Relay.ts"
import * as Resolver from "../Resolver.ts"
import { SessionRepo } from "../SessionRepo.ts"
import { SocketSelector } from "../SocketSelector.ts"
import * as Backend from "./Backend.ts"
import * as Logging from "./Logging.ts"
import { Settings, type SettingsShape } from "./Settings.ts"
import { followNpm, takeSignals, tellHangups } from "./Signals.ts"
import * as Sockets from "./Sockets.ts"
import { tellStart } from "./Start.ts"
import * as Systemd from "./Systemd.ts"

/** The relay of these settings. */
export const relay = (settings: SettingsShape) => {
  const resolver = Resolver.layerNode(settings.resolver)
  const sessions = SessionRepo.layerMemory(settings.sessions)
  const users = Backend.layer(settings.credentials)
  return Relay.layer(settings.relay).pipe(
    Layer.provide([
      Sockets.layer(settings).pipe(Layer.provide(resolver)),
      resolver,
      Codec.layer,
      sessions,
      SocketSelector.layerRules(settings.relay.listen, settings.socketRules),
      Authenticator.layerDigest(settings.digest).pipe(Layer.provide(users))
    ]),
    Layer.merge(Backend.layerRemovals(settings.credentialsCheck).pipe(Layer.provide([sessions, users])))
  )
}

const announce = Effect.fnUntraced(function*(settings: SettingsShape) {
  const { close, sockets } = yield* Relay
  yield* tellStart(settings, sockets)
  yield* Systemd.status("serving")
  yield* Systemd.ready
  yield* Effect.addFinalizer(() =>
    Effect.logInfo("stopping").pipe(Effect.andThen(Systemd.stopping), Effect.andThen(close))
  )
})

const service = Effect.gen(function*() {
  yield* tellHangups
  yield* followNpm
  const settings = yield* Settings
  return Layer.effectDiscard(announce(settings)).pipe(Layer.provide(relay(settings)))
})

/** The service with the settings of the environment, until it is interrupted. */
export const main = Effect.andThen(
  takeSignals,
  Layer.launch(Layer.unwrap(service).pipe(Layer.provide(Systemd.layer), Layer.provide(Logging.layerStandardOutput)))
).pipe(
  Effect.provide(Settings.layer),
  Effect.provide(NodeFileSystem.layer)
)
