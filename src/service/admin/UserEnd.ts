/**
 * Ends the sessions of a user for good. Also refreshes what is cached of the backend's answer, because a removed user could
 * otherwise log in again at once.
 */
import * as Effect from "effect/Effect"
import type { Credentials } from "../../Credentials.ts"
import type { Operator } from "../../Relay.ts"

/** Time limit for the backend in milliseconds; the admin API answers within 30 seconds. */
const PATIENCE = 10_000

type EndUser = Operator["inTurns"]["endUser"]

/** `realms`: the realms to search if the request names none. */
export const makeEndUser = (
  { inTurns }: Operator,
  credentials: Credentials["Service"],
  realms: () => ReadonlyArray<string>
): EndUser =>
  Effect.fnUntraced(function*(user, realm) {
    const ended = yield* inTurns.endUser(user, realm)
    const { refresh } = credentials
    if (refresh === undefined) return ended
    const username = user.normalize("NFC")
    // If the backend fails, the cached answer stays until it expires soon.
    yield* Effect.forEach(
      realm === undefined ? realms() : [realm],
      (realm) => Effect.ignore(refresh({ username, realm })),
      { concurrency: "unbounded", discard: true }
    ).pipe(Effect.timeoutOption(PATIENCE))
    // Ended once more, because the user may have logged in again while the backend was queried.
    return ended + (yield* inTurns.endUser(user, realm))
  })
