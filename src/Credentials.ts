/**
 * Users and their secrets, for `Authenticator.layerDigest`. Other backends are in the modules `msrp-relay/credentials/*`.
 *
 * @module
 */

import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { kindOf } from "./logging/ErrorKind.ts"
import { defined } from "./options/Defined.ts"
import { checkOptions, declared, type OptionsError, secret, text } from "./options/Options.ts"
import { algorithmOf, type DigestAlgorithm, digestAlgorithms } from "./protocol/digest/Digest.ts"

export type { DigestAlgorithm } from "./protocol/digest/Digest.ts"

/**
 * The secret of a user: the password, or its H(A1), H(user ":" realm ":" password) in hexadecimal, for each algorithm that it
 * was calculated with (RFC 7616 §3.6). An H(A1) is valid for one realm only. A user with the H(A1) of one algorithm cannot log
 * in with another, even if that is offered.
 *
 * @category models
 * @since 0.1.0
 */
export type Secret =
  | { readonly _tag: "Password"; readonly password: Redacted.Redacted }
  | { readonly _tag: "Ha1"; readonly ha1: Partial<Record<DigestAlgorithm, Redacted.Redacted>> }

/**
 * The backend cannot answer now. `cause` is logged, so it must not contain secrets: the message of an error or a text in
 * full, of anything else only the tag or name.
 *
 * @category errors
 * @since 0.1.0
 */
export class CredentialsUnavailable extends Data.TaggedError("CredentialsUnavailable")<{
  /** Name of the backend, for example `file` or `sql`. */
  readonly backend: string
  readonly cause: unknown
  /** Whether the backend answers, and only what it has of this user cannot be used. Absent: false. The log names the user then. */
  readonly onlyThisUser?: boolean | undefined
}> {
  override get message(): string {
    const { backend, cause, onlyThisUser = false } = this
    const why = wordsOf(cause)
    const what = onlyThisUser ? "of this user cannot be used" : "cannot be read"
    return `the ${backend} credentials ${what}${why === undefined ? "" : `: ${why}`}`
  }
}

/** The message of an error; a tagged error without one is described by its tag. */
const wordsOf = (cause: unknown): string | undefined => {
  const words = typeof cause === "string" ? cause : cause instanceof Error ? cause.message : ""
  if (words !== "") return words
  const kind = kindOf(cause)
  return kind === typeof cause ? undefined : kind
}

/**
 * The user that is looked up. Name and realm are composed text (NFC).
 *
 * @category models
 * @since 0.1.0
 */
export interface UserKey {
  readonly username: string
  readonly realm: string
  /** Address of the client, for a backend that uses it; absent behind another relay. */
  readonly source?: string | undefined
  /** Address of the relay that the client is behind, if it is. */
  readonly relay?: string | undefined
  /** Whether the user has logged in from there before, for a backend that cannot ask for all at once. Absent: unknown. */
  readonly known?: boolean | undefined
}

/**
 * Looks up the secret of a user; `None` if there is no such user.
 *
 * @category models
 * @since 0.1.0
 */
export type Lookup = (user: UserKey) => Effect.Effect<Option.Option<Secret>, CredentialsUnavailable>

/**
 * Why a backend still has the users from before, such as a file that cannot be read, and since when, in milliseconds since
 * 1970.
 *
 * @category models
 * @since 0.2.0
 */
export interface OutdatedUsers {
  readonly since: number
  readonly reason: string
}

const isPassword = Schema.is(Schema.Struct({ _tag: Schema.Literal("Password"), password: secret() }))
const isHa1 = Schema.is(Schema.Struct({
  _tag: Schema.Literal("Ha1"),
  ha1: Schema.Struct({ "MD5": Schema.optional(secret()), "SHA-256": Schema.optional(secret()) })
}))

const usersSchema = Schema.Struct({
  users: Schema.Array(Schema.Struct(
    {
      username: text("a name", (name) => name !== ""),
      realm: Schema.optional(Schema.String),
      secret: declared<Secret>("a password or H(A1)s, redacted", (value) => isPassword(value) || isHa1(value))
    } satisfies Readonly<Record<keyof User, unknown>>
  ))
})

