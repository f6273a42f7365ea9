/**
 * Keeps a `SessionRepo` in step with the session table: asks it before a session is made, reports each end to it, and ends the
 * sessions that were ended in the repository. A repository may be custom, so no message waits for it.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { exitWithin } from "../../clock/TimeLimit.ts"
import { kindOf } from "../../logging/ErrorKind.ts"
import { formatUri } from "../../protocol/Uri.ts"
import { type SessionEntry, type SessionRepo, SessionRepoUnavailable, SessionsExhausted } from "../../SessionRepo.ts"
import { addressText } from "../../transport/Connection.ts"
import type { NewSession, Session, SessionEnd } from "../Session.ts"
import type { SessionTable } from "../SessionTable.ts"
import { addTo, roomFor } from "./SweptTable.ts"

/** Ends that wait for the repository; beyond that the oldest are dropped. */
const MAX_ENDINGS = 262_144

/** Calls of `end` at a time, which also bounds how many run in one turn of the event loop. */
const AT_ONCE = 16

/** For one call of `end`. */
const TIME_LIMIT = "10 seconds"

/** For all calls of `end` that are left when the relay stops, and then for the end of `changes`. */
const LAST_WORDS = "5 seconds"

/** Until `changes` is read again after it has failed or ended. */
const RETRY = "5 seconds"

/** An end that was not reported to the repository yet. */
interface UnreportedEnd {
  readonly id: string
  readonly reason: SessionEnd
}

type Repository = SessionRepo["Service"]

/** Logs how a call of this method went; `undefined`: it did not end in time. */
type FaultLog = (method: string, exit: Exit.Exit<unknown, unknown> | undefined) => Effect.Effect<void>

export interface SessionKeeper {
  /** Makes the session and has the repository keep it. */
  readonly create: (session: NewSession) => Effect.Effect<Session, SessionsExhausted | SessionRepoUnavailable>
}

/** Works until the scope closes, which ends the remaining sessions in the repository. */
export const makeSessionKeeper = Effect.fnUntraced(function*(
  repository: Repository,
  table: SessionTable
): Effect.fn.Return<SessionKeeper, never, Scope.Scope> {
  const clock = yield* Clock.Clock
  const log = makeFaultLog()
  /** Sessions in the repository by their id there; `undefined` while `create` runs. */
  const kept = new Map<string, Session | undefined>()
  const reporter = yield* makeEndReporter(repository, log)
  const ended = (id: string, reason: SessionEnd): void => {
    kept.delete(id)
    reporter.add({ id, reason })
  }
  table.onEnd(({ record: { key } }, reason) => {
    if (kept.has(key)) ended(key, reason)
  })
  yield* followChanges(repository, log, (id, reason) => {
    const session = kept.get(id)
    // Deleted first, so that an end that came from the repository is not reported to it.
    kept.delete(id)
    if (session !== undefined) table.end(session, reason)
  })
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      for (const id of kept.keys()) ended(id, "the relay stops")
      return reporter.finish
    })
  )

  const create = Effect.fnUntraced(function*(wanted: NewSession) {
    yield* roomFor(table, wanted)
    const { key } = wanted.record
    kept.set(key, undefined)
    /** A repository keeps nothing of a session that it refused; one that failed may have kept it. */
    let refused = false
    const asked = Effect.suspend(() => repository.create(entryOf(wanted, clock.currentTimeMillisUnsafe())))
    return yield* asked.pipe(
      Effect.onExit((exit) => {
        refused = isRefusal(exit)
        // The caller interrupts it at its time limit.
        return log("create", isInterrupted(exit) ? undefined : exit)
      }),
      // The error was logged. A custom repository may fail with more than its type says.
      Effect.catchCause((cause) =>
        refused || Cause.hasInterruptsOnly(cause)
          ? Effect.failCause(cause)
          : Effect.fail(new SessionRepoUnavailable({ cause: Cause.squash(cause) }))
      ),
      Effect.flatMap((): Effect.Effect<Session, SessionsExhausted | SessionRepoUnavailable> =>
        // It may have been ended in the repository meanwhile; then the client may try again.
        kept.has(key)
          ? addTo(table, wanted)
          : Effect.fail(new SessionRepoUnavailable({ cause: "ended while it was made" }))
      ),
      Effect.tap((session) => Effect.sync(() => void kept.set(key, session))),
      Effect.onError(() => Effect.sync(() => refused ? void kept.delete(key) : ended(key, "it was not granted")))
    )
  })

  return { create }
})

