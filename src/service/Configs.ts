/** The settings as Effect `Config`s, one for the options of each layer. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { DigestOptions } from "../Authenticator.ts"
import type { RemovedUsersOptions } from "../authenticator/RemovedUsers.ts"
import type { Credentials } from "../Credentials.ts"
import type { RelayOptions } from "../Relay.ts"
import type { NodeResolverOptions } from "../Resolver.ts"
import type { SocketRule } from "../SocketSelector.ts"
import type { LocalSocket, NodeOptions } from "../Transport.ts"
import * as Backend from "./Backend.ts"
import { madeFor } from "./LiveSettings.ts"
import { Settings, type SettingsShape, settingsTable } from "./Settings.ts"
import { ProvidedParts } from "./settings/ProvidedParts.ts"
import { unknownVariables } from "./settings/Read.ts"

/** A `ConfigError` with the message of an error, such as `SettingsError`, which is its cause. */
const configError = (error: { readonly message: string }): Config.ConfigError =>
  new Config.ConfigError(new ConfigProvider.SourceError({ message: error.message, cause: error }))

/** The texts of all variables, read through `Config`, so that what wraps a `Config` (such as a nested provider) applies to each. */
const texts: Config.Config<Record<string, Option.Option<string>>> = Config.all(
  Object.fromEntries(settingsTable.map(({ variable }) => [variable, Config.option(Config.String(variable))]))
)

/** Reads and checks all variables for each part, so that every problem is reported at once. */
const settingsFor = (part: "credentials" | "transport" | "another"): Config.Config<SettingsShape> =>
  Config.mapEffect(texts, (found) =>
    Effect.gen(function*() {
      // `texts` has known variables only, so misspelt ones are looked for separately.
      const unknown = yield* unknownVariables(yield* ConfigProvider.ConfigProvider)
      const env = Object.fromEntries([
        ...unknown.map((variable) => [variable, "set"] as const),
        ...Object.entries(found).flatMap(([variable, text]) =>
          Option.isSome(text) ? [[variable, text.value] as const] : []
        )
      ])
      return yield* Settings.read.pipe(
        Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnvRecord(env)),
        // Parts other than this one may be provided by the program, so they may be missing here.
        Effect.provideService(ProvidedParts, { users: part !== "credentials", certificates: part !== "transport" })
      )
    }).pipe(Effect.mapError(configError), Effect.provide(NodeFileSystem.layer)))

const settings = settingsFor("another")

/**
 * The settings of the environment (docs/configuration.md), a `Config` for each layer that has a `layerConfig` of its own.
 * Each of them reads all variables and the files that these name, MSRP_ENV_FILE too, and fails with everything that is
 * wrong at once. They are what they are when they are read: `layer` follows renewed certificates and reloads.
 *
 * @category configuration
 * @since 0.2.0
 */
export const config: {
  /** For `Relay.layerConfig`. */
  readonly relay: Config.Config<RelayOptions>
  /** For `Transport.layerNodeConfig`, with certificates from the files or made at start. */
  readonly transport: Config.Config<NodeOptions>
  /** For `Authenticator.layerDigestConfig`. */
  readonly digest: Config.Config<DigestOptions>
  /** For `Credentials.layerConfig`. */
  readonly credentials: Config.Config<Layer.Layer<Credentials, Backend.BackendError>>
  /** For `layerRemovedUsers`. */
  readonly removedUsers: Config.Config<RemovedUsersOptions>
  /** For `SocketSelector.layerRulesConfig`. */
  readonly sockets: Config.Config<{
    readonly sockets: ReadonlyArray<LocalSocket>
    readonly rules: ReadonlyArray<SocketRule>
  }>
  /** For `Resolver.layerNodeConfig`. */
  readonly resolver: Config.Config<NodeResolverOptions>
} = {
  relay: Config.map(settings, ({ relay }) => relay),
  transport: Config.mapEffect(settingsFor("transport"), (read) =>
    Effect.map(
      Effect.mapError(madeFor(read), configError),
      (made) => ({ ...read.transport, tls: { ...read.tls, ...made } })
    )),
  digest: Config.map(settings, ({ digest }) => digest),
  credentials: Config.map(settingsFor("credentials"), ({ credentials, demo }) =>
    Layer.merge(
      Backend.layer(credentials),
      Layer.effectDiscard(Backend.tellDemo(demo))
    ).pipe(Layer.provide(NodeFileSystem.layer))),
  removedUsers: Config.map(settings, ({ credentialsCheck }) => Backend.removalsOf(credentialsCheck)),
  sockets: Config.map(settings, ({ relay, socketRules }) => ({ sockets: relay.listen, rules: socketRules })),
  resolver: Config.map(settings, ({ resolver }) => resolver)
}
