/** The configuration of the service, out of environment variables. */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type { LogLevel } from "effect/LogLevel"
import type { DigestAlgorithm } from "../protocol/digest/Digest.ts"
import type { MsrpUri } from "../protocol/Uri.ts"
import type { NextHopOptions } from "../relay/NextHops.ts"
import type { RelayPolicy } from "../relay/Peers.ts"
import type { SocketRule } from "../SocketSelector.ts"
import type { LocalSocket, TlsOptions } from "../Transport.ts"
import {
  addressesOf,
  authWarnings,
  type CredentialsSettings,
  type DemoUser,
  expiresOf,
  tlsOf,
  usersOf
} from "./settings/Checks.ts"
import type { TlsFiles } from "./settings/Files.ts"
import { Problems, readValues, unknownVariables } from "./settings/Read.ts"
import { SettingsError } from "./settings/SettingsError.ts"
import { suggestion } from "./settings/Suggest.ts"

export { isLoopback } from "../net/Hosts.ts"
export type { CredentialsSettings, DemoUser } from "./settings/Checks.ts"
export { readTls, type TlsFiles } from "./settings/Files.ts"
export { SettingsError, type SettingsProblem } from "./settings/SettingsError.ts"
export { type Setting, type SettingGroup, settingsTable } from "./settings/Table.ts"

/**
 * The configuration of the service. Most groups are what the layer of their name takes: `sessions` goes to
 * `SessionRepo.layerMemory`, `digest` to `Authenticator.layerDigest`, `transport` with `tls` to `Transport.layerNode`.
 */
export interface SettingsShape {
  /** URIs of the relay itself, with a port each: those configured come first, in their order. */
  readonly uris: ReadonlyArray<MsrpUri>
  /** What session URIs are made of, by scheme, where that is not the URI that the client addresses. */
  readonly usePath: ReadonlyArray<MsrpUri>
  /** Sockets to listen on. */
  readonly listeners: ReadonlyArray<LocalSocket>
  /** For `SocketSelector.layerRules`. */
  readonly socketRules: ReadonlyArray<SocketRule>
  readonly credentials: CredentialsSettings
  /** The user made for a start without configuration, to be shown to whoever started the relay. */
  readonly demo: DemoUser | undefined
  readonly auth: {
    /** Absent: the host that the AUTH addresses. */
    readonly realm: string | undefined
    /** Seconds: granted when the client names none, and the bounds for one that does (RFC 4976 §6.3). */
    readonly expires: number
    readonly minExpires: number | undefined
    readonly maxExpires: number | undefined
    /** AUTH without TLS is allowed on every listener. Otherwise on those for which `isLoopback` holds (RFC 4976 §9.2). */
    readonly allowPlaintext: boolean
  }
  readonly digest: {
    readonly algorithms: ReadonlyArray<DigestAlgorithm>
    readonly nonceExpire: Duration.Duration
    readonly realmsWithoutMd5: ReadonlyArray<string>
    /** AUTHs with wrong credentials that cost nothing: of one user from one address, and from one address. */
    readonly freePerUser: number
    readonly freePerAddress: number
  }
  /** Contents of the PEM files. Without a certificate there is either no `msrps` listener, or `selfSigned`. */
  readonly tls: TlsOptions
  /** Paths of the PEM files, for `readTls` to read them again. */
  readonly tlsFiles: TlsFiles
  /** Names and addresses to make a certificate for at start; `undefined`: none is to be made. */
  readonly selfSigned: ReadonlyArray<string> | undefined
  readonly transport: {
    readonly allowSelfSigned: boolean
    /** Seconds. */
    readonly connectTimeout: number
    /** For each listener: those of the relay, and as many again that have not finished their TLS handshake. */
    readonly maxConnections: number
    /** For each listener. */
    readonly maxHandshakes: number
  }
  /** Name servers for SRV records; `undefined`: those of the machine. */
  readonly dnsServers: ReadonlyArray<string> | undefined
  /** Where clients may make the relay connect to. */
  readonly nextHops: NextHopOptions
  /** Which relays are admitted as such, of those that prove their name by certificate. */
  readonly relayPeers: RelayPolicy
  readonly sessions: {
    /** log2 of the number of buckets. */
    readonly hashSize: number
    /** Seconds. */
    readonly cleanupInterval: number
    readonly maxSessions: number
    readonly maxSessionsPerUser: number
    /** Requests that pass through a session prolong it. */
    readonly extendActive: boolean
  }
  readonly limits: {
    /** Seconds that a receiver may take nothing while something waits for it. */
    readonly stall: number
    /** Octets that wait for one connection before those who send to it are held. */
    readonly output: number
    /** Octets held for one session with a slow receiver before its sender is not read. */
    readonly session: number
    readonly sessionsPerConnection: number
    /** Requests without an answer on one connection. */
    readonly transactions: number
    /** Per second and session, in each direction. */
    readonly requestRate: number
    readonly octetRate: number
    readonly failedAuths: number
    readonly connections: number
    readonly connectionsPerAddress: number
    readonly connectionsInProbation: number
    readonly dials: number
    /** Seconds without traffic after which a connection without sessions is closed. */
    readonly idle: number
  }
  readonly log: { readonly level: LogLevel; readonly format: "pretty" | "json" | "logfmt" }
  /** What is allowed, and yet most likely not meant: sentences to log at start. */
  readonly warnings: ReadonlyArray<string>
}

