/**
 * An MSRP endpoint (RFC 4975) that can be the client of a relay (RFC 4976), for programs and tests. It needs only the
 * `Transport` and `Codec` services, so it runs on real sockets and on the simulated network alike.
 *
 * ```ts
 * const alice = yield* Client.connect({ scheme: "msrps", host: "relay.example.com", port: 2855 })
 * const grant = yield* alice.auth({ relay: "msrps://relay.example.com:2855;tcp", username: "alice", password })
 * // ... tell the peer Client.peerPath(grant, alice.uri), and learn the peer's path
 * yield* alice.send({ toPath: [...grant.usePath, ...path], body: "Hello" })
 * const message = yield* alice.messages.take
 * ```
 */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as Auth from "./client/Auth.ts"
import { ClientError } from "./client/ClientError.ts"
import { type Frame, pathUris } from "./client/Frame.ts"
import { type Collect, Inbox, type Message, type Report } from "./client/Inbox.ts"
import { Mailbox, Unread } from "./client/Mailbox.ts"
import { noResponse } from "./client/Responses.ts"
import * as Sender from "./client/Sender.ts"
import { Wire } from "./client/Wire.ts"
import { Codec } from "./Codec.ts"
import { type DigestAlgorithm, digestAlgorithms } from "./protocol/digest/Digest.ts"
import type { HeaderLines } from "./protocol/Encoder.ts"
import type { FailureReport, Flag } from "./protocol/Head.ts"
import { sessionId, transactionId } from "./protocol/Ident.ts"
import { formatUri, type MsrpUri } from "./protocol/Uri.ts"
import {
  type Connection,
  type ConnectOptions as TransportConnectOptions,
  Transport,
  type TransportError
} from "./Transport.ts"

export type { Grant } from "./client/Auth.ts"
export { ClientError, type ClientErrorReason } from "./client/ClientError.ts"
export type { ByteRange, Frame } from "./client/Frame.ts"
export type { Collect, Message, Report } from "./client/Inbox.ts"
export type { Mailbox } from "./client/Mailbox.ts"
export type { Sent } from "./client/Sender.ts"

/** One URI, several, or the value of a path header. */
export type Path = string | MsrpUri | ReadonlyArray<string | MsrpUri>

export interface ConnectOptions extends TransportConnectOptions {
  /** Answer requests: SENDs as their Failure-Report wants it, unknown methods with 501. Default true. */
  readonly respond?: boolean
  /** Send a success REPORT for a whole message that asks for one. Default true. */
  readonly report?: boolean
  /** Keep a copy of every frame in `frames`, however long its body. For tests. Default false. */
  readonly record?: boolean
  /** Whether a message is kept in memory, or only counted and hashed while it comes. Default: kept. */
  readonly collect?: Collect | ((first: Frame) => Collect)
  /** Octets of a message that is kept, and of what comes before its turn in one that is hashed. Default 32 MiB. */
  readonly maxMessage?: number
  /** Octets of whole messages, REPORTs and frames that were not taken: beyond it reading pauses. Default 64 MiB. */
  readonly maxUnread?: number
  /** How long to wait for a response. Default 30 seconds (RFC 4975 §7.2). */
  readonly responseTimeout?: Duration.Input
}

export interface AuthOptions {
  /** The relay's URI. Its text is what the digest is made with. */
  readonly relay: string | MsrpUri
  /** Use-Path of the relays before it, granted by an AUTH to them (RFC 4976 §5.1). */
  readonly via?: Path
  readonly username: string
  readonly password: string | Redacted.Redacted
  /** Seconds asked for; the relay decides when absent. */
  readonly expires?: number
  /** After a 423, ask once more for the limit that it names (RFC 4976 §4.6). Default false. */
  readonly adjustExpires?: boolean
  /** Algorithms that may be answered; the strongest of those offered is taken. Default: all. */
  readonly algorithms?: ReadonlyArray<DigestAlgorithm>
  /** Whether a grant without rspauth is an error (a wrong one always is). Default `required`. */
  readonly rspauth?: "required" | "optional"
  /** Send the URI in Authorization too, as HTTP does and RFC 4976 does not. Default false. */
  readonly sendUri?: boolean
  /** An earlier grant of this relay: its nonce is used, which saves the challenge. */
  readonly after?: Auth.Grant
  /** Own URI. Default: that of the client. */
  readonly fromPath?: Path
}

