/** Connections over any `Duplex` of Node: a pipe, a tunnel, a pair in memory. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Net from "node:net"
import type { Duplex } from "node:stream"
import { defined } from "../options/Defined.ts"
import { type Accept, type Address, type Connection, ConnectionFacts } from "./Connection.ts"
import { makeConnections } from "./Connections.ts"
import type { TransportShape } from "./TransportShape.ts"

/**
 * The facts of a stream; those that are absent have the values of a stream that is not a socket.
 *
 * @category models
 * @since 0.2.0
 */
export type DuplexFacts =
  & { readonly [Fact in Exclude<keyof ConnectionFacts, "inbound">]?: ConnectionFacts[Fact] | undefined }
  & {
    /** Whether the peer opened it. */
    readonly inbound: boolean
  }

/**
 * Makes connections of streams, for a custom `Transport`.
 *
 * @category models
 * @since 0.2.0
 */
export interface Duplexes {
  /**
   * Makes a connection of a stream from which nothing has been read. `accept` is called before this returns. The connection
   * lives until the stream or the scope of `makeDuplexes` closes; both wait for the event "close" of the stream, which one with
   * `emitClose: false` never has. When the peer has ended the stream, this side ends it too.
   */
  readonly open: (stream: Duplex, facts: DuplexFacts, accept: Accept) => Connection
  /** The `defer` of the `Transport`, shared by all connections, so that all writes of one turn leave together. */
  readonly defer: TransportShape["defer"]
}

const NOWHERE: Address = { host: "localhost", port: 0 }

/**
 * Makes the function that opens connections over streams; they are closed with the scope.
 *
 * @category constructors
 * @since 0.2.0
 */
export const makeDuplexes: Effect.Effect<Duplexes, never, Scope.Scope> = Effect.gen(function*() {
  const { adopting, defer } = yield* makeConnections("events")
  const adopt = yield* adopting
  return {
    defer,
    open: (stream, facts, accept) => {
      const all = new ConnectionFacts({
        secure: false,
        local: NOWHERE,
        remote: NOWHERE,
        socket: undefined,
        peerNames: [],
        ...defined(facts),
        inbound: facts.inbound
      })
      // The cast is safe: nothing is used that only sockets have.
      return adopt(stream as Net.Socket, all, accept)
    }
  }
})
