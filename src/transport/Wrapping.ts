/** A transport that wraps another one, and connections and receivers with some functions replaced. */
import * as Effect from "effect/Effect"
import { defined } from "../options/Defined.ts"
import type { Accept, Connection, Receiver } from "./Connection.ts"
import type { TransportShape } from "./TransportShape.ts"

/**
 * A transport whose connections and receivers are changed: `around` gets the function that makes the receiver of a connection,
 * and returns the one that is used in its place.
 *
 * @category combinators
 * @since 0.2.0
 */
export const wrapTransport = (transport: TransportShape, around: (accept: Accept) => Accept): TransportShape => ({
  ...transport,
  listen: (socket, accept, options) => transport.listen(socket, around(accept), options),
  connect: (options, accept) =>
    Effect.suspend(() => {
      // The dialling side gets the connection that its receiver was made for.
      let accepted: Connection | undefined
      const connecting = transport.connect(options, around((connection) => accept(accepted = connection)))
      return Effect.map(connecting, (connection) => accepted ?? connection)
    })
})

const wrap = <A extends object>(target: A, functions: object): A => {
  const replaced = defined(functions)
  // Not a proxy of the target itself: that may not replace what is frozen in it.
  return new Proxy(Object.create(target) as A, {
    get: (_, name): unknown => {
      if (Object.hasOwn(replaced, name)) return Reflect.get(replaced, name)
      const value: unknown = Reflect.get(target, name)
      // Private fields belong to the target.
      return typeof value === "function" ? (value as () => unknown).bind(target) : value
    }
  })
}

/**
 * A connection with some of its functions, or facts, replaced. Connections cannot be spread into a new object, because their
 * functions belong to their class.
 *
 * @category combinators
 * @since 0.2.0
 */
export const wrapConnection = (
  connection: Connection,
  functions: { readonly [Name in keyof Connection]?: Connection[Name] | undefined }
): Connection => wrap(connection, functions)

/**
 * A receiver with some of its functions replaced. Receivers cannot be spread either.
 *
 * @category combinators
 * @since 0.2.0
 */
export const wrapReceiver = (
  receiver: Receiver,
  functions: { readonly [Name in keyof Receiver]?: Receiver[Name] | undefined }
): Receiver => wrap(receiver, functions)
