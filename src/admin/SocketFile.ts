/** The file of a Unix socket: whose it is, what is left of it by a process that is gone, and what others do to it meanwhile. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { existsSync, lstatSync, renameSync, type Stats, unlinkSync } from "node:fs"
import * as Net from "node:net"
import { dirname } from "node:path"
import { codeOf, wordsOf } from "../net/ErrorCode.ts"

/** What may be done to it: by its owner, and by nobody else. */
const UMASK = 0o177

/** How often it is looked for. */
const LOOK = "1 second"

/** Nothing where the system does not let it be done. */
const tried = <A>(action: () => A): A | undefined => {
  try {
    return action()
  } catch {
    return undefined
  }
}

const fileAt = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false })

const inodeOf = (path: string): number | undefined => tried(() => fileAt(path)?.ino)

/** Of each server the file that it has made. */
const own = new WeakMap<Net.Server, number>()

/** A server that will listen on it lets nobody else in, and leaves alone what others put in its place. */
export const ofItsOwner = (server: Net.Server, path: string): void => {
  withMask(server)
  keepOthers(server, path)
}

/** Makes the socket with its mode, so that there is no moment in which others get in. Node binds it before `listen` returns. */
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
 * Node removes the file of this name when the server stops, whosever it is by then: where somebody has taken it away, another
 * process may have made its own. It is set aside for that moment.
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

/** Removes the socket of a process that is gone; or why nobody can listen there. */
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

/** What comes of connecting to it: undefined if somebody takes the connection. */
const connectionError = (path: string): Effect.Effect<Error | undefined> =>
  Effect.callback<Error | undefined>((resume) => {
    const socket = Net.connect(path)
    socket.once("error", (error) => resume(Effect.succeed(error)))
    socket.once("connect", () => {
      socket.destroy()
      resume(Effect.succeed(undefined))
    })
    return Effect.sync(() => socket.destroy())
  })

/** Of a directory that is not there Node says EACCES. */
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
 * Looks now and then whether the file is still that of the server, and has it listen anew where it is gone, as after a folder of
 * passing files was cleaned: nobody could reach it otherwise before the next start. Who is connected stays.
 */
export const follow = Effect.fnUntraced(function*(
  server: Net.Server,
  path: string
): Effect.fn.Return<void, never, Scope.Scope> {
  /** Why nobody can reach it. */
  let lost: string | undefined
  const look = Effect.gen(function*() {
    // It has ended, or it is as it should be.
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
