/** The HTTP server of the admin API, on an address or a Unix socket, with limits on its clients. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import type * as HttpServer from "effect/http/HttpServer"
import { HttpServer as HttpServerService } from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type * as Net from "node:net"
import { wordsOf } from "../net/ErrorCode.ts"
import { makeSlices } from "../transport/Slices.ts"
import type { AdminAddress } from "./Address.ts"
import { IDLE_TIME, MAX_CONNECTIONS, MAX_HEAD, MAX_REQUESTS, REQUEST_TIME, STALL_TIME } from "./Limits.ts"
import { AdminListenError } from "./ListenError.ts"
import { passInPieces } from "./Pieces.ts"
import { clear, follow, ofItsOwner, whyNot } from "./SocketFile.ts"

/** Time for responses that are under way when the server stops. */
const LAST_WORDS = "200 millis"

/** Milliseconds between two checks for requests that take too long. */
const LOOK = 1000

/** Pieces of requests that are parsed in one turn of the event loop. */
export const AT_ONCE = 8

/** Requests that are handled in one turn of the event loop: one takes milliseconds if its answer is long, as that with the metrics. */
const HANDLED_AT_ONCE = 1

/** Makes the server; it does not listen yet. */
export const makeServer = (address: AdminAddress): Server => {
  const server = createServer({
    maxHeaderSize: MAX_HEAD,
    headersTimeout: REQUEST_TIME,
    requestTimeout: REQUEST_TIME,
    keepAliveTimeout: IDLE_TIME,
    connectionsCheckingInterval: LOOK,
    noDelay: true
  })
  server.maxRequestsPerSocket = MAX_REQUESTS
  /** Connections that have sent too many requests. */
  const over = new WeakSet<Net.Socket>()
  inTurns(server, over)
  makesRoom(server)
  const later = makeSlices((task) => void setImmediate(task), () => false, AT_ONCE)
  server.on("connection", (socket) => passInPieces(socket, later, () => over.has(socket)))
  // The timeouts of Node begin with a request, so a new connection without one needs its own.
  server.on("connection", (socket) => socket.setTimeout(REQUEST_TIME))
  server.on("arrived", (_request: IncomingMessage, response: ServerResponse) => {
    // A response with nothing to send, such as a quiet trace, goes on; one that the client does not read is ended.
    const check = (): void => {
      if (response.writableLength > 0) response.destroy()
      else response.socket?.setTimeout(STALL_TIME)
    }
    response.setTimeout(STALL_TIME, check)
  })
  if (address._tag === "Unix") ofItsOwner(server, address.path)
  return server
}

/**
 * Spreads requests over turns of the event loop: a client that pipelines can have many waiting, even without a token. So only one
 * is handled per turn. Those of one connection are handled one after the other, each when the response before has been read,
 * because otherwise the responses for a client that reads none would pile up. Requests of closed connections are dropped. The event
 * `arrived` is emitted at once.
 */
const inTurns = (server: Server, over: WeakSet<Net.Socket>): void => {
  const emit = server.emit.bind(server) as (...all: ReadonlyArray<unknown>) => boolean
  const later = makeSlices((task) => void setImmediate(task), () => false, HANDLED_AT_ONCE)
  /** Requests that wait, by connection, while one of that connection is being handled. */
  const behind = new WeakMap<Net.Socket, Array<() => void>>()
  server.emit = (name: string, ...all: ReadonlyArray<unknown>) => {
    if (name !== "request") return emit(name, ...all)
    const [{ socket }, response] = all as unknown as readonly [IncomingMessage, ServerResponse]
    const deal = (): void =>
      later(() => {
        if (!socket.destroyed) emit(name, ...all)
      })
    const waiting = behind.get(socket)
    if (waiting === undefined) {
      behind.set(socket, [])
      deal()
    } else waiting.push(deal)
    response.once("close", () => {
      const next = behind.get(socket)?.shift()
      if (next !== undefined) return next()
      behind.delete(socket)
      if (over.has(socket)) socket.destroy()
    })
    return emit("arrived", ...all)
  }
  // Node announces the end after `MAX_REQUESTS`, and leaves it to the client: it would answer 503 for ever. A connection with requests
  // that wait is not read any more, and ends with the last answer.
  server.on("dropRequest", ({ socket }: IncomingMessage) => {
    if (!behind.has(socket)) return void socket.destroy()
    over.add(socket)
  })
}

/**
 * Closes a connection when there are too many: the one that has been without a complete request for longest, or else the one
 * that has left its response unread for longest, or else the new one. A client that opens connections, and reads no page for
 * which no token is needed, thus keeps out neither operators nor health checks.
 */
const makesRoom = (server: Server): void => {
  const idle = new Set<Net.Socket>()
  const answered = new Set<Net.Socket>()
  let open = 0
  server.on("connection", (socket) => {
    open++
    const [longest] = idle
    idle.add(socket)
    socket.once("close", () => {
      open--
      idle.delete(socket)
      answered.delete(socket)
    })
    if (open > MAX_CONNECTIONS) (longest ?? [...answered].find(isUnread) ?? socket).destroy()
  })
  server.on("arrived", ({ socket }: IncomingMessage, response: ServerResponse) => {
    idle.delete(socket)
    answered.add(socket)
    response.once("close", () => {
      answered.delete(socket)
      if (!socket.destroyed) idle.add(socket)
    })
  })
}

/** Whether the client has not taken all that was written for it. */
const isUnread = (socket: Net.Socket): boolean => socket.writableLength > 0

const make = Effect.fnUntraced(function*(
  address: AdminAddress
): Effect.fn.Return<HttpServer.HttpServer["Service"], AdminListenError, Scope.Scope> {
  const failed = (reason: string) => new AdminListenError({ address, reason })
  if (address._tag === "Unix") yield* Effect.mapError(clear(address.path), failed)
  const server = makeServer(address)
  const made = yield* NodeHttpServer.make(() => server, {
    ...address._tag === "Unix" ? { path: address.path } : { host: address.host, port: address.port },
    gracefulShutdownTimeout: LAST_WORDS
  }).pipe(Effect.mapError(({ cause }) => failed(reasonOf(cause, address))))
  // Traces and status pages may stay open for hours; stopping the relay does not wait for them.
  yield* Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))
  if (address._tag === "Unix") yield* follow(server, address.path)
  return made
})

const reasonOf = (cause: unknown, address: AdminAddress): string =>
  address._tag === "Unix" ? whyNot(cause, address.path) : wordsOf(cause)

/** A server that listens on this address for as long as the layer lives; fails if it cannot. */
export const layerListener = (address: AdminAddress): Layer.Layer<HttpServer.HttpServer, AdminListenError> =>
  Layer.effect(HttpServerService, make(address))
