/** Files that variables name. */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import type * as Result from "effect/Result"
import { codeOf, wordsOf } from "../../net/ErrorCode.ts"

/** Maximum size in octets. */
export const MAX_OCTETS = 16 * 1024 * 1024

/** The text of a file; fails with the reason if it cannot be read. */
export const readText = (
  path: string
): Effect.Effect<Result.Result<string, string>, never, FileSystem.FileSystem> =>
  readBy(path, (fs) => fs.readFileString(path))

/** The octets of a file; fails with the reason if it cannot be read. */
export const readOctets = (
  path: string
): Effect.Effect<Result.Result<Uint8Array, string>, never, FileSystem.FileSystem> =>
  readBy(path, (fs) => fs.readFile(path))

/** Reads only regular files, because opening a pipe waits for a writer, and a device may be endless. */
const readBy = Effect.fnUntraced(
  function*<A>(path: string, read: (fs: FileSystem.FileSystem) => Effect.Effect<A, PlatformError>) {
    const fs = yield* FileSystem.FileSystem
    const { size, type } = yield* Effect.mapError(fs.stat(path), reasonOf)
    if (type !== "File" && type !== "Directory") return yield* Effect.fail("is not a file")
    if (ByteSize.toBigInt(size) > MAX_OCTETS) return yield* Effect.fail(`is larger than ${MAX_OCTETS} octets`)
    return yield* Effect.mapError(read(fs), reasonOf)
  },
  Effect.result
)

/** The reason if a file does not exist. */
export const NO_FILE = "there is no such file"

/** The reason of an error in words. */
export const reasonOf = ({ reason }: PlatformError): string =>
  reason._tag === "NotFound"
    ? NO_FILE
    : reason._tag === "PermissionDenied"
    ? "this user has no permission for the file"
    : codeOf(reason.cause) === "unknown"
    ? "the file cannot be used"
    : `the file cannot be used: ${wordsOf(reason.cause)}`
