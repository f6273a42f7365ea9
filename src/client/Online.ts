/** A client that stays online: what comes and goes on one connection after the other. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Codec } from "../Codec.ts"
import type { OptionsError } from "../options/Options.ts"
import type { Transport } from "../Transport.ts"
import type { Grant } from "./Auth.ts"
import { closeBoxes, makeBoxes } from "./Boxes.ts"
import { connectByUri } from "./ByUri.ts"
import { ClientError } from "./ClientError.ts"
import type { Client } from "./Endpoint.ts"
import type { Message } from "./Inbox.ts"
import type { Incoming } from "./Incoming.ts"
import type { Mailbox } from "./Mailbox.ts"
import { type OnlineOptions, onlineOptions } from "./OnlineOptions.ts"
import type { OnlineError, OnlineState } from "./OnlineState.ts"
import { checkMessage, checkOnlineSend, checkReply, checkTo } from "./OptionChecks.ts"
import type { OnlineSendOptions } from "./Options.ts"
import { invalidAddress, newSessionUri } from "./OwnUri.ts"
import { pathText, pathUris } from "./Path.ts"
import type { Report } from "./Report.ts"
import type { Sent } from "./Sent.ts"
import { isFinal, keepUp, type Login } from "./Upkeep.ts"
import { toUtf8 } from "./Utf8.ts"

/** States that wait for one who follows them. He misses the oldest of more. */
const MAX_STATES = 64

/**
 * The connection of now.
 *
 * @category models
 * @since 0.2.0
 */
export interface Current {
  readonly client: Client
  readonly grant: Grant
  /** By which peers reach the client, with its `uri` at the end. */
  readonly path: ReadonlyArray<string>
}

/**
 * A client that stays online.
 *
 * @category models
 * @since 0.2.0
 */
export interface OnlineShape {
  /** Own URI for one session. It stays the same on every connection; the path to it does not. */
  readonly uri: string
  /** A further own URI, for another session. Its path is that of `current`, with this URI in the place of `uri`. */
  readonly newUri: () => string
  readonly state: Effect.Effect<OnlineState>
  /** The state of now and each that follows, for any number of readers; ends after `Closed`. */
  readonly changes: Stream.Stream<OnlineState>
  /**
   * The connection of now, for what is not done here: waits until there is one. Fails with `Offline` after `waitOnline`, and
   * with that of `closed` when there will be none.
   */
  readonly current: Effect.Effect<Current, ClientError>
  /**
   * Sends a message, as `Client.send` does, once `current` is there. Fails with `Closed` when the connection goes before all
   * of it is with the relay: it is not sent again, since nobody knows how far it came.
   */
  readonly send: <E = never, R = never>(
    options: OnlineSendOptions<E, R>
  ) => Effect.Effect<Sent, ClientError | E, R>
  /** The same to the sender of a message, from the session that it came in, also after the connection that it came by. */
  readonly reply: <E = never, R = never>(
    message: Message | Incoming,
    options: Omit<OnlineSendOptions<E, R>, "to" | "fromPath">
  ) => Effect.Effect<Sent, ClientError | E, R>
  /** Whole messages of all connections. Who takes none until `maxUnread` octets wait is not read, and not online for long. */
  readonly messages: Mailbox<Message>
  /** Messages that come, with `collect: "stream"`. Those of a connection that is lost fail with `Closed`. */
  readonly incoming: Mailbox<Incoming>
  readonly reports: Mailbox<Report>
  /** Completes when it is over for good, with the reason: the relay does not let this user in, or the scope is closed. */
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

/** Goes on until the scope closes. */
export const online = Effect.fnUntraced(function*(
  options: OnlineOptions
): Effect.fn.Return<OnlineShape, OptionsError, Transport | Codec | Scope.Scope> {
  const settings = yield* onlineOptions("Client.online", options)
  const states = yield* PubSub.sliding<OnlineState>({ capacity: MAX_STATES, replay: 1 })
  const closed = yield* Deferred.make<ClientError>()
  const isThere = Latch.makeUnsafe(false)
  let state: OnlineState = { _tag: "Connecting" }
  let now: Current | undefined
  const boxes = yield* makeBoxes(options)

  const address = invalidAddress()
  const { scheme, transport } = settings.relay
  const newUri = (): string => newSessionUri(scheme, address, transport)
  const uri = newUri()

  const set = (next: OnlineState): Effect.Effect<void> =>
    Effect.suspend(() => {
      state = next
      return Effect.asVoid(PubSub.publish(states, next))
    })
  const granted = (client: Client, grant: Grant): Effect.Effect<void> =>
    Effect.flatMap(Clock.currentTimeMillis, (millis) => {
      const path = [...grant.usePath.map(({ text }) => text).toReversed(), uri]
      now = { client, grant, path }
      isThere.openUnsafe()
      return set({ _tag: "Online", path, grant, expiresAt: DateTime.makeUnsafe(millis + grant.expires * 1000) })
    })
  const gone = Effect.sync(() => {
    now = undefined
    isThere.closeUnsafe()
  })
  const close = (error: ClientError): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (!Deferred.doneUnsafe(closed, Effect.succeed(error))) return Effect.void
      now = undefined
      isThere.openUnsafe()
      closeBoxes(boxes, error)
      return set({ _tag: "Closed", error })
    })

