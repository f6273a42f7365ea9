/** A lock on a file between processes. */
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { closeSync, lstatSync, openSync, rmSync, statSync } from "node:fs"
import type { DatabaseSync } from "node:sqlite"
import { monotonicMillis } from "../clock/Monotonic.ts"
import { wordsOf } from "../net/ErrorCode.ts"

/** The file cannot be locked, or another process holds the lock for too long. The message is for people. */
class NotLocked extends Data.TaggedError("NotLocked")<{ readonly message: string }> {}

/** Milliseconds between two attempts, until waiting is logged, and until it is given up. */
const RETRY = 20
const SILENCE = 1000
const PATIENCE = 30_000

const idOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino

/**
 * Runs `work` while no other process holds the lock, which is the file `path`.lock. Node.js cannot lock files, so the
 * lock is one of SQLite, which the operating system releases however the process ends. A fiber that is interrupted
 * while it waits does not get the lock.
 */
export const withFileLock = <A, E, R>(path: string, work: Effect.Effect<A, E, R>): Effect.Effect<A, E | NotLocked, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.acquireUseRelease(
      locked(`${path}.lock`, restore(Effect.sleep(RETRY))),
      () => restore(work),
      (unlock) => Effect.sync(unlock)
    )
  )

const locked = Effect.fnUntraced(function*(path: string, pause: Effect.Effect<void>) {
  const { DatabaseSync } = yield* Effect.promise(() => import("node:sqlite"))
  const attempt = Effect.try({
    try: () => Option.fromUndefinedOr(takeLock(path, (at) => new DatabaseSync(at, { timeout: 0 }))),
    catch: (error) => new NotLocked({ message: `${path} cannot be locked: ${whyNot(error)}` })
  })
  return yield* onceFree(path, attempt, pause)
})

/**
 * Repeats `attempt` until it returns something other than none, which means that another process has the file. Prints
 * a line if it takes long.
 */
export const onceFree = Effect.fnUntraced(function*<A, E, R>(
  path: string,
  attempt: Effect.Effect<Option.Option<A>, E, R>,
  pause: Effect.Effect<void> = Effect.sleep(RETRY)
): Effect.fn.Return<A, E | NotLocked, R> {
  const clock = yield* Clock.Clock
  const begin = monotonicMillis(clock)
  let told = false
  for (;;) {
    const done = yield* attempt
    if (Option.isSome(done)) return done.value
    const waited = monotonicMillis(clock) - begin
    if (waited >= PATIENCE) {
      return yield* new NotLocked({ message: `${path} is locked by another process for 30 seconds` })
    }
    if (waited >= SILENCE && !told) {
      told = true
      yield* Console.error(`${path} is locked by another process: waiting for it`)
    }
    yield* pause
  }
})

/** The primary result code of SQLite, without the extended part in its higher octets. */
const errorOf = (error: unknown): number | undefined =>
  error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xFF : undefined
const BUSY = 5
const NO_DATABASE = 26

/** Whether another process has locked a database. */
export const isBusy = (error: unknown): boolean => errorOf(error) === BUSY

class NoFile extends Error {}

const whyNot = (error: unknown): string =>
  error instanceof NoFile || errorOf(error) === NO_DATABASE
    ? "somebody else has made something of this name; move it away"
    : wordsOf(error)

/** Takes the lock and returns what releases it, or undefined if another process holds it. `open` opens the file as a database. */
export const takeLock = (path: string, open: (path: string) => DatabaseSync): (() => void) | undefined => {
  // Opening a pipe would wait for a reader, and a symbolic link would create a file elsewhere.
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === false) throw new NoFile()
  // Created here with mode 0600, so that no other user can open it.
  closeSync(openSync(path, "a", 0o600))
  const before = idOf(path)
  const database = open(path)
  // The previous holder deletes the file, so the opened file may no longer be the lock, or may not be readable.
  const moved = () => before === undefined || idOf(path) !== before
  try {
    database.exec("BEGIN EXCLUSIVE")
  } catch (error) {
    const again = isBusy(error) || moved()
    database.close()
    if (again) return undefined
    throw error
  }
  if (moved()) {
    database.close()
    return undefined
  }
  return () => {
    rmSync(path, { force: true })
    database.close()
  }
}
