/** The configuration of the service, from environment variables. */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type { LogLevel } from "effect/LogLevel"
import * as Redacted from "effect/Redacted"
import type { DigestOptions } from "../Authenticator.ts"
import type { RelayOptions, SessionOptions } from "../Relay.ts"
import type { NodeResolverOptions } from "../Resolver.ts"
import type { SocketRule } from "../SocketSelector.ts"
import type { NodeOptions } from "../Transport.ts"
import { type Addresses, addressesOf } from "./settings/checks/Addresses.ts"
import { adminOf, type AdminSettings } from "./settings/checks/Admin.ts"
import { authWarnings, expiresOf } from "./settings/checks/Auth.ts"
import { demoOf, wantsDemo } from "./settings/checks/Demo.ts"
import { nextHopWarnings } from "./settings/checks/NextHops.ts"
import { proxiesOf } from "./settings/checks/Proxies.ts"
import { realmWarnings } from "./settings/checks/Realms.ts"
import { relaysOf } from "./settings/checks/Relays.ts"
import { routeWarnings } from "./settings/checks/Routes.ts"
import { tlsOf, type TlsSettings } from "./settings/checks/Tls.ts"
import { traceOf, type TraceSettings } from "./settings/checks/Trace.ts"
import { type Users, usersOf } from "./settings/checks/Users.ts"
import { readEnvFile } from "./settings/EnvFile.ts"
import { digestOptionsOf, relayOptionsOf, transportOptionsOf } from "./settings/LayerOptions.ts"
import { Problems } from "./settings/Problems.ts"
import { readValues, type Texts, unknownVariables } from "./settings/Read.ts"
import { type SecretFile, secretsNamedIn, secretsOfSystemd } from "./settings/SecretFiles.ts"
import { SettingsError } from "./settings/SettingsError.ts"
import { suggestion } from "./settings/Suggest.ts"

export type { AdminSettings } from "./settings/checks/Admin.ts"
export { type BackendSettings, backendsOf, type CredentialsSettings, type DemoUser } from "./settings/checks/Users.ts"
export { SettingsError, type SettingsProblem } from "./settings/SettingsError.ts"
export { settingsTable } from "./settings/Table.ts"
export type { TlsFiles } from "./settings/TlsFiles.ts"
export type { Setting, SettingGroup } from "./settings/Variable.ts"

/**
 * The configuration of the service: the options of each layer, and the sources of users and certificates.
 *
 * @category models
 * @since 0.2.0
 */
export interface SettingsShape extends TlsSettings, TraceSettings, Users {
  /** Options for `Relay.layer`. */
  readonly relay: RelayOptions & Addresses & { readonly sessions: SessionOptions }
  /** Rules for `SocketSelector.layerRules`. */
  readonly socketRules: ReadonlyArray<SocketRule>
  /** Options for `Authenticator.layerDigest`. */
  readonly digest: DigestOptions
  /** Options for `Transport.layerNode`, without certificates. */
  readonly transport: Omit<NodeOptions, "tls">
  /** Options for `Resolver.layerNode`. */
  readonly resolver: NodeResolverOptions
  /** Whether the WebSocket listeners on loopback serve the demo page. */
  readonly demoPage: boolean
  /** The path in MSRP_ENV_FILE, if it is set. */
  readonly envFile: string | undefined
  /** The file of variables that was read, whether MSRP_ENV_FILE named it or not. */
  readonly readFrom: string | undefined
  /** Files with a secret that variables name. */
  readonly secretFiles: ReadonlyArray<SecretFile>
  /** The texts of the variables that are set. */
  readonly texts: Redacted.Redacted<Texts>
  readonly log: { readonly level: LogLevel; readonly format: "pretty" | "json" | "logfmt" }
  /** The admin API; undefined if there is none. */
  readonly admin: AdminSettings | undefined
  /** Warnings about what is allowed but probably a mistake. */
  readonly warnings: ReadonlyArray<string>
  /** Those of `warnings` that are about the file of variables itself. */
  readonly fileWarnings: ReadonlyArray<string>
}

/** The configuration of the service, checked as a whole, so that only the network and other systems can fail later. */
export class Settings extends Context.Service<Settings, SettingsShape>()("msrp-relay/Settings") {
  /**
   * Reads the settings from the `ConfigProvider` (by default the environment), and what it lacks from the file of
   * variables (MSRP_ENV_FILE, or `.env`). Secrets may also be in files that either of them names, or else in
   * credentials of systemd.
   */
  static readonly read: Effect.Effect<SettingsShape, SettingsError, FileSystem.FileSystem> = Effect.suspend(() =>
    readAll
  )

