/**
 * AUTH for this relay (RFC 4976 §5.1, §6.3, §9.1): who asks is authenticated, then the interval is checked, then a
 * session URI is handed out. Runs as an Effect on its own fiber; the connection is not read meanwhile, so whatever is
 * behind the AUTH is handled after it.
 */
import * as Effect from "effect/Effect"
import * as LogLevel from "effect/LogLevel"
import type { Authenticator } from "../Authenticator.ts"
import type { HeaderLines } from "../protocol/Encoder.ts"
import { sessionId, sessionLabel } from "../protocol/Ident.ts"
import { authorityKey, formatUri, type MsrpUri, parseUri } from "../protocol/Uri.ts"
import type { Hop } from "./Hop.ts"
import { RelayOwner } from "./Peers.ts"
import type { Authenticate, RelayState } from "./RelayState.ts"

export interface AuthOptions {
  /** What session URIs are made of, by scheme; the URI that was addressed when there is none. */
  readonly usePath: ReadonlyArray<MsrpUri>
  /** The realm of challenges; the host that the AUTH addresses when absent. */
  readonly realm?: string | undefined
  /** Seconds: granted when the client names none, and the bounds for one that does (RFC 4976 §6.3). */
  readonly expires: number
  readonly minExpires?: number | undefined
  readonly maxExpires?: number | undefined
  /** Is AUTH allowed on a connection without TLS (RFC 4976 §9.2). */
  readonly plaintext: (hop: Hop) => boolean
}

/** Seconds: what a client gets at most when no maximum is set; the largest maximum that can be set. */
const LONGEST_EXPIRES = 365 * 86_400

/** A number with more digits is above every maximum. */
const EXPIRES_DIGITS = 9

interface Answer {
  readonly status: number
  readonly headers?: HeaderLines
  /** The credentials were wrong (RFC 4976 §6.3). */
  readonly failed?: boolean
}

