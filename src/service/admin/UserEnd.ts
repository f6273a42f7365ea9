/**
 * Ends what a user has, so that one who was taken out of the users stays out: what the backend said of him before is remembered
 * for a while, and a client that is thrown out logs in again at once.
 */
import * as Effect from "effect/Effect"
import type { Credentials } from "../../Credentials.ts"
import type { Operator } from "../../Relay.ts"

/** Milliseconds for the backend of users; whoever asks hears within 30 seconds. */
const PATIENCE = 10_000

type EndUser = Operator["inTurns"]["endUser"]

/** `realms`: where he may be a user, when no realm is named. */
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
    // A backend that cannot tell leaves what is remembered, which is over soon.
    yield* Effect.forEach(
      realm === undefined ? realms() : [realm],
      (realm) => Effect.ignore(refresh({ username, realm })),
      { concurrency: "unbounded", discard: true }
    ).pipe(Effect.timeoutOption(PATIENCE))
    // He may have come back while the backend was asked.
    return ended + (yield* inTurns.endUser(user, realm))
  })
