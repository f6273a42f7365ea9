/** What one variable means beside others: these checks need several values, or the machine. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Redacted from "effect/Redacted"
import { randomBytes } from "node:crypto"
import { passwordUser, storedSecret, type User } from "../../Credentials.ts"
import type { EphemeralOptions } from "../../credentials/Ephemeral.ts"
import type { HttpOptions } from "../../credentials/Http.ts"
import type { SqlOptions } from "../../credentials/Sql.ts"
import { isLocalhost, isLoopback, isWildcard, loopbackAddresses } from "../../net/Hosts.ts"
import { canonicalHost, type MsrpUri, parsePath, sameUri } from "../../protocol/Uri.ts"
import type { LocalSocket } from "../../Transport.ts"
import { printSocket, uriOf } from "./codecs/Addresses.ts"
import type { ConfiguredUser } from "./codecs/Users.ts"
import { checkCredentialsFile, readTls, type TlsFiles, type TlsFromFiles } from "./Files.ts"
import type { Problems } from "./Read.ts"
import { type Values, variables } from "./Table.ts"
import { DEFAULT_URIS } from "./table/Addresses.ts"

// ---- addresses

export interface Addresses {
  readonly uris: ReadonlyArray<MsrpUri>
  readonly listeners: ReadonlyArray<LocalSocket>
}

/** URIs and listeners; what is not set follows from the other. */
export const addressesOf = (values: Values, problems: Problems): Addresses | undefined => {
  if (!problems.fine("uris", "listen")) return undefined
  const { listen } = values
  const unreachable = values.uris === undefined ? listen?.find(({ host }) => isWildcard(host)) : undefined
  if (unreachable !== undefined) {
    problems.add("uris", `is needed, since nobody can connect to ${unreachable.host}, which is in MSRP_LISTEN`)
    return undefined
  }
  const uris = values.uris ?? listen?.map(uriOf) ?? parsePath(DEFAULT_URIS.replaceAll(",", " "), 8)!
  const listeners = distinct(listen ?? uris.map(socketOf), (text) => problems.add(listen ? "listen" : "uris", text))
  const others = uris.filter(({ host }) => isLocalhost(host)).flatMap((uri) =>
    ["127.0.0.1", "::1"].map((host) => uriOf({ ...uri, host }))
  )
  return { uris: [...uris, ...others.filter((one) => !uris.some((uri) => sameUri(one, uri)))], listeners }
}

const socketOf = ({ host, port, scheme }: MsrpUri): LocalSocket => ({ scheme, host, port: port! })

/** Sockets with `localhost` as addresses; no two of them on one address and port. */
const distinct = (
  sockets: ReadonlyArray<LocalSocket>,
  problem: (text: string) => void
): ReadonlyArray<LocalSocket> => {
  const all: Array<{ readonly socket: LocalSocket; readonly implied: boolean }> = []
  for (const given of sockets) {
    const implied = isLocalhost(given.host)
    for (const host of implied ? loopbackAddresses() : [given.host]) {
      const socket = { ...given, host }
      const clash = all.find((other) => overlap(other.socket, socket))
      if (clash === undefined) {
        all.push({ socket, implied })
      } else if (
        !(implied || clash.implied) || clash.socket.scheme !== socket.scheme ||
        canonicalHost(clash.socket.host) !== canonicalHost(host)
      ) {
        problem(`has ${printSocket(clash.socket)} and ${printSocket(socket)}, which are on the same address and port`)
        break
      }
    }
  }
  return all.map(({ socket }) => socket)
}

const overlap = (a: LocalSocket, b: LocalSocket): boolean => {
  const [one, other] = [canonicalHost(a.host), canonicalHost(b.host)]
  const sameFamily = one.includes(":") === other.includes(":")
  return a.port === b.port && (one === other || (sameFamily && (isWildcard(one) || isWildcard(other))))
}

/** Warns when the settings leave no way to AUTH. */
export const authWarnings = ({ listeners }: Addresses, values: Values): ReadonlyArray<string> =>
  values.allowPlaintextAuth || listeners.some(({ host, scheme }) => scheme === "msrps" || isLoopback(host))
    ? []
    : ["Nobody can log in: no listener has TLS or is on loopback, and MSRP_ALLOW_PLAINTEXT_AUTH is not set"]

