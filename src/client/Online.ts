/** A client that stays online: it connects again when its connection is lost. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { Codec } from "../Codec.ts"
import type { OptionsError } from "../options/Options.ts"
import type { Transport } from "../Transport.ts"
import { connectByUri } from "./ByUri.ts"
import { ClientError } from "./ClientError.ts"
import type { Message } from "./Inbox.ts"
import type { Incoming } from "./Incoming.ts"
import type { Mailbox } from "./Mailbox.ts"
import { makeMailboxes } from "./Mailboxes.ts"
import { type OnlineOptions, onlineOptions, type OnlineSettings } from "./OnlineOptions.ts"
import type { OnlineError, OnlineState } from "./OnlineState.ts"
import { type Current, OnlineStatus } from "./OnlineStatus.ts"
import { checkMessage, checkOnlineSend, checkReply, checkTo } from "./OptionChecks.ts"
import type { OnlineSendOptions } from "./Options.ts"
import { invalidAddress, newSessionUri } from "./OwnUri.ts"
import { pathText, pathUris } from "./Path.ts"
import type { Report } from "./Report.ts"
import type { Sent } from "./Sent.ts"
import { isFinal, keepUp, type Login } from "./Upkeep.ts"
import { toUtf8 } from "./Utf8.ts"

/**
 * A client that stays online.
 *
 * @category models
 * @since 0.2.0
 */
export interface OnlineShape {
  /** The client's URI for one session. It stays the same on every connection; the path to it does not. */
  readonly uri: string
  /** Makes a URI for another session. Its path is that of `current`, with this URI instead of `uri`. */
  readonly newUri: () => string
  readonly state: Effect.Effect<OnlineState>
  /** The current state and each that follows, for any number of readers; ends after `Closed`. */
  readonly changes: Stream.Stream<OnlineState>
  /**
   * The current connection, for operations that are not offered here. Waits until there is one. Fails with `Offline` after
   * `waitOnline`, and with the error of `closed` if the client is closed.
   */
  readonly current: Effect.Effect<Current, ClientError>
  /**
   * Sends a message, as `Client.send` does, on the `current` connection. Fails with `Closed` if the connection ends before the
   * relay has all of it. It is not sent again, because it may have been delivered.
   */
  readonly send: <E = never, R = never>(
    options: OnlineSendOptions<E, R>
  ) => Effect.Effect<Sent, ClientError | E, R>
  /** Sends a message to the sender of another one, in the same session, even if that arrived on an earlier connection. */
  readonly reply: <E = never, R = never>(
    message: Message | Incoming,
    options: Omit<OnlineSendOptions<E, R>, "to" | "fromPath">
  ) => Effect.Effect<Sent, ClientError | E, R>
  /**
   * Whole messages of all connections. If `maxUnread` octets wait, the connection is not read, so that the login cannot be renewed
   * and the client goes offline.
   */
  readonly messages: Mailbox<Message>
  /** Messages as they arrive, with `collect: "stream"`. Those of a connection that is lost fail with `Closed`. */
  readonly incoming: Mailbox<Incoming>
  /** REPORTs of all connections, the newest that `maxReports` allows. */
  readonly reports: Mailbox<Report>
  /** Completes when the client is closed, with the reason: the relay refuses this user, or the scope is closed. */
  readonly closed: Effect.Effect<ClientError>
}

/**
 * A client that stays online, as a service: `Client.layerOnline`, `Client.layerOnlineConfig`.
 *
 * @category services
 * @since 0.2.0
 */
export class Online extends Context.Service<Online, OnlineShape>()("msrp-relay/Client/Online") {}

const CLOSED = new ClientError({ reason: "Closed", message: "the client was closed" })

