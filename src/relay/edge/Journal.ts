/** What is logged of connections and sessions. */
import * as Effect from "effect/Effect"
import * as LogLevel from "effect/LogLevel"
import { sessionLabel } from "../../protocol/Ident.ts"
import type { Observer } from "../Observer.ts"
import { makeRefusalLog } from "./RefusalLog.ts"

/** `run` forks a fiber that ends with the relay. */
export const makeJournal = Effect.fnUntraced(function*(
  run: (effect: Effect.Effect<void>) => void
): Effect.fn.Return<Observer> {
  const isDebug = yield* LogLevel.isEnabled("Debug")
  return {
    opened: () => {},
    closing: ({ connection }, reason) => {
      const { host, port } = connection?.remote ?? { host: "?", port: 0 }
      run(
        Effect.logInfo(`closing connection: ${reason}`).pipe(Effect.annotateLogs({ remote: `${host}:${port}` }))
      )
    },
    closed: () => {},
    refused: yield* makeRefusalLog(run),
    granted: (_, { id, realm, username }) => {
      if (!isDebug) return
      run(
        Effect.logDebug("session granted").pipe(
          Effect.annotateLogs({ session: sessionLabel(id), username, realm })
        )
      )
    }
  }
})
