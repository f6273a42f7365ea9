/** A client on one connection. */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { monotonicMillis } from "../clock/Monotonic.ts"
import { Codec } from "../Codec.ts"
import { digestAlgorithms } from "../protocol/digest/Digest.ts"
import { commentOf, type HeaderLines } from "../protocol/Encoder.ts"
import { type Connection, Transport, type TransportError } from "../Transport.ts"
import { sendReport, sendResponse } from "./Answers.ts"
import * as Auth from "./Auth.ts"
import type { ClientError } from "./ClientError.ts"
import { Deliveries } from "./Deliveries.ts"
import type { Frame } from "./Frame.ts"
import type { Message } from "./Inbox.ts"
import { type Incoming, TAKE_WITHIN } from "./Incoming.ts"
import { Mailbox } from "./Mailbox.ts"
import { closeMailboxes, type Mailboxes, makeMailboxes } from "./Mailboxes.ts"
import type { AuthOptions, ConnectOptions, RequestOptions, SendOptions } from "./Options.ts"
import { newSessionUri } from "./OwnUri.ts"
import { pathText, pathUris } from "./Path.ts"
import { Receiving } from "./Receiving.ts"
import type { Report } from "./Report.ts"
import { octetsOf, Requests } from "./Requests.ts"
import { Sending } from "./Sending.ts"
import type { Sent } from "./Sent.ts"
import { Transactions } from "./Transactions.ts"
import { headersToUtf8 } from "./Utf8.ts"

/** Default of `responseTimeout` (RFC 4975 §7.2). */
const RESPONSE_TIME = "30 seconds"
/** How long the peer has to read what was sent and to close a connection that was closed here. */
const CLOSE_WITHIN = "30 seconds"

/**
 * An endpoint on one connection.
 *
 * @category models
 * @since 0.1.0
 */
export interface Client {
  /** The client's URI for one session: the local address of the connection, and a random session-id. */
  readonly uri: string
  /** Makes a URI for another session on the same connection. */
  readonly newUri: () => string
  readonly connection: Connection
  /** Asks a relay for a Use-Path URI (RFC 4976 §5.1). Fails with a `ClientError` that has the status if the relay refuses. */
  readonly auth: (options: AuthOptions) => Effect.Effect<Auth.Grant, ClientError>
  /** Sends a request in one piece, and waits for its response, whatever its status. */
  readonly request: (options: RequestOptions) => Effect.Effect<Frame, ClientError>
  /** Sends a request without waiting for a response (a REPORT has none). Gives its transaction id. */
  readonly post: (options: RequestOptions) => Effect.Effect<string, ClientError>
  /**
   * Sends a message in chunks, as fast as the connection and the window allow. With Failure-Report `yes`, it completes when every
   * chunk has its 200, otherwise when all octets are handed to the connection. Fails with `Refused` or `Reported` if the message
   * is refused on the way. On interruption, the chunk under way ends with `#`; between two chunks, an empty one does.
   */
  readonly send: <E = never, R = never>(options: SendOptions<E, R>) => Effect.Effect<Sent, ClientError | E, R>
  /** Sends octets unchanged. */
  readonly sendOctets: (octets: Uint8Array | string) => Effect.Effect<void, ClientError>
  /** Answers a request from `frames` (RFC 4975 §7.2), for a client with `respond: false`. A comment has at most 200 characters. */
  readonly respond: (
    request: Frame,
    status: number,
    options?: { readonly comment?: string | undefined; readonly headers?: HeaderLines | undefined }
  ) => Effect.Effect<void, ClientError>
  /** Sends a REPORT about a SEND from `frames`; `byteRange` as in the header (RFC 4975 §7.1.2). */
  readonly report: (
    send: Frame,
    about: { readonly status: number; readonly comment?: string | undefined; readonly byteRange: string }
  ) => Effect.Effect<void, ClientError>
  /** Whole messages. */
  readonly messages: Mailbox<Message>
  /** Messages as they arrive, with `collect: "stream"`: each as soon as its first chunk does. */
  readonly incoming: Mailbox<Incoming>
  /** REPORTs, including those that `Sent.delivered` waits for. They need not be taken: only the newest are kept. */
  readonly reports: Mailbox<Report>
  /** All frames in the order of their arrival, with `record: true`. */
  readonly frames: Mailbox<Frame>
  /** Stops reading from the connection, until `resume`. */
  readonly pause: Effect.Effect<void>
  readonly resume: Effect.Effect<void>
  /** Completes when the connection has ended, with the reason. */
  readonly closed: Effect.Effect<ClientError>
  /** Closes the connection after what was sent. After 30 seconds it is closed even if the peer has not read all of it. */
  readonly close: Effect.Effect<void>
  /** Closes the connection at once. */
  readonly destroy: Effect.Effect<void>
}

