/** An operator's view that is no relay's, for tests. */
import * as Effect from "effect/Effect"
import type { Operator } from "../../src/relay/edge/Operator.ts"

/** What takes long elsewhere is done at once. */
export const inTurns = ({ connections, endUser, sessions }: Omit<Operator, "inTurns">): Operator["inTurns"] => ({
  sessions: (query) => Effect.sync(() => sessions(query)),
  connections: (query) => Effect.sync(() => connections(query)),
  endUser: (user, realm) => Effect.sync(() => endUser(user, realm))
})
