/** One connection of a client: what it asks for, sends and receives. */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { monotonicMillis } from "../clock/Monotonic.ts"
import { Codec } from "../Codec.ts"
import { Buffer } from "../platform/Node.ts"
import { digestAlgorithms } from "../protocol/digest/Digest.ts"
import { commentOf, type HeaderLines } from "../protocol/Encoder.ts"
import { transactionId } from "../protocol/Ident.ts"
import { type Connection, Transport, type TransportError } from "../Transport.ts"
import * as Auth from "./Auth.ts"
import { ClientError } from "./ClientError.ts"
import { Deliveries, type Delivery, notAsked } from "./Deliveries.ts"
import type { Frame } from "./Frame.ts"
import { Inbox, type Message } from "./Inbox.ts"
import { Arriving, type Incoming, TAKE_WITHIN } from "./Incoming.ts"
import { Mailbox, Unread } from "./Mailbox.ts"
import type { AuthOptions, ClientOptions, ConnectOptions, RequestOptions, SendOptions } from "./Options.ts"
import { newSessionUri } from "./OwnUri.ts"
import { pathText, pathUris } from "./Path.ts"
import type { Report } from "./Report.ts"
import { noResponse } from "./Responses.ts"
import * as Sender from "./Sender.ts"
import { Sent } from "./Sent.ts"
import { headersToUtf8, toUtf8 } from "./Utf8.ts"
import { PIECE, Wire } from "./Wire.ts"

/** Unless options say otherwise: octets that wait to be taken before reading pauses, those of one message; REPORTs that are kept. */
const MAX_UNREAD = 67_108_864
const MAX_MESSAGE = 33_554_432
const MAX_REPORTS = 65_536
/** Octets of REPORTs that are kept, however few they are: each may have headers of 16 KiB. */
const MAX_REPORT_OCTETS = 67_108_864
/** Octets of memory that a message takes which is handed out while it comes, beside those that are counted for any. */
const ARRIVING = 2048
/** The same of what is sent: octets of body in a chunk, chunks on their way, and how long an answer may take (RFC 4975 §7.2). */
const CHUNK = 65_536
const WINDOW = 32
const RESPONSE_TIME = "30 seconds"
/** How long the other side may take to read what was sent, and to close the connection that was closed here. */
const CLOSE_WITHIN = "30 seconds"

/**
 * An endpoint on one connection.
 *
 * @category models
 * @since 0.1.0
 */
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
   * message is refused on its way. Interrupted, it ends the chunk under way with `#`; between two, an empty one.
   */
  readonly send: <E = never, R = never>(options: SendOptions<E, R>) => Effect.Effect<Sent, ClientError | E, R>
  /** Sends octets as they are. */
  readonly sendOctets: (octets: Uint8Array | string) => Effect.Effect<void, ClientError>
  /** Answers a request from `frames` (RFC 4975 §7.2), for a client with `respond: false`. A comment is text, of 200 characters. */
  readonly respond: (
    request: Frame,
    status: number,
    options?: { readonly comment?: string; readonly headers?: HeaderLines }
  ) => Effect.Effect<void, ClientError>
  /** Sends a REPORT about a SEND from `frames`; `byteRange` as in the header (RFC 4975 §7.1.2). */
  readonly report: (
    send: Frame,
    about: { readonly status: number; readonly comment?: string; readonly byteRange: string }
  ) => Effect.Effect<void, ClientError>
  /** Whole messages. */
  readonly messages: Mailbox<Message>
  /** Messages that come, with `collect: "stream"`: each with its first chunk. */
  readonly incoming: Mailbox<Incoming>
  /** REPORTs, also those that `Sent.delivered` waits for. Nothing stops when they are not taken: the newest are kept. */
  readonly reports: Mailbox<Report>
  /** All frames in the order in which they came, with `record: true`. */
  readonly frames: Mailbox<Frame>
  /** Stops reading from the connection, until `resume`. */
  readonly pause: Effect.Effect<void>
  readonly resume: Effect.Effect<void>
  /** Completes when the connection is gone, with the reason. */
  readonly closed: Effect.Effect<ClientError>
  /** Closes after what was sent, for which the other side has 30 seconds. */
  readonly close: Effect.Effect<void>
  /** Closes at once. */
  readonly destroy: Effect.Effect<void>
}

/** What outlives a connection, where another one is to follow: nobody who waits there sees the end of one. */
export interface Boxes extends Pick<Client, "messages" | "incoming" | "reports"> {
  readonly unread: Unread
}

export const makeBoxes = Effect.fnUntraced(function*(
  { maxReports = MAX_REPORTS, maxUnread = MAX_UNREAD }: ClientOptions
): Effect.fn.Return<Boxes> {
  const unread = new Unread(maxUnread)
  return {
    unread,
    messages: yield* Mailbox.make<Message>(unread, {
      octets: ({ body, first }) => first.headOctets + (body?.length ?? 0)
    }),
    incoming: yield* Mailbox.make<Incoming>(unread, {
      octets: ({ first }) => ARRIVING + first.headOctets,
      taken: (incoming) => incoming instanceof Arriving && incoming.handedOut()
    }),
    reports: yield* Mailbox.newest<Report>(
      { count: maxReports, octets: MAX_REPORT_OCTETS },
      { octets: ({ frame }) => frame.headOctets }
    )
  }
})

