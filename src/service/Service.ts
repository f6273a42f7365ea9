/** The service as a layer: a relay with everything that its settings configure, except what belongs to the process. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Authenticator } from "../Authenticator.ts"
import { layerRemovedUsers } from "../authenticator/RemovedUsers.ts"
import { layerForgiving } from "../clock/Forgiving.ts"
import { Codec } from "../Codec.ts"
import { Credentials } from "../Credentials.ts"
import * as HepSender from "../hep/HepSender.ts"
import { Metrics, ProgramFacts } from "../Metrics.ts"
import { Relay } from "../Relay.ts"
import * as Resolver from "../Resolver.ts"
import { SessionRepo } from "../SessionRepo.ts"
import { SocketSelector } from "../SocketSelector.ts"
import { Transport } from "../Transport.ts"
import { type LiveSettings, makeLive } from "./LiveSettings.ts"
import { providedParts, type ProvidedServices, providedServices, serviceNames } from "./ProvidedServices.ts"
import { Reload } from "./Reload.ts"
import { Settings, type SettingsShape } from "./Settings.ts"
import { ProvidedParts } from "./settings/ProvidedParts.ts"
import { tellStart } from "./StartLog.ts"
import * as Telemetry from "./Telemetry.ts"
import { version } from "./Version.ts"

/** The relay with live settings, and with the services that the program provides. */
export const liveRelay = (live: LiveSettings, provided: ProvidedServices = {}) => {
  const always = Config.succeed
  const resolver = provided.resolver === undefined
    ? Resolver.layerNodeConfig(always(live.resolver))
    : Layer.succeed(Resolver.Resolver, provided.resolver)
  const users = Layer.succeed(Credentials, live.users.credentials)
  const removals = provided.authenticator !== undefined && provided.credentials === undefined
    ? Layer.empty
    : Layer.provide(layerRemovedUsers(live.removals), users)
  return removals.pipe(
    Layer.provideMerge(Relay.layerConfig(always(live.relay))),
    Layer.provide([
      provided.transport === undefined
        ? Layer.provide(Transport.layerNodeConfig(always(live.transport)), resolver)
        : Layer.succeed(Transport, provided.transport),
      resolver,
      provided.codec === undefined ? Codec.layer : Layer.succeed(Codec, provided.codec),
      provided.sessions === undefined ? SessionRepo.layerMemory() : Layer.succeed(SessionRepo, provided.sessions),
      provided.selector === undefined
        ? SocketSelector.layerRulesConfig(always({ sockets: live.settings.relay.listen, rules: live.socketRules }))
        : Layer.succeed(SocketSelector, provided.selector),
      provided.authenticator === undefined
        ? Layer.provide(Authenticator.layerDigestConfig(always(live.digest)), users)
        : Layer.succeed(Authenticator, provided.authenticator)
    ])
  )
}

/** The relay with the given settings. */
export const relay = (settings: SettingsShape) =>
  Layer.unwrap(Effect.map(makeLive(settings), (live) => liveRelay(live)))

/** The admin API, loaded only if it is configured, because its code is larger than the relay's. */
const adminApi = (live: LiveSettings) => {
  const { admin } = live.settings
  return admin === undefined
    ? Layer.empty
    : Layer.unwrap(
      Effect.map(Effect.promise(() => import("./admin/Service.ts")), ({ layer }) => layer(live, admin))
    )
}

/** Ends the service; may be run more than once. */
type End = Effect.Effect<void, never, Relay | Reload>

const endOfRelay: End = Effect.flatMap(Relay, ({ end }) => end)

const start = Effect.fnUntraced(function*(settings: SettingsShape, provided: ProvidedServices, end: End) {
  // Runs before the admin API closes, so that the API still answers while the relay drains.
  yield* Effect.addFinalizer(() => end)
  const { sockets } = yield* Relay
  const names = serviceNames(provided)
  if (names.length > 0) {
    yield* Effect.annotateLogs(Effect.logInfo("the program provides custom services"), {
      services: names.join(", ")
    })
  }
  yield* tellStart(settings, sockets, provided)
})

/** The service with live settings. */
const layerOf = (live: LiveSettings, provided: ProvidedServices, end: End = endOfRelay) => {
  const { hep } = live.settings
  const traces = hep === undefined ? Layer.empty : HepSender.layer(hep)
  const metrics = Layer.provide(
    Metrics.layer,
    Layer.succeed(ProgramFacts, {
      version,
      backends: () =>
        new Map(
          live.users.backends().map(({ backend, outdated, unavailable }) =>
            [backend, outdated === undefined && unavailable === undefined] as const
          )
        )
    })
  )
  // Layers close from the top: the start's finalizer, then the admin API and traces, then the relay.
  return Layer.effectDiscard(start(live.settings, provided, end)).pipe(
    Layer.provide([adminApi(live), traces]),
    // Closes after the layers above, so that the last export has the final numbers.
    Layer.provideMerge(Layer.provideMerge(Telemetry.layerMetrics(), metrics)),
    // The relay serves from here on, so it must end in order even if `start` does not complete.
    Layer.provideMerge(
      Layer.provideMerge(Layer.effectDiscard(Effect.addFinalizer(() => end)), liveRelay(live, provided))
    ),
    Layer.provideMerge(Reload.layer(live)),
    Layer.provide(Telemetry.layerSpans())
  )
}

/** The service with settings that were already read, and no provided services. */
export const layerWith = (settings: SettingsShape, end: End) =>
  Layer.unwrap(Effect.map(makeLive(settings), (live) => layerOf(live, {}, end))).pipe(Layer.provide(layerForgiving))

/** The service with the settings of the environment, and the services that the program provides. */
export const layer = Layer.unwrap(Effect.gen(function*() {
  const provided = yield* providedServices
  return layerOf(
    yield* makeLive(yield* Effect.provideService(Settings.read, ProvidedParts, providedParts(provided)), provided),
    provided
  )
})).pipe(Layer.provide([NodeFileSystem.layer, layerForgiving]))
