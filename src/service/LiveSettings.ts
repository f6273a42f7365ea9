/** The settings in force, as the layers of the relay take them: each may be replaced while it runs. */
import * as Effect from "effect/Effect"
import * as AtomRef from "effect/reactivity/AtomRef"
import type { DigestOptions } from "../Authenticator.ts"
import type { RemovedUsersOptions } from "../authenticator/RemovedUsers.ts"
import type { RelayOptions } from "../Relay.ts"
import type { NodeResolverOptions } from "../Resolver.ts"
import type { SocketRule } from "../SocketSelector.ts"
import type { NodeOptions, TlsOptions } from "../Transport.ts"
import { makeSelfSigned, type SelfSignedError } from "../transport/SelfSigned.ts"
import * as Backend from "./Backend.ts"
import type { SettingsShape } from "./Settings.ts"
import { type FollowedTls, followTls } from "./settings/FollowTls.ts"

export interface LiveSettings {
  /** Those that were read last, and of which all counts that may. */
  settings: SettingsShape
  readonly relay: AtomRef.AtomRef<RelayOptions>
  readonly digest: AtomRef.AtomRef<DigestOptions>
  readonly transport: AtomRef.AtomRef<NodeOptions>
  readonly resolver: AtomRef.AtomRef<NodeResolverOptions>
  readonly socketRules: AtomRef.AtomRef<ReadonlyArray<SocketRule>>
  readonly removals: AtomRef.AtomRef<RemovedUsersOptions>
  readonly users: Backend.LiveUsers
  readonly tls: FollowedTls
}

/** A certificate for the names that need one, where no file has it. */
export const madeFor = ({ selfSigned }: SettingsShape): Effect.Effect<TlsOptions, SelfSignedError> => {
  const [first, ...others] = selfSigned ?? []
  return first === undefined ? Effect.succeed({}) : makeSelfSigned([first, ...others])
}

/** Opens what the settings name, until the scope closes. */
export const makeLive = Effect.fnUntraced(function*(settings: SettingsShape) {
  const { relay, tlsFiles } = settings
  const first = { ...settings.tls, ...yield* madeFor(settings) }
  const tls = yield* followTls({ files: tlsFiles, uris: relay.uris, first })
  return liveWith(settings, { users: yield* Backend.makeUsers(settings.credentials), tls })
})

/** With users and certificates that are open. */
export const liveWith = (
  settings: SettingsShape,
  { tls, users }: Pick<LiveSettings, "tls" | "users">
): LiveSettings => ({
  settings,
  relay: AtomRef.make<RelayOptions>(settings.relay),
  digest: AtomRef.make(settings.digest),
  transport: AtomRef.make<NodeOptions>({ ...settings.transport, tls: tls.tls }),
  resolver: AtomRef.make(settings.resolver),
  socketRules: AtomRef.make(settings.socketRules),
  removals: AtomRef.make(Backend.removalsOf(settings.credentialsCheck)),
  users,
  tls
})

/** From now on these count. Users and certificates are used by themselves, since they can fail. */
export const change = (live: LiveSettings, settings: SettingsShape): void => {
  live.settings = settings
  live.digest.set(settings.digest)
  live.transport.set({ ...settings.transport, tls: live.tls.tls })
  live.resolver.set(settings.resolver)
  live.socketRules.set(settings.socketRules)
  live.removals.set(Backend.removalsOf(settings.credentialsCheck))
  live.relay.set(settings.relay)
}
