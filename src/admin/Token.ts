/** The token of the admin API; its file may be replaced while the relay runs. */
import * as ByteSize from "effect/ByteSize"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { createHash, timingSafeEqual } from "node:crypto"
import { makeCacheClock } from "../clock/CacheClock.ts"

/** Minimum number of characters of a token, against guessing. */
export const MIN_TOKEN = 16

/** Maximum number of octets of the file. */
const MAX_FILE = 4096

/** Time for which a token is used before the file is read again. */
const CHECK = "1 second"

/** The syntax of a bearer token (RFC 6750 §2.1). */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/

const tooLong = Result.fail(`has more than ${MAX_FILE} characters`)

/** The token in the text of a file, or what is wrong with it, in words that can follow the name of the file. */
export const tokenOf = (text: string): Result.Result<Redacted.Redacted, string> => {
  const token = text.trim()
  if (text.length > MAX_FILE) return tooLong
  if (token.length < MIN_TOKEN) return Result.fail(`needs a token of at least ${MIN_TOKEN} characters`)
  return TOKEN.test(token)
    ? Result.succeed(Redacted.make(token))
    : Result.fail("needs one token of letters, digits and -._~+/ in one line")
}

/** Whether a file with this mode is accessible to other users of the machine. */
export const isOpenToOthers = (mode: number): boolean => (mode & 0o007) !== 0

/** Compares tokens in a time that does not reveal how much of them is equal. */
export const sameToken = (one: Redacted.Redacted, other: Redacted.Redacted): boolean =>
  timingSafeEqual(digest(Redacted.value(one)), digest(Redacted.value(other)))

const digest = (text: string): Buffer => createHash("sha256").update(text).digest()

/**
 * The token that requests to the admin API need.
 *
 * @category services
 * @since 0.2.0
 */
export class AdminToken extends Context.Service<AdminToken, {
  /** Whether requests need a token. */
  readonly required: boolean
  /** Whether a token is valid; any is, if none is required. */
  readonly admits: (given: Redacted.Redacted) => Effect.Effect<boolean>
}>()("msrp-relay/AdminToken") {
  /** No token: everybody who can reach the listener may use the API. For loopback and Unix sockets. */
  static readonly layerNone: Layer.Layer<AdminToken> = Layer.succeed(AdminToken, {
    required: false,
    admits: () => Effect.succeed(true)
  })

  /** A fixed token. */
  static readonly layer = (token: Redacted.Redacted): Layer.Layer<AdminToken> =>
    Layer.succeed(AdminToken, { required: true, admits: (given) => Effect.sync(() => sameToken(given, token)) })

  /**
   * A token from a file, which is read again at most once a second. While the file is missing or wrong, the last valid token
   * stays in use, and a warning is logged; without one, all requests are refused.
   */
  static readonly layerFile = (path: string): Layer.Layer<AdminToken, never, FileSystem.FileSystem> =>
    Layer.effect(
      AdminToken,
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        let good: Redacted.Redacted | undefined
        let reported = ""
        const read = Effect.gen(function*() {
          const { size, type } = yield* fs.stat(path)
          // Opening a pipe would block until it has a writer, and reading a device might never end.
          if (type !== "File") return Result.fail("is not a file")
          return ByteSize.toBigInt(size) > MAX_FILE ? tooLong : tokenOf(yield* fs.readFileString(path))
        })
        const look = Effect.gen(function*() {
          const token = yield* Effect.orElseSucceed(read, () => Result.fail("cannot be read"))
          if (Result.isSuccess(token)) good = token.success
          const problem = Result.isSuccess(token) ? "" : token.failure
          if (problem !== "" && problem !== reported) {
            const stays = good === undefined ? "nobody is let in" : "the one from before stays"
            yield* Effect.logWarning(`The admin token's file ${path} ${problem}; ${stays}`)
          }
          reported = problem
          return good
        })
        const { withMonotonicTime, withTimeOfDay } = yield* makeCacheClock
        const current = withMonotonicTime(yield* Effect.cachedWithTTL(withTimeOfDay(look), CHECK))
        return {
          required: true,
          admits: (given) => Effect.map(current, (token) => token !== undefined && sameToken(given, token))
        }
      })
    )
}
