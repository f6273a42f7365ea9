/** Connections that live as long as a scope. A fiber for each of them would cost an idle one a tenth of its memory. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Net from "node:net"
import { wordsOf } from "../net/ErrorCode.ts"
import { type Accept, addressText, type Connection, type ConnectionFacts } from "./Connection.ts"
import { type ConnectionParts, NodeConnection } from "./NodeConnection.ts"

/** From one look at all connections to the next, and how many of them are looked at in one turn of the event loop. */
const LOOK = "5 seconds"
const AT_ONCE = 256

/** Makes the connection and its receiver, at once. */
export type Adopt = (stream: Net.Socket, facts: ConnectionFacts, accept: Accept) => Connection

/** When the scope closes, its connections are destroyed, and it waits until their receivers know. */
export const makeAdopt = (
  parts: ConnectionParts,
  run: (effect: Effect.Effect<void>) => void
): Effect.Effect<Adopt, never, Scope.Scope> =>
  Effect.gen(function*() {
    const open = new Set<NodeConnection>()
    let closing = false
    let allGone = (): void => {}
    yield* Effect.addFinalizer(() =>
      Effect.callback<void>((resume) => {
        closing = true
        allGone = () => resume(Effect.void)
        if (open.size === 0) allGone()
        for (const connection of open) connection.destroy()
      })
    )
    const look = Effect.gen(function*() {
      let looked = 0
      for (const connection of open) {
        connection.look()
        if (++looked % AT_ONCE === 0) yield* Effect.yieldNow
      }
    })
    yield* look.pipe(Effect.delay(LOOK), Effect.forever, Effect.forkScoped)
    return (stream, facts, accept) => {
      const connection = new NodeConnection(stream, facts, parts, () => {
        open.delete(connection)
        if (connection.failure !== undefined) run(failed(connection))
        if (open.size === 0) allGone()
      })
      open.add(connection)
      connection.start(accept)
      // One may come while others are told of their end.
      if (closing) connection.destroy()
      return connection
    }
  })

const failed = ({ failure, remote }: NodeConnection): Effect.Effect<void> =>
  Effect.annotateLogs(Effect.logDebug("connection failed"), {
    remote: addressText(remote),
    reason: wordsOf(failure)
  })
