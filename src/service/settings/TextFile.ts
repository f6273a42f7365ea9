/** A file that a variable names. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import type * as Result from "effect/Result"
import { codeOf, wordsOf } from "../../net/ErrorCode.ts"

/** Its text, or why there is none. */
export const readText = (
  path: string
): Effect.Effect<Result.Result<string, string>, never, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => Effect.result(Effect.mapError(fs.readFileString(path), reasonOf)))

/** Its octets, or why there are none. */
export const readOctets = (
  path: string
): Effect.Effect<Result.Result<Uint8Array, string>, never, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => Effect.result(Effect.mapError(fs.readFile(path), reasonOf)))

/** In words. */
export const reasonOf = ({ reason }: PlatformError): string =>
  reason._tag === "NotFound"
    ? "there is no such file"
    : reason._tag === "PermissionDenied"
    ? "the file may not be used by this user"
    : codeOf(reason.cause) === "unknown"
    ? "the file cannot be used"
    : `the file cannot be used: ${wordsOf(reason.cause)}`