/** Stays online until the scope closes. */
export const online = Effect.fnUntraced(function*(
  options: OnlineOptions
): Effect.fn.Return<OnlineShape, OptionsError, Transport | Codec | Scope.Scope> {
  const settings = yield* onlineOptions("Client.online", options)
  const address = invalidAddress()
  const { scheme, transport } = settings.relay
  const newUri = (): string => newSessionUri(scheme, address, transport)
  const uri = newUri()
  const mailboxes = yield* makeMailboxes(options)
  const status = yield* OnlineStatus.make(uri, mailboxes)

  const upkeep = keepUp<OnlineError, Transport | Codec>({
    connect: connectByUri(settings.relay, options, mailboxes),
    login: loginOf(settings, uri),
    lost: (error) => error,
    // The finalizer runs when the connection begins to end, which may take a while: operations then wait for the next one.
    online: (client, grant) => Effect.andThen(Effect.addFinalizer(() => status.lost), status.granted(client, grant)),
    renewed: (client, grant) => status.granted(client, grant),
    offline: (error, _, pause) =>
      Effect.andThen(
        status.lost,
        isForGood(error) ? Effect.fail(error) : Effect.flatMap(pause, (duration) => status.wait(error, duration))
      )
  }, settings)
  yield* Effect.forkScoped(Effect.onExit(upkeep, (exit) => {
    const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
    if (error instanceof ClientError) return status.close(error)
    if (Exit.isSuccess(exit) || !Cause.hasDies(exit.cause)) return status.close(CLOSED)
    const ended = new ClientError({ reason: "Closed", message: "the client has ended by a defect", cause: error })
    return Effect.andThen(Effect.logError("a client does not stay online", exit.cause), status.close(ended))
  }))
  // Runs before the connection ends, so that operations fail at once.
  yield* Effect.addFinalizer(() => status.close(CLOSED))

  const current = status.current(settings.waitOnline)
  return {
    uri,
    newUri,
    state: status.state,
    changes: status.changes,
    current,
    ...sendingOn(current, uri),
    messages: mailboxes.messages,
    incoming: mailboxes.incoming,
    reports: mailboxes.reports,
    closed: status.closed
  }
})

/** Logs in as `uri`, with credentials that are asked for each time. */
const loginOf = (settings: OnlineSettings, uri: string): Effect.Effect<Login<ClientError>, ClientError> =>
  Effect.map(settings.credentials, ({ password, username }): Login<ClientError> => (client, after) =>
    client.auth({
      relay: settings.relay,
      fromPath: uri,
      username,
      password,
      adjustExpires: true,
      ...settings.auth,
      ...(after === undefined ? {} : { after })
    }))

/** Sends on the current connection, from `uri` unless options name another one. */
const sendingOn = (current: OnlineShape["current"], uri: string): Pick<OnlineShape, "send" | "reply"> => {
  /** `operation` and `option` say in errors where the peer's path was given. */
  const handOver = <E, R>(operation: string, option: string, { to, ...options }: OnlineSendOptions<E, R>) =>
    Effect.flatMap(current, ({ client, grant: { usePath } }) => {
      const { contentType = "", fromPath = uri } = options
      const toPath = pathText([...usePath, pathText(to)])
      const paths = { to: toPath, from: pathText(fromPath), contentType: toUtf8(contentType) }
      return Effect.andThen(checkTo(operation, option, paths), client.send({ ...options, fromPath, toPath }))
    })
  return {
    send: (options) => Effect.andThen(checkOnlineSend(options), Effect.suspend(() => handOver("send", "to", options))),
    reply: (message, options) =>
      Effect.flatMap(
        Effect.all([checkMessage(message), checkReply(options), current]),
        ([, , { grant: { usePath } }]) => {
          // The message came by as many relays; its answer goes by those of the current Use-Path.
          const to = pathUris(message.fromPath).slice(usePath.length)
          return handOver("reply", "message.fromPath", { ...options, fromPath: message.toPath, to })
        }
      )
  }
}

/** Whether it is useless to go on: the relay refuses the login, or does not prove that it knows the password. */
const isForGood = (error: OnlineError): boolean =>
  error._tag === "ClientError" &&
  ((error.reason === "Refused" && isFinal(error.status)) || error.reason === "Unproven")