/**
 * The users and their secrets. `None` stands for a user who does not exist; a backend that cannot tell fails, and then the
 * client may try again later instead of being refused. Names are compared as they are: if a backend finds one user under
 * several spellings of the name, each spelling counts as a user with its own limits.
 *
 * The contract of a custom backend:
 *
 * - `lookup` is called for each AUTH with credentials; calls may overlap and be interrupted. Each must be answered within
 *   10 seconds (`DigestOptions.lookupTimeout`). If it takes longer, fails or dies, the client is answered 408.
 * - `None` is the answer for an unknown user. Any text from a stranger is a valid name; all that is guaranteed is that it
 *   contains no line break.
 * - A secret is a password, or H(A1)s for some of the `algorithms`. These are offered to every client that asks for the realm,
 *   whether it is a user's or not (`algorithmsOf`, if they differ by realm).
 * - A backend with a cache has `recheck`, so that a new password is valid at once, and `refresh`, which finds out whether users
 *   still exist. `layerCached` adds a cache, with both, to a backend that has none.
 *
 * ```ts
 * const Own = Layer.effect(
 *   Credentials,
 *   Effect.map(UserService, (users) =>
 *     Credentials.make(({ realm, username }) =>
 *       users.passwordOf(username, realm).pipe(
 *         Effect.map(Option.map((password): Secret => ({ _tag: "Password", password }))),
 *         Effect.mapError(() => new CredentialsUnavailable({ backend: "users", cause: "no answer" }))
 *       )))
 * )
 * ```
 *
 * Backends included are `layerMemory`, `layerSqlClient` for a database of the program, `layerByRealm` for several backends, and
 * those of the service (docs/credentials.md). `credentialsContract` of `msrp-relay/testing` tests this contract.
 *
 * @category services
 * @since 0.1.0
 */
export class Credentials extends Context.Service<Credentials, {
  /** Algorithms that this backend has secrets for: a store of MD5 H(A1)s has only MD5. They may change. */
  readonly algorithms: ReadonlyArray<DigestAlgorithm>
  /** Algorithms that this backend has secrets for in a realm, if realms differ. */
  readonly algorithmsOf?: ((realm: string) => ReadonlyArray<DigestAlgorithm>) | undefined
  readonly lookup: Lookup
  /**
   * For a backend whose `lookup` uses a cache: called with the same `UserKey` if the credentials seem wrong, before they count
   * as wrong. It may use a cache of short lifetime, so that guesses do not overload the backend.
   */
  readonly recheck?: Lookup | undefined
  /** For a backend whose `lookup` uses a cache: looks the user up without it, and updates it. */
  readonly refresh?: Lookup | undefined
  /** Why the backend did not answer when the layer was built, if it was asked then and did not: it may answer by now. */
  readonly missing?: CredentialsUnavailable | undefined
  /**
   * Why a backend that keeps its users still has those from before, and since when, in milliseconds since 1970; `undefined` if
   * it has those of now.
   */
  readonly outdated?: (() => OutdatedUsers | undefined) | undefined
  /** Current number of users, for a backend that knows it. */
  readonly size?: (() => number | undefined) | undefined
  /** Why none of its users can log in, in words, for a backend that knows it; `undefined` if some may. */
  readonly unserved?: (() => string | undefined) | undefined
}>()("msrp-relay/Credentials") {
  /** A backend without a cache. `algorithms` are both if absent, as for a backend of passwords. */
  static readonly make = (
    lookup: Lookup,
    algorithms: ReadonlyArray<DigestAlgorithm> = digestAlgorithms
  ): Credentials["Service"] => Credentials.of({ algorithms, lookup })

  /** A fixed list of users. */
  static readonly layerMemory = (users: ReadonlyArray<User>): Layer.Layer<Credentials, OptionsError> =>
    Layer.effect(
      Credentials,
      Effect.map(checkOptions("Credentials.layerMemory", usersSchema, { users }), () => {
        const table = userTable(users)
        return Credentials.of({
          algorithms: table.algorithms,
          lookup: (user) => Effect.succeed(table.lookup(user)),
          size: () => table.users
        })
      })
    )

  /** The backend that a `Config` selects. */
  static readonly layerConfig = <E, R>(
    config: Config.Config<Layer.Layer<Credentials, E, R>>
  ): Layer.Layer<Credentials, E | Config.ConfigError, R> => Layer.unwrap(config)
}

