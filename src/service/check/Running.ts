/** Whether a relay answers at its admin API. Loaded where that is asked only: the client is large. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { AdminAddress } from "../../admin/Address.ts"
import { asked, clientOf } from "../admin/Client.ts"

/** Until a relay that says nothing is none. Less than a look may take, or it would not be told why. */
const PATIENCE = "5 seconds"

/** Why none answers, in words; `undefined` when one does. No token is needed, and none is sent. */
export const whyNoRelay = (address: AdminAddress): Effect.Effect<string | undefined, never, Scope.Scope> =>
  Effect.gen(function*() {
    const connection = yield* clientOf(address)
    yield* asked(connection, connection.client.healthz(), PATIENCE)
  }).pipe(Effect.match({ onSuccess: () => undefined, onFailure: ({ message }) => message }))