// ---- users

/** Where users come from. */
export type CredentialsSettings =
  | { readonly _tag: "Memory"; readonly users: ReadonlyArray<User> }
  | { readonly _tag: "File"; readonly path: string; readonly calculateHa1: boolean }
  | ({ readonly _tag: "Sql"; readonly cacheSeconds: number } & SqlOptions)
  | ({ readonly _tag: "Http"; readonly cacheSeconds: number } & HttpOptions)
  | ({ readonly _tag: "Ephemeral" } & EphemeralOptions)

export interface DemoUser {
  readonly username: string
  readonly password: Redacted.Redacted
}

export interface Users {
  readonly credentials: CredentialsSettings
  readonly demo: DemoUser | undefined
  readonly warnings: ReadonlyArray<string>
}

/** Where users come from; a demo user when nothing at all says who may use the relay, and from where. */
export const usersOf = Effect.fnUntraced(function*(
  values: Values,
  problems: Problems
): Effect.fn.Return<Users | undefined, never, FileSystem.FileSystem> {
  const sources = {
    memory: "users",
    file: "credentialsFile",
    sql: "sqlUrl",
    http: "httpUrl",
    ephemeral: "ephemeralSecret"
  } as const
  if (!problems.fine("credentials", "calculateHa1", ...Object.values(sources))) return undefined
  const { credentialsFile: path, users } = values
  const given = (Object.keys(sources) as Array<keyof typeof sources>).filter((kind) =>
    values[sources[kind]] !== undefined
  )
  if (values.credentials === undefined && given.length > 1) {
    const names = given.map((kind) => variables[sources[kind]].variable)
    problems.add("credentials", `is needed, since ${names.join(" and ")} are set`)
    return undefined
  }
  const kind = values.credentials ?? given[0] ?? "memory"
  const calculateHa1 = values.calculateHa1 ?? kind === "memory"
  const source = variables[sources[kind]].variable
  const warnings = given.filter((one) => one !== kind).map((one) =>
    `${variables[sources[one]].variable} is not used: users come from ${source}`
  )
  if (kind !== "memory" && values[sources[kind]] === undefined) {
    problems.add(sources[kind], `is needed for MSRP_CREDENTIALS=${kind}`)
    return undefined
  }
  if (values.calculateHa1 !== undefined && (kind === "http" || kind === "ephemeral")) {
    const why = kind === "http" ? "each answer says what it has" : "there are passwords only"
    warnings.push(`${variables.calculateHa1.variable} is not used with MSRP_CREDENTIALS=${kind}: ${why}`)
  }
  const { credentialsCache: cacheSeconds } = values
  if (kind === "sql") {
    const none = (name: string): string | undefined => name === "none" ? undefined : name
    const table = {
      table: values.sqlTable,
      username: values.sqlUsername,
      domain: none(values.sqlDomain),
      password: values.sqlPassword,
      ha1: values.sqlHa1,
      ha1Sha256: none(values.sqlHa1Sha256)
    }
    return {
      credentials: { _tag: "Sql", url: values.sqlUrl!, table, calculateHa1, cacheSeconds },
      demo: undefined,
      warnings
    }
  }
  if (kind === "http") {
    return {
      credentials: { _tag: "Http", url: values.httpUrl!, token: values.httpToken, cacheSeconds },
      demo: undefined,
      warnings
    }
  }
  if (kind === "ephemeral") {
    return { credentials: { _tag: "Ephemeral", secret: values.ephemeralSecret! }, demo: undefined, warnings }
  }

  if (kind === "file") {
    const problem = yield* checkCredentialsFile(path!, calculateHa1)
    if (problem !== undefined) problems.add("credentialsFile", problem)
    return { credentials: { _tag: "File", path: path!, calculateHa1 }, demo: undefined, warnings }
  }

  if (users !== undefined) {
    const credentials = { _tag: "Memory", users: storedUsers(users, calculateHa1, problems) } as const
    return { credentials, demo: undefined, warnings }
  }
  const { calculateHa1: stored, credentials, listen, uris } = values
  if (
    [stored, credentials, listen, uris, path].some((value) => value !== undefined) || !problems.fine("uris", "listen")
  ) {
    problems.add("users", "is needed: nobody could log in without users")
    return undefined
  }
  const demo = { username: "demo", password: Redacted.make(randomBytes(12).toString("base64url")) }
  return { credentials: { _tag: "Memory", users: [passwordUser(demo.username, demo.password)] }, demo, warnings }
})

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
    // An MD5 and a SHA-256 of one user may stand beside each other.
    const kind = secret._tag === "Ha1" ? Object.keys(secret.ha1).join() : ""
    const key = JSON.stringify([username.normalize("NFC"), realm, kind])
    if (seen.has(key)) problems.add("users", `${entry} has the user and realm of an entry before it`)
    seen.add(key)
    return [{ username, realm, secret }]
  })
}

