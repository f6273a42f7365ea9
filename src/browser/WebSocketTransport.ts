/**
 * The network as a browser has it: MSRP over the global `WebSocket` (RFC 7977), which Node 24, Deno and Bun have as well.
 * One frame is one message each way.
 *
 * A page does not learn its own address, so the host of its URIs is a random one in `.invalid` (RFC 7977 App. A), and it is
 * told neither why it could not connect nor what a certificate lacked.
 *
 * @module
 */

import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { invalidAddress } from "../client/OwnUri.ts"
import { type Connection, type ConnectOptions, Transport, TransportError } from "../Transport.ts"
import { type Accept, addressText } from "../transport/Connection.ts"
import type { TransportShape } from "../transport/TransportShape.ts"
import { WebSocketConnection, whyClosed } from "./WebSocketConnection.ts"

/**
 * Seconds until a WebSocket must be open.
 *
 * @category constants
 * @since 0.2.0
 */
export const CONNECT_WITHIN = 15

/** Without the path, in which there may be a token. */
const targetOf = ({ host, port, scheme }: ConnectOptions): string =>
  `${scheme === "msrps" ? "wss" : "ws"}://${addressText({ host, port })}`

const failure = (options: ConnectOptions, reason: TransportError["reason"], cause: unknown): TransportError =>
  new TransportError({ operation: "connect", target: targetOf(options), reason, cause })

const connect = (options: ConnectOptions, accept: Accept): Effect.Effect<Connection, TransportError> =>
  Effect.callback<Connection, TransportError>((resume) => {
    let socket: WebSocket
    try {
      socket = new WebSocket(targetOf(options) + (options.path ?? "/"), "msrp")
    } catch (cause) {
      // Not a URL, or one that this page may not connect to.
      return resume(Effect.fail(failure(options, "Forbidden", cause)))
    }
    const secure = options.scheme === "msrps"
    let done = false
    socket.addEventListener("open", () => {
      done = true
      if (socket.protocol !== "msrp") {
        socket.close()
        return resume(Effect.fail(failure(options, "Other", new Error("the server does not speak msrp"))))
      }
      resume(Effect.succeed(
        new WebSocketConnection(socket, {
          inbound: false,
          secure,
          local: invalidAddress(),
          remote: { host: options.host, port: options.port },
          socket: undefined,
          peerNames: secure ? [options.host.toLowerCase()] : []
        }, accept)
      ))
    }, { once: true })
    socket.addEventListener("close", ({ code }) => {
      if (!done) resume(Effect.fail(failure(options, "Other", new Error(whyClosed(code)))))
    }, { once: true })
    return Effect.sync(() => socket.close())
  }).pipe(
    Effect.timeoutOrElse({
      duration: `${CONNECT_WITHIN} seconds`,
      orElse: () => Effect.fail(failure(options, "Timeout", undefined))
    })
  )

const listen: TransportShape["listen"] = (socket) =>
  Effect.fail(
    new TransportError({
      operation: "listen",
      target: `${socket.scheme}://${socket.host}:${socket.port}`,
      reason: "NotPermitted",
      cause: undefined
    })
  )

/**
 * `opened` is told of each connection.
 *
 * @category constructors
 * @since 0.2.0
 */
export const make = (opened: (connection: Connection) => () => void = () => () => {}): TransportShape => ({
  listen,
  connect: (options, accept) =>
    connect(options, (connection) => {
      const gone = opened(connection)
      const receiver = accept(connection)
      return {
        bytes: (octets, last) => receiver.bytes(octets, last),
        closed: (why) => {
          gone()
          receiver.closed(why)
        }
      }
    }),
  identity: () => 0,
  // At the end of the event in which octets came in.
  defer: (task) => queueMicrotask(task)
})

/**
 * Connections by WebSocket; `listen` fails. They live as long as the layer.
 *
 * @category layers
 * @since 0.2.0
 */
export const layerWebSocket: Layer.Layer<Transport> = Layer.effect(
  Transport,
  Effect.gen(function*() {
    const open = new Set<Connection>()
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const connection of open) connection.destroy()
      })
    )
    return make((connection) => {
      open.add(connection)
      return () => open.delete(connection)
    })
  })
)
