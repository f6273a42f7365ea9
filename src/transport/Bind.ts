/** Binds the listening sockets of a `LocalSocket`. */
import * as Effect from "effect/Effect"
import * as Net from "node:net"
import { codeOf } from "../net/ErrorCode.ts"
import type { LocalSocket } from "./Connection.ts"
import { failure, reasonOf } from "./Failure.ts"
import type { TransportError } from "./TransportError.ts"

/**
 * Listening sockets of each address. Node accepts one connection of each before it polls for other input again: beside a
 * thousand busy connections that is one in 20 ms. The system distributes new connections among them (`SO_REUSEPORT`).
 */
export const ACCEPTORS = 16

/**
 * The most connections that the system holds until they are accepted, where it allows as many (on Linux
 * `net.core.somaxconn`). With Node's default of 511, a thousand clients that connect at once have to repeat their SYNs.
 */
export const BACKLOG = 4096

/** Codes for an address or an address family that the machine does not have. */
const ABSENT = new Set(["EADDRNOTAVAIL", "EAFNOSUPPORT"])

export const portOf = (server: Net.Server): number => (server.address() as Net.AddressInfo).port

export const closeAll = (servers: ReadonlyArray<Net.Server>): void => servers.forEach((one) => void one.close())

/** Whether a process accepts connections at an address of this machine. */
const isTaken = (host: string, port: number): Effect.Effect<boolean> =>
  Effect.callback<boolean>((resume) => {
    const near = host === "*" || host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host
    const socket = Net.connect({ host: near, port })
    const answer = (taken: boolean): void => {
      socket.destroy()
      resume(Effect.succeed(taken))
    }
    socket.once("connect", () => answer(true))
    socket.on("error", () => answer(false))
    return Effect.sync(() => void socket.destroy())
  }).pipe(Effect.timeoutOrElse({ duration: "1 second", orElse: () => Effect.succeed(false) }))

/** Binds every address that the host of the socket stands for, with as many servers of `makeServer` as it takes. */
export const bindAll = (
  socket: LocalSocket,
  makeServer: () => Net.Server
): Effect.Effect<ReadonlyArray<Net.Server>, TransportError> => {
  const bindOne = (host: string, port: number, reusePort: boolean): Effect.Effect<Net.Server, TransportError> =>
    Effect.callback((resume) => {
      const server = makeServer()
      server.once("error", (cause) => resume(failure("listen", socket, reasonOf(cause), cause)))
      const options = { port, backlog: BACKLOG, reusePort, ...(host === "*" ? {} : { host }) }
      server.listen(options, () => resume(Effect.succeed(server)))
    })

  const bind = Effect.fnUntraced(function*(host: string, port: number) {
    // Any port first, to see whether the machine has the address, and which port is free.
    const first = yield* bindOne(host, 0, false)
    const bound = port === 0 ? portOf(first) : port
    yield* Effect.callback<void>((resume) => void first.close(() => resume(Effect.void)))
    // `reusePort` would succeed where another relay of the same user listens already.
    if (port !== 0 && (yield* isTaken(host, port))) {
      const cause = Object.assign(new Error("somebody listens there"), { code: "EADDRINUSE" })
      return yield* failure("listen", socket, reasonOf(cause), cause)
    }
    const servers: Array<Net.Server> = []
    return yield* Effect.gen(function*() {
      for (let i = 0; i < ACCEPTORS; i++) servers.push(yield* bindOne(host, bound, true))
      return servers
    }).pipe(Effect.catch((error) => {
      closeAll(servers)
      // A system without `reusePort` gets one listening socket.
      return codeOf(error.cause) === "ENOTSUP" || codeOf(error.cause) === "EINVAL"
        ? Effect.map(bindOne(host, bound, false), (one) => [one])
        : Effect.fail(error)
    }))
  })

  /** Binds both loopback addresses on one port, IPv6 only where the machine has it. */
  const bindLoopback = Effect.fnUntraced(function*() {
    const first = yield* bind("127.0.0.1", socket.port)
    const second = yield* bind("::1", portOf(first[0]!)).pipe(
      Effect.catch((error) => {
        if (ABSENT.has(codeOf(error.cause))) return Effect.succeed([])
        closeAll(first)
        return Effect.fail(error)
      })
    )
    return [...first, ...second]
  })

  return socket.host.toLowerCase() === "localhost"
    ? Effect.retry(bindLoopback(), {
      times: 10,
      while: (error) => socket.port === 0 && error.reason === "AddressInUse"
    })
    : bind(socket.host, socket.port)
}
