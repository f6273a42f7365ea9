/** Connections that fibers own. */
import * as Effect from "effect/Effect"
import type * as Net from "node:net"
import { wordsOf } from "../net/ErrorCode.ts"
import { type Accept, addressText, type Connection, type ConnectionFacts } from "./Connection.ts"
import { NodeConnection, type Surroundings } from "./NodeConnection.ts"

export interface Owned {
  readonly connection: Connection
  /** Ends when the connection is gone; destroys it when it is interrupted. */
  readonly owner: Effect.Effect<void>
}

/** Makes the connection and its receiver, at once. */
export type Adopt = (stream: Net.Socket, facts: ConnectionFacts, accept: Accept) => Owned

export const makeAdopt = (around: Surroundings): Adopt => (stream, facts, accept) => {
  const connection = new NodeConnection(stream, facts, around)
  connection.start(accept)
  const owner = Effect.callback<void>((resume) => {
    connection.whenGone(() => resume(ended(connection)))
    return Effect.callback<void>((closed) => {
      connection.whenGone(() => closed(Effect.void))
      connection.destroy()
    })
  })
  return { connection, owner }
}

/** What is to be said when a connection is gone. */
const ended = ({ failure, remote }: NodeConnection): Effect.Effect<void> =>
  failure === undefined
    ? Effect.void
    : Effect.annotateLogs(Effect.logDebug("connection failed"), {
      remote: addressText(remote),
      reason: wordsOf(failure)
    })
