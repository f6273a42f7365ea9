/** The service as a layer: a relay with all that its settings say, but for what makes it a process of its own. */
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
import { Metrics } from "../Metrics.ts"
import { Relay } from "../Relay.ts"
import * as Resolver from "../Resolver.ts"
import { SessionRepo } from "../SessionRepo.ts"
import { SocketSelector } from "../SocketSelector.ts"
import { Transport } from "../Transport.ts"
import { broughtBy, type Given, given, namesOf, unusedWith } from "./Given.ts"
import { type LiveSettings, makeLive } from "./LiveSettings.ts"
import { Reload } from "./Reload.ts"
import { Settings, type SettingsShape } from "./Settings.ts"
import { Brought } from "./settings/Brought.ts"
import { tellStart } from "./Start.ts"
import * as Telemetry from "./Telemetry.ts"

/** The relay of these settings, which may change while it runs, with what the program brings of its own. */
export const liveRelay = (live: LiveSettings, own: Given = {}) => {
  const always = Config.succeed
  const resolver = own.resolver === undefined
    ? Resolver.layerNodeConfig(always(live.resolver))
    : Layer.succeed(Resolver.Resolver, own.resolver)
  const users = Layer.succeed(Credentials, live.users.credentials)
  const removals = own.authenticator !== undefined && own.credentials === undefined
    ? Layer.empty
    : Layer.provide(layerRemovedUsers(live.removals), users)
  return removals.pipe(
    Layer.provideMerge(Relay.layerConfig(always(live.relay))),
    Layer.provide([
      own.transport === undefined
        ? Layer.provide(Transport.layerNodeConfig(always(live.transport)), resolver)
        : Layer.succeed(Transport, own.transport),
      resolver,
      own.codec === undefined ? Codec.layer : Layer.succeed(Codec, own.codec),
      own.sessions === undefined ? SessionRepo.layerMemory() : Layer.succeed(SessionRepo, own.sessions),
      own.selector === undefined
        ? SocketSelector.layerRulesConfig(always({ sockets: live.settings.relay.listen, rules: live.socketRules }))
        : Layer.succeed(SocketSelector, own.selector),
      own.authenticator === undefined
        ? Layer.provide(Authenticator.layerDigestConfig(always(live.digest)), users)
        : Layer.succeed(Authenticator, own.authenticator)
    ])
  )
}

/** The relay of these settings. */
export const relay = (settings: SettingsShape) =>
  Layer.unwrap(Effect.map(makeLive(settings), (live) => liveRelay(live)))

/** Loaded only where it is wanted: it is larger than the relay. */
const adminApi = (live: LiveSettings) => {
  const { admin } = live.settings
  return admin === undefined
    ? Layer.empty
    : Layer.unwrap(
      Effect.map(Effect.promise(() => import("./admin/Service.ts")), ({ layer }) => layer(live, admin))
    )
}

/** How the service ends. It may be asked for more than once. */
export type End = Effect.Effect<void, never, Relay | Reload>

const endOfRelay: End = Effect.flatMap(Relay, ({ end }) => end)

const start = Effect.fnUntraced(function*(settings: SettingsShape, own: Given, end: End) {
  // Above the admin API as well: whoever asks what the end waits for has an answer.
  yield* Effect.addFinalizer(() => end)
  const { sockets } = yield* Relay
  const brought = namesOf(own)
  if (brought.length > 0) {
    yield* Effect.annotateLogs(Effect.logInfo("the program brings services of its own"), {
      services: brought.join(", ")
    })
  }
  yield* tellStart({ ...settings, warnings: [...settings.warnings, ...unusedWith(own, settings)] }, sockets)
})

/** With the settings that are there. */
export const layerOf = (live: LiveSettings, own: Given, end: End = endOfRelay) => {
  const { hep } = live.settings
  const traces = hep === undefined ? Layer.empty : HepSender.layer(hep)
  // From the top: who is told, the admin API, which answers while the relay drains, and what they are about.
  return Layer.effectDiscard(start(live.settings, own, end)).pipe(
    Layer.provide([adminApi(live), traces]),
    // What is exported last is what there was at the end.
    Layer.provideMerge(Layer.provideMerge(Telemetry.layerMetrics(), Metrics.layer)),
    // The relay serves from here on, whether or not the start gets to its end.
    Layer.provideMerge(Layer.provideMerge(Layer.effectDiscard(Effect.addFinalizer(() => end)), liveRelay(live, own))),
    Layer.provideMerge(Reload.layer(live)),
    Layer.provide(Telemetry.layerSpans())
  )
}

/** With settings that were read before, and nothing of a program's own. */
export const layerWith = (settings: SettingsShape, end: End) =>
  Layer.unwrap(Effect.map(makeLive(settings), (live) => layerOf(live, {}, end))).pipe(Layer.provide(layerForgiving))

/** With the settings of the environment. */
export const layer = Layer.unwrap(Effect.gen(function*() {
  const own = yield* given
  return layerOf(yield* makeLive(yield* Effect.provideService(Settings.read, Brought, broughtBy(own)), own), own)
})).pipe(Layer.provide([NodeFileSystem.layer, layerForgiving]))
