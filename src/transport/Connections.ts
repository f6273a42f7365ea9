/** Connections that live as long as a scope. They have no fibers: one would be a tenth of the memory of an idle connection. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import type * as Net from "node:net"
import { wordsOf } from "../net/ErrorCode.ts"
import { type Accept, addressText, type Connection, type ConnectionFacts } from "./Connection.ts"
import { type Defer, makeDefer } from "./Defer.ts"
import { type ConnectionParts, NodeConnection } from "./NodeConnection.ts"
import { pollEnd } from "./PollEnd.ts"
import { makeSlices } from "./Slices.ts"

/** The interval at which all connections are checked (`NodeConnection.look`). */
const LOOK = "5 seconds"
/** Connections that are checked in one turn of the event loop. */
const AT_ONCE = 256

/** Makes a connection of a stream, and its receiver, synchronously. */
export type Adopt = (stream: Net.Socket, facts: ConnectionFacts, accept: Accept) => Connection

/** What the connections of a transport have in common. */
interface Connections {
  /** Runs an effect in a fiber of its own, until the scope closes. */
  readonly run: (effect: Effect.Effect<void>) => void
  readonly defer: Defer
  /** Makes connections of streams. When the scope closes, they are destroyed; it closes when all their receivers have been told. */
  readonly adopting: Effect.Effect<Adopt, never, Scope.Scope>
}

export const makeConnections = Effect.fnUntraced(function*(
  reads: ConnectionParts["reads"],
  pollSignal = false
): Effect.fn.Return<Connections, never, Scope.Scope> {
  const run = yield* FiberSet.makeRuntime<never, void, never>()
  const defect = (error: unknown): void => {
    run(Effect.logError("a connection was dropped because of a defect", Cause.die(error)))
  }
  const defer = makeDefer(defect, pollSignal ? yield* pollEnd : undefined)
  return { run, defer, adopting: makeAdopt({ reads, defer, inSlices: makeSlices(defer), defect }, run) }
})

const makeAdopt = Effect.fnUntraced(function*(
  parts: ConnectionParts,
  run: Connections["run"]
): Effect.fn.Return<Adopt, never, Scope.Scope> {
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
    // A connection may be made while the scope is closing.
    if (closing) connection.destroy()
    return connection
  }
})

const failed = ({ failure, remote }: NodeConnection): Effect.Effect<void> =>
  Effect.annotateLogs(Effect.logDebug("connection failed"), {
    remote: addressText(remote),
    reason: wordsOf(failure)
  })
