/** The service: a relay as its settings say (RFC 4976), from the environment to the listening sockets. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { Authenticator } from "../Authenticator.ts"
import { layerRemovedUsers } from "../authenticator/RemovedUsers.ts"
import { Codec } from "../Codec.ts"
import { Credentials } from "../Credentials.ts"
import * as HepSender from "../hep/HepSender.ts"
import { Metrics } from "../Metrics.ts"
import { defaultRelayLimits, Relay } from "../Relay.ts"
import * as Resolver from "../Resolver.ts"
import { SessionRepo } from "../SessionRepo.ts"
import { SocketSelector } from "../SocketSelector.ts"
import { Transport } from "../Transport.ts"
import { type LiveSettings, makeLive } from "./LiveSettings.ts"
import * as Logging from "./Logging.ts"
import { Reload } from "./Reload.ts"
import { Settings, type SettingsShape } from "./Settings.ts"
import { exported } from "./settings/EnvFile.ts"
import { followNpm, hangups, takeSignals } from "./Signals.ts"
import { tellStart } from "./Start.ts"
import * as Systemd from "./Systemd.ts"
import * as Telemetry from "./Telemetry.ts"

/** The relay of these settings, which may change while it runs. */
export const liveRelay = (live: LiveSettings) => {
  const resolver = Resolver.layerNode(live.resolver)
  const users = Layer.succeed(Credentials, live.users.credentials)
  return layerRemovedUsers(live.removals).pipe(
    Layer.provide(users),
    Layer.provideMerge(Relay.layer(live.relay)),
    Layer.provide([
      Transport.layerNode(live.transport).pipe(Layer.provide(resolver)),
      resolver,
      Codec.layer,
      SessionRepo.layerMemory(),
      SocketSelector.layerRules(live.settings.relay.listen, live.socketRules),
      Authenticator.layerDigest(live.digest).pipe(Layer.provide(users))
    ])
  )
}

/** The relay of these settings. */
export const relay = (settings: SettingsShape) => Layer.unwrap(Effect.map(makeLive(settings), liveRelay))

const announce = Effect.fnUntraced(function*(settings: SettingsShape) {
  const { sockets } = yield* Relay
  yield* tellStart(settings, sockets)
  yield* Systemd.status("serving")
  yield* Systemd.ready
})

/** Seconds that the end takes besides: for answers, for peers to close, and to say what was last. */
const LAST = 10

const endInOrder = Effect.fnUntraced(function*(live: LiveSettings) {
  const { end } = yield* Relay
  // Here, and not only where the relay ends by itself: whoever asks what it waits for has an answer.
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      const { drain = defaultRelayLimits.drain } = live.settings.relay.limits ?? {}
      return Effect.logInfo("stopping").pipe(
        Effect.andThen(Systemd.stopping(Duration.seconds(drain + LAST))),
        Effect.andThen(end)
      )
    })
  )
})

/** Loaded only where it is wanted: it is larger than the relay. */
const adminApi = (live: LiveSettings) => {
  const { admin } = live.settings
  return admin === undefined
    ? Layer.empty
    : Layer.unwrap(
      Effect.map(Effect.promise(() => import("./admin/Service.ts")), ({ layer }) => layer(live, admin))
    )
}

const service = Effect.gen(function*() {
  const asked = yield* hangups
  yield* followNpm
  const live = yield* makeLive(yield* Settings)
  const reloads = Effect.gen(function*() {
    const { reload } = yield* Reload
    yield* Queue.take(asked).pipe(
      Effect.andThen(Effect.ensuring(Effect.andThen(Systemd.reloading, reload), Systemd.ready)),
      Effect.catchCause((cause) => Effect.logError("the reload failed", cause)),
      Effect.forever,
      Effect.forkScoped
    )
  })
  const { hep } = live.settings
  const traces = hep === undefined ? Layer.empty : HepSender.layer(hep)
  // Hang-ups are heard until the relay has ended, which is long when it drains.
  const whole = announce(live.settings).pipe(Effect.andThen(reloads), Effect.andThen(endInOrder(live)))
  // From the top: who is told, the admin API, which answers while the relay drains, and what they are about.
  return Layer.effectDiscard(whole).pipe(
    Layer.provide([adminApi(live), traces]),
    // What is exported last is what there was at the end.
    Layer.provide(Layer.provideMerge(Telemetry.layerMetrics(), Layer.provideMerge(Metrics.layer, liveRelay(live)))),
    Layer.provide(Reload.layer(live)),
    Layer.provide(Telemetry.layerSpans())
  )
})

/** The service with the settings of the environment, until it is interrupted. */
export const main = Effect.andThen(
  Effect.andThen(takeSignals, exported),
  Layer.launch(Layer.unwrap(service).pipe(Layer.provide(Systemd.layer), Layer.provide(Logging.layerStandardOutput)))
).pipe(
  Effect.provide(Settings.layer),
  Effect.provide(NodeFileSystem.layer)
)
