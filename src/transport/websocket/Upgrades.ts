/** Connections on which a WebSocket is to be opened: HTTP is read there until it is, by Node's own parser. */
import * as Effect from "effect/Effect"
import * as Http from "node:http"
import type * as Net from "node:net"
import { codeOf } from "../../net/ErrorCode.ts"
import type { Address } from "../Connection.ts"
import { type Ends, placeOf } from "../Ends.ts"
import { HandshakeLog } from "../HandshakeLog.ts"
import { InTheMaking } from "../InTheMaking.ts"
import type { TransportCounters, WebSocketRefusal } from "../TransportFacts.ts"
import { type Client, clientOf } from "./Forwarded.ts"
import { decide, type HandshakePolicy, isRefused, type Refused, switching } from "./Handshake.ts"

/** Octets, and lines, of the head of a request. */
export const MAX_HTTP_HEAD = 16_384
export const MAX_HTTP_LINES = 100

/** Characters of an origin in the log. */
const MAX_TOLD = 100

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
  readonly counters: TransportCounters
  /** Runs a task in this turn of the event loop or a later one, with so few others that the turn is short. */
  readonly inSlices: (task: () => void) => void
  /** Runs an effect beside everything else. */
  readonly run: (effect: Effect.Effect<void>) => void
  readonly defect: (error: unknown) => void
}

/** Goes on with a WebSocket that is open. */
export type Opened = (client: Client) => void

interface Waiting {
  readonly ends: Ends
  readonly secure: boolean
  readonly opened: Opened
  readonly done: () => void
}

export class Upgrades {
  /** It listens nowhere: sockets are handed to it. */
  readonly #server: Http.Server
  readonly #options: UpgradesOptions
  readonly #waiting = new WeakMap<object, Waiting>()
  readonly #making = new InTheMaking()
  /** Those that have asked for something. */
  readonly #asked = new WeakSet<object>()
  /** Those whose request is still to be answered. */
  readonly #answering = new WeakSet<object>()
  readonly #log = new HandshakeLog("WebSocket refused")
  readonly #pages = new HandshakeLog("a page may not connect")

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
      const { socket } = request
      // Node reads on meanwhile, and makes an answer for each: of what a stranger sends in a moment, thousands of them.
      if (this.#answering.has(socket)) return void socket.destroy()
      this.#answering.add(socket)
      response.once("close", () => this.#answering.delete(socket))
      const { serve } = options.limits()
      this.#asked.add(socket)
      if (serve !== undefined) return serve(request, response)
      options.counters.webSocketsRefused[426]++
      const waiting = this.#waiting.get(socket)
      if (waiting !== undefined) options.run(this.#log.tell(waiting.ends.remote, NO_PAGES))
      response.writeHead(426, { Upgrade: "websocket", Connection: "close", "Content-Type": "text/plain" })
      response.end(`${NO_PAGES}\n`)
    })
    server.on("clientError", (error, socket) => {
      const waiting = this.#waiting.get(socket)
      if (!socket.writable || waiting === undefined) return void socket.destroy()
      this.#waiting.delete(socket)
      this.#refuse(
        socket as Net.Socket,
        waiting.ends.remote,
        codeOf(error) === "HPE_HEADER_OVERFLOW" ? TOO_LONG : NO_HTTP
      )
    })
  }

  /** Opens a WebSocket on a connection, and goes on with what `opened` makes of it; the socket is gone if there is none. */
  run(stream: Net.Socket, ends: Ends, secure: boolean, opened: Opened): Effect.Effect<void> {
    const { maxHandshakes, setupTimeout, trusts } = this.#options.limits()
    const making = this.#making
    const place = placeOf(ends, trusts)
    let isOpen = false
    return Effect.callback<void>((resume) => {
      if (stream.destroyed) return resume(Effect.void)
      making.add(place, stream, maxHandshakes)
      const closed = (): void => resume(Effect.void)
      stream.once("close", closed)
      const done = (): void => {
        // It would hold all of this as long as the connection.
        stream.off("close", closed)
        isOpen = true
        resume(Effect.void)
      }
      this.#waiting.set(stream, { ends, secure, opened, done })
      // Of a thousand requests that are there at once Node would deal with all in one turn.
      stream.once("readable", () => {
        this.#options.inSlices(() => {
          if (stream.destroyed) return
          this.#server.emit("connection", stream)
          stream.resume()
        })
      })
    }).pipe(
      Effect.timeoutOrElse({
        duration: setupTimeout * 1000,
        orElse: () =>
          Effect.suspend(() => this.#asked.has(stream) ? Effect.void : this.#missed(ends.remote, "timed out"))
      }),
      Effect.ensuring(Effect.sync(() => making.delete(place, stream))),
      Effect.onInterrupt(() => Effect.sync(() => stream.destroy())),
      Effect.andThen(Effect.suspend(() => {
        if (isOpen) return Effect.void
        stream.destroy()
        return making.isEvicted(stream) ? this.#missed(ends.remote, "too many") : Effect.void
      }))
    )
  }

  #upgrade(request: Http.IncomingMessage, socket: Net.Socket, head: Buffer): void {
    const waiting = this.#waiting.get(socket)
    if (waiting === undefined) {
      socket.destroy()
      return
    }
    this.#waiting.delete(socket)
    // What is still to be answered there would be written into the WebSocket.
    if (this.#asked.has(socket)) {
      socket.destroy()
      return
    }
    this.#asked.add(socket)
    const { ends: { remote }, opened, secure } = waiting
    const { limits, path } = this.#options
    const { admitsOrigin, trusts } = limits()
    const peer = { ...remote, secure }
    const client = clientOf(request.headers, peer, trusts)
    const answer = client === undefined ? CONTRADICTION : decide(request, { admitsOrigin, path })
    if (client === undefined || isRefused(answer)) {
      return this.#refuse(socket, client ?? peer, answer as Refused, request.headers.origin)
    }
    forget(socket)
    socket.pause()
    socket.write(switching(answer))
    if (head.length > 0) socket.unshift(head)
    // At once: frames may follow in the same read.
    opened(client)
    waiting.done()
  }

  #refuse(socket: Net.Socket, client: Address, answer: Refused, origin = ""): void {
    const { counters, run } = this.#options
    counters.webSocketsRefused[answer.status]++
    run(
      answer.status === 403
        ? this.#pages.tell(client, `of the origin ${origin.slice(0, MAX_TOLD).replaceAll(/[^ -~]/g, "?")}`)
        : this.#log.tell(client, answer.reason)
    )
    socket.end(responseOf(answer))
  }

  /** No request has come. */
  #missed(remote: Address, why: WebSocketRefusal & keyof typeof missed): Effect.Effect<void> {
    this.#options.counters.webSocketsRefused[why]++
    return this.#log.tell(remote, missed[why])
  }
}

/** What a browser's address line is answered. */
const NO_PAGES = "Nothing but WebSockets is served here."

/** What Node's parser does not read: often TLS, where a proxy or a client takes the listener for one that speaks it. */
const NO_HTTP: Refused = { status: 400, reason: "something else than HTTP/1.1, or not as it should be" }
const TOO_LONG: Refused = { status: 400, reason: "its head is too long" }

const missed = { "timed out": "not asked for in time", "too many": "too many are under way" }

/** What a proxy passes on as its client has it, and what it says itself: whom to believe cannot be known. */
const CONTRADICTION: Refused = { status: 400, reason: "Forwarded and X-Forwarded-For contradict each other" }

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