export const makeAuthenticate = (
  relay: RelayState,
  authenticator: Authenticator["Service"],
  options: AuthOptions,
  run: (effect: Effect.Effect<void>) => void
): RelayState["authenticate"] => {
  const { expires: defaultExpires, maxExpires, minExpires } = options

  /** Seconds to grant, or the answer to an interval out of bounds. */
  const interval = (wanted: string | undefined): number | Answer => {
    if (wanted === undefined) {
      return Math.min(Math.max(defaultExpires, minExpires ?? 1), maxExpires ?? Infinity)
    }
    const seconds = wanted.replace(/^0+(?=\d)/, "").length > EXPIRES_DIGITS ? Infinity : Number(wanted)
    if (seconds < (minExpires ?? 1)) return { status: 423, headers: [["Min-Expires", String(minExpires ?? 1)]] }
    if (maxExpires === undefined) return Math.min(seconds, LONGEST_EXPIRES)
    return seconds > maxExpires ? { status: 423, headers: [["Max-Expires", String(maxExpires)]] } : seconds
  }

  const decide = Effect.fnUntraced(function*(
    hop: Hop,
    { from, own, target }: Authenticate,
    authorization: string | undefined,
    wanted: string | undefined
  ): Effect.fn.Return<Answer> {
    // Stored secrets are made for a name in lower case; how a client spells the host does not matter (RFC 4975 §6.1).
    const realm = options.realm ?? target.host.toLowerCase()
    const behindRelay = from.length > 1
    const source = behindRelay ? undefined : hop.connection?.remote.host
    const decision = yield* authenticator.authenticate({ requestUri: target, authorization, realm, source })
    switch (decision._tag) {
      case "Challenge": {
        const headers = decision.wwwAuthenticate.map((value) => ["WWW-Authenticate", value] as const)
        return { status: 401, headers, failed: decision.failed }
      }
      case "Rejected":
        return { status: decision.status }
      case "Unavailable":
        // The user is not at fault and may come again: a time-out, not counted as a failure.
        relay.stats.undecidedAuths++
        return { status: 408 }
    }
    const granted = interval(wanted)
    if (typeof granted !== "number") return granted
    if (hop.gone) return { status: 481 }
    const now = relay.timers.now()
    for (const session of hop.sessions) if (session.ended || session.expiresAt <= now) hop.sessions.delete(session)
    if (hop.sessions.size >= relay.limits.sessionsPerConnection) {
      relay.stats.sessionsRefused++
      return { status: 403 }
    }
    const id = sessionId()
    const { host, port, scheme } = options.usePath.find((uri) => uri.scheme === own.scheme) ?? own
    const uri = formatUri({ scheme, host, port, sessionId: id })
    const session = yield* relay.sessions.create({
      id,
      uri: parseUri(uri)!,
      username: decision.username,
      realm: decision.realm,
      owner: behindRelay ? new RelayOwner(from[0]!.host) : hop,
      expires: granted,
      ownerAuthority: authorityKey(from[0]!)
    }).pipe(Effect.catchTag("SessionsExhausted", () => Effect.succeed(undefined)))
    if (session === undefined) {
      relay.stats.sessionsRefused++
      return { status: 403 }
    }
    // The connection may have closed while a slower repository worked: its sessions are dead already.
    if (hop.gone && !behindRelay) relay.sessions.end(session)
    if (!behindRelay) hop.sessions.add(session)
    relay.stats.authsGranted++
    if (yield* LogLevel.isEnabled("Debug")) {
      yield* Effect.logDebug("session granted").pipe(
        Effect.annotateLogs({ session: sessionLabel(id), username: decision.username, realm: decision.realm })
      )
    }
    hop.succeeded()
    return {
      status: 200,
      headers: [
        // In the order in which the client will use them: the relays in between, nearest first (RFC 4976 §4.2).
        ["Use-Path", [...from.slice(0, -1).toReversed().map(({ text }) => text), uri].join(" ")],
        ["Expires", String(granted)],
        ["Authentication-Info", decision.authenticationInfo]
      ]
    }
  })

  return (hop, head, request, resume) => {
    const { fromPath, toPath, transactionId } = head
    const paths = { transactionId, toPath: fromPath, fromPath: toPath }
    const answer = (status: number, headers: HeaderLines = []): void => hop.respond(paths, status, headers)

    if (!hop.connection!.secure && !options.plaintext(hop)) {
      answer(403)
      hop.finish("AUTH without TLS")
      return false
    }
    // Nobody but a relay may stand between a client and this relay (RFC 4976 §6.3).
    const behindRelay = request.from.length > 1
    if (behindRelay && !hop.isRelay(request.from[0]!)) {
      answer(403)
      hop.refused()
      return true
    }
    // A session of a relay that nobody could connect to would be of no use (RFC 4976 §8).
    if (behindRelay && request.from[0]!.port === undefined) {
      answer(400)
      return true
    }
    const wanted = head.header("Expires")
    if (wanted !== undefined && !/^\d+$/.test(wanted)) {
      answer(400)
      hop.refused()
      return true
    }
    const authorization = head.headers("Authorization")
    if (authorization.length > 1) {
      answer(400)
      hop.refused()
      return true
    }
    let waiting = false
    let done = false
    run(
      decide(hop, request, authorization[0], wanted).pipe(
        Effect.map(({ failed, headers, status }) => {
          answer(status, headers)
          // The connection with a relay is not closed for what its clients do (RFC 4976 §6.3).
          if (behindRelay) return
          if (failed === true) hop.authFailed()
          else if (status === 403) hop.refused()
          else if (authorization.length === 0) hop.challenged()
        }),
        Effect.catchCause((cause) => Effect.logError("AUTH could not be decided", cause)),
        Effect.ensuring(Effect.sync(() => {
          done = true
          if (!waiting) return
          hop.release()
          resume()
        }))
      )
    )
    if (done) return !hop.gone
    waiting = true
    hop.hold()
    return false
  }
}
