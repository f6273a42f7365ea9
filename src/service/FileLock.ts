/** A file that one process at a time may change. */
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { closeSync, lstatSync, openSync, rmSync, statSync } from "node:fs"
import type { DatabaseSync } from "node:sqlite"
import { monotonicMillis } from "../clock/Monotonic.ts"
import { wordsOf } from "../net/ErrorCode.ts"

/** It cannot be locked, or is locked by somebody else for too long. The message is for people. */
export class NotLocked extends Data.TaggedError("NotLocked")<{ readonly message: string }> {}

/** Milliseconds between two tries, and until it is given up. */
const RETRY = 20
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
  const clock = yield* Clock.Clock
  const until = monotonicMillis(clock) + PATIENCE
  for (;;) {
    const unlock = yield* Effect.try({
      try: () => take(path, (at) => new DatabaseSync(at, { timeout: 0 })),
      catch: (error) => new NotLocked({ message: `${path} cannot be locked: ${whyNot(error)}` })
    })
    if (unlock !== undefined) return unlock
    if (monotonicMillis(clock) >= until) {
      return yield* new NotLocked({ message: `${path} is locked by another process for 30 seconds` })
    }
    yield* pause
  }
})

/** What SQLite says, without what it adds in the higher octets. */
const errorOf = (error: unknown): number | undefined =>
  error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xFF : undefined
const BUSY = 5
const NO_DATABASE = 26

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
    const again = errorOf(error) === BUSY || moved()
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
