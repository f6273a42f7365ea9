/** Sources of users: those that are configured, and those that are used. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { randomBytes } from "node:crypto"
import { passwordUser, storedSecret, type User } from "../../../Credentials.ts"
import type { EphemeralOptions } from "../../../credentials/Ephemeral.ts"
import { type FileOptions, readUsers } from "../../../credentials/File.ts"
import type { HttpOptions } from "../../../credentials/Http.ts"
import { otherRealms } from "../../../credentials/OtherRealms.ts"
import type { SqlOptions, SubscriberTable } from "../../../credentials/Sql.ts"
import { isLoopback } from "../../../net/Hosts.ts"
import { realmKey } from "../../../protocol/digest/Challenge.ts"
import { canonicalHost } from "../../../protocol/Uri.ts"
import { type ConfiguredUser, type Source, type SourceOf, SOURCES } from "../codecs/Users.ts"
import type { Problems } from "../Problems.ts"
import { ProvidedParts } from "../ProvidedParts.ts"
import { type Values, variables } from "../Table.ts"
import { NO_FILE, readOctets } from "../TextFile.ts"
import type { Addresses } from "./Addresses.ts"
import { askedRealms } from "./Realms.ts"

/** The source of users, or one for each realm. */
export type CredentialsSettings =
  | BackendSettings
  /**
   * Sources by realm; one that several realms share is the same object. Without `others`, other realms have no users.
   */
  | {
    readonly _tag: "ByRealm"
    readonly realms: Readonly<Record<string, BackendSettings>>
    readonly others: BackendSettings | undefined
  }

/** One source of users. */
export type BackendSettings =
  | { readonly _tag: "Memory"; readonly users: ReadonlyArray<User> }
  | ({ readonly _tag: "File" } & FileOptions)
  | ({ readonly _tag: "Sql"; readonly cacheSeconds: number } & SqlOptions)
  | ({ readonly _tag: "Http"; readonly cacheSeconds: number } & HttpOptions)
  | ({ readonly _tag: "Ephemeral" } & EphemeralOptions)

/** All sources, each once. */
export const backendsOf = (credentials: CredentialsSettings): ReadonlyArray<BackendSettings> =>
  credentials._tag !== "ByRealm" ? [credentials] : [
    ...new Set([
      ...Object.values(credentials.realms),
      ...(credentials.others === undefined ? [] : [credentials.others])
    ])
  ]

/** The user made for a start without configuration, whose password is logged. */
export interface DemoUser {
  readonly username: string
  readonly password: Redacted.Redacted
}

export interface Users {
  readonly credentials: CredentialsSettings
  readonly demo: DemoUser | undefined
  /** Seconds between two checks for removed users; 0 for none. */
  readonly credentialsCheck: number
  readonly warnings: ReadonlyArray<string>
}

/** The variable that configures each source. */
const sources = {
  memory: "users",
  file: "credentialsFile",
  sql: "sqlUrl",
  http: "httpUrl",
  ephemeral: "ephemeralSecret"
} as const satisfies Record<Source, string>

/** Default seconds between two checks for removed users. HTTP services are not queried by default. */
const CHECKS = { memory: 60, file: 60, sql: 60, http: 0, ephemeral: 0 } as const

const variableOf = (source: Source): string => variables[sources[source]].variable

const givenOf = (values: Values): ReadonlyArray<Source> =>
  SOURCES.filter((source) => values[sources[source]] !== undefined)

