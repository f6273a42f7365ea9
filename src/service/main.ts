/** The service: a relay as its settings say (RFC 4976), from the environment to the listening sockets. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { Authenticator } from "../Authenticator.ts"
import { Codec } from "../Codec.ts"
import * as HepSender from "../hep/HepSender.ts"
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

const announce = Effect.fnUntraced(function*({ demo, relay, tls, transport, warnings }: SettingsShape) {
  const { close, sockets } = yield* Relay
  const backlog = yield* backlogWarning(BACKLOG, transport.maxConnections ?? Infinity)
  for (const warning of [...warnings, ...Option.toArray(backlog)]) yield* Effect.logWarning(warning)
  for (const { host, port, scheme } of sockets) {
    yield* Effect.logInfo("listening").pipe(Effect.annotateLogs({ scheme, host, port }))
  }
  yield* Effect.logInfo(`other relays admitted: ${peersText(relay.relayPeers, tls.ca !== undefined)}`)
  if (demo !== undefined) {
    yield* Effect.logInfo("no users are configured: a demo user may log in").pipe(
      Effect.annotateLogs({ user: demo.username, password: Redacted.value(demo.password) })
    )
  }
  yield* Effect.addFinalizer(() => Effect.andThen(Effect.logInfo("stopping"), close))
})

const peersText = (peers: SettingsShape["relay"]["relayPeers"] = "none", hasCa: boolean): string =>
  peers === "none"
    ? "none (MSRP_RELAY_PEERS says which)"
    : peers === "all"
    ? `all whose certificates ${hasCa ? "MSRP_TLS_CA vouches for" : "are of a public authority"}`
    : peers.join(", ")

const service = Effect.gen(function*() {
  yield* tellHangups
  yield* followNpm
  const settings = yield* Settings
  const traces = settings.hep === undefined ? Layer.empty : HepSender.layer(settings.hep)
  return Layer.merge(Layer.effectDiscard(announce(settings)), traces).pipe(Layer.provide(relay(settings)))
})

/** The service with the settings of the environment, until it is interrupted. */
export const main = Effect.andThen(
  takeSignals,
  Layer.launch(Layer.unwrap(service).pipe(Layer.provide(Logging.layerStandardOutput)))
).pipe(
  Effect.provide(Settings.layer),
  Effect.provide(NodeFileSystem.layer)
)