export const closeBoxes = ({ incoming, messages, reports }: Omit<Boxes, "unread">, error: ClientError): void => {
  messages.close(error)
  incoming.close(error)
  reports.close(error)
}

/** Connects. The connection ends with the scope. */
export const connect = Effect.fnUntraced(function*(
  options: ConnectOptions,
  boxes?: Boxes
): Effect.fn.Return<Client, TransportError, Transport | Codec | Scope.Scope> {
  const transport = yield* Transport
  const codec = yield* Codec
  const clock = yield* Clock.Clock
  const { maxMessage = MAX_MESSAGE, maxUnread = MAX_UNREAD, record = false } = options
  const { collect = "body" } = options
  const timeout = Duration.toMillis(Duration.fromInputUnsafe(options.responseTimeout ?? RESPONSE_TIME))
  const closed = yield* Deferred.make<ClientError>()

  let opened: Connection | undefined
  let paused = false
  let full = false
  const read = (): void => {
    if (paused || full) opened?.pause()
    else opened?.resume()
  }
  const { incoming, messages, reports, unread } = boxes ?? (yield* makeBoxes(options))
  const hold = (isFull: boolean): void => {
    full = isFull
    read()
  }
  const deliveries = new Deliveries()
  const fork = Effect.runForkWith(yield* Effect.context())
  const later = (task: () => void) => {
    const fiber = fork(Effect.delay(Effect.sync(task), Duration.seconds(TAKE_WITHIN)))
    return () => fiber.interruptUnsafe()
  }
  const frames = yield* Mailbox.make<Frame>(unread, {
    octets: ({ body, headOctets }) => headOctets + (body?.length ?? 0)
  })

  let why = "the connection is closed"
  const start = (connection: Connection) => {
    opened = connection
    const untold = unread.tell(hold)
    const wire = new Wire(connection, transport.defer)
    const inbox = new Inbox({
      codec,
      wire,
      messages,
      incoming,
      reports,
      deliveries,
      unread,
      later,
      frames: record ? frames : undefined,
      respond: options.respond ?? true,
      report: options.report ?? true,
      collect: typeof collect === "function" ? collect : () => collect,
      maxMessage,
      unfinished: { limit: Math.max(maxMessage, maxUnread), now: () => monotonicMillis(clock) },
      broken: (reason) => {
        why = `framing is lost: ${reason}`
        connection.destroy()
      }
    })
    const decoder = codec.decoder(inbox)
    const receiver = {
      bytes: (chunk: Buffer, last?: boolean) => decoder.push(chunk, last),
      closed: (failure?: string) => {
        const message = failure === undefined ? why : `${why} (${failure})`
        const error = new ClientError({ reason: "Closed", message })
        decoder.stop()
        untold()
        wire.close(error)
        inbox.close(error)
        if (boxes === undefined) closeBoxes({ messages, incoming, reports }, error)
        frames.close(error)
        Deferred.doneUnsafe(closed, Effect.succeed(error))
      }
    }
    return { connection, wire, inbox, receiver }
  }

  let parts: ReturnType<typeof start> | undefined
  const destroy = Effect.sync(() => parts?.connection.destroy())
  const close = Effect.sync(() => {
    parts?.wire.flush()
    parts?.connection.end()
    // Where the other side does not close, nobody else would.
    fork(Effect.andThen(Effect.raceFirst(Deferred.await(closed), Effect.sleep(CLOSE_WITHIN)), destroy))
  })
  const opening = transport.connect(options, (connection) => {
    parts = start(connection)
    return parts.receiver
  })
  // Not `acquireRelease`: who is interrupted when the connection is open, and not here yet, would leave one that nobody ends.
  const connection = yield* Effect.uninterruptibleMask((restore) =>
    Effect.onExit(restore(opening), (exit) => Exit.isSuccess(exit) ? Effect.addFinalizer(() => close) : destroy)
  )
  const { inbox, wire } = parts!

  const newUri = () => newSessionUri(options.scheme, connection.local, connection.transport)
  const uri = newUri()

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
    yield* wire.octets(encode(id, request))
    return id
  })

  const request = Effect.fnUntraced(function*(request: RequestOptions) {
    const id = request.transactionId ?? transactionId()
    const response = yield* Deferred.make<Frame, ClientError>()
    const octets = encode(id, request)
    const inTime = { duration: timeout, orElse: () => noResponse }
    // One that is longer takes as long as the connection does.
    const sent = octets.length > PIECE ? wire.octets(octets) : Effect.timeoutOrElse(wire.octets(octets), inTime)
    const expected = Effect.sync(() =>
      inbox.expect(id, {
        response: (frame) => Deferred.doneUnsafe(response, Effect.succeed(frame)),
        lost: (error) => Deferred.doneUnsafe(response, Effect.fail(error))
      })
    )
    return yield* Effect.andThen(expected, sent).pipe(
      Effect.andThen(Effect.timeoutOrElse(Deferred.await(response), inTime)),
      Effect.ensuring(Effect.sync(() => inbox.forget(id)))
    )
  })

  const auth = (options: AuthOptions) => {
    const relay = pathText(options.relay)
    const toPath = options.via === undefined ? relay : `${pathText(options.via)} ${relay}`
    const granted = Auth.auth(
      (headers) => request({ method: "AUTH", toPath, fromPath: options.fromPath ?? uri, headers }),
      {
        uri: pathUris(relay).at(-1) ?? relay,
        username: options.username,
        password: typeof options.password === "string" ? Redacted.make(options.password) : options.password,
        expires: options.expires,
        adjustExpires: options.adjustExpires ?? false,
        algorithms: options.algorithms ?? digestAlgorithms,
        rspauth: options.rspauth ?? "required",
        sendUri: options.sendUri ?? false,
        after: options.after
      }
    )
    // What waits from connections before holds up this one when the login is done, which nothing else could be read for.
    return Effect.tap(granted, () => Effect.sync(() => hold(unread.full)))
  }

  const handOver = <E, R>(
    options: SendOptions<E, R>,
    messageId: string
  ): Effect.Effect<Sender.Handed, ClientError | E, R> => {
    const { body, byteRange, chunkSize = CHUNK, fromPath = uri, window = WINDOW } = options
    const octets = typeof body === "string" ? Buffer.from(body) : body
    const size = octets instanceof Uint8Array ? octets.length : octets === undefined ? 0 : streamedSize(options)
    return Effect.scoped(Sender.send({ codec, inbox, wire }, {
      toPath: pathText(options.toPath),
      fromPath: pathText(fromPath),
      messageId,
      body: octets,
      size,
      contentType: toUtf8(
        options.contentType ?? (typeof body === "string" ? "text/plain" : "application/octet-stream")
      ),
      headers: headersToUtf8(options.headers ?? []),
      byteRange: byteRange ?? { start: 1, total: size },
      failureReport: options.failureReport,
      successReport: options.successReport ?? false,
      chunkSize: Math.max(1, Math.min(chunkSize, connection.messages?.piece ?? Infinity)),
      flag: options.flag ?? "$",
      window: Math.max(1, window),
      timeout,
      progress: options.progress
    }))
  }

  const send = <E, R>(options: SendOptions<E, R>): Effect.Effect<Sent, ClientError | E, R> =>
    Effect.suspend(() => {
      const { byteRange, messageId = transactionId(), successReport = false } = options
      if (!successReport) return Effect.map(handOver(options, messageId), (handed) => new Sent(handed, notAsked))
      let delivery: Delivery
      return Effect.suspend(() => {
        delivery = deliveries.expect(messageId, byteRange ? byteRange.start : 1)
        return handOver(options, messageId)
      }).pipe(
        Effect.onExit((exit) =>
          Effect.sync(() => {
            if (Exit.isSuccess(exit)) deliveries.sent(messageId, delivery, exit.value.length)
            else deliveries.forget(messageId, delivery)
          })
        ),
        Effect.map((handed) => new Sent(handed, delivery.outcome))
      )
    })

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
    request: (options) => request(written(options)),
    post: (options) => post(written(options)),
    send,
    sendOctets: (octets) => wire.octets(octetsOf(octets)),
    respond: (request, status, options = {}) =>
      Effect.sync(() => {
        const { comment, headers } = written(options)
        inbox.respond(request, status, comment, headers)
      }),
    report: (send, about) => Effect.sync(() => inbox.report(send, written(about))),
    messages,
    incoming,
    reports,
    frames,
    pause: setPaused(true),
    resume: setPaused(false),
    closed: Deferred.await(closed),
    close,
    destroy
  }
})

/** What is known of a streamed body: it goes to the end of its message, if the flag says that it has it. */
const streamedSize = ({ byteRange, flag = "$", size }: SendOptions<unknown, unknown>): number | undefined => {
  if (size !== undefined || byteRange === undefined || byteRange === false || flag !== "$") return size
  return byteRange.total === undefined ? undefined : byteRange.total + 1 - byteRange.start
}

/** What a program says, as it is written. */
const written = <A extends { readonly comment?: string; readonly headers?: HeaderLines | undefined }>(said: A): A => ({
  ...said,
  ...(said.comment === undefined ? {} : { comment: commentOf(said.comment) }),
  ...(said.headers === undefined ? {} : { headers: headersToUtf8(said.headers) })
})

const octetsOf = (octets: Uint8Array | string): Uint8Array => typeof octets === "string" ? Buffer.from(octets) : octets