export interface RequestOptions {
  readonly method: string
  readonly toPath: Path
  readonly fromPath?: Path
  /** In this order; with a body, Content-Type must be the last. */
  readonly headers?: HeaderLines
  readonly body?: string | Uint8Array
  readonly flag?: Flag
  /** Default: a new one. */
  readonly transactionId?: string
}

export interface SendOptions<E = never, R = never> {
  readonly toPath: Path
  /** Own URI. Default: that of the client. */
  readonly fromPath?: Path
  /** Text goes as UTF-8. Absent: a SEND without a body, as for binding a session or keeping a connection alive. */
  readonly body?: string | Uint8Array | Stream.Stream<Uint8Array, E, R>
  /** Octets of a streamed body, when known: it then stands in Byte-Range as the total. */
  readonly size?: number
  /** Default: a new one. */
  readonly messageId?: string
  /** Default `text/plain` for text, else `application/octet-stream`. */
  readonly contentType?: string
  /** Further headers, written before Content-Type. */
  readonly headers?: HeaderLines
  /** The body's place in a message of which it is only a part; `total: undefined` is `*`. False: no Byte-Range. */
  readonly byteRange?: { readonly start: number; readonly total: number | undefined } | false
  /** Default `yes`. */
  readonly failureReport?: FailureReport
  /** Default false. */
  readonly successReport?: boolean
  /** Octets of body in one chunk; `Infinity` for one chunk that ends early only when others want to send. Default 65,536. */
  readonly chunkSize?: number
  /** Flag of the last chunk. Default `$`. */
  readonly flag?: Flag
  /** Chunks that may wait for their responses at a time. Default 32. */
  readonly window?: number
}

export interface Client {
  /** Own URI for one session: address of the connection and a random session-id. */
  readonly uri: string
  /** A further own URI, for another session on the same connection. */
  readonly newUri: () => string
  readonly connection: Connection
  /** Asks a relay for a Use-Path URI (RFC 4976 §5.1). A refusal is a `ClientError` with the response's status. */
  readonly auth: (options: AuthOptions) => Effect.Effect<Auth.Grant, ClientError>
  /** Sends one request in one piece and waits for its response, whatever its status. */
  readonly request: (options: RequestOptions) => Effect.Effect<Frame, ClientError>
  /** Sends one request without waiting for a response (a REPORT has none); gives its transaction id. */
  readonly post: (options: RequestOptions) => Effect.Effect<string, ClientError>
  /**
   * Sends a message in chunks, as fast as the connection takes it and the window lets it. With Failure-Report `yes` it
   * completes when every chunk has its 200, else when all is handed over. Fails with `Refused` or `Reported` when the
   * message is refused on its way. Interrupted, it ends the chunk under way with `#`.
   */
  readonly send: <E = never, R = never>(options: SendOptions<E, R>) => Effect.Effect<Sender.Sent, ClientError | E, R>
  /** Sends octets as they are. */
  readonly sendOctets: (octets: Uint8Array | string) => Effect.Effect<void, ClientError>
  /** Answers a request from `frames` (RFC 4975 §7.2), for a client with `respond: false`. */
  readonly respond: (
    request: Frame,
    status: number,
    options?: { readonly comment?: string; readonly headers?: HeaderLines }
  ) => Effect.Effect<void>
  /** Sends a REPORT about a SEND from `frames`; `byteRange` as in the header (RFC 4975 §7.1.2). */
  readonly report: (
    send: Frame,
    about: { readonly status: number; readonly comment?: string; readonly byteRange: string }
  ) => Effect.Effect<void>
  /** Whole messages. */
  readonly messages: Mailbox<Message>
  /** REPORTs. */
  readonly reports: Mailbox<Report>
  /** All frames in the order in which they came, with `record: true`. */
  readonly frames: Mailbox<Frame>
  /** Stops reading from the connection, until `resume`. */
  readonly pause: Effect.Effect<void>
  readonly resume: Effect.Effect<void>
  /** Completes when the connection is gone, with the reason. */
  readonly closed: Effect.Effect<ClientError>
  /** Closes after what was sent. */
  readonly close: Effect.Effect<void>
  /** Closes at once. */
  readonly destroy: Effect.Effect<void>
}