/** The source of users; a demo user if neither users nor addresses are configured. */
export const usersOf = Effect.fnUntraced(function*(
  values: Values,
  addresses: Addresses | undefined,
  problems: Problems
): Effect.fn.Return<Users | undefined, never, FileSystem.FileSystem> {
  if (!problems.fine("credentials", "calculateHa1", "credentialsCheck", ...Object.values(sources))) return undefined
  const wanted = wantedOf(values, problems)
  if (wanted === undefined) return undefined
  const used = [...new Set(wanted.map(({ source }) => source))]
  const users = {
    demo: undefined,
    credentialsCheck: values.credentialsCheck ?? Math.min(...used.map((source) => CHECKS[source])),
    warnings: unusedWith(used, values)
  }
  if (wanted.every(({ source }) => source === "memory") && values.users === undefined) {
    if ((yield* ProvidedParts).users) return { ...users, credentials: { _tag: "Memory", users: [] } }
    if (!isUntouched(values, problems) && !isForDemo(values, addresses)) {
      problems.add("users", "is required: without users, nobody can log in")
      return undefined
    }
    const demo = { username: "demo", password: Redacted.make(randomBytes(12).toString("base64url")) }
    return { ...users, credentials: { _tag: "Memory", users: [passwordUser(demo.username, demo.password)] }, demo }
  }
  const ofRelay = values.realm?.normalize("NFC") ?? canonicalHost(addresses?.uris[0]?.host ?? "")
  const realmOf = (source: Source) => wanted.find((one) => one.source === source)?.realm ?? ofRelay
  const others = wanted.find(({ realm }) => realm === undefined)
  const sourceOf = (asked: string) =>
    (wanted.find(({ realm }) => realm !== undefined && realmKey(realm) === realmKey(asked)) ?? others)?.source
  const asked = addresses === undefined ? [] : askedRealms(addresses, values)
  const warnings = [...users.warnings]
  const backends = new Map<Source, BackendSettings>()
  for (const source of used) {
    const of = { realm: realmOf(source), asked: asked.filter((realm) => sourceOf(realm) === source), warnings }
    backends.set(source, yield* backendOf(source, values, problems, of))
  }
  const realms = wanted.flatMap(({ realm, source }) =>
    realm === undefined ? [] : [[realm, backends.get(source)!] as const]
  )
  const ofOthers = others === undefined ? undefined : backends.get(others.source)!
  return {
    ...users,
    warnings,
    credentials: realms.length === 0
      ? ofOthers!
      : { _tag: "ByRealm", realms: Object.fromEntries(realms), others: ofOthers }
  }
})

/** What a source has to do with realms. */
interface OfRealms {
  /** The realm that an HTTP service is asked for at the start. */
  readonly realm: string
  /** The realms whose users are looked up in it. */
  readonly asked: ReadonlyArray<string>
  readonly warnings: Array<string>
}

export const noUsersWarning = (path: string): string =>
  `${variables.credentialsFile.variable} has no users: nobody can log in (${path})`

/** The settings of a source, all of which must be set. */
const backendOf = Effect.fnUntraced(function*(
  source: Source,
  values: Values,
  problems: Problems,
  { asked, realm, warnings }: OfRealms
): Effect.fn.Return<BackendSettings, never, FileSystem.FileSystem> {
  const { calculateHa1 = source === "memory", credentialsCache: cacheSeconds } = values
  switch (source) {
    case "memory":
      return { _tag: "Memory", users: storedUsers(values.users!, calculateHa1, problems) }
    case "file": {
      const path = values.credentialsFile!
      const lines = yield* readCredentialsFile(path, calculateHa1)
      if (typeof lines === "string") {
        const made = lines === NO_FILE ? "; msrp-relay user add --file makes it" : ""
        problems.addOfFile("credentialsFile", `${lines} (${path})${made}`)
      } else if (asked.length > 0) {
        if (lines.users === 0) warnings.push(noUsersWarning(path))
        const others = otherRealms(lines, asked, calculateHa1)
        if (others !== undefined) warnings.push(`${variables.credentialsFile.variable} has ${others} (${path})`)
      }
      return { _tag: "File", path, calculateHa1, realms: asked }
    }
    case "sql":
      return { _tag: "Sql", url: values.sqlUrl!, table: tableOf(values), calculateHa1, cacheSeconds }
    case "http":
      return { _tag: "Http", url: values.httpUrl!, token: values.httpToken, cacheSeconds, realm }
    case "ephemeral":
      return { _tag: "Ephemeral", secret: values.ephemeralSecret! }
  }
})

