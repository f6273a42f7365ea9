/**
 * Users, and what proves them, for `Authenticator.layerDigest`. Other backends are the modules `msrp-relay/credentials/*`.
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
import { checkOptions, declared, type OptionsError, secret, text } from "./options/Options.ts"
import { algorithmOf, type DigestAlgorithm, digestAlgorithms } from "./protocol/digest/Digest.ts"

export type { DigestAlgorithm } from "./protocol/digest/Digest.ts"

/**
 * What proves a user: the password, or what is kept in its place, H(user ":" realm ":" password) in hexadecimal, for
 * the algorithms it was made with (RFC 7616 §3.6). An H(A1) is good for one realm only. A user who has one algorithm
 * only cannot log in with another, even when it is offered.
 *
 * @category models
 * @since 0.1.0
 */
export type Secret =
  | { readonly _tag: "Password"; readonly password: Redacted.Redacted }
  | { readonly _tag: "Ha1"; readonly ha1: Partial<Record<DigestAlgorithm, Redacted.Redacted>> }

/**
 * The backend cannot answer now. `cause` is logged, so a backend must keep secrets out of it: the message of an error, a
 * text as it is, and of what has neither its tag or name.
 *
 * @category errors
 * @since 0.1.0
 */
export class CredentialsUnavailable extends Data.TaggedError("CredentialsUnavailable")<{
  /** Name of the backend, as `file` or `sql`. */
  readonly backend: string
  readonly cause: unknown
}> {
  override get message(): string {
    const { cause } = this
    const why = wordsOf(cause)
    return `the ${this.backend} credentials cannot be read${why === undefined ? "" : `: ${why}`}`
  }
}

/** A tagged error may have no message: then its tag. */
const wordsOf = (cause: unknown): string | undefined => {
  const words = typeof cause === "string" ? cause : cause instanceof Error ? cause.message : ""
  if (words !== "") return words
  const kind = kindOf(cause)
  return kind === typeof cause ? undefined : kind
}

/**
 * Who is asked for. Both are text, composed (NFC).
 *
 * @category models
 * @since 0.1.0
 */
export interface UserKey {
  readonly username: string
  readonly realm: string
  /** Address of the client, for a backend that wants to know; absent behind another relay. */
  readonly source?: string | undefined
}

/**
 * Looks a user up; `None` when there is no such user.
 *
 * @category models
 * @since 0.1.0
 */
export type Lookup = (user: UserKey) => Effect.Effect<Option.Option<Secret>, CredentialsUnavailable>

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
 * Which users there are, and their secrets. `none` is a user who does not exist; a backend that cannot tell fails, and
 * the client is asked to try later instead of being refused. Names are compared as they are: a backend that finds the
 * same user under several spellings of his name makes him as many users, each with limits of his own.
 *
 * The contract, for a backend of one's own:
 *
 * - `lookup` is asked at each AUTH that comes with credentials, by many at once, and may be interrupted. Each is answered within
 *   10 seconds (`DigestOptions.lookupTimeout`), or its client is answered 408, as when it fails or dies.
 * - `none` is for a user who is not there. Whatever strangers send as a name has to be one: it is text without line breaks, and
 *   nothing else is known of it.
 * - A secret is a password, or H(A1)s for some of the `algorithms`. They are offered to everybody who asks for the realm,
 *   whether he is a user or not (`algorithmsOf`, where it differs by realm).
 * - A backend that remembers has `recheck`, so that a new password is good at once, and `refresh`, by which it is looked
 *   whether users are still there. `layerCached` makes both of a backend that does not.
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
 * There is also `layerMemory`, `layerSqlClient` over the program's own database, `layerByRealm` for several of them, and the backends
 * of the service (docs/credentials.md). `credentialsContract` of `msrp-relay/testing` has tests of the contract.
 *
 * @category services
 * @since 0.1.0
 */
export class Credentials extends Context.Service<Credentials, {
  /** Algorithms whose secrets this backend can have; a store of MD5 H(A1)s has only MD5. May change. */
  readonly algorithms: ReadonlyArray<DigestAlgorithm>
  /** The same for one realm, where realms differ. */
  readonly algorithmsOf?: ((realm: string) => ReadonlyArray<DigestAlgorithm>) | undefined
  readonly lookup: Lookup
  /**
   * For a backend that remembers what `lookup` found: asked with the same `UserKey` when the credentials are wrong by
   * that, before they count as wrong. May remember as well, for so short a time that guesses do not become a load.
   */
  readonly recheck?: Lookup | undefined
  /** For a backend that remembers: what is true now, from now on for `lookup` too. */
  readonly refresh?: Lookup | undefined
  /** How many users there are now, for a backend that knows. */
  readonly size?: (() => number | undefined) | undefined
}>()("msrp-relay/Credentials") {
  /** `algorithms` are both when absent, as for a backend of passwords. */
  static readonly make = (
    lookup: Lookup,
    algorithms: ReadonlyArray<DigestAlgorithm> = digestAlgorithms
  ): Credentials["Service"] => Credentials.of({ algorithms, lookup })

  /** Users that are known from the start. */
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

  /** The backend that a configuration names. */
  static readonly layerConfig = <E, R>(
    config: Config.Config<Layer.Layer<Credentials, E, R>>
  ): Layer.Layer<Credentials, E | Config.ConfigError, R> => Layer.unwrap(config)
}

/**
 * Algorithms whose secrets a backend can have for a realm.
 *
 * @category getters
 * @since 0.2.0
 */
export const algorithmsOf = (backend: Credentials["Service"], realm: string): ReadonlyArray<DigestAlgorithm> =>
  backend.algorithmsOf?.(realm) ?? backend.algorithms

/**
 * A user of a table. Without a realm, one of every realm.
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
 * A user with a password, the same in every realm when none is given.
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
 * The secret in a stored value. `calculateHa1`: the value is the password; otherwise it is an H(A1), 32 hexadecimal
 * digits of MD5 or 64 of SHA-256. `undefined` when it is neither, or empty.
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
 * Users in memory.
 *
 * @category models
 * @since 0.1.0
 */
export interface UserTable {
  readonly users: number
  /** Those that every user has, so that whatever a client chooses it can log in; if there is none, those of any. */
  readonly algorithms: ReadonlyArray<DigestAlgorithm>
  readonly lookup: (user: UserKey) => Option.Option<Secret>
}

const has = (secret: Secret, algorithm: DigestAlgorithm): boolean =>
  secret._tag === "Password" || secret.ha1[algorithm] !== undefined

/**
 * Users by name and realm. H(A1)s of the same user and realm are put together; otherwise the later entry counts. An
 * entry for the realm goes before one for every realm.
 *
 * @category constructors
 * @since 0.1.0
 */
export const userTable = (users: Iterable<User>): UserTable => {
  const secrets = new Map<string, Secret>()
  // no user name has a line break
  const key = (username: string, realm: string | undefined): string =>
    (realm === undefined ? username : `${username}\n${realm}`).normalize("NFC")
  for (const { realm, secret, username } of users) {
    const at = key(username, realm)
    const before = secrets.get(at)
    secrets.set(
      at,
      before?._tag === "Ha1" && secret._tag === "Ha1"
        ? { _tag: "Ha1", ha1: { ...before.ha1, ...secret.ha1 } }
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