// ---- AUTH

/** Seconds: as OpenSIPS has it. */
const DEFAULT_EXPIRES = 1800

/**
 * How long a session is valid whose client does not say. It and the bounds of what a client may ask for have to be in
 * order; where it is not set, it follows the bounds.
 */
export const expiresOf = (values: Values, problems: Problems): number => {
  const { maxExpires = Infinity, minExpires = 0 } = values
  const { expires = Math.min(Math.max(DEFAULT_EXPIRES, minExpires), maxExpires) } = values
  if (!problems.fine("expires", "minExpires", "maxExpires")) return expires
  if (minExpires > maxExpires) {
    problems.add("minExpires", `is ${minExpires}, more than MSRP_AUTH_MAX_EXPIRES, which is ${maxExpires}`)
  } else if (expires < minExpires) {
    problems.add(
      "expires",
      `is ${expires}, less than MSRP_AUTH_MIN_EXPIRES, which is ${minExpires}`,
      String(minExpires)
    )
  } else if (expires > maxExpires) {
    problems.add(
      "expires",
      `is ${expires}, more than MSRP_AUTH_MAX_EXPIRES, which is ${maxExpires}`,
      String(maxExpires)
    )
  }
  return expires
}

// ---- TLS

export interface TlsSettings extends Pick<TlsFromFiles, "tls" | "warnings"> {
  readonly files: TlsFiles
  readonly selfSigned: ReadonlyArray<string> | undefined
}

/** Certificate and key belong together; without them, one is made at start for those who connect from this machine. */
export const tlsOf = Effect.fnUntraced(function*(
  values: Values,
  addresses: Addresses | undefined,
  problems: Problems
): Effect.fn.Return<TlsSettings, never, FileSystem.FileSystem> {
  const files: TlsFiles = { cert: values.tlsCert ?? [], key: values.tlsKey ?? [], ca: values.tlsCa }
  const { listeners = [], uris = [] } = addresses ?? {}
  const { problems: unusable, tls, warnings } = yield* readTls(files, [...uris, ...(values.usePath ?? [])])
  const keys = { cert: "tlsCert", key: "tlsKey", ca: "tlsCa" } as const
  for (const { file, problem } of unusable) problems.add(keys[file], problem)

  let selfSigned: ReadonlyArray<string> | undefined
  const secure = listeners.filter(({ scheme }) => scheme === "msrps")
  const outside = listeners.find(({ host }) => !isLoopback(host))
  if (!problems.fine("tlsCert", "tlsKey")) {
    // said already
  } else if (files.cert.length === 0 && files.key.length > 0) {
    problems.add("tlsCert", "is needed, since MSRP_TLS_KEY is set")
  } else if (files.cert.length > 0 && files.key.length === 0) {
    problems.add("tlsKey", "is needed, since MSRP_TLS_CERT is set")
  } else if (files.cert.length !== files.key.length) {
    problems.add("tlsKey", `has ${files.key.length} files, and MSRP_TLS_CERT has ${files.cert.length}`)
  } else if (files.cert.length === 0 && secure.length > 0) {
    if (outside === undefined) {
      const addressed = [...uris.filter(({ scheme }) => scheme === "msrps"), ...secure]
      selfSigned = [...new Set(addressed.map(({ host }) => canonicalHost(host)))]
    } else {
      problems.add("tlsCert", `is needed for msrps, since ${printSocket(outside)} is not on loopback`)
    }
  }
  return { tls, files, selfSigned, warnings }
})
