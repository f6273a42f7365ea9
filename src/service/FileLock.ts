/** A file that one process at a time may change. */
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { closeSync, lstatSync, openSync, rmSync, statSync } from "node:fs"
import type { DatabaseSync } from "node:sqlite"
import { monotonicMillis } from "../clock/Monotonic.ts"
import { wordsOf } from "../net/ErrorCode.ts"

/** It cannot be locked, or is locked by somebody else for too long. The message is for people. */
export class NotLocked extends Data.TaggedError("NotLocked")<{ readonly message: string }> {}

/** Milliseconds between two tries, until it is said that it waits, and until it is given up. */
const RETRY = 20
const SILENCE = 1000
const PATIENCE = 30_000

const idOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino

/**
 * Does it while no other process has the lock, which is a file `path`.lock beside what is changed. Node.js cannot lock a
 * file, SQLite can: the operating system takes the lock from a process that ends, however it does. Whoever waits for it may be
 * interrupted, and does not have it then.
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
    try: () => Option.fromUndefinedOr(take(path, (at) => new DatabaseSync(at, { timeout: 0 }))),
    catch: (error) => new NotLocked({ message: `${path} cannot be locked: ${whyNot(error)}` })
  })
  return yield* onceFree(path, attempt, pause)
})

/** Tries again until no other process has the file: none is that one has. Whoever waits for long is told for what. */
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

/** What SQLite says, without what it adds in the higher octets. */
const errorOf = (error: unknown): number | undefined =>
  error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xFF : undefined
const BUSY = 5
const NO_DATABASE = 26

/** Another process has locked a database. */
export const isBusy = (error: unknown): boolean => errorOf(error) === BUSY

class NoFile extends Error {}

const whyNot = (error: unknown): string =>
  error instanceof NoFile || errorOf(error) === NO_DATABASE
    ? "somebody else has made something of this name; move it away"
    : wordsOf(error)

/** What gives the lock back, or nothing if somebody else has it. */
const take = (path: string, open: (path: string) => DatabaseSync): (() => void) | undefined => {
  // Who opens a pipe waits for who reads, and through a link something would be made elsewhere.
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === false) throw new NoFile()
  // Made here, so that nobody else can open it.
  closeSync(openSync(path, "a", 0o600))
  const before = idOf(path)
  const database = open(path)
  // Whoever had it before takes its file away with it: what was opened is no lock then, and may not even be read.
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
