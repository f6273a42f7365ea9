/** Opens WebSockets on accepted connections: until then Node's HTTP server reads them. */
import * as Effect from "effect/Effect"
import * as Http from "node:http"
import type * as Net from "node:net"
import { codeOf } from "../../net/ErrorCode.ts"
import type { Address } from "../Connection.ts"
import { type Arrived, PendingSockets, type SetUpLimits } from "../PendingSockets.ts"
import { RefusalLog } from "../RefusalLog.ts"
import { type SocketAddresses, sourceOf } from "../SocketAddresses.ts"
import type { TransportCounters, WebSocketRefusal } from "../TransportFacts.ts"
import { type Client, clientOf } from "./Forwarded.ts"
import { decide, type HandshakePolicy, isRefused, type Refused, switching } from "./Handshake.ts"

/** The most octets of a request head. */
export const MAX_HTTP_HEAD = 16_384
/** The most header lines of a request. */
export const MAX_HTTP_LINES = 100

/** The most characters of an origin that are logged. */
const MAX_TOLD = 100

export interface UpgradeLimits extends SetUpLimits {
  /** Whether a page of this origin may connect to this `Host`. */
  readonly admitsOrigin: HandshakePolicy["admitsOrigin"]
  /** Whether an address is a proxy whose headers about its client are believed. */
  readonly trusts: (address: string) => boolean
  /** Answers requests that open no WebSocket, with pages. Without it they get 426. */
  readonly serve?: ((request: Http.IncomingMessage, response: Http.ServerResponse) => void) | undefined
}

interface UpgradesOptions {
  /** The path of the listener. */
  readonly path: string
  /** Called for each handshake, because they may change. */
  readonly limits: () => UpgradeLimits
  readonly counters: TransportCounters
  /** Spreads tasks over turns of the event loop, to keep each turn short. */
  readonly inSlices: (task: () => void) => void
  /** Runs an effect in a fiber of its own. */
  readonly run: (effect: Effect.Effect<void>) => void
  readonly defect: (error: unknown) => void
}

/** Called when a WebSocket is open, with the address of its client. */
type Opened = (client: Client) => void

/** A socket on which no WebSocket is open yet. */
interface Candidate {
  readonly addresses: SocketAddresses
  readonly secure: boolean
  readonly opened: Opened
  readonly done: () => void
  /** Whether a request for a page has come in, and was answered; `over`: no WebSocket can be opened any more, or it is open. */
  state: "silent" | "answering" | "answered" | "over"
  /** Octets that have come with the first head, and behind it: they belong to the WebSocket, or are not read. */
  ahead?: Buffer
}

export class Upgrades {
  /** Does not listen itself: sockets are passed to it by its "connection" event. */
  readonly #server: Http.Server
  readonly #options: UpgradesOptions
  readonly #candidates = new WeakMap<object, Candidate>()
  readonly #pending = new PendingSockets()
  readonly #log = new RefusalLog("webSocket")
  readonly #pages = new RefusalLog("origin")

