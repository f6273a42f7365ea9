/** Whether a relay answers at its admin API. Loaded only when needed, because the client is large. */
import * as Effect from "effect/Effect"
import type { AdminAddress } from "../../admin/Address.ts"
import { asked, clientOf } from "../admin/Client.ts"

/** Time limit for the answer; shorter than that of a check, so that the reason can be reported. */
const PATIENCE = "5 seconds"

/** Why no relay answers; undefined if one does. The request needs no token, and sends none. */
export const whyNoRelay = Effect.fnUntraced(
  function*(address: AdminAddress) {
    const connection = yield* clientOf(address)
    yield* asked(connection, connection.client.healthz(), PATIENCE)
  },
  Effect.match({ onSuccess: () => undefined, onFailure: ({ message }) => message })
)