/** Connects. The connection ends with the scope. */
export const connect = Effect.fnUntraced(function*(
  options: ConnectOptions,
  sharedMailboxes?: Mailboxes
): Effect.fn.Return<Client, TransportError, Transport | Codec | Scope.Scope> {
  const transport = yield* Transport
  const codec = yield* Codec
  const clock = yield* Clock.Clock
  const fork = Effect.runForkWith(yield* Effect.context())
  const timeout = Duration.toMillis(Duration.fromInputUnsafe(options.responseTimeout ?? RESPONSE_TIME))
  const closed = yield* Deferred.make<ClientError>()
  const mailboxes = sharedMailboxes ?? (yield* makeMailboxes(options))
  const { incoming, messages, reports, unread } = mailboxes
  const frames = yield* Mailbox.make<Frame>(unread, {
    octets: ({ body, headOctets }) => headOctets + (body?.length ?? 0)
  })
  const transactions = new Transactions()
  const deliveries = new Deliveries()

  let receiving: Receiving | undefined
  const opening = transport.connect(options, (connection) =>
    receiving = new Receiving(connection, options, {
      codec,
      mailboxes,
      frames,
      transactions,
      deliveries,
      defer: transport.defer,
      later: (task) => {
        const fiber = fork(Effect.andThen(Effect.sleep(TAKE_WITHIN * 1000), Effect.sync(task)))
        return () => fiber.interruptUnsafe()
      },
      now: () => monotonicMillis(clock),
      closed: (error) => {
        if (sharedMailboxes === undefined) closeMailboxes(mailboxes, error)
        frames.close(error)
        Deferred.doneUnsafe(closed, Effect.succeed(error))
      }
    }))
  const destroy = Effect.sync(() => receiving?.connection.destroy())
  const close = Effect.sync(() => {
    receiving?.wire.flush()
    receiving?.connection.end()
    // Nothing else would end the connection if the peer does not close it.
    fork(Effect.andThen(Effect.raceFirst(Deferred.await(closed), Effect.sleep(CLOSE_WITHIN)), destroy))
  })
  // Not `acquireRelease`: an interruption after the connection is open, and before it is returned, would leave it open for ever.
  const connection = yield* Effect.uninterruptibleMask((restore) =>
    Effect.onExit(restore(opening), (exit) => Exit.isSuccess(exit) ? Effect.addFinalizer(() => close) : destroy)
  )
  const open = receiving!
  const { wire } = open

  const newUri = () => newSessionUri(options.scheme, connection.local, connection.transport)
  const uri = newUri()
  const parts = { codec, wire, transactions, uri, timeout }
  const requests = new Requests(parts)
  const sending = new Sending({ ...parts, deliveries, maxChunk: connection.messages?.piece ?? Infinity })
  const setPaused = (isPaused: boolean) => Effect.sync(() => open.pause(isPaused))

  return {
    uri,
    newUri,
    connection,
    // Messages left from earlier connections may have reached the bound. They pause reading only after the login: the relay's
    // response could not be read otherwise.
    auth: (options) => Effect.tap(login(requests, uri, options), () => Effect.sync(() => open.hold(unread.full))),
    request: (options) => requests.request(encoded(options)),
    post: (options) => requests.post(encoded(options)),
    send: sending.send,
    sendOctets: (octets) => wire.octets(octetsOf(octets)),
    respond: (request, status, options = {}) =>
      Effect.sync(() => {
        const { comment, headers } = encoded(options)
        sendResponse(parts, request, status, comment, headers)
      }),
    report: (send, about) => Effect.sync(() => sendReport(parts, send, encoded(about))),
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

/** Logs in. `uri` is the From-Path unless options name another one. */
const login = (requests: Requests, uri: string, options: AuthOptions): Effect.Effect<Auth.Grant, ClientError> => {
  const relay = pathText(options.relay)
  const toPath = options.via === undefined ? relay : `${pathText(options.via)} ${relay}`
  return Auth.auth(
    (headers) => requests.request({ method: "AUTH", toPath, fromPath: options.fromPath ?? uri, headers }),
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
}

/** With text as the octet strings that are written (RFC 4975 §9, utf8text). */
const encoded = <A extends { readonly comment?: string | undefined; readonly headers?: HeaderLines | undefined }>(
  text: A
): A => ({
  ...text,
  comment: text.comment && commentOf(text.comment),
  headers: text.headers && headersToUtf8(text.headers)
})