/** Connects. The connection ends with the scope. */
export const connect = Effect.fnUntraced(function*(
  options: ConnectOptions
): Effect.fn.Return<Client, TransportError, Transport | Codec | Scope.Scope> {
  const transport = yield* Transport
  const codec = yield* Codec
  const { maxMessage = 33_554_432, maxUnread = 67_108_864, record = false } = options
  const { collect = "body" } = options
  const timeout = Duration.toMillis(Duration.fromInputUnsafe(options.responseTimeout ?? "30 seconds"))
  const closed = yield* Deferred.make<ClientError>()

  let opened: Connection | undefined
  let paused = false
  let full = false
  const read = (): void => {
    if (paused || full) opened?.pause()
    else opened?.resume()
  }
  const unread = new Unread(maxUnread, (isFull) => {
    full = isFull
    read()
  })
  const messages = yield* Mailbox.make<Message>(unread, (message) => message.body?.length ?? 0)
  const reports = yield* Mailbox.make<Report>(unread, () => 0)
  const frames = yield* Mailbox.make<Frame>(unread, (frame) => frame.body?.length ?? 0)

  let why = "the connection is closed"
  const start = (connection: Connection) => {
    opened = connection
    const wire = new Wire(connection, transport.defer)
    const inbox = new Inbox({
      codec,
      wire,
      messages,
      reports,
      frames: record ? frames : undefined,
      respond: options.respond ?? true,
      report: options.report ?? true,
      collect: typeof collect === "function" ? collect : () => collect,
      maxMessage,
      maxUnfinished: Math.max(maxMessage, maxUnread),
      broken: (reason) => {
        why = `framing is lost: ${reason}`
        connection.destroy()
      }
    })
    const decoder = codec.decoder(inbox)
    const receiver = {
      bytes: (chunk: Buffer, last?: boolean) => decoder.push(chunk, last),
      closed: () => {
        const error = new ClientError({ reason: "Closed", message: why })
        decoder.stop()
        wire.close(error)
        inbox.close(error)
        if (!record) frames.close(error)
        Deferred.doneUnsafe(closed, Effect.succeed(error))
      }
    }
    return { connection, wire, inbox, receiver }
  }

  let parts: ReturnType<typeof start> | undefined
  const close = Effect.sync(() => {
    parts?.wire.flush()
    parts?.connection.end()
  })
  const connection = yield* Effect.acquireRelease(
    transport.connect(options, (connection) => {
      parts = start(connection)
      return parts.receiver
    }),
    () => close,
    { interruptible: true }
  )
  const { inbox, wire } = parts!

  const newUri = () =>
    formatUri({
      scheme: options.scheme,
      host: connection.local.host,
      port: connection.local.port,
      sessionId: sessionId(),
      transport: connection.transport
    })
  const uri = newUri()

  const sendOctets = (octets: Uint8Array): Effect.Effect<void, ClientError> =>
    wire.chunk(Effect.gen(function*() {
      for (let at = 0; at < octets.length; at += 65_536) {
        yield* wire.room
        wire.put(octets.subarray(at, at + 65_536))
      }
    }))

  const encode = (id: string, { body, flag, fromPath = uri, headers, method, toPath }: RequestOptions): Buffer =>
    codec.request({
      transactionId: id,
      method,
      toPath: pathText(toPath),
      fromPath: pathText(fromPath),
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body: octetsOf(body) }),
      ...(flag === undefined ? {} : { flag })
    })

  const post = Effect.fnUntraced(function*(request: RequestOptions) {
    const id = request.transactionId ?? transactionId()
    yield* sendOctets(encode(id, request))
    return id
  })

  const request = Effect.fnUntraced(function*(request: RequestOptions) {
    const id = request.transactionId ?? transactionId()
    const response = yield* Deferred.make<Frame, ClientError>()
    inbox.expect(id, {
      response: (frame) => Deferred.doneUnsafe(response, Effect.succeed(frame)),
      lost: (error) => Deferred.doneUnsafe(response, Effect.fail(error))
    })
    return yield* sendOctets(encode(id, request)).pipe(
      Effect.andThen(Effect.timeoutOrElse(Deferred.await(response), { duration: timeout, orElse: () => noResponse })),
      Effect.ensuring(Effect.sync(() => inbox.forget(id)))
    )
  })

  const auth = (options: AuthOptions) => {
    const relay = pathText(options.relay)
    const toPath = options.via === undefined ? relay : `${pathText(options.via)} ${relay}`
    return Auth.auth((headers) => request({ method: "AUTH", toPath, fromPath: options.fromPath ?? uri, headers }), {
      uri: pathUris(relay).at(-1) ?? relay,
      username: options.username,
      password: typeof options.password === "string" ? Redacted.make(options.password) : options.password,
      expires: options.expires,
      adjustExpires: options.adjustExpires ?? false,
      algorithms: options.algorithms ?? digestAlgorithms,
      rspauth: options.rspauth ?? "required",
      sendUri: options.sendUri ?? false,
      after: options.after
    })
  }

  const send = <E, R>(options: SendOptions<E, R>): Effect.Effect<Sender.Sent, ClientError | E, R> => {
    const { body, byteRange, chunkSize = 65_536, fromPath = uri, window = 32 } = options
    const octets = typeof body === "string" ? Buffer.from(body) : body
    const size = octets instanceof Uint8Array ? octets.length : octets === undefined ? 0 : options.size
    return Effect.scoped(Sender.send({ codec, inbox, wire }, {
      toPath: pathText(options.toPath),
      fromPath: pathText(fromPath),
      messageId: options.messageId ?? transactionId(),
      body: octets,
      size,
      contentType: options.contentType ?? (typeof body === "string" ? "text/plain" : "application/octet-stream"),
      headers: options.headers ?? [],
      byteRange: byteRange ?? { start: 1, total: size },
      failureReport: options.failureReport ?? "yes",
      successReport: options.successReport ?? false,
      chunkSize: Math.max(1, chunkSize),
      flag: options.flag ?? "$",
      window: Math.max(1, window),
      timeout
    }))
  }

  const setPaused = (value: boolean) =>
    Effect.sync(() => {
      paused = value
      read()
    })

  return {
    uri,
    newUri,
    connection,
    auth,
    request,
    post,
    send,
    sendOctets: (octets) => sendOctets(octetsOf(octets)),
    respond: (request, status, { comment, headers } = {}) =>
      Effect.sync(() => inbox.respond(request, status, comment, headers)),
    report: (send, about) => Effect.sync(() => inbox.report(send, about)),
    messages,
    reports,
    frames,
    pause: setPaused(true),
    resume: setPaused(false),
    closed: Deferred.await(closed),
    close,
    destroy: Effect.sync(() => connection.destroy())
  }
})

/**
 * The path by which peers reach a client: what stands in its SDP, and in the To-Path of their requests. It is Use-Path
 * in reverse order and the client's own URI (RFC 4976 §5.1).
 */
export const peerPath = (grant: Auth.Grant, uri: string): ReadonlyArray<string> => [
  ...grant.usePath.map(({ text }) => text).toReversed(),
  uri
]

const pathText = (path: Path): string => {
  if (typeof path === "string") return path
  return "text" in path ? path.text : path.map((uri) => typeof uri === "string" ? uri : uri.text).join(" ")
}

const octetsOf = (octets: Uint8Array | string): Uint8Array => typeof octets === "string" ? Buffer.from(octets) : octets
