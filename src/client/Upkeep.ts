/**
 * How a client stays online, in a program as in a page: it connects, logs in (RFC 4976 §5.1), logs in again before its path
 * ends, and begins anew when the connection is lost.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import type { Grant } from "./Auth.ts"
import { ClientError } from "./ClientError.ts"
import type { Client } from "./Endpoint.ts"

/** Part of the time that a path is good for, after which it is renewed. */
const RENEW_AT = 0.8
/** Milliseconds to wait for the relay's answer when a connection is closed. */
const CLOSE_WITHIN = 3000
/** How long to wait, at least and at most, before a lost connection is made again; what is between them is random. */
export const RETRY: Retry = { atLeast: Duration.seconds(0.5), atMost: Duration.seconds(30) }

export interface Retry {
  readonly atLeast: Duration.Duration
  readonly atMost: Duration.Duration
}

/** Whether it is of no use to try a login again that was answered so, with the same password. */
export const isFinal = (status: number | undefined): boolean => status === 401 || status === 403

/** A login with credentials that are there. `after` is the grant that is to be followed by another one. */
export type Login<E, R = never> = (client: Client, after?: Grant) => Effect.Effect<Grant, E, R>

/** What is kept up. */
export interface Upkeep<E, R> {
  /** Makes a connection, which ends with the scope. */
  readonly connect: Effect.Effect<Client, E, R | Scope.Scope>
  /** Asks for the credentials of a login, which may take as long as somebody needs to type a password. */
  readonly login: Effect.Effect<Login<E, R>, E, R>
  readonly lost: (error: ClientError) => E
  /** It is logged in on a new connection. The scope is that of the connection. */
  readonly online: (client: Client, grant: Grant) => Effect.Effect<void, never, R | Scope.Scope>
  /** It has a new path on the same connection. */
  readonly renewed: (client: Client, grant: Grant) => Effect.Effect<void>
  /**
   * It is not online, and completes when that is to be tried again; fails when it is of no use. `attempts` that failed
   * before, the loss of a connection being one: 0 if it has not been online yet. `pause` is how long to wait then.
   */
  readonly offline: (error: E, attempts: number, pause: Effect.Effect<Duration.Duration>) => Effect.Effect<void, E, R>
}

/** Stays online until it is interrupted. Fails when it is of no use to go on. */
export const keepUp = Effect.fnUntraced(function*<E, R>(
  upkeep: Upkeep<E, R>,
  retry: Retry = RETRY
): Effect.fn.Return<never, E, R> {
  const atLeast = Duration.toMillis(retry.atLeast)
  const atMost = Duration.toMillis(retry.atMost)
  // The upper bound doubles with each attempt. The pause is random, so that clients of one relay do not return all at once.
  let longest = atLeast
  const pause = Effect.suspend(() => {
    longest = Math.min(atMost, 2 * longest)
    return Effect.map(Random.nextBetween(atLeast, longest), Duration.millis)
  })
  let attempts = 0
  const once = Effect.gen(function*(): Effect.fn.Return<never, E, R | Scope.Scope> {
    let opening: Client | undefined
    // Behind the end of the connection, which the relay has to hear.
    yield* Effect.addFinalizer(() =>
      Effect.suspend(() =>
        opening === undefined
          ? Effect.void
          : Effect.andThen(Effect.raceFirst(opening.closed, Effect.sleep(CLOSE_WITHIN)), opening.destroy)
      )
    )
    let client = opening = yield* upkeep.connect
    const login = yield* upkeep.login
    // No relay keeps a connection for long on which nobody logs in.
    const gone = yield* Effect.raceFirst(client.closed, Effect.undefined)
    if (gone !== undefined) client = opening = yield* upkeep.connect
    const granted = yield* login(client)
    attempts = 1
    yield* upkeep.online(client, granted)
    const lost = Effect.flatMap(client.closed, (error) => Effect.fail(upkeep.lost(error)))
    // Pauses become short again only after a connection that lasted: a relay that accepts logins and drops them is in trouble.
    const steady = Effect.andThen(
      Effect.sleep(atMost),
      Effect.suspend(() => {
        longest = atLeast
        return Effect.never
      })
    )
    return yield* Effect.raceAllFirst([lost, renew(upkeep, client, granted), steady])
  })
  while (true) {
    const error = yield* Effect.flip(Effect.scoped(once)) as Effect.Effect<E, never, R>
    yield* upkeep.offline(error, attempts++, pause)
  }
})

/** Logs in again in time, for as long as that works. A relay that reads nothing lets an AUTH wait before it is sent, for ever. */
const renew = Effect.fnUntraced(function*<E, R>(
  { login, lost, renewed }: Upkeep<E, R>,
  client: Client,
  granted: Grant
): Effect.fn.Return<never, E, R> {
  let grant = granted
  while (true) {
    yield* Effect.sleep(grant.expires * 1000 * RENEW_AT)
    const again = Effect.flatMap(login, (login) => login(client, grant))
    grant = yield* Effect.timeoutOrElse(again, {
      duration: grant.expires * 1000 * (1 - RENEW_AT),
      orElse: () =>
        Effect.fail(lost(new ClientError({ reason: "Timeout", message: "the path was not renewed in time" })))
    })
    yield* renewed(client, grant)
  }
})
