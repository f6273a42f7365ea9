/** A file of lines that is replaced as a whole, by one process at a time, so that no reader sees half of it. */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import { withFileLock } from "../FileLock.ts"
import { reasonOf } from "../settings/TextFile.ts"
import { type UserStoreError, wrong } from "./UserStore.ts"

/** Rejects other encodings, because replacing invalid octets would change user names so that those users could not log in. */
const utf8 = new TextDecoder("utf-8", { fatal: true })

interface UserFile {
  /** All lines that are not empty; none if the file does not exist. */
  readonly read: Effect.Effect<ReadonlyArray<string>, UserStoreError>
  /** Replaces the file. */
  readonly write: (lines: ReadonlyArray<string>) => Effect.Effect<void, UserStoreError>
  /** Runs a change while no other process changes the file. */
  readonly locked: <A>(change: Effect.Effect<A, UserStoreError>) => Effect.Effect<A, UserStoreError>
}

export const userFile = (fs: FileSystem.FileSystem, path: string): UserFile => {
  // A device would be replaced by a regular file, and reading a pipe would wait for its writer.
  const isFile = Effect.option(fs.stat(path)).pipe(
    Effect.flatMap((info) =>
      Option.isNone(info) || info.value.type === "File" || info.value.type === "Directory"
        ? Effect.void
        : Effect.fail(wrong(`${path} cannot be read: it is not a file`))
    )
  )
  const read = fs.exists(path).pipe(
    Effect.flatMap((exists) => exists ? fs.readFile(path) : Effect.succeed(new Uint8Array())),
    Effect.mapError((error) => wrong(`${path} cannot be read: ${reasonOf(error)}`)),
    Effect.flatMap((octets) =>
      Effect.try({ try: () => utf8.decode(octets), catch: () => wrong(`${path} cannot be read: it is not in UTF-8`) })
    ),
    Effect.map((text) => text.split("\n").filter((line) => line !== "")),
    (read) => Effect.andThen(isFile, read)
  )
  const cannotWrite = (error: PlatformError) => wrong(`${path} cannot be written: ${reasonOf(error)}`)
  /** The file itself, where the path is a symbolic link. It is created if the link is dangling, as opening it would. */
  const targetOf = fs.realPath(path).pipe(
    Effect.catch(() =>
      fs.readLink(path).pipe(
        Effect.matchEffect({
          onFailure: () => Effect.succeed(path),
          onSuccess: () => Effect.andThen(Effect.scoped(fs.open(path, { flag: "a", mode: 0o600 })), fs.realPath(path))
        })
      )
    ),
    Effect.mapError(cannotWrite)
  )
  const locked = <A>(change: Effect.Effect<A, UserStoreError>): Effect.Effect<A, UserStoreError> =>
    Effect.flatMap(targetOf, (target) => withFileLock(target, change)).pipe(
      Effect.mapError((error) => error._tag === "NotLocked" ? wrong(error.message) : error)
    )
  /** Writes and flushes the new file, so that a power failure leaves either the old file or the new one. */
  const writeThrough = (next: string, text: string) =>
    Effect.scoped(Effect.gen(function*() {
      // A process that was killed while it held the lock may have left one.
      yield* fs.remove(next, { force: true })
      const file = yield* fs.open(next, { flag: "wx", mode: 0o600 })
      yield* file.writeAll(Buffer.from(text))
      yield* file.sync
    }))
  const write = Effect.fnUntraced(
    function*(lines: ReadonlyArray<string>) {
      const text = lines.map((line) => `${line}\n`).join("")
      const before = yield* Effect.option(fs.stat(path))
      const target = yield* fs.realPath(path).pipe(Effect.orElseSucceed(() => path))
      const next = `${target}.msrp-relay.new`
      // Keeps owner and mode, because the relay usually runs as another user than the one that manages users.
      yield* writeThrough(next, text).pipe(
        Effect.andThen(keepOwner(next, before)),
        Effect.andThen(fs.rename(next, target)),
        Effect.onError(() => Effect.ignore(fs.remove(next)))
      )
    },
    Effect.mapError(cannotWrite)
  )
  const keepOwner = Effect.fnUntraced(function*(next: string, before: Option.Option<FileSystem.File.Info>) {
    if (Option.isNone(before)) return
    const { gid, mode, uid } = before.value
    const now = yield* fs.stat(next)
    if (!Equal.equals([uid, gid], [now.uid, now.gid])) {
      yield* fs.chown(next, Option.getOrElse(uid, () => -1), Option.getOrElse(gid, () => -1))
    }
    yield* fs.chmod(next, mode & 0o777)
  })
  return { read, write, locked }
}
