/** What a program brings of its own in the place of what the settings would make: whatever is provided to the service is used. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { Authenticator } from "../Authenticator.ts"
import { Codec } from "../Codec.ts"
import { Credentials } from "../Credentials.ts"
import { Resolver, type ResolverShape } from "../Resolver.ts"
import { SessionRepo } from "../SessionRepo.ts"
import { SocketSelector } from "../SocketSelector.ts"
import { Transport } from "../Transport.ts"
import type { SettingsShape } from "./Settings.ts"
import type { Brought } from "./settings/Brought.ts"
import { type Variables, variables } from "./settings/Table.ts"

export interface Given {
  readonly authenticator?: Authenticator["Service"] | undefined
  readonly codec?: Codec["Service"] | undefined
  readonly credentials?: Credentials["Service"] | undefined
  readonly resolver?: ResolverShape | undefined
  readonly sessions?: SessionRepo["Service"] | undefined
  readonly selector?: SocketSelector["Service"] | undefined
  readonly transport?: Transport["Service"] | undefined
}

/** What is there of each. */
export const given: Effect.Effect<Given> = Effect.map(Effect.context(), (context) => {
  const of = <I, S>(key: Context.Key<I, S>): S | undefined => Option.getOrUndefined(Context.getOption(context, key))
  return {
    authenticator: of(Authenticator),
    codec: of(Codec),
    credentials: of(Credentials),
    // A reference is always there: has somebody set it.
    resolver: context.mapUnsafe.has(Resolver.key) ? Context.get(context, Resolver) : undefined,
    sessions: of(SessionRepo),
    selector: of(SocketSelector),
    transport: of(Transport)
  }
})

type Key = keyof Variables

const names: { readonly [K in keyof Given]-?: string } = {
  authenticator: "Authenticator",
  codec: "Codec",
  credentials: "Credentials",
  resolver: "Resolver",
  sessions: "SessionRepo",
  selector: "SocketSelector",
  transport: "Transport"
}

const ofUsers = (Object.keys(variables) as Array<Key>).filter((key) => variables[key].group === "Users")

/** Variables that only say how the settings would make it. */
const concerned: { readonly [K in keyof Given]: ReadonlyArray<Key> } = {
  authenticator: ["algorithms", "nonceExpire", "realmsWithoutMd5", "freeFailuresPerUser", "freeFailuresPerAddress"],
  credentials: ofUsers.filter((key) => key !== "credentialsCheck"),
  resolver: ["dnsServers"],
  selector: ["socketRoutes"],
  transport: [
    "tlsCert",
    "tlsKey",
    "tlsCa",
    "allowSelfSigned",
    "connectTimeout",
    "handshakesPerAddress",
    "handshakeRate",
    "keepAlive",
    "wsChunk",
    "wsOrigins",
    "demo",
    "trustedProxies",
    "proxyProtocol"
  ]
}

/** What its settings need not say. */
export const broughtBy = ({ authenticator, credentials, transport }: Given): Brought => ({
  certificates: transport !== undefined,
  users: (credentials ?? authenticator) !== undefined
})

/** The services that the program brings, as their keys are called. */
export const namesOf = (own: Given): ReadonlyArray<string> =>
  (Object.keys(names) as Array<keyof Given>).flatMap((key) => own[key] === undefined ? [] : [names[key]])

/** Says of each variable that is set and does nothing, since the program brings something of its own, that it is so. */
export const unusedWith = (own: Given, settings: SettingsShape): ReadonlyArray<string> => {
  const texts = Redacted.value(settings.texts)
  const told = new Map<Key, string>()
  const tell = (keys: ReadonlyArray<Key>, name: string): void => {
    for (const key of keys) if (texts.has(key) && !told.has(key)) told.set(key, name)
  }
  for (const key of Object.keys(names) as Array<keyof Given>) {
    if (own[key] !== undefined) tell(concerned[key] ?? [], names[key])
  }
  if (own.authenticator !== undefined && own.credentials === undefined) tell(ofUsers, names.authenticator)
  return [...told].map(([key, name]) => `${variables[key].variable} is not used: the program brings its own ${name}`)
}
