/**
 * The transport for browsers: MSRP over the global `WebSocket` (RFC 7977), which Node 24, Deno and Bun have as well. Each WebSocket
 * message is one frame.
 *
 * A page does not know its own address, so the host of its URIs is a random one in `.invalid` (RFC 7977 App. A). It does not learn
 * why it could not connect, nor what is wrong with a certificate.
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
 * Seconds within which a WebSocket must open.
 *
 * @category constants
 * @since 0.2.0
 */
export const CONNECT_WITHIN = 15

/** The URL for errors: without the path, which may contain a token. */
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
      // The URL is not valid, or this page may not connect to it.
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
 * A transport of WebSockets. `opened` is called with each connection, and the function that it returns when the connection ends.
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
  // Runs at the end of the event in which octets arrived.
  defer: (task) => queueMicrotask(task)
})

/**
 * Connects by WebSocket; `listen` fails. Connections end with the layer.
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
