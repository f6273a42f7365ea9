/** What a client that stays online tells of itself: its state, and its current connection. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import type { Grant } from "./Auth.ts"
import { ClientError } from "./ClientError.ts"
import type { Client } from "./Endpoint.ts"
import { closeMailboxes, type Mailboxes } from "./Mailboxes.ts"
import type { OnlineError, OnlineState } from "./OnlineState.ts"

/** States that wait for one subscriber. Beyond it, the oldest are lost. */
const MAX_STATES = 64

/**
 * The current connection of a client that stays online.
 *
 * @category models
 * @since 0.2.0
 */
export interface Current {
  /** For requests of one's own. Peers do not reach the client by its `uri`: their path is the `path` below. */
  readonly client: Client
  /** What the relay answered to the login of this connection, with the Use-Path. */
  readonly grant: Grant
  /** The path by which peers reach the client, with its `uri` at the end. */
  readonly path: ReadonlyArray<string>
}

export class OnlineStatus {
  readonly #uri: string
  readonly #mailboxes: Mailboxes
  readonly #states: PubSub.PubSub<OnlineState>
  readonly #closed = Deferred.makeUnsafe<ClientError>()
  readonly #isOnline = Latch.makeUnsafe(false)
  #state: OnlineState = { _tag: "Connecting" }
  #current: Current | undefined

  /** `uri` ends the path of each connection; `mailboxes` are closed with the client. */
  static readonly make = (uri: string, mailboxes: Mailboxes): Effect.Effect<OnlineStatus> =>
    Effect.flatMap(PubSub.sliding<OnlineState>({ capacity: MAX_STATES, replay: 1 }), (states) => {
      const status = new OnlineStatus(uri, mailboxes, states)
      return Effect.as(status.#set(status.#state), status)
    })

  constructor(uri: string, mailboxes: Mailboxes, states: PubSub.PubSub<OnlineState>) {
    this.#uri = uri
    this.#mailboxes = mailboxes
    this.#states = states
  }

  readonly state: Effect.Effect<OnlineState> = Effect.sync(() => this.#state)

  /** The current state and each that follows; ends after `Closed`. */
  get changes(): Stream.Stream<OnlineState> {
    return Stream.takeUntil(Stream.fromPubSub(this.#states), ({ _tag }) => _tag === "Closed")
  }

  /** Completes when the client is closed, with the reason. */
  get closed(): Effect.Effect<ClientError> {
    return Deferred.await(this.#closed)
  }

  /** The current connection. Waits for one, for at most `duration`. */
  current(duration: Duration.Duration): Effect.Effect<Current, ClientError> {
    return Effect.timeoutOrElse(this.#whenOnline, {
      duration,
      orElse: () => {
        const cause = this.#state._tag === "Offline" ? { cause: this.#state.error } : {}
        return Effect.fail(new ClientError({ reason: "Offline", message: "it was not online in time", ...cause }))
      }
    })
  }

  readonly #whenOnline: Effect.Effect<Current, ClientError> = Effect.suspend(() => {
    if (this.#state._tag === "Closed") return Effect.fail(this.#state.error)
    if (this.#current !== undefined) return Effect.succeed(this.#current)
    return Effect.andThen(this.#isOnline.await, this.#whenOnline)
  })

  /** A login has succeeded, also one on the same connection. */
  granted(client: Client, grant: Grant): Effect.Effect<void> {
    return Effect.flatMap(Clock.currentTimeMillis, (millis) => {
      const path = [...grant.usePath.map(({ text }) => text).toReversed(), this.#uri]
      this.#current = { client, grant, path }
      this.#isOnline.openUnsafe()
      return this.#set({ _tag: "Online", path, grant, expiresAt: DateTime.makeUnsafe(millis + grant.expires * 1000) })
    })
  }

  /** There is no connection, or it begins to end. */
  readonly lost: Effect.Effect<void> = Effect.sync(() => {
    this.#current = undefined
    this.#isOnline.closeUnsafe()
  })

  /** Is offline for this long, and connects again. */
  wait(error: OnlineError, duration: Duration.Duration): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      const millis = yield* Clock.currentTimeMillis
      const retryAt = DateTime.makeUnsafe(millis + Duration.toMillis(duration))
      yield* this.#set({ _tag: "Offline", error, retryAt })
      yield* Effect.sleep(duration)
      yield* this.#set({ _tag: "Connecting" })
    })
  }

  /** Ends for good. Only the first error counts. */
  close(error: ClientError): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (!Deferred.doneUnsafe(this.#closed, Effect.succeed(error))) return Effect.void
      this.#current = undefined
      this.#isOnline.openUnsafe()
      closeMailboxes(this.#mailboxes, error)
      return this.#set({ _tag: "Closed", error })
    })
  }

  #set(state: OnlineState): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.#state = state
      return Effect.asVoid(PubSub.publish(this.#states, state))
    })
  }
}
