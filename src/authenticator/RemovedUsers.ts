/**
 * Ends the sessions of users who have been removed. Each user with a session is looked up at an interval; users whose backend
 * cannot answer keep their sessions.
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
import { concerned } from "./SecretLookup.ts"

/**
 * Options of `layerRemovedUsers`. They may change while the layer lives (`Live`).
 *
 * @category options
 * @since 0.2.0
 */
export interface RemovedUsersOptions {
  /** Time between two passes over all users; infinite: none. A bare number is milliseconds. Absent: a minute. */
  readonly interval?: Duration.Input | undefined
}

/** Users that are looked up, and sessions that are ended, in one turn of the event loop. */
const AT_ONCE = 256

/** Removed users that one pass collects; the next pass finds the others. */
const MAX_GONE = 10_000

/** Failed lookups after which a pass gives up. */
const MAX_FAILURES = 10

/** Users who are named in one pass because what the backend has of them cannot be used. */
const MAX_UNUSABLE = 10

/** Users who are named: once, as long as that goes on, because nobody may mend a row for weeks. */
class Unusable {
  #before = new Set<string>()
  #now = new Set<string>()

  /** Whether this user is to be named. */
  isNew({ realm, username }: UserKey): boolean {
    if (this.#now.size === MAX_UNUSABLE) return false
    const key = `${username}\n${realm}`
    this.#now.add(key)
    return !this.#before.has(key)
  }

  passed(): void {
    this.#before = this.#now
    this.#now = new Set()
  }
}

/** Time limit for the lookup of one user. */
const TIME_LIMIT = Duration.seconds(10)

/** Time before a missing user is looked up once more, because its file or table may be in the middle of a rewrite. */
const CONFIRMATION = Duration.seconds(5)

const optionsSchema = Schema.Struct({ interval: Schema.optional(duration) })

/**
 * Ends the sessions that removed users have at this relay.
 *
 * @category layers
 * @since 0.2.0
 */
export const layerRemovedUsers = (
  options: Live<RemovedUsersOptions> = {}
): Layer.Layer<never, OptionsError, Credentials | Relay> => Layer.effectDiscard(make(options))

/** Whether there is still such a user. */
const isThere = Effect.fnUntraced(function*(credentials: Credentials["Service"], user: UserKey) {
  const asked = credentials.refresh === undefined ? credentials.lookup(user) : credentials.refresh(user)
  // Most users are in a table in memory, so only backends that make the caller wait pay for the time limit.
  return Option.isSome(Exit.isExit(asked) ? yield* asked : yield* Effect.timeout(asked, TIME_LIMIT))
})

/**
 * Finds the users who are gone. A user whose backend cannot answer counts as there; the first such failure is logged. So is each
 * user, up to a number, of whom what the backend has cannot be used: that is no reason to give up, because it answers.
 */
const goneOf = Effect.fnUntraced(function*(
  credentials: Credentials["Service"],
  users: Iterable<UserKey>,
  unusable: Unusable
) {
  const gone: Array<UserKey> = []
  let looked = 0
  let failures = 0
  for (const { realm, username } of users) {
    if (++looked % AT_ONCE === 0) yield* Effect.yieldNow
    const found = yield* isThere(credentials, { username, realm }).pipe(
      Effect.catch((error) => {
        const reason = error._tag === "TimeoutError" ? "no answer in time" : error.message
        const log = Effect.logWarning("It cannot be looked up whether users were removed")
        const whose = concerned({ realm, username }, error)
        const isTold = whose.user === undefined ? failures++ === 0 : unusable.isNew({ realm, username })
        return isTold ? Effect.as(Effect.annotateLogs(log, { ...whose, reason }), true) : Effect.succeed(true)
      })
    )
    if (!found) gone.push({ username, realm })
    if (gone.length === MAX_GONE || failures === MAX_FAILURES) break
  }
  return gone
})

const make = Effect.fnUntraced(function*(options: Live<RemovedUsersOptions>) {
  const wrong = wrongOrUnknown<RemovedUsersOptions>("layerRemovedUsers", optionsSchema)
  let changed = (_options: RemovedUsersOptions): void => {}
  const live = yield* follow(options, wrong, (now) => changed(now))
  const credentials = yield* Credentials
  const { sessions } = yield* Relay
  const unusable = new Unusable()

  /** Ends the sessions of users who are gone at two lookups, this long apart. */
  const pass = Effect.fnUntraced(function*(confirmation: Duration.Duration) {
    const missing = yield* goneOf(credentials, sessions.users(), unusable)
    yield* Effect.sleep(confirmation)
    const gone = yield* goneOf(credentials, missing, unusable)
    unusable.passed()
    for (const user of gone) while (sessions.endSomeOf(user, AT_ONCE, "its user was removed")) yield* Effect.yieldNow
    if (gone.length > 0) {
      yield* Effect.logInfo("sessions of removed users ended").pipe(Effect.annotateLogs({ users: gone.length }))
    }
  })
  const passes = ({ interval: input = "1 minute" }: RemovedUsersOptions): Effect.Effect<void> => {
    const interval = Duration.fromInputUnsafe(input)
    if (!Duration.isFinite(interval)) return Effect.void
    const confirmation = Duration.min(CONFIRMATION, Duration.times(interval, 0.5))
    return pass(confirmation).pipe(
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
  changed = (now) => void run(passes(now))
  changed(live.current)
})
