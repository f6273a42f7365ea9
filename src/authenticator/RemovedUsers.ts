/**
 * Ends the sessions of users who are not there any more: asks now and then for each user who has sessions whether he is
 * one. Users who cannot be asked for keep theirs.
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberHandle from "effect/FiberHandle"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Credentials, type UserKey } from "../Credentials.ts"
import { kindOf } from "../logging/ErrorKind.ts"
import { follow, type Live } from "../options/Live.ts"
import { duration, type OptionsError, wrongOrUnknown } from "../options/Options.ts"
import { Relay } from "../Relay.ts"

/**
 * They may change (`Live`).
 *
 * @category options
 * @since 0.2.0
 */
export interface RemovedUsersOptions {
  /** From one look to the next; infinite: there is none. A bare number is milliseconds. Absent: a minute. */
  readonly interval?: Duration.Input | undefined
}

/** Users that are asked for, and sessions that are ended, in one turn of the event loop. */
const AT_ONCE = 256

/** Users who are not found in one look; the others are found in the next. */
const MAX_GONE = 10_000

/** Users who cannot be asked for in one look, before it is given up. */
const MAX_FAILURES = 10

/** For one user. */
const TIME_LIMIT = Duration.seconds(10)

/** Before a user who was not found is asked for once more: his file or table may just be written anew. */
const CONFIRMATION = Duration.seconds(5)

const optionsSchema = Schema.Struct({ interval: Schema.optional(duration) })

/**
 * For the sessions of this relay.
 *
 * @category layers
 * @since 0.2.0
 */
export const layerRemovedUsers = (
  options: Live<RemovedUsersOptions> = {}
): Layer.Layer<never, OptionsError, Credentials | Relay> => Layer.effectDiscard(make(options))

const make = Effect.fnUntraced(function*(options: Live<RemovedUsersOptions>) {
  const wrong = wrongOrUnknown<RemovedUsersOptions>("layerRemovedUsers", optionsSchema)
  let changed = (_options: RemovedUsersOptions): void => {}
  const live = yield* follow(options, wrong, (now) => changed(now))
  const credentials = yield* Credentials
  const { sessions } = yield* Relay

  /** Whether there is such a user. */
  const isThere = Effect.fnUntraced(function*(user: UserKey) {
    const asked = credentials.refresh === undefined ? credentials.lookup(user) : credentials.refresh(user)
    // Most of a table that is in memory: the time limit costs only who has to wait.
    return Option.isSome(Exit.isExit(asked) ? yield* asked : yield* Effect.timeout(asked, TIME_LIMIT))
  })

  /** Those of them who are not there. */
  const goneOf = Effect.fnUntraced(function*(some: Iterable<UserKey>) {
    const gone: Array<UserKey> = []
    let looked = 0
    let failures = 0
    for (const { realm, username } of some) {
      if (++looked % AT_ONCE === 0) yield* Effect.yieldNow
      const found = yield* isThere({ username, realm }).pipe(
        Effect.catch((error) => {
          const reason = error._tag === "TimeoutError" ? "no answer in time" : error.message
          const log = Effect.logWarning("It cannot be looked up whether users were removed")
          return failures++ === 0 ? Effect.as(Effect.annotateLogs(log, { reason }), true) : Effect.succeed(true)
        })
      )
      if (!found) gone.push({ username, realm })
      if (gone.length === MAX_GONE || failures === MAX_FAILURES) break
    }
    return gone
  })

  const look = Effect.fnUntraced(function*(confirmation: Duration.Duration) {
    const missing = yield* goneOf(sessions.users())
    yield* Effect.sleep(confirmation)
    const gone = yield* goneOf(missing)
    for (const user of gone) while (sessions.endSomeOf(user, AT_ONCE, "its user was removed")) yield* Effect.yieldNow
    if (gone.length > 0) {
      yield* Effect.logInfo("sessions of removed users ended").pipe(Effect.annotateLogs({ users: gone.length }))
    }
  })
  const looks = ({ interval: input = "1 minute" }: RemovedUsersOptions): Effect.Effect<void> => {
    const interval = Duration.fromInputUnsafe(input)
    if (!Duration.isFinite(interval)) return Effect.void
    const confirmation = Duration.min(CONFIRMATION, Duration.times(interval, 0.5))
    return look(confirmation).pipe(
      Effect.catchCause((cause) =>
        Effect.annotateLogs(Effect.logError("It cannot be looked up whether users were removed"), {
          reason: `a defect: ${kindOf(Cause.squash(cause))}`
        })
      ),
      Effect.delay(Duration.subtract(interval, confirmation)),
      Effect.forever
    )
  }
  const run = yield* FiberHandle.makeRuntime<never, never, void>()
  changed = (now) => void run(looks(now))
  changed(live.current)
})
