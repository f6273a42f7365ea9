/** Codecs of users, and of their sources. */
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { isHttpToken, isHttpUrl } from "../../../credentials/Http.ts"
import { isSqlName, isSqlUrl } from "../../../credentials/Sql.ts"
import { realmKey } from "../../../protocol/digest/Challenge.ts"
import { fromParse, type TextCodec } from "./Codec.ts"
import { listOf } from "./List.ts"

/** A user as configured; another setting says whether `stored` is a password or an H(A1). */
export interface ConfiguredUser {
  readonly username: string
  readonly realm: string | undefined
  readonly stored: Redacted.Redacted
}

/** The text of a percent-encoded one; undefined if it is malformed. */
export const percentDecoded = (text: string): string | undefined => Option.getOrUndefined(decodeComponent(text))
const decodeComponent = Option.liftThrowable(decodeURIComponent)

const name = (text: string): string | undefined => {
  const decoded = percentDecoded(text)
  return decoded === undefined || decoded === "" || /\p{Cc}/u.test(decoded) ? undefined : decoded
}

const user = (text: string): Result.Result<ConfiguredUser, string> => {
  const colon = text.indexOf(":")
  if (colon === -1) return Result.fail(`has no ":" between user and secret ("," and "%" in a secret are %2C and %25)`)
  const [username, ...realms] = text.slice(0, colon).split("@").map(name)
  const stored = percentDecoded(text.slice(colon + 1))
  if (username === undefined) return Result.fail(`has no usable user name before its ":"`)
  if (realms.length > 1) return Result.fail(`has two "@"; one in a user name is %40`)
  const realm = realms[0]
  if (realms.length === 1 && realm === undefined) return Result.fail(`has no usable realm between its "@" and ":"`)
  if (stored === undefined) return Result.fail(`has a "%" in its secret that is not %25`)
  if (stored === "") return Result.fail("has an empty secret")
  return Result.succeed({ username, realm, stored: Redacted.make(stored) })
}

export const configuredUsers: TextCodec<ReadonlyArray<ConfiguredUser>> = listOf(user, () => "<redacted>")

/** All sources of users. */
export const SOURCES = ["memory", "file", "sql", "http", "ephemeral"] as const

export type Source = typeof SOURCES[number]

export interface SourceOf {
  /** The realm of the source; absent for all realms without one of their own. */
  readonly realm?: string | undefined
  readonly source: Source
}

const isSource = (text: string): text is Source => SOURCES.some((one) => one === text)

/** One source for all realms, and sources for single realms. */
export const sources: TextCodec<ReadonlyArray<SourceOf>> = listOf<SourceOf>((text, before) => {
  const at = text.lastIndexOf("=")
  const source = text.slice(at + 1).trim().toLowerCase()
  const realm = at === -1 ? undefined : name(text.slice(0, at).trim())
  if (!isSource(source)) return Result.fail(`is not one of ${SOURCES.join(", ")}`)
  if (at !== -1 && realm === undefined) return Result.fail(`has no usable realm before its "="`)
  if (before.some((one) => realmKey(one.realm ?? "") === realmKey(realm ?? ""))) {
    return Result.fail(realm === undefined ? "is a second one for all realms" : "has the realm of one before it")
  }
  return Result.succeed({ realm, source })
}, ({ realm, source }) => realm === undefined ? source : `${realm}=${source}`)

/** A secret, used as it is. */
export const secret: TextCodec<Redacted.Redacted> = fromParse(
  (text) => /\p{Cc}/u.test(text) ? Result.fail("has control characters") : Result.succeed(Redacted.make(text)),
  Redacted.value
)

/** A secret that can be used in an HTTP header field. */
export const token: TextCodec<Redacted.Redacted> = fromParse(
  (text) =>
    isHttpToken(text)
      ? Result.succeed(Redacted.make(text))
      : Result.fail("has characters that a header must not contain"),
  Redacted.value
)

/** URL of a database, which may contain a password. */
export const sqlUrl: TextCodec<Redacted.Redacted> = fromParse(
  (text) =>
    isSqlUrl(text) ? Result.succeed(Redacted.make(text)) : Result.fail("is not the URL of a supported database"),
  Redacted.value
)

export const httpUrl: TextCodec<string> = fromParse(
  (text) => isHttpUrl(text) ? Result.succeed(text) : Result.fail("is not an http or https URL without a password"),
  (url) => url
)

export const sqlName: TextCodec<string> = fromParse(
  (text) => isSqlName(text) ? Result.succeed(text) : Result.fail("is not the name of a table or column"),
  (name) => name
)

/** The name of a column; `none` for no column. */
export const sqlNameOrNone: TextCodec<string> = fromParse(
  (text) => text === "none" || isSqlName(text) ? Result.succeed(text) : Result.fail("is not the name of a column"),
  (name) => name
)