/**
 * The algorithms that a backend has secrets for in a realm.
 *
 * @category getters
 * @since 0.2.0
 */
export const algorithmsOf = (backend: Credentials["Service"], realm: string): ReadonlyArray<DigestAlgorithm> =>
  backend.algorithmsOf?.(realm) ?? backend.algorithms

/**
 * A user of a table; without `realm`, a user of every realm.
 *
 * @category models
 * @since 0.1.0
 */
export interface User {
  readonly username: string
  readonly realm?: string | undefined
  readonly secret: Secret
}

/**
 * A user with a password; without `realm`, a user of every realm.
 *
 * @category constructors
 * @since 0.1.0
 */
export const passwordUser = (username: string, password: Redacted.Redacted, realm?: string): User => ({
  username,
  realm,
  secret: { _tag: "Password", password }
})

/**
 * Parses a stored secret. With `calculateHa1` the value is the password; otherwise it is an H(A1), 32 hexadecimal digits of
 * MD5 or 64 of SHA-256. `undefined` if it is neither, or empty.
 *
 * @category decoding
 * @since 0.1.0
 */
export const storedSecret = (value: string, calculateHa1: boolean): Secret | undefined => {
  if (value === "") return undefined
  if (calculateHa1) return { _tag: "Password", password: Redacted.make(value) }
  const algorithm = algorithmOf(value)
  return algorithm === undefined
    ? undefined
    : { _tag: "Ha1", ha1: { [algorithm]: Redacted.make(value.toLowerCase()) } }
}

/**
 * A table of users in memory.
 *
 * @category models
 * @since 0.1.0
 */
export interface UserTable {
  readonly users: number
  /** Algorithms that every user has, so that any choice of a client works; if there is none, those that any user has. */
  readonly algorithms: ReadonlyArray<DigestAlgorithm>
  readonly lookup: (user: UserKey) => Option.Option<Secret>
}

const has = (secret: Secret, algorithm: DigestAlgorithm): boolean =>
  secret._tag === "Password" || secret.ha1[algorithm] !== undefined

/**
 * Makes a table of users by name and realm. H(A1)s of the same user and realm are merged; otherwise the later entry wins. An
 * entry for the realm takes precedence over one for every realm.
 *
 * @category constructors
 * @since 0.1.0
 */
export const userTable = (users: Iterable<User>): UserTable => {
  const secrets = new Map<string, Secret>()
  // Keys do not collide, because a user name has no line break.
  const key = (username: string, realm: string | undefined): string =>
    (realm === undefined ? username : `${username}\n${realm}`).normalize("NFC")
  for (const { realm, secret, username } of users) {
    const at = key(username, realm)
    const before = secrets.get(at)
    secrets.set(
      at,
      before?._tag === "Ha1" && secret._tag === "Ha1"
        ? { _tag: "Ha1", ha1: { ...before.ha1, ...defined(secret.ha1) } }
        : secret
    )
  }
  const all = [...secrets.values()]
  const common = digestAlgorithms.filter((algorithm) => all.every((secret) => has(secret, algorithm)))
  return {
    users: secrets.size,
    algorithms: common.length > 0
      ? common
      : digestAlgorithms.filter((algorithm) => all.some((secret) => has(secret, algorithm))),
    lookup: ({ realm, username }) =>
      Option.fromNullishOr(secrets.get(key(username, realm)) ?? secrets.get(key(username, undefined)))
  }
}
