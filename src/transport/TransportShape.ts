import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Accept, Connection, ConnectOptions, ListenOptions, LocalSocket } from "./Connection.ts"
import type { TransportError } from "./TransportError.ts"
import type { TransportFacts } from "./TransportFacts.ts"

/**
 * The functions of a `Transport`.
 *
 * @category services
 * @since 0.2.0
 */
export interface TransportShape {
  /**
   * Binds a socket, and returns it with its real port. Accepts connections until the scope closes, which destroys them. For
   * `msrps`, `accept` is called after the TLS handshake.
   */
  readonly listen: (
    socket: LocalSocket,
    accept: Accept,
    options?: ListenOptions
  ) => Effect.Effect<LocalSocket, TransportError, Scope.Scope>
  /**
   * Connects; for `msrps` it does the TLS handshake and checks the certificate before any octet is written. `accept` is
   * called before the connection is returned. It lives until it or the layer's scope closes. Must fail after some seconds if
   * there is no answer, because the relay waits for an hour, and clients have no time limit of their own. If it is interrupted, no
   * connection stays open.
   */
  readonly connect: (options: ConnectOptions, accept: Accept) => Effect.Effect<Connection, TransportError>
  /**
   * The number of the own certificate that is presented as `localName`: a connection made as one name is used for another
   * only if both have the same.
   */
  readonly identity: (localName: string) => number
  /** Runs a task when all available octets have been delivered, so that the output of one turn leaves together. */
  readonly defer: (task: () => void) => void
  /** Counts of the transport; absent where it does not count. */
  readonly facts?: TransportFacts | undefined
}
