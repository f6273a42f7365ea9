/**
 * Keeps a client online, for programs and pages: it connects, logs in (RFC 4976 §5.1), logs in again before the path expires, and
 * connects again when the connection is lost.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import type { Grant } from "./Auth.ts"
import { ClientError } from "./ClientError.ts"
import type { Client } from "./Endpoint.ts"

/** Milliseconds, for each second of a path's lifetime, after which it is renewed, and in which that is to succeed. */
const RENEW_AT = 800
const RENEW_WITHIN = 200
/** The same, after which a renewal that was refused for now is tried again. */
const RETRY_AFTER = 20
/** Milliseconds that the relay has to close a connection that was closed here. */
const CLOSE_WITHIN = 3000
/** Default bounds of the random pause before a lost connection is made again. */
export const RETRY: Retry = { atLeast: Duration.seconds(0.5), atMost: Duration.seconds(30) }

export interface Retry {
  readonly atLeast: Duration.Duration
  readonly atMost: Duration.Duration
}

/** Whether a login that got this status is useless to repeat with the same password. */
export const isFinal = (status: number | undefined): boolean => status === 401 || status === 403

/** Logs in with known credentials. `after` is the grant that is renewed. */
export type Login<E, R = never> = (client: Client, after?: Grant) => Effect.Effect<Grant, E, R>

/** The steps that differ between programs and pages. */
export interface Upkeep<E, R> {
  /** Connects. The connection ends with the scope. */
  readonly connect: Effect.Effect<Client, E, R | Scope.Scope>
  /** Asks for the credentials of a login. That may take as long as typing a password. */
  readonly login: Effect.Effect<Login<E, R>, E, R>
  /** The error for a connection that was lost. */
  readonly lost: (error: ClientError) => E
  /** Called after the login on a new connection, in the scope of that connection. */
  readonly online: (client: Client, grant: Grant) => Effect.Effect<void, never, R | Scope.Scope>
  /** Called with a new grant on the same connection. */
  readonly renewed: (client: Client, grant: Grant) => Effect.Effect<void>
  /**
   * Called when the client is offline. Completes when the next attempt is due; fails if trying again is useless. `attempts` is 0
   * at the first attempt, and positive after an earlier failure or loss. `pause` gives how long to wait.
   */
  readonly offline: (error: E, attempts: number, pause: Effect.Effect<Duration.Duration>) => Effect.Effect<void, E, R>
}

/** Stays online until it is interrupted. Fails if trying again is useless. */
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
    // Runs after the finalizer of the connection, which closes it: the relay has a moment to read what was sent.
    yield* Effect.addFinalizer(() =>
      Effect.suspend(() =>
        opening
          ? Effect.andThen(Effect.raceFirst(opening.closed, Effect.sleep(CLOSE_WITHIN)), opening.destroy)
          : Effect.void
      )
    )
    let client = opening = yield* upkeep.connect
    const login = yield* upkeep.login
    // A relay closes a connection without a login after a short time.
    if (yield* Effect.raceFirst(client.closed, Effect.undefined)) client = opening = yield* upkeep.connect
    const granted = yield* login(client)
    attempts = 1
    yield* upkeep.online(client, granted)
    const lost = Effect.flip(Effect.map(client.closed, upkeep.lost))
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

/**
 * Renews the path before it expires, for as long as that succeeds. It has a time limit of its own, because an AUTH to a relay that
 * reads nothing waits for ever before it is sent.
 */
const renew = Effect.fnUntraced(function*<E, R>(
  { login, lost, renewed }: Upkeep<E, R>,
  client: Client,
  granted: Grant
): Effect.fn.Return<never, E, R> {
  let grant = granted
  while (true) {
    yield* Effect.sleep(grant.expires * RENEW_AT)
    // With 408 the relay refuses for now. The path is good until it ends, so the connection is not given up before.
    const again: Effect.Effect<Grant, E, R> = Effect.catchIf(
      Effect.flatMap(login, (login) => login(client, grant)),
      (error) => (error as { readonly status?: number }).status === 408,
      () => Effect.andThen(Effect.sleep(grant.expires * RETRY_AFTER), again)
    )
    grant = yield* Effect.timeoutOrElse(again, {
      duration: grant.expires * RENEW_WITHIN,
      orElse: () => Effect.fail(lost(new ClientError({ reason: "Timeout", message: "the path was not renewed" })))
    })
    yield* renewed(client, grant)
  }
})
