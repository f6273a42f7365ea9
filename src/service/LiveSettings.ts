/** The settings in force, as the layers of the relay take them: each may be replaced while it runs. */
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
import type { Given } from "./Given.ts"
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
  /** What the program brings of its own. */
  readonly own: Given
  readonly tls: FollowedTls
}

/** A certificate for the names that need one, where no file has it. */
export const madeFor = ({ selfSigned }: SettingsShape): Effect.Effect<TlsOptions, SelfSignedError> => {
  const [first, ...others] = selfSigned ?? []
  return first === undefined ? Effect.succeed({}) : makeSelfSigned([first, ...others])
}

/** Opens what the settings name, until the scope closes. */
export const makeLive = Effect.fnUntraced(function*(read: SettingsShape, own: Given = {}) {
  const settings = settingsFor(read, own)
  const { relay, tlsFiles } = settings
  const first = { ...settings.tls, ...yield* madeFor(settings) }
  const tls = yield* followTls({ files: tlsFiles, uris: relay.uris, first })
  return liveWith(settings, { users: yield* usersOf(settings, own), tls, own })
})

/** Those of a program that brings users or certificates of its own: none are made for it. */
export const settingsFor = (settings: SettingsShape, own: Given): SettingsShape => {
  const { authenticator, credentials, transport } = own
  const isAsked = credentials === undefined || Redacted.value(settings.texts).has("credentialsCheck")
  return {
    ...settings,
    ...(credentials ?? authenticator) === undefined ? {} : { demo: undefined },
    // Nobody knows what it costs to ask them, so that has to be wanted.
    credentialsCheck: isAsked ? settings.credentialsCheck : 0,
    ...transport === undefined ? {} : { selfSigned: undefined }
  }
}

const usersOf = (settings: SettingsShape, { authenticator, credentials }: Given) =>
  authenticator === undefined && credentials === undefined
    ? Backend.makeUsers(settings.credentials)
    : Effect.succeed(Backend.usersOfProgram(credentials))

/** With users and certificates that are open. */
export const liveWith = (
  settings: SettingsShape,
  { own = {}, tls, users }: Pick<LiveSettings, "tls" | "users"> & { readonly own?: Given }
): LiveSettings => ({
  settings,
  relay: AtomRef.make<RelayOptions>(settings.relay),
  digest: AtomRef.make(settings.digest),
  transport: AtomRef.make<NodeOptions>({ ...settings.transport, tls: tls.tls }),
  resolver: AtomRef.make(settings.resolver),
  socketRules: AtomRef.make(settings.socketRules),
  removals: AtomRef.make(Backend.removalsOf(settings.credentialsCheck)),
  users,
  own,
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
