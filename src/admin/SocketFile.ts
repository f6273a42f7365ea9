/** The file of a Unix socket: its mode, leftovers of an earlier process, and its removal or replacement by others. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { existsSync, lstatSync, renameSync, type Stats, unlinkSync } from "node:fs"
import * as Net from "node:net"
import { dirname } from "node:path"
import { codeOf, wordsOf } from "../net/ErrorCode.ts"

/** The umask for creating the socket, so that only its owner can connect. */
const UMASK = 0o177

/** Time between two checks of the file. */
const LOOK = "1 second"

/** The result of an action; `undefined` if it throws. */
const tried = <A>(action: () => A): A | undefined => {
  try {
    return action()
  } catch {
    return undefined
  }
}

const fileAt = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false })

const inodeOf = (path: string): number | undefined => tried(() => fileAt(path)?.ino)

/** The inode of the socket file that each server has created. */
const own = new WeakMap<Net.Server, number>()

/** Makes a server create its socket for its owner only, and leave files alone that others put in its place. */
export const ofItsOwner = (server: Net.Server, path: string): void => {
  withMask(server)
  keepOthers(server, path)
}

/** Sets the umask while Node binds the socket, which it does before `listen` returns, so that others can never connect. */
const withMask = (server: Net.Server): void => {
  const listen = server.listen.bind(server) as (...all: ReadonlyArray<unknown>) => Net.Server
  server.listen = (...all: ReadonlyArray<unknown>) => {
    const before = process.umask(UMASK)
    try {
      return listen(...all)
    } finally {
      process.umask(before)
    }
  }
}

/**
 * Protects a socket of another process. When the server stops, Node removes the file at its path, even if that is another
 * process's by then. Such a file is renamed for that moment.
 */
const keepOthers = (server: Net.Server, path: string): void => {
  server.on("listening", () => {
    const made = inodeOf(path)
    if (made !== undefined) own.set(server, made)
  })
  const close = server.close.bind(server)
  server.close = (done) => {
    const there = inodeOf(path)
    if (!own.has(server) || there === undefined || there === own.get(server)) return close(done)
    const aside = `${path}~`
    tried(() => renameSync(path, aside))
    try {
      return close(done)
    } finally {
      tried(() => renameSync(aside, path))
    }
  }
}

/** Removes the socket of a process that has ended; fails with the reason if the path cannot be listened on. */
export const clear = Effect.fnUntraced(function*(path: string): Effect.fn.Return<void, string> {
  const found = yield* Effect.try({ try: () => fileAt(path), catch: wordsOf })
  if (found === undefined) return
  if (!found.isSocket()) return yield* Effect.fail("there is a file of that name that is no socket")
  const error = yield* connectionError(path)
  if (error === undefined) return yield* Effect.fail("another process listens on it")
  if (codeOf(error) !== "ECONNREFUSED" && codeOf(error) !== "ENOENT") return yield* Effect.fail(wordsOf(error))
  yield* Effect.try({
    try: () => unlinkSync(path),
    catch: (error) => codeOf(error) === "ENOENT" ? undefined : wordsOf(error)
  }).pipe(Effect.catch((reason) => reason === undefined ? Effect.void : Effect.fail(reason)))
})

/** The error of connecting to a socket; `undefined` if the connection is accepted. */
export const connectionError = (path: string): Effect.Effect<Error | undefined> =>
  Effect.callback<Error | undefined>((resume) => {
    const socket = Net.connect(path)
    socket.once("error", (error) => resume(Effect.succeed(error)))
    socket.once("connect", () => {
      socket.destroy()
      resume(Effect.succeed(undefined))
    })
    return Effect.sync(() => socket.destroy())
  })

/** Why listening failed. For a missing directory Node reports EACCES, so that is checked first. */
export const whyNot = (cause: unknown, path: string): string =>
  existsSync(dirname(path)) ? wordsOf(cause) : "there is no such directory (ENOENT)"

const listens = (server: Net.Server, path: string): Effect.Effect<void, string> =>
  Effect.callback<void, string>((resume) => {
    const failed = (cause: Error) => resume(Effect.fail(whyNot(cause, path)))
    server.once("error", failed)
    server.listen(path, () => {
      server.off("error", failed)
      resume(Effect.void)
    })
  })

/**
 * Checks the file at an interval, and makes the server listen again if the file is gone, for example after a clean-up of
 * temporary files. Otherwise the API could not be reached before the next start. Existing connections stay open.
 */
export const follow = Effect.fnUntraced(function*(
  server: Net.Server,
  path: string
): Effect.fn.Return<void, never, Scope.Scope> {
  /** Why the socket cannot be reached; empty before the first failed attempt to listen again. */
  let lost: string | undefined
  const look = Effect.gen(function*() {
    // The server has stopped.
    if (!server.listening && lost === undefined) return
    const there = yield* Effect.try({ try: () => fileAt(path), catch: wordsOf })
    if (server.listening && there?.ino === own.get(server)) {
      lost = undefined
      return
    }
    yield* clear(path)
    if (server.listening) server.close()
    lost ??= ""
    yield* listens(server, path)
    lost = undefined
    yield* Effect.annotateLogs(Effect.logWarning("the socket of the admin API was gone, and is there again"), { path })
  }).pipe(
    Effect.catch((reason) => {
      const told = reason === lost
      lost = reason
      return told
        ? Effect.void
        : Effect.annotateLogs(Effect.logWarning("the admin API cannot be reached"), { path, reason })
    })
  )
  yield* Effect.addFinalizer(() => Effect.sync(() => void (server.listening && server.close())))
  yield* Effect.delay(look, LOOK).pipe(Effect.forever, Effect.forkScoped)
})
