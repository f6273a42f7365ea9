/** Ends of connections that are no transport's: plain sockets of Node's. */
import * as Effect from "effect/Effect"
import * as Net from "node:net"
import { ConnectionFacts } from "../../src/transport/Connection.ts"

/** What is known of a connection that nobody looks at. */
export const facts = new ConnectionFacts({
  inbound: true,
  secure: false,
  local: { host: "127.0.0.1", port: 1 },
  remote: { host: "127.0.0.1", port: 2 },
  socket: undefined,
  peerNames: []
})

/** A plain server of Node's; its port. */
export const plainServer = (serve: (socket: Net.Socket) => void) =>
  Effect.acquireRelease(
    Effect.callback<Net.Server>((resume) => {
      const server = Net.createServer(serve)
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  ).pipe(Effect.map((server) => (server.address() as Net.AddressInfo).port))

/** A plain socket of Node's, and what happened to it. */
export const plainClient = (port: number, host = "127.0.0.1") =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const socket = Net.connect({ port, host })
      const events: Array<string> = []
      for (const event of ["connect", "error", "close"]) socket.on(event, () => events.push(event))
      socket.resume()
      return { socket, events }
    }),
    ({ socket }) => Effect.sync(() => socket.destroy())
  )

export const hasIpv6 = await new Promise<boolean>((resolve) => {
  const server = Net.createServer()
  server.once("error", () => resolve(false))
  server.listen(0, "::1", () => server.close(() => resolve(true)))
})

/** A server that reads and never answers: its port, and how many connections it has had, and has lost. */
export const silentServer = Effect.gen(function*() {
  const counts = { opened: 0, closed: 0 }
  const port = yield* plainServer((socket) => {
    counts.opened++
    socket.on("error", () => {})
    socket.on("close", () => counts.closed++)
    socket.resume()
  })
  return { counts, port }
})
