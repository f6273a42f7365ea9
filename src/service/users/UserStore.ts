/** A store of users, as `msrp-relay user` manages it. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { type DigestAlgorithm, ha1 } from "../../protocol/digest/Digest.ts"

/** A user cannot be added, removed or listed. The message is for people. */
export class UserStoreError extends Data.TaggedError("UserStoreError")<{ readonly message: string }> {}

export interface NewUser {
  readonly username: string
  readonly realm: string
  readonly password: Redacted.Redacted
}

export interface UserName {
  readonly username: string
  readonly realm: string
}

/** A store of users. It contains no passwords, only H(A1) for each digest algorithm. */
export interface UserStore {
  /** Adds a user, or replaces the password of one that exists. */
  readonly add: (user: NewUser) => Effect.Effect<void, UserStoreError>
  /** Removes a user. Returns whether there was one. */
  readonly remove: (user: UserName) => Effect.Effect<boolean, UserStoreError>
  readonly list: Effect.Effect<ReadonlyArray<UserName>, UserStoreError>
}

/** Names in Unicode normalization form C, in which they are looked up. */
export const composed = ({ realm, username }: UserName): UserName => ({
  username: username.normalize("NFC"),
  realm: realm.normalize("NFC")
})

/** H(A1) for each algorithm, in hexadecimal (RFC 7616 §3.4.2). */
export const hashes = ({ password, realm, username }: NewUser): Readonly<Record<DigestAlgorithm, string>> => {
  const of = (algorithm: DigestAlgorithm): string => ha1(algorithm, username, realm, Redacted.value(password))
  return { "SHA-256": of("SHA-256"), "MD5": of("MD5") }
}

export const wrong = (message: string) => new UserStoreError({ message })

/** Fails if no user can have these names. */
export const checked = ({ realm, username }: UserName): Effect.Effect<void, UserStoreError> => {
  if (username === "" || /[:\p{Cc}]/u.test(username)) {
    return Effect.fail(wrong("A user name is not empty and has no colon"))
  }
  return realm === "" || /["\\\p{Cc}]/u.test(realm)
    ? Effect.fail(wrong("A realm is not empty and has no quote or backslash"))
    : Effect.void
}
