/** The service: a relay as its settings say (RFC 4976), from the environment to the listening sockets. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { Authenticator } from "../Authenticator.ts"
import { Codec } from "../Codec.ts"
import { Credentials } from "../Credentials.ts"
import { layerCached } from "../credentials/Cached.ts"
import { layerEphemeral } from "../credentials/Ephemeral.ts"
import { type CredentialsFileError, layerFile } from "../credentials/File.ts"
import { layerHttp } from "../credentials/Http.ts"
import { layerSql, type SqlSettingsError } from "../credentials/Sql.ts"
import { Relay } from "../Relay.ts"
import * as Resolver from "../Resolver.ts"
import { SessionRepo } from "../SessionRepo.ts"
import { SocketSelector } from "../SocketSelector.ts"
import { Transport } from "../Transport.ts"
import { makeSelfSigned } from "../transport/SelfSigned.ts"
import * as Logging from "./Logging.ts"
import { Settings, type SettingsShape } from "./Settings.ts"
import { followTls } from "./settings/FollowTls.ts"

/** Who may log in; a driver is loaded only if it is needed. */
const credentials = (
  { credentials }: SettingsShape
): Layer.Layer<Credentials, CredentialsFileError | SqlSettingsError, FileSystem.FileSystem> => {
  switch (credentials._tag) {
    case "Memory":
      return Credentials.layerMemory(credentials.users)
    case "File":
      return layerFile(credentials)
    case "Ephemeral":
      return layerEphemeral(credentials)
    case "Sql":
      return remembered(layerSql(credentials), credentials.cacheSeconds)
    case "Http":
      return remembered(layerHttp(credentials).pipe(Layer.provide(FetchHttpClient.layer)), credentials.cacheSeconds)
  }
}

const remembered = <E>(backend: Layer.Layer<Credentials, E>, seconds: number) =>
  seconds === 0 ? backend : layerCached(backend, { timeToLive: Duration.seconds(seconds) })

const transport = Effect.fnUntraced(function*({ selfSigned, tls, tlsFiles, transport, uris }: SettingsShape) {
  const [first, ...others] = selfSigned ?? []
  const current = first === undefined
    ? yield* followTls({ files: tlsFiles, uris, first: tls })
    : { ...tls, ...yield* makeSelfSigned([first, ...others]) }
  return Transport.layerNode({ ...transport, tls: current })
})

/** The relay of these settings. */
export const relay = (settings: SettingsShape) => {
  const resolver = Resolver.layerNode({ servers: settings.dnsServers })
  return Relay.layer({
    listen: settings.listeners,
    uris: settings.uris,
    usePath: settings.usePath,
    authRealm: settings.auth.realm,
    authExpires: settings.auth.expires,
    authMinExpires: settings.auth.minExpires,
    authMaxExpires: settings.auth.maxExpires,
    plaintextAuth: settings.auth.allowPlaintext ? "always" : "loopback",
    relayPeers: settings.relayPeers,
    nextHops: settings.nextHops,
    limits: settings.limits
  }).pipe(
    Layer.provide([
      Layer.unwrap(transport(settings)).pipe(Layer.provide(resolver)),
      Codec.layer,
      SessionRepo.layerMemory(settings.sessions),
      resolver,
      SocketSelector.layerRules(settings.listeners, settings.socketRules),
      Authenticator.layerDigest(settings.digest).pipe(Layer.provide(credentials(settings)))
    ])
  )
}

const announce = Effect.fnUntraced(function*({ demo, warnings }: SettingsShape) {
  const { close, sockets } = yield* Relay
  for (const warning of warnings) yield* Effect.logWarning(warning)
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

const service = Effect.map(
  Settings,
  (settings) => Layer.effectDiscard(announce(settings)).pipe(Layer.provide(relay(settings)))
)

/** The service with the settings of the environment, until it is interrupted. */
export const main = Layer.launch(Layer.unwrap(service).pipe(Layer.provide(Logging.layer))).pipe(
  Effect.provide(Settings.layer),
  Effect.provide(NodeFileSystem.layer)
)
