import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Accept, Connection, ConnectOptions, ListenOptions, LocalSocket } from "./Connection.ts"
import type { TransportError } from "./TransportError.ts"
import type { TransportFacts } from "./TransportFacts.ts"

/**
 * What a `Transport` can do.
 *
 * @category services
 * @since 0.2.0
 */
export interface TransportShape {
  /**
   * Binds, and gives the bound socket with its real port. Accepts connections until the scope closes; they are
   * destroyed with it. For `msrps`, `accept` is called after the TLS handshake.
   */
  readonly listen: (
    socket: LocalSocket,
    accept: Accept,
    options?: ListenOptions
  ) => Effect.Effect<LocalSocket, TransportError, Scope.Scope>
  /**
   * Connects; for `msrps` does the TLS handshake and checks the certificate, before any octet is written. `accept` is
   * called before the connection is given back. It lives until it closes or the layer's scope does. That nobody answers is a
   * failure after some seconds: whoever waits for it has no time limit of his own.
   */
  readonly connect: (options: ConnectOptions, accept: Accept) => Effect.Effect<Connection, TransportError>
  /**
   * Which of the own certificates is shown as `localName`: a connection that was made as one name is good for another
   * only if that is the same.
   */
  readonly identity: (localName: string) => number
  /** Runs a task once the octets that are at hand now have been delivered, so output of one turn leaves together. */
  readonly defer: (task: () => void) => void
  /** What it knows of itself; absent where nobody counts. */
  readonly facts?: TransportFacts | undefined
}
