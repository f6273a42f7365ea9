/** The service: a relay as its settings say (RFC 4976), from the environment to the listening sockets. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { Authenticator } from "../Authenticator.ts"
import { Codec } from "../Codec.ts"
import { Relay } from "../Relay.ts"
import * as Resolver from "../Resolver.ts"
import { SessionRepo } from "../SessionRepo.ts"
import { SocketSelector } from "../SocketSelector.ts"
import { BACKLOG } from "../transport/Listener.ts"
import * as Backend from "./Backend.ts"
import { backlogWarning } from "./Backlog.ts"
import * as Logging from "./Logging.ts"
import { Settings, type SettingsShape } from "./Settings.ts"
import { followNpm, takeSignals, tellHangups } from "./Signals.ts"
import * as Sockets from "./Sockets.ts"

/** The relay of these settings. */
export const relay = (settings: SettingsShape) => {
  const resolver = Resolver.layerNode(settings.resolver)
  return Relay.layer(settings.relay).pipe(
    Layer.provide([
      Sockets.layer(settings).pipe(Layer.provide(resolver)),
      resolver,
      Codec.layer,
      SessionRepo.layerMemory(settings.sessions),
      SocketSelector.layerRules(settings.relay.listen, settings.socketRules),
      Authenticator.layerDigest(settings.digest).pipe(Layer.provide(Backend.layer(settings.credentials)))
    ])
  )
}

const announce = Effect.fnUntraced(function*({ demo, transport, warnings }: SettingsShape) {
  const { close, sockets } = yield* Relay
  const backlog = yield* backlogWarning(BACKLOG, transport.maxConnections ?? Infinity)
  for (const warning of [...warnings, ...Option.toArray(backlog)]) yield* Effect.logWarning(warning)
  for (const { host, port, scheme } of sockets) {
    yield* Effect.logInfo("listening").pipe(Effect.annotateLogs({ scheme, host, port }))
  }
  if (demo !== undefined) {
    yield* Effect.logInfo("no users are configured: a demo user may log in").pipe(
      Effect.annotateLogs({ user: demo.username, password: Redacted.value(demo.password) })
    )
  }
  yield* Effect.addFinalizer(() => Effect.andThen(Effect.logInfo("stopping"), close))
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
  Layer.launch(Layer.unwrap(service).pipe(Layer.provide(Logging.layerStandardOutput)))
).pipe(
  Effect.provide(Settings.layer),
  Effect.provide(NodeFileSystem.layer)
)
