/** The service: a relay as its settings say (RFC 4976), from the environment to the listening sockets. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import { Authenticator } from "../Authenticator.ts"
import { layerRemovedUsers } from "../authenticator/RemovedUsers.ts"
import { Codec } from "../Codec.ts"
import { Credentials } from "../Credentials.ts"
import * as HepSender from "../hep/HepSender.ts"
import { Relay } from "../Relay.ts"
import * as Resolver from "../Resolver.ts"
import { SessionRepo } from "../SessionRepo.ts"
import { SocketSelector } from "../SocketSelector.ts"
import { Transport } from "../Transport.ts"
import { BACKLOG } from "../transport/Listener.ts"
import * as Backend from "./Backend.ts"
import { backlogWarning } from "./Backlog.ts"
import { type LiveSettings, makeLive } from "./LiveSettings.ts"
import * as Logging from "./Logging.ts"
import { Reload } from "./Reload.ts"
import { Settings, type SettingsShape } from "./Settings.ts"
import { exportOthers, readEnvFile } from "./settings/EnvFile.ts"
import { followNpm, hangups, takeSignals } from "./Signals.ts"

/** The relay of these settings, which may change while it runs. */
export const liveRelay = (live: LiveSettings) => {
  const resolver = Resolver.layerNode(live.resolver)
  const sessions = SessionRepo.layerMemory(live.sessions)
  const users = Layer.succeed(Credentials, live.users.credentials)
  return Relay.layer(live.relay).pipe(
    Layer.provide([
      Transport.layerNode(live.transport).pipe(Layer.provide(resolver)),
      resolver,
      Codec.layer,
      sessions,
      SocketSelector.layerRules(live.settings.relay.listen, live.socketRules),
      Authenticator.layerDigest(live.digest).pipe(Layer.provide(users))
    ]),
    Layer.merge(layerRemovedUsers(live.removals).pipe(Layer.provide([sessions, users])))
  )
}

/** The relay of these settings. */
export const relay = (settings: SettingsShape) => Layer.unwrap(Effect.map(makeLive(settings), liveRelay))

const announce = Effect.fnUntraced(function*({ demo, relay, tls, transport, warnings }: SettingsShape) {
  const { sockets } = yield* Relay
  const backlog = yield* backlogWarning(BACKLOG, transport.maxConnections ?? Infinity)
  for (const warning of [...warnings, ...Option.toArray(backlog)]) yield* Effect.logWarning(warning)
  for (const { host, port, scheme } of sockets) {
    yield* Effect.logInfo("listening").pipe(Effect.annotateLogs({ scheme, host, port }))
  }
  yield* Effect.logInfo(`other relays admitted: ${peersText(relay.relayPeers, tls.ca !== undefined)}`)
  yield* Backend.tellDemo(demo)
  yield* Effect.addFinalizer(() => Effect.logInfo("stopping"))
})

const peersText = (peers: SettingsShape["relay"]["relayPeers"] = "none", hasCa: boolean): string =>
  peers === "none"
    ? "none (MSRP_RELAY_PEERS says which)"
    : peers === "all"
    ? `all whose certificates ${hasCa ? "MSRP_TLS_CA vouches for" : "are of a public authority"}`
    : peers.join(", ")

const service = Effect.gen(function*() {
  const asked = yield* hangups
  yield* followNpm
  const live = yield* makeLive(yield* Settings)
  const reloads = Effect.gen(function*() {
    const { reload } = yield* Reload
    yield* Effect.andThen(Queue.take(asked), reload).pipe(
      Effect.catchCause((cause) => Effect.logError("the reload failed", cause)),
      Effect.forever,
      Effect.forkScoped
    )
  })
  const { hep } = live.settings
  const traces = hep === undefined ? Layer.empty : HepSender.layer(hep)
  return Layer.merge(Layer.effectDiscard(Effect.andThen(announce(live.settings), reloads)), traces).pipe(
    Layer.provide([liveRelay(live), Reload.layer(live)])
  )
})

/** What others read of the environment may be in the file of variables too. If there is none, the settings say so. */
const exported = Effect.flatMap(ConfigProvider.ConfigProvider, readEnvFile).pipe(
  Effect.map((file) => {
    if (file !== undefined) exportOthers(file, process.env)
  }),
  Effect.ignore
)

/** The service with the settings of the environment, until it is interrupted. */
export const main = Effect.andThen(
  Effect.andThen(takeSignals, exported),
  Layer.launch(Layer.unwrap(service).pipe(Layer.provide(Logging.layerStandardOutput)))
).pipe(
  Effect.provide(Settings.layer),
  Effect.provide(NodeFileSystem.layer)
)