  static readonly layer: Layer.Layer<Settings, SettingsError, FileSystem.FileSystem> = Layer.effect(
    Settings,
    Settings.read
  )

  /**
   * Reads the settings from variables as in `process.env`. Empty variables count as not set, and those without the
   * prefix `MSRP_` are ignored. Fails with every problem at once. Reads the files that variables name, except for a
   * file of variables and files of secrets.
   */
  static readonly parse = (
    env: Readonly<Record<string, string | undefined>>
  ): Effect.Effect<SettingsShape, SettingsError, FileSystem.FileSystem> =>
    read([ConfigProvider.fromEnvRecord({ ...env })], new Problems())
}

const readAll = Effect.gen(function*() {
  const environment = yield* ConfigProvider.ConfigProvider
  const problems = new Problems()
  const file = yield* readEnvFile(environment).pipe(Effect.catch((problem) => {
    problems.addOfFile("envFile", problem)
    return Effect.undefined
  }))
  const given = [environment, ...file === undefined ? [] : [ConfigProvider.fromEnvRecord(file.variables)]]
  const secrets = yield* Effect.forEach(given, (one) => secretsNamedIn(one, problems))
  const { provider: ofSystemd } = yield* secretsOfSystemd(environment, problems)
  const providers = [...given.flatMap((one, index) => [one, secrets[index]!.provider]), ofSystemd]
  const settings = yield* read(providers, problems)
  const fileWarnings = file?.warnings ?? []
  return {
    ...settings,
    readFrom: file?.path,
    secretFiles: secrets.flatMap(({ files }) => files),
    fileWarnings,
    warnings: [...fileWarnings, ...settings.warnings]
  }
})

/** Reports variables with the prefix `MSRP_` that do not exist. */
const addUnknown = Effect.fnUntraced(function*(
  providers: ReadonlyArray<ConfigProvider.ConfigProvider>,
  problems: Problems
) {
  const unknown = yield* Effect.forEach(providers, unknownVariables)
  for (const variable of new Set(unknown.flat())) {
    const meant = suggestion(variable)
    const hint = meant === undefined ? "" : `; did you mean ${meant}?`
    problems.list.push({ variable, problem: `there is no such variable${hint}`, example: undefined })
  }
})

const read = Effect.fnUntraced(function*(
  providers: ReadonlyArray<ConfigProvider.ConfigProvider>,
  problems: Problems
): Effect.fn.Return<SettingsShape, SettingsError, FileSystem.FileSystem> {
  const { texts, values } = yield* readValues(providers, problems)
  yield* addUnknown(providers, problems)
  // What a variable lacks or contradicts may be in the file, so variables are compared only if that was read.
  if (!problems.fine("envFile")) return yield* new SettingsError({ problems: problems.list })
  const withDemo = wantsDemo(values, problems)
  const addresses = addressesOf(values, problems, withDemo)
  const users = yield* usersOf(values, addresses, problems)
  const demoPage = demoOf(withDemo, values, addresses, problems)
  const tls = yield* tlsOf(values, addresses, problems)
  const { warnings: relayWarnings, ...relays } = relaysOf(values, addresses, problems)
  const { admin, warnings: adminWarnings } = yield* adminOf(values, problems)
  const authExpires = expiresOf(values, problems)
  const trace = traceOf(values)
  const { proxies, warnings: proxyWarnings } = proxiesOf(values, addresses, problems)
  if (problems.list.length > 0 || addresses === undefined || users === undefined) {
    return yield* new SettingsError({ problems: problems.list })
  }
  return {
    ...users,
    ...tls,
    ...trace,
    demoPage,
    relay: {
      ...relayOptionsOf(values),
      ...addresses,
      authExpires,
      ...relays
    },
    socketRules: values.socketRoutes?.rules ?? [],
    digest: digestOptionsOf(values),
    transport: transportOptionsOf(values, { addresses, demoPage, proxies }),
    resolver: { servers: values.dnsServers },
    envFile: values.envFile,
    readFrom: undefined,
    secretFiles: [],
    fileWarnings: [],
    texts: Redacted.make(texts),
    log: { level: values.logLevel, format: values.logFormat },
    admin,
    warnings: [
      ...authWarnings(addresses, values),
      ...realmWarnings(addresses, values),
      ...routeWarnings(addresses, values),
      ...nextHopWarnings(addresses, values),
      ...relayWarnings,
      ...proxyWarnings,
      ...users.warnings,
      ...tls.warnings,
      ...adminWarnings,
      ...trace.warnings
    ]
  }
})