  constructor(options: UpgradesOptions) {
    this.#options = options
    const server = this.#server = Http.createServer({
      maxHeaderSize: MAX_HTTP_HEAD,
      // `run` limits the time of the handshake, and `keepAliveTimeout` that between requests for pages.
      headersTimeout: 0,
      requestTimeout: 0,
      keepAliveTimeout: 5000
    })
    server.maxHeadersCount = MAX_HTTP_LINES
    server.on("upgrade", (request: Http.IncomingMessage, socket: Net.Socket, head: Buffer) => {
      try {
        this.#upgrade(request, socket, head)
      } catch (error) {
        // Uncaught, it would end the process.
        socket.destroy()
        options.defect(error)
      }
    })
    const answer = (request: Http.IncomingMessage, response: Http.ServerResponse): void => {
      const { socket } = request
      const candidate = this.#candidates.get(socket)
      // Node reads pipelined requests meanwhile, and makes a response for each: a peer could cause thousands in a moment.
      if (candidate === undefined || candidate.state === "answering") return void socket.destroy()
      candidate.state = "answering"
      response.once("close", () => {
        if (candidate.state === "answering") candidate.state = "answered"
      })
      const { serve } = options.limits()
      if (serve !== undefined) return candidate.ahead === undefined ? serve(request, response) : void socket.destroy()
      options.counters.webSocketsRefused[426]++
      options.run(this.#log.tell(candidate.addresses.remote, NO_PAGES))
      response.writeHead(426, { Upgrade: "websocket", Connection: "close", "Content-Type": "text/plain" })
      response.end(`${NO_PAGES}\n`)
    }
    server.on("request", answer)
    // Node would answer these by itself, as many as come.
    server.on("checkExpectation", answer)
    server.on("clientError", (error, socket) => {
      const candidate = this.#take(socket)
      if (!socket.writable || candidate === undefined) return void socket.destroy()
      const { remote } = candidate.addresses
      this.#refuse(socket as Net.Socket, remote, codeOf(error) === "HPE_HEADER_OVERFLOW" ? TOO_LONG : NO_HTTP)
    })
  }

  /**
   * Waits for the request, and calls `opened` when the WebSocket is open; destroys the socket if none is opened. `arrived` is
   * called when the first octets are there to be read.
   */
  run(
    stream: Net.Socket,
    addresses: SocketAddresses,
    secure: boolean,
    opened: Opened,
    arrived?: Arrived
  ): Effect.Effect<void> {
    const limits = this.#options.limits()
    let candidate: Candidate | undefined
    let isOpen = false
    const opening = Effect.callback<void>((resume) => {
      if (stream.destroyed) return resume(Effect.void)
      const closed = (): void => resume(Effect.void)
      stream.once("close", closed)
      const done = (): void => {
        // The listener would keep this closure alive as long as the connection.
        stream.off("close", closed)
        isOpen = true
        resume(Effect.void)
      }
      this.#candidates.set(stream, candidate = { addresses, secure, opened, done, state: "silent" })
      this.#begins(stream, candidate, arrived)
    })
    const late = Effect.suspend(() =>
      candidate?.state === "silent" ? this.#missed(addresses.remote, "timed out") : Effect.void
    )
    return Effect.andThen(
      this.#pending.run(stream, sourceOf(addresses, limits.trusts), limits, opening, late),
      Effect.suspend(() => {
        if (isOpen) return Effect.void
        stream.destroy()
        return this.#pending.isEvicted(stream) ? this.#missed(addresses.remote, "too many") : Effect.void
      })
    )
  }

  /**
   * Passes a socket to Node when the head is there, and no more than that: Node would handle all requests that have come at once, four
   * thousand of which fit into one read, in one turn of the event loop.
   */
  #begins(stream: Net.Socket, candidate: Candidate, arrived: Arrived | undefined, before = NOTHING): void {
    // Node would handle the heads of a thousand sockets in one turn as well.
    stream.once("readable", () => {
      this.#options.inSlices(() => {
        if (stream.destroyed) return
        arrived?.(stream)
        const octets = stream.read() as Buffer | null
        const all = octets === null ? before : Buffer.concat([before, octets])
        const end = all.indexOf(HEAD_END, Math.max(0, before.length - HEAD_END.length))
        if (!mayBegin(all)) {
          this.#take(stream)
          return this.#refuse(stream, candidate.addresses.remote, NO_HTTP)
        }
        if (end < 0 && octets !== null && all.length <= MAX_HTTP_HEAD) {
          return this.#begins(stream, candidate, undefined, all)
        }
        const head = end < 0 ? all : all.subarray(0, end + HEAD_END.length)
        if (head.length < all.length) candidate.ahead = all.subarray(head.length)
        if (head.length > 0) stream.unshift(head)
        this.#server.emit("connection", stream)
        stream.resume()
      })
    })
  }

  /** The candidate of a socket, of which nothing more is expected. */
  #take(socket: object): Candidate | undefined {
    const candidate = this.#candidates.get(socket)
    this.#candidates.delete(socket)
    if (candidate !== undefined) candidate.state = "over"
    return candidate
  }

  #upgrade(request: Http.IncomingMessage, socket: Net.Socket, head: Buffer): void {
    // Behind another request, its answer could be written into the WebSocket.
    const isFirst = this.#candidates.get(socket)?.state === "silent"
    const candidate = this.#take(socket)
    if (candidate === undefined || !isFirst) {
      socket.destroy()
      return
    }
    const { addresses: { hidden, remote }, done, opened, secure } = candidate
    const { limits, path } = this.#options
    const { admitsOrigin, trusts } = limits()
    const peer = { ...remote, secure, hidden }
    const client = clientOf(request.headers, peer, trusts)
    const answer = client === undefined ? CONTRADICTION : decide(request, { admitsOrigin, path })
    if (client === undefined || isRefused(answer)) {
      return this.#refuse(socket, client ?? peer, answer as Refused, request.headers.origin)
    }
    forget(socket)
    socket.pause()
    socket.write(switching(answer))
    if (head.length > 0) socket.unshift(head)
    if (candidate.ahead !== undefined) socket.unshift(candidate.ahead)
    // Synchronously: frames may follow in the same read.
    opened(client)
    done()
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

  /** Counts and logs a socket on which no request has come. */
  #missed(remote: Address, why: WebSocketRefusal & keyof typeof missed): Effect.Effect<void> {
    this.#options.counters.webSocketsRefused[why]++
    return this.#log.tell(remote, missed[why])
  }
}

/** The answer to requests for pages, where none are served. */
const NO_PAGES = "Nothing but WebSockets is served here."

/** Node's parser has failed: often the octets are TLS, because a proxy or client takes the listener for one with TLS. */
const NO_HTTP: Refused = { status: 400, reason: "not HTTP/1.1, or malformed" }
const TOO_LONG: Refused = { status: 400, reason: "its head is too long" }

const missed = { "timed out": "not asked for in time", "too many": "too many are under way" }

/** One of the two headers may be passed on from the client, and which one cannot be known. */
const CONTRADICTION: Refused = { status: 400, reason: "Forwarded and X-Forwarded-For contradict each other" }

const ignore = (): void => {}

const HEAD_END = "\r\n\r\n"
const NOTHING = Buffer.alloc(0)

/** Whether octets may be the beginning of a request. */
const mayBegin = (octets: Buffer): boolean => {
  const text = octets.toString("latin1", 0, MAX_HTTP_HEAD).replace(/^\r\n/, "")
  const end = text.indexOf("\r\n")
  return end < 0 ? /^(?:[A-Z]|\r?$)/.test(text) : /^[A-Z-]+ \S+ HTTP\/1\.[01]$/.test(text.slice(0, end))
}

/**
 * Removes what node:http has left on a socket, which would be kept as long as the connection. A table of listeners from which
 * some were removed takes 800 octets, so the remaining listeners are moved to a new one.
 */
const forget = (socket: Net.Socket): void => {
  // Set if pages were served on the socket before.
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