/** Logs that a method has failed once, until it works again, because every session may fail by it. */
const makeFaultLog = (): FaultLog => {
  const broken = new Set<string>()
  return (method, exit) => {
    if (exit !== undefined && (Exit.isSuccess(exit) || isRefusal(exit))) {
      broken.delete(method)
      return Effect.void
    }
    if (broken.has(method)) return Effect.void
    broken.add(method)
    return Effect.annotateLogs(Effect.logError("The session repository is broken"), {
      method,
      error: exit === undefined ? "TimeoutError" : causeOf(exit.cause)
    })
  }
}

/** Reads `changes` until the scope closes, and calls back with each session that has ended. */
const followChanges = (
  repository: Repository,
  log: FaultLog,
  onEnded: (id: string, reason: SessionEnd) => void
): Effect.Effect<void, never, Scope.Scope> => {
  const read = Effect.suspend(() =>
    repository.changes.pipe(
      Stream.runForEachArray((changes) =>
        Effect.sync(() => {
          for (const change of changes) if (change._tag === "Ended") onEnded(change.id, change.reason)
        })
      )
    )
  )
  const following = Effect.exit(read).pipe(
    Effect.flatMap((exit) => log("changes", exit)),
    Effect.andThen(Effect.sleep(RETRY)),
    Effect.forever
  )
  return Effect.acquireRelease(
    // Begins before this returns: a change that is published before it is read would be lost.
    Effect.forkDetach(following, { startImmediately: true }),
    // A stream whose end takes for ever, such as that of a store that is gone, does not keep the relay from stopping.
    (fiber) =>
      Effect.timeoutOrElse(Fiber.interrupt(fiber), { duration: LAST_WORDS, orElse: () => log("changes", undefined) })
  ).pipe(Effect.asVoid)
}

interface EndReporter {
  readonly add: (end: UnreportedEnd) => void
  /** Waits for the ends that were added, and logs how many are left after the time limit. */
  readonly finish: Effect.Effect<void>
}

/** Reports ends to the repository until the scope closes, in the order in which they were added. */
const makeEndReporter = Effect.fnUntraced(function*(
  repository: Repository,
  log: FaultLog
): Effect.fn.Return<EndReporter, never, Scope.Scope> {
  const unreported = yield* Queue.sliding<UnreportedEnd, Cause.Done>(MAX_ENDINGS)
  /** Calls of `end` that run. */
  let running = 0
  const report = ({ id, reason }: UnreportedEnd): Effect.Effect<void> =>
    Effect.flatMap(
      exitWithin(Effect.suspend(() => repository.end(id, reason)), TIME_LIMIT),
      (exit) => log("end", exit)
    )
  const reporting = Queue.take(unreported).pipe(
    Effect.tap(() => Effect.sync(() => void running++)),
    Effect.flatMap(report),
    Effect.tap(() => Effect.sync(() => void running--)),
    // A repository in memory answers at once: without this, thousands of ends would be one turn of the event loop.
    Effect.andThen(Effect.yieldNow),
    Effect.forever,
    Effect.ignore
  )
  const fibers: Array<Fiber.Fiber<void>> = []
  for (let i = 0; i < AT_ONCE; i++) fibers.push(yield* Effect.forkScoped(reporting))
  const logUnreported = Effect.suspend(() =>
    Effect.annotateLogs(Effect.logError("The session repository was not told of every end"), {
      sessions: Queue.sizeUnsafe(unreported) + running
    })
  )
  return {
    add: (end) => void Queue.offerUnsafe(unreported, end),
    finish: Effect.suspend(() => {
      Queue.endUnsafe(unreported)
      return Fiber.awaitAll(fibers)
    }).pipe(
      Effect.timeoutOrElse({ duration: LAST_WORDS, orElse: () => logUnreported }),
      Effect.asVoid
    )
  }
})

const entryOf = ({ expires, realm, record: { key, on }, uri, username }: NewSession, now: number): SessionEntry => ({
  id: key,
  username,
  realm,
  relay: formatUri({ scheme: uri.scheme, host: uri.host, port: uri.port, transport: uri.transport }),
  remote: addressText(on.remote),
  secure: on.secure,
  since: now,
  expires: now + expires * 1000
})

/** The repository works, and wants no more sessions. */
const isRefusal = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Option.getOrUndefined(Exit.findErrorOption(exit)) instanceof SessionsExhausted

const isInterrupted = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)

/** The kind of an error, of the error in the store if it names one; its message is left out because it may be secret. */
const causeOf = ({ reasons: [first] }: Cause.Cause<unknown>): string => {
  if (first === undefined || Cause.isInterruptReason(first)) return first?._tag ?? "nothing"
  const error = Cause.isFailReason(first) ? first.error : first.defect
  return kindOf(error instanceof SessionRepoUnavailable && Predicate.isObject(error.cause) ? error.cause : error)
}