  const offline = Effect.fnUntraced(function*(
    error: OnlineError,
    _: number,
    pause: Effect.Effect<Duration.Duration>
  ) {
    yield* gone
    if (isForGood(error)) return yield* Effect.fail(error)
    const millis = yield* Clock.currentTimeMillis
    const duration = yield* pause
    yield* set({ _tag: "Offline", error, retryAt: DateTime.makeUnsafe(millis + Duration.toMillis(duration)) })
    yield* Effect.sleep(duration)
    yield* set({ _tag: "Connecting" })
  })

  const login = Effect.map(
    settings.credentials,
    ({ password, username }): Login<ClientError> => (client, after) =>
      client.auth({
        relay: settings.relay,
        fromPath: uri,
        username,
        password,
        adjustExpires: true,
        ...settings.auth,
        ...(after === undefined ? {} : { after })
      })
  )

  const upkeep = keepUp<OnlineError, Transport | Codec>({
    connect: connectByUri(settings.relay, options, boxes),
    login,
    lost: (error) => error,
    // From when its connection begins to end, which may take a while: who sends meanwhile waits for the next one.
    online: (client, grant) => Effect.andThen(Effect.addFinalizer(() => gone), granted(client, grant)),
    renewed: granted,
    offline
  }, settings)

  yield* set(state)
  yield* Effect.forkScoped(Effect.onExit(upkeep, (exit) => {
    const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
    if (error instanceof ClientError) return close(error)
    if (Exit.isSuccess(exit) || !Cause.hasDies(exit.cause)) return close(CLOSED)
    const ended = new ClientError({ reason: "Closed", message: "the client has ended by a defect", cause: error })
    return Effect.andThen(Effect.logError("a client does not stay online", exit.cause), close(ended))
  }))
  // Before the connection: who sends meanwhile hears it at once.
  yield* Effect.addFinalizer(() => close(CLOSED))

  const there: Effect.Effect<Current, ClientError> = Effect.suspend(() => {
    if (state._tag === "Closed") return Effect.fail(state.error)
    return now === undefined ? Effect.andThen(isThere.await, there) : Effect.succeed(now)
  })
  const current = Effect.timeoutOrElse(there, {
    duration: settings.waitOnline,
    orElse: () => {
      const cause = state._tag === "Offline" ? { cause: state.error } : {}
      return Effect.fail(new ClientError({ reason: "Offline", message: "it was not online in time", ...cause }))
    }
  })

  /** `whose` are the options, and `option` what the peer's path was given as. */
  const handOver = <E, R>(whose: string, option: string, { to, ...options }: OnlineSendOptions<E, R>) =>
    Effect.flatMap(current, ({ client, grant: { usePath } }) => {
      const { contentType = "", fromPath = uri } = options
      const toPath = pathText([...usePath, pathText(to)])
      const paths = { to: toPath, from: pathText(fromPath), contentType: toUtf8(contentType) }
      return Effect.andThen(checkTo(whose, option, paths), client.send({ ...options, fromPath, toPath }))
    })

  const send = <E, R>(options: OnlineSendOptions<E, R>): Effect.Effect<Sent, ClientError | E, R> =>
    Effect.andThen(checkOnlineSend(options), Effect.suspend(() => handOver("send", "to", options)))

  const reply: OnlineShape["reply"] = (message, options) =>
    Effect.flatMap(
      Effect.all([checkMessage(message), checkReply(options), current]),
      ([, , { grant: { usePath } }]) => {
        // The relays of now in the place of those that it came by.
        const to = pathUris(message.fromPath).slice(usePath.length)
        return handOver("reply", "message.fromPath", { ...options, fromPath: message.toPath, to })
      }
    )

  return {
    uri,
    newUri,
    state: Effect.sync(() => state),
    changes: Stream.takeUntil(Stream.fromPubSub(states), ({ _tag }) => _tag === "Closed"),
    current,
    send,
    reply,
    messages: boxes.messages,
    incoming: boxes.incoming,
    reports: boxes.reports,
    closed: Deferred.await(closed)
  }
})

/** It is of no use to go on: the relay does not let the user in, or cannot prove that it knows him. */
const isForGood = (error: OnlineError): boolean =>
  error._tag === "ClientError" &&
  ((error.reason === "Refused" && isFinal(error.status)) || error.reason === "Unproven")
