/** Services that a program provides to the service layer. Each is used instead of the one that the settings would make. */
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
import type { ProvidedParts } from "./settings/ProvidedParts.ts"
import { type VariableKey, variableKeys, variables } from "./settings/Table.ts"

export interface ProvidedServices {
  readonly authenticator?: Authenticator["Service"] | undefined
  readonly codec?: Codec["Service"] | undefined
  readonly credentials?: Credentials["Service"] | undefined
  readonly resolver?: ResolverShape | undefined
  readonly sessions?: SessionRepo["Service"] | undefined
  readonly selector?: SocketSelector["Service"] | undefined
  readonly transport?: Transport["Service"] | undefined
}

/** The services found in the context. */
export const providedServices: Effect.Effect<ProvidedServices> = Effect.map(Effect.context(), (context) => {
  const of = <I, S>(key: Context.Key<I, S>): S | undefined => Option.getOrUndefined(Context.getOption(context, key))
  return {
    authenticator: of(Authenticator),
    codec: of(Codec),
    credentials: of(Credentials),
    // A reference always has a value: only one that was provided is in the map.
    resolver: context.mapUnsafe.has(Resolver.key) ? Context.get(context, Resolver) : undefined,
    sessions: of(SessionRepo),
    selector: of(SocketSelector),
    transport: of(Transport)
  }
})

const names: { readonly [K in keyof ProvidedServices]-?: string } = {
  authenticator: "Authenticator",
  codec: "Codec",
  credentials: "Credentials",
  resolver: "Resolver",
  sessions: "SessionRepo",
  selector: "SocketSelector",
  transport: "Transport"
}

const ofUsers = variableKeys.filter((key) => variables[key].group === "Users")

/** Variables that have no effect when the service is provided. */
const variablesReplacedBy: { readonly [K in keyof ProvidedServices]: ReadonlyArray<VariableKey> } = {
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

/** The parts that the settings need not configure. */
export const providedParts = ({ authenticator, credentials, transport }: ProvidedServices): ProvidedParts => ({
  certificates: transport !== undefined,
  users: (credentials ?? authenticator) !== undefined
})

const provides = (provided: ProvidedServices): ReadonlyArray<keyof ProvidedServices> =>
  (Object.keys(names) as Array<keyof ProvidedServices>).filter((service) => provided[service] !== undefined)

/** Names of the provided services, such as `Credentials`. */
export const serviceNames = (provided: ProvidedServices): ReadonlyArray<string> =>
  provides(provided).map((service) => names[service])

/** A warning for each variable that is set but has no effect because of a provided service. */
export const unusedVariables = (provided: ProvidedServices, settings: SettingsShape): ReadonlyArray<string> => {
  const { authenticator, credentials } = provided
  const texts = Redacted.value(settings.texts)
  const unused = (keys: ReadonlyArray<VariableKey>, name: string): ReadonlyArray<string> =>
    keys.filter((key) => texts.has(key))
      .map((key) => `${variables[key].variable} is not used: the program brings its own ${name}`)
  return [
    ...provides(provided).flatMap((service) => unused(variablesReplacedBy[service] ?? [], names[service])),
    ...authenticator !== undefined && credentials === undefined ? unused(ofUsers, names.authenticator) : []
  ]
}
