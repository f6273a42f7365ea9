/**
 * Keeps the repository of sessions in step with the table: asks it before a session is made, tells it of each end, and ends
 * those that somebody else has ended there. It may be one of somebody's own: whatever it does, no message waits for it.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { kindOf } from "../../logging/ErrorKind.ts"
import { formatUri } from "../../protocol/Uri.ts"
import { type SessionEntry, type SessionRepo, SessionRepoUnavailable, SessionsExhausted } from "../../SessionRepo.ts"
import { addressText } from "../../transport/Connection.ts"
import type { NewSession, Session, SessionEnd } from "../Session.ts"
import type { SessionTable } from "../SessionTable.ts"
import { addTo, roomFor } from "./Table.ts"
import { exitWithin } from "./TimeLimit.ts"

/** Ends that the repository has not been told of yet; beyond that the oldest are forgotten. */
const MAX_ENDINGS = 262_144

/** Ends that it is told of at a time; and no more in one turn of the event loop, when thousands end together. */
const AT_ONCE = 16

/** For one end; and for all that are left when the relay stops. */
const TIME_LIMIT = "10 seconds"
const LAST_WORDS = "5 seconds"

/** Until it is asked again what changes, when it could not say. */
const RETRY = "5 seconds"

interface Ending {
  readonly id: string
  readonly reason: SessionEnd
}

export interface Keeper {
  /** Makes the session, and has it kept. */
  readonly create: (session: NewSession) => Effect.Effect<Session, SessionsExhausted | SessionRepoUnavailable>
}

/** Until the scope closes; then the sessions that are left are ended there. */
export const makeKeeper = Effect.fnUntraced(function*(repository: SessionRepo["Service"], table: SessionTable) {
  const clock = yield* Clock.Clock
  /** Those that are kept; none yet while it is asked to. */
  const kept = new Map<string, Session | undefined>()
  const endings = yield* Queue.sliding<Ending, Cause.Done>(MAX_ENDINGS)
  const broken = new Set<string>()

  /** What fails is logged once, until it works again: every session may meet it. */
  const noted = (method: string, exit: Exit.Exit<unknown, unknown> | undefined): Effect.Effect<void> => {
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

  const tell = ({ id, reason }: Ending): Effect.Effect<void> =>
    Effect.flatMap(
      exitWithin(Effect.suspend(() => repository.end(id, reason)), TIME_LIMIT),
      (exit) => noted("end", exit)
    )
  const ended = (id: string, reason: SessionEnd): void => {
    kept.delete(id)
    Queue.offerUnsafe(endings, { id, reason })
  }

  table.onEnd(({ record: { key } }, reason) => {
    if (kept.has(key)) ended(key, reason)
  })

  /** Ended there, and not by this relay. */
  const endedThere = (id: string, reason: SessionEnd): void => {
    if (!kept.has(id)) return
    const session = kept.get(id)
    kept.delete(id)
    if (session !== undefined) table.end(session, reason)
  }
  const heard = Effect.suspend(() =>
    repository.changes.pipe(
      Stream.runForEachArray((changes) =>
        Effect.sync(() => {
          for (const change of changes) if (change._tag === "Ended") endedThere(change.id, change.reason)
        })
      )
    )
  )
  // At once: what is told before it listens would be lost.
  yield* Effect.exit(heard).pipe(
    Effect.flatMap((exit) => noted("changes", exit)),
    Effect.andThen(Effect.sleep(RETRY)),
    Effect.forever,
    Effect.forkScoped({ startImmediately: true })
  )
  /** Ends that it is being told of. */
  let underWay = 0
  const telling = Queue.take(endings).pipe(
    Effect.tap(() => Effect.sync(() => void underWay++)),
    Effect.flatMap(tell),
    Effect.tap(() => Effect.sync(() => void underWay--)),
    // A repository in memory answers at once, and thousands of sessions would be one turn.
    Effect.andThen(Effect.yieldNow),
    Effect.forever,
    Effect.ignore
  )
  const tellers: Array<Fiber.Fiber<void>> = []
  for (let i = 0; i < AT_ONCE; i++) tellers.push(yield* Effect.forkScoped(telling))
  /** Whoever reads what is kept there finds those that it is not told of. */
  const notTold = (sessions: number): Effect.Effect<void> =>
    Effect.annotateLogs(Effect.logError("The session repository was not told of every end"), { sessions })
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      for (const id of kept.keys()) ended(id, "the relay stops")
      Queue.endUnsafe(endings)
      return Fiber.awaitAll(tellers)
    }).pipe(
      Effect.timeoutOrElse({
        duration: LAST_WORDS,
        orElse: () => Effect.suspend(() => notTold(Queue.sizeUnsafe(endings) + underWay))
      })
    )
  )

  const create = Effect.fnUntraced(function*(wanted: NewSession) {
    yield* roomFor(table, wanted)
    const { key } = wanted.record
    kept.set(key, undefined)
    /** It keeps nothing of what it has refused. What has failed it may keep nevertheless. */
    let refused = false
    const asked = Effect.suspend(() => repository.create(entryOf(wanted, clock.currentTimeMillisUnsafe())))
    return yield* asked.pipe(
      Effect.onExit((exit) => {
        refused = isRefusal(exit)
        // Who asks interrupts it when its time is over.
        return noted("create", isInterrupted(exit) ? undefined : exit)
      }),
      // The log was told of what kind it is, and one of somebody's own may do more than it should.
      Effect.catchCause((cause) =>
        refused || Cause.hasInterruptsOnly(cause)
          ? Effect.failCause(cause)
          : Effect.fail(new SessionRepoUnavailable({ cause: Cause.squash(cause) }))
      ),
      Effect.flatMap((): Effect.Effect<Session, SessionsExhausted | SessionRepoUnavailable> =>
        // It was ended there in the meantime: the client may come again.
        kept.has(key)
          ? addTo(table, wanted)
          : Effect.fail(new SessionRepoUnavailable({ cause: "ended while it was made" }))
      ),
      Effect.tap((session) => Effect.sync(() => void kept.set(key, session))),
      Effect.onError(() => Effect.sync(() => refused ? void kept.delete(key) : ended(key, "it was not granted")))
    )
  })

  const keeper: Keeper = { create }
  return keeper
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

/** It works, and wants no more sessions. */
const isRefusal = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Option.getOrUndefined(Exit.findErrorOption(exit)) instanceof SessionsExhausted

const isInterrupted = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)

/** Only what kind of error it is, that of the store where it says so: its words may be secret. */
const causeOf = ({ reasons: [first] }: Cause.Cause<unknown>): string => {
  if (first === undefined || Cause.isInterruptReason(first)) return first?._tag ?? "nothing"
  const error = Cause.isFailReason(first) ? first.error : first.defect
  return kindOf(error instanceof SessionRepoUnavailable && Predicate.isObject(error.cause) ? error.cause : error)
}