/** The configuration of the service, checked as a whole: with a `Settings`, nothing is left to go wrong but the network. */
export class Settings extends Context.Service<Settings, SettingsShape>()("msrp-relay/Settings") {
  /** From the `ConfigProvider`: the environment, unless another one is provided. */
  static readonly layer: Layer.Layer<Settings, SettingsError, FileSystem.FileSystem> = Layer.effect(
    Settings,
    Effect.flatMap(ConfigProvider.ConfigProvider, (provider) => read(provider))
  )

  /**
   * From variables as in `process.env`. Those that are empty count as not set, those without the prefix `MSRP_` are of
   * no interest. Fails with everything that is wrong at once; the files that are named are read.
   */
  static readonly parse = (
    env: Readonly<Record<string, string | undefined>>
  ): Effect.Effect<SettingsShape, SettingsError, FileSystem.FileSystem> =>
    read(ConfigProvider.fromEnvRecord({ ...env }))
}

const read = Effect.fnUntraced(function*(
  provider: ConfigProvider.ConfigProvider
): Effect.fn.Return<SettingsShape, SettingsError, FileSystem.FileSystem> {
  const problems = new Problems()
  const values = yield* readValues(provider, problems)
  for (const variable of yield* unknownVariables(provider)) {
    const meant = suggestion(variable)
    const hint = meant === undefined ? "" : `; did you mean ${meant}?`
    problems.list.push({ variable, problem: `there is no such variable${hint}`, example: undefined })
  }
  const addresses = addressesOf(values, problems)
  const users = yield* usersOf(values, problems)
  const tls = yield* tlsOf(values, addresses, problems)
  const expires = expiresOf(values, problems)
  if (problems.list.length > 0 || addresses === undefined || users === undefined) {
    return yield* new SettingsError({ problems: problems.list })
  }
  return {
    ...addresses,
    usePath: values.usePath ?? [],
    socketRules: values.socketRoutes?.rules ?? [],
    credentials: users.credentials,
    demo: users.demo,
    auth: {
      realm: values.realm,
      expires,
      minExpires: values.minExpires,
      maxExpires: values.maxExpires,
      allowPlaintext: values.allowPlaintextAuth
    },
    digest: {
      algorithms: values.algorithms,
      nonceExpire: Duration.seconds(values.nonceExpire),
      realmsWithoutMd5: values.realmsWithoutMd5,
      freePerUser: values.freeFailuresPerUser,
      freePerAddress: values.freeFailuresPerAddress
    },
    tls: tls.tls,
    tlsFiles: tls.files,
    selfSigned: tls.selfSigned,
    transport: {
      allowSelfSigned: values.allowSelfSigned,
      connectTimeout: values.connectTimeout,
      maxConnections: values.maxConnections + values.maxConnectionsInProbation,
      maxHandshakes: values.maxConnectionsInProbation
    },
    dnsServers: values.dnsServers,
    nextHops: { allow: values.nextHopAllow, deny: values.nextHopDeny, ports: values.nextHopPorts },
    relayPeers: values.relayPeers,
    sessions: {
      hashSize: values.hashSize,
      cleanupInterval: values.cleanupInterval,
      maxSessions: values.maxSessions,
      maxSessionsPerUser: values.maxSessionsPerUser,
      extendActive: values.extendActiveSessions
    },
    limits: {
      stall: values.stallLimit,
      output: values.outputLimit,
      session: values.sessionBuffer,
      sessionsPerConnection: values.maxSessionsPerConnection,
      transactions: values.maxTransactions,
      requestRate: unlessZero(values.messageRate),
      octetRate: unlessZero(values.octetRate),
      failedAuths: values.maxFailedAuth,
      connections: values.maxConnections,
      connectionsPerAddress: values.maxConnectionsPerAddress ?? Infinity,
      connectionsInProbation: values.maxConnectionsInProbation,
      dials: values.maxDials,
      idle: values.idleLimit
    },
    log: { level: values.logLevel, format: values.logFormat },
    warnings: [...authWarnings(addresses, values), ...users.warnings, ...tls.warnings]
  }
})

const unlessZero = (rate: number): number => rate === 0 ? Infinity : rate