/** The sources that are chosen, or else the only one that is configured. */
const wantedOf = (values: Values, problems: Problems): ReadonlyArray<SourceOf> | undefined => {
  const given = givenOf(values)
  if (values.credentials === undefined && given.length > 1) {
    problems.add("credentials", `is required because ${given.map(variableOf).join(" and ")} are set`)
    return undefined
  }
  const wanted = values.credentials ?? [{ source: given[0] ?? "memory" }]
  const isAlone = wanted.length === 1
  const lacking = new Set(
    wanted.map(({ source }) => source).filter((source) =>
      (source !== "memory" || !isAlone) && values[sources[source]] === undefined
    )
  )
  for (const source of lacking) problems.add(sources[source], `is required for ${source} in MSRP_CREDENTIALS`)
  return lacking.size === 0 ? wanted : undefined
}

/** Warns of variables that have no effect with these sources. */
const unusedWith = (used: ReadonlyArray<Source>, values: Values): ReadonlyArray<string> => {
  const others = givenOf(values).filter((one) => !used.includes(one))
  const from = used.map(variableOf).join(" and ")
  const warnings = others.map((one) => `${variableOf(one)} is not used: users come from ${from}`)
  if (values.calculateHa1 !== undefined && used.every((one) => one === "http" || one === "ephemeral")) {
    const why = used.includes("http") ? "each answer says what it has" : "there are passwords only"
    warnings.push(`${variables.calculateHa1.variable} is not used with MSRP_CREDENTIALS=${used.join(",")}: ${why}`)
  }
  return warnings
}

/** Whether neither users nor addresses are configured. */
export const isUntouched = (values: Values, problems: Problems): boolean => {
  const { calculateHa1, credentials, listen, uris } = values
  return [calculateHa1, credentials, listen, uris].every((value) => value === undefined) &&
    givenOf(values).length === 0 &&
    problems.fine("uris", "listen")
}

/** Whether the demo page is requested, no users are configured, and the relay can be reached only from this machine. */
const isForDemo = ({ calculateHa1, credentials, demo }: Values, addresses: Addresses | undefined): boolean =>
  demo === true && calculateHa1 === undefined && credentials === undefined &&
  addresses !== undefined && addresses.listen.every(({ host }) => isLoopback(host))

const tableOf = (values: Values): SubscriberTable => ({
  table: values.sqlTable,
  username: values.sqlUsername,
  domain: unlessNone(values.sqlDomain),
  password: values.sqlPassword,
  ha1: values.sqlHa1,
  ha1Sha256: unlessNone(values.sqlHa1Sha256)
})

const unlessNone = (name: string): string | undefined => name === "none" ? undefined : name

const storedUsers = (
  users: ReadonlyArray<ConfiguredUser>,
  calculateHa1: boolean,
  problems: Problems
): ReadonlyArray<User> => {
  const seen = new Set<string>()
  return users.flatMap(({ realm, stored, username }, index) => {
    const secret = storedSecret(Redacted.value(stored), calculateHa1)
    const entry = `entry ${index + 1}`
    if (secret === undefined) {
      const example = "alice@example.org:5ea2dfd9c3ae8ba41c0c9ac1a4c0d9d4"
      const digits = "32 (MD5) or 64 (SHA-256) hexadecimal digits, as MSRP_CALCULATE_HA1=0 demands"
      problems.add("users", `${entry} has a secret that is not ${digits}`, example)
      return []
    }
    // A user may have both an MD5 and a SHA-256 hash.
    const kind = secret._tag === "Ha1" ? Object.keys(secret.ha1).join() : ""
    const key = JSON.stringify([username, realm, kind]).normalize("NFC")
    if (seen.has(key)) problems.add("users", `${entry} has the user and realm of an entry before it`)
    seen.add(key)
    return [{ username, realm, secret }]
  })
}

/** The lines of a file of users, or what is wrong with it. */
const readCredentialsFile = Effect.fnUntraced(function*(path: string, calculateHa1: boolean) {
  const octets = yield* readOctets(path)
  if (Result.isFailure(octets)) return octets.failure
  const lines = yield* readUsers(octets.success, calculateHa1)
  return lines.problems.length === 0
    ? lines
    : `the file is wrong in ${lines.problems.map(({ line, problem }) => `line ${line}: ${problem}`).join("; ")}`
})
