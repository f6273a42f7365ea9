/** The settings in force, as references that the layers of the relay follow: each may change while the relay runs. */
import * as Effect from "effect/Effect"
import * as AtomRef from "effect/reactivity/AtomRef"
import * as Redacted from "effect/Redacted"
import type { DigestOptions } from "../Authenticator.ts"
import type { RemovedUsersOptions } from "../authenticator/RemovedUsers.ts"
import type { RelayOptions } from "../Relay.ts"
import type { NodeResolverOptions } from "../Resolver.ts"
import type { SocketRule } from "../SocketSelector.ts"
import type { NodeOptions, TlsOptions } from "../Transport.ts"
import { makeSelfSigned, type SelfSignedError } from "../transport/SelfSigned.ts"
import * as Backend from "./Backend.ts"
import type { ProvidedServices } from "./ProvidedServices.ts"
import type { SettingsShape } from "./Settings.ts"
import { type FollowedTls, followTls } from "./settings/FollowTls.ts"

export interface LiveSettings {
  /** The settings in force: those read last, except for what takes effect only at the next start. */
  settings: SettingsShape
  readonly relay: AtomRef.AtomRef<RelayOptions>
  readonly digest: AtomRef.AtomRef<DigestOptions>
  readonly transport: AtomRef.AtomRef<NodeOptions>
  readonly resolver: AtomRef.AtomRef<NodeResolverOptions>
  readonly socketRules: AtomRef.AtomRef<ReadonlyArray<SocketRule>>
  readonly removals: AtomRef.AtomRef<RemovedUsersOptions>
  readonly users: Backend.LiveUsers
  readonly provided: ProvidedServices
  readonly tls: FollowedTls
}

/** Makes a self-signed certificate for the names that need one and have none in a file. */
export const madeFor = ({ selfSigned }: SettingsShape): Effect.Effect<TlsOptions, SelfSignedError> => {
  const [first, ...others] = selfSigned ?? []
  return first === undefined ? Effect.succeed({}) : makeSelfSigned([first, ...others])
}

/** Opens the users and certificates that the settings name, until the scope closes. */
export const makeLive = Effect.fnUntraced(function*(read: SettingsShape, provided: ProvidedServices = {}) {
  const settings = settingsFor(read, provided)
  const { relay, tlsFiles } = settings
  const first = { ...settings.tls, ...yield* madeFor(settings) }
  const tls = yield* followTls({ files: tlsFiles, uris: relay.uris, first })
  return liveWith(settings, { users: yield* usersOf(settings, provided), tls, provided })
})

/** The settings adapted to the provided services: no demo user or certificate is made where the program provides its own. */
export const settingsFor = (settings: SettingsShape, provided: ProvidedServices): SettingsShape => {
  const { authenticator, credentials, transport } = provided
  const isAsked = credentials === undefined || Redacted.value(settings.texts).has("credentialsCheck")
  return {
    ...settings,
    ...(credentials ?? authenticator) === undefined ? {} : { demo: undefined },
    // Custom credentials may be expensive to query, so they are checked only if the variable is set.
    credentialsCheck: isAsked ? settings.credentialsCheck : 0,
    ...transport === undefined ? {} : { selfSigned: undefined }
  }
}

const usersOf = (settings: SettingsShape, { authenticator, credentials }: ProvidedServices) =>
  authenticator === undefined && credentials === undefined
    ? Backend.makeUsers(settings.credentials)
    : Effect.succeed(Backend.usersOfProgram(credentials))

/** Live settings with users and certificates that are already open. */
export const liveWith = (
  settings: SettingsShape,
  { provided = {}, tls, users }: Pick<LiveSettings, "tls" | "users"> & { readonly provided?: ProvidedServices }
): LiveSettings => ({
  settings,
  relay: AtomRef.make<RelayOptions>(settings.relay),
  digest: AtomRef.make(settings.digest),
  transport: AtomRef.make<NodeOptions>({ ...settings.transport, tls: tls.tls }),
  resolver: AtomRef.make(settings.resolver),
  socketRules: AtomRef.make(settings.socketRules),
  removals: AtomRef.make(Backend.removalsOf(settings.credentialsCheck)),
  users,
  provided,
  tls
})

/** Puts settings into force. Users and certificates are replaced separately, because opening them can fail. */
export const change = (live: LiveSettings, settings: SettingsShape): void => {
  live.settings = settings
  live.digest.set(settings.digest)
  live.transport.set({ ...settings.transport, tls: live.tls.tls })
  live.resolver.set(settings.resolver)
  live.socketRules.set(settings.socketRules)
  live.removals.set(Backend.removalsOf(settings.credentialsCheck))
  live.relay.set(settings.relay)
}
