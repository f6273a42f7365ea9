/** Connections on which a WebSocket is to be opened: HTTP is read there until it is, by Node's own parser. */
import * as Effect from "effect/Effect"
import * as Http from "node:http"
import type * as Net from "node:net"
import { Crowd } from "../../net/Crowd.ts"
import { networkOf } from "../../net/Network.ts"
import type { Ends } from "../Ends.ts"
import { type Client, clientOf } from "./Forwarded.ts"
import { decide, type HandshakePolicy, isRefused, type Refused, switching } from "./Handshake.ts"

/** Octets, and lines, of the head of a request. */
export const MAX_HTTP_HEAD = 16_384
export const MAX_HTTP_LINES = 100

export interface UpgradeLimits {
  /** Seconds within which a WebSocket must be open. */
  readonly setupTimeout: number
  /** The most that are not yet; the oldest of the address that has most of them goes for a new one. */
  readonly maxHandshakes: number
  /** May a page of this origin connect that asks for this `Host`. */
  readonly admitsOrigin: HandshakePolicy["admitsOrigin"]
  /** Proxies whose word counts about who the client is. */
  readonly trusts: (address: string) => boolean
  /** Answers what is no WebSocket: pages, if there are some. */
  readonly serve?: ((request: Http.IncomingMessage, response: Http.ServerResponse) => void) | undefined
}

export interface UpgradesOptions {
  /** The path of the listener. */
  readonly path: string
  /** Asked for with each handshake, since they may change. */
  readonly limits: () => UpgradeLimits
  /** A handshake was refused, in words of the relay's own. */
  readonly refused?: ((client: Client, reason: string) => void) | undefined
  readonly defect: (error: unknown) => void
}

/** Goes on with a WebSocket that is open. */
export type Opened = (client: Client) => Effect.Effect<void>

interface Waiting {
  readonly ends: Ends
  readonly secure: boolean
  readonly opened: Opened
  readonly done: (rest: Effect.Effect<void>) => void
}

export class Upgrades {
  /** It listens nowhere: sockets are handed to it. */
  readonly #server: Http.Server
  readonly #options: UpgradesOptions
  readonly #waiting = new WeakMap<object, Waiting>()
  readonly #crowd = new Crowd<Net.Socket>(networkOf)

  constructor(options: UpgradesOptions) {
    this.#options = options
    const server = this.#server = Http.createServer({
      maxHeaderSize: MAX_HTTP_HEAD,
      // The time limit is that of the handshake, and of the service of pages below.
      headersTimeout: 0,
      requestTimeout: 0,
      keepAliveTimeout: 5000
    })
    server.maxHeadersCount = MAX_HTTP_LINES
    server.on("upgrade", (request: Http.IncomingMessage, socket: Net.Socket, head: Buffer) => {
      try {
        this.#upgrade(request, socket, head)
      } catch (error) {
        // Nobody else would catch it, and the process would end.
        socket.destroy()
        options.defect(error)
      }
    })
    server.on("request", (request, response) => {
      const { serve } = options.limits()
      if (serve !== undefined) return serve(request, response)
      response.writeHead(426, { Upgrade: "websocket", Connection: "close", "Content-Type": "text/plain" })
      response.end("Nothing but WebSockets is served here.\n")
    })
    server.on("clientError", (_, socket) => {
      if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
      else socket.destroy()
    })
  }

  /** Opens a WebSocket on a connection, and goes on with what `opened` makes of it; the socket is gone if there is none. */
  run(stream: Net.Socket, ends: Ends, secure: boolean, opened: Opened): Effect.Effect<void> {
    const { maxHandshakes, setupTimeout } = this.#options.limits()
    const crowd = this.#crowd
    const { host } = ends.remote
    let rest: Effect.Effect<void> | undefined
    return Effect.callback<void>((resume) => {
      if (stream.destroyed) return resume(Effect.void)
      crowd.add(host, stream)
      if (crowd.size > maxHandshakes) crowd.takeFirst()!.destroy()
      const closed = (): void => resume(Effect.void)
      stream.once("close", closed)
      const done = (next: Effect.Effect<void>): void => {
        // It would hold all of this as long as the connection.
        stream.off("close", closed)
        rest = next
        resume(Effect.void)
      }
      this.#waiting.set(stream, { ends, secure, opened, done })
      this.#server.emit("connection", stream)
      stream.resume()
    }).pipe(
      Effect.timeoutOrElse({ duration: setupTimeout * 1000, orElse: () => Effect.void }),
      Effect.ensuring(Effect.sync(() => crowd.delete(host, stream))),
      Effect.onInterrupt(() => Effect.sync(() => stream.destroy())),
      Effect.andThen(Effect.suspend(() => rest ?? Effect.sync(() => stream.destroy())))
    )
  }

  #upgrade(request: Http.IncomingMessage, socket: Net.Socket, head: Buffer): void {
    const waiting = this.#waiting.get(socket)
    if (waiting === undefined) {
      socket.destroy()
      return
    }
    this.#waiting.delete(socket)
    const { ends: { remote }, opened, secure } = waiting
    const { limits, path, refused } = this.#options
    const { admitsOrigin, trusts } = limits()
    const client = clientOf(request.headers, { ...remote, secure }, trusts)
    const answer = decide(request, { admitsOrigin, path })
    if (isRefused(answer)) {
      refused?.(client, answer.reason)
      socket.end(responseOf(answer))
      return
    }
    forget(socket)
    socket.pause()
    socket.write(switching(answer))
    if (head.length > 0) socket.unshift(head)
    // At once: frames may follow in the same read.
    waiting.done(opened(client))
  }
}

const ignore = (): void => {}

/**
 * What node:http has left on a socket would be kept as long as the connection. Node's table of listeners takes 800 octets once
 * some have been removed from it, so the others move to a new one.
 */
const forget = (socket: Net.Socket): void => {
  // One that has got pages before.
  if ((socket.timeout ?? 0) > 0) socket.setTimeout(0)
  socket.removeAllListeners("timeout")
  socket.removeAllListeners("error")
  const listeners = socket.eventNames().flatMap((name) => socket.rawListeners(name).map((one) => [name, one] as const))
  socket.removeAllListeners()
  for (const [name, listener] of listeners) socket.on(name as string, listener as () => void)
  socket.on("error", ignore)
}

const responseOf = ({ headers = {}, reason, status }: Refused): string => {
  const body = `${reason}\n`
  return [
    `HTTP/1.1 ${status} ${Http.STATUS_CODES[status]}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    "Connection: close",
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "",
    body
  ].join("\r\n")
}
