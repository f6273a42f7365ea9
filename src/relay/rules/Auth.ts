/**
 * AUTH for this relay (RFC 4976 §5.1, §6.3, §9.1): which session it is granted, and how it is answered. The authenticator decides
 * asynchronously who the user is: `begin` comes first, then `grant` and `granted` if the credentials were right, then `answer`.
 */
import { chooseAuthorization } from "../../protocol/digest/Authorization.ts"
import { commentOf, encodeResponse, type HeaderLines, type ResponseParts } from "../../protocol/Encoder.ts"
import type { Head } from "../../protocol/Head.ts"
import { sessionId } from "../../protocol/Ident.ts"
import { reasonPhrase } from "../../protocol/Status.ts"
import { authorityKey, canonicalHost, formatUri, parseUri } from "../../protocol/Uri.ts"
import type { Closing } from "../Closing.ts"
import { countRefused } from "../Counters.ts"
import type { NewSession, Session, Sessions } from "../Session.ts"
import type { SessionBook } from "../SessionBook.ts"
import { type GrantedOn, SessionRecord } from "../SessionRecord.ts"
import type { Shared } from "../Shared.ts"
import { type AuthAnswer, DRAINING, type GrantedUser, resultOf } from "./AuthAnswer.ts"
import { type AuthHop, type AuthRequest, type PlaintextAuth, refusalOf } from "./AuthRefusal.ts"
import type { Authenticate } from "./Decision.ts"
import { usePathOf, type UsePathUri } from "./OwnUris.ts"
import { RelayOwner, type RelayOwners } from "./RelayOwners.ts"
import { cameBy } from "./SessionHops.ts"

export interface AuthOptions {
  /** What session URIs are made of, by domain and scheme; where none matches, the URI that the AUTH addresses. */
  readonly usePath: ReadonlyArray<UsePathUri>
  /** The realm of challenges. Default: the host of the relay's URI that the AUTH addresses. */
  readonly realm?: string | undefined
  /** Seconds: granted when the AUTH has no Expires, and the bounds of an Expires (RFC 4976 §6.3). */
  readonly expires: number
  readonly minExpires?: number | undefined
  readonly maxExpires?: number | undefined
  /** Seconds: an upper bound besides `maxExpires` for clients behind other relays, whose sessions outlive a connection. */
  readonly relayMaxExpires?: number | undefined
  /** Where AUTH is allowed without TLS (RFC 4976 §9.2). */
  readonly plaintext: PlaintextAuth
}

/** Seconds: the maximum where none is set, and the largest that can be set. */
const LONGEST_EXPIRES = 365 * 86_400

const grantedOn = ({ connection, number }: AuthSource): GrantedOn => {
  const { inbound, remote, secure, socket, transport } = connection!
  return { number, remote, secure, transport, socket: inbound ? socket : undefined }
}

/** A number of seconds with more digits is above every maximum. */
const EXPIRES_DIGITS = 9

/** The transaction id and the paths of an answer. */
type AnswerTo = Pick<ResponseParts, "fromPath" | "toPath" | "transactionId">

/** The hop that an AUTH came in on. */
export interface AuthSource extends AuthHop {
  /** Counts the outcome of its requests (RFC 4976 §6.1). */
  readonly probation: { authFailed(): void; refused(): void; challenged(): void; succeeded(): void }
  /** Sends what is written, then closes. */
  finish(reason: Closing): void
}

/** An AUTH whose request is allowed, and which the authenticator has to decide. */
export interface PendingAuth extends AuthRequest {
  readonly hop: AuthSource
  readonly to: AnswerTo
  readonly realm: string
  /** The values of Authorization: usually one; some clients answer each challenge (RFC 8760 §2.4). */
  readonly authorizations: ReadonlyArray<string>
}

export class Auth {
  readonly #shared: Shared
  readonly #sessions: Sessions
  readonly #relays: RelayOwners
  readonly #book: SessionBook
  /** The options now; they may change. */
  options: AuthOptions

  constructor(shared: Shared, sessions: Sessions, relays: RelayOwners, book: SessionBook, options: AuthOptions) {
    this.#shared = shared
    this.#sessions = sessions
    this.#relays = relays
    this.#book = book
    this.options = options
  }

  /** The AUTH to be decided; `undefined` if it is refused, in which case it was answered. */
  begin(hop: AuthSource, head: Head, request: Authenticate): PendingAuth | undefined {
    this.#shared.tracing?.authReceived(hop, head)
    const { fromPath, toPath, transactionId } = head
    const to = { transactionId, toPath: fromPath, fromPath: toPath }
    const authorizations = head.headers("Authorization")
    // Stored secrets depend on the realm, so it is the host as configured and not as the client spells it (RFC 4975 §6.1).
    const realm = this.options.realm ?? canonicalHost(request.own.host)
    const behindRelay = request.from.length > 1
    const pending = { hop, request, to, realm, authorizations, expires: head.header("Expires"), behindRelay }

    const { counters, observer, phase, turn } = this.#shared
    const { plaintext } = this.options
    const refusal = refusalOf(pending, { isServing: phase === "serving", now: turn.now, plaintext })
    if (refusal === undefined) return pending
    const { closing, comment, isUnsuccessful, reason, status } = refusal
    countRefused(counters, status)
    counters.logins.refused++
    observer.loginFailed(hop, { status, username: usernameOf(authorizations), realm, reason })
    this.#respond(hop, { ...to, status, comment: comment ?? reasonPhrase(status), headers: [] })
    if (closing !== undefined) hop.finish(closing)
    if (isUnsuccessful === true) hop.probation.refused()
    return undefined
  }

  /** The session to make for a user whose credentials were right, or the answer if there is none. */
  grant(pending: PendingAuth, user: GrantedUser): NewSession | AuthAnswer {
    const { behindRelay, hop, request } = pending
    if (this.#shared.phase !== "serving") return DRAINING
    const { maxExpires: most = Infinity } = user
    if (most < 1) return { status: 403, attempt: { username: user.username, reason: "its credentials expire now" } }
    const expires = this.#interval(pending, most)
    if (typeof expires !== "number") {
      return { ...expires, attempt: { username: user.username, reason: "Expires out of bounds" } }
    }
    if (hop.gone) return { status: 481, attempt: { username: user.username, reason: "its connection closed" } }
    const { limits, turn } = this.#shared
    turn.tick()
    const { from, named, own } = request
    const relay = behindRelay ? this.#relays.of(from[0]!.host) : undefined
    if (relay !== undefined) this.#relays.linked(relay, hop)
    const hasRoom = relay === undefined
      ? hop.sessions.owned(turn.now) < limits.sessionsPerConnection
      : relay.hasRoom(limits.sessionsPerRelay, turn.now)
    if (!hasRoom) return this.#exhausted(user.username)
    const id = sessionId()
    const { host, port, scheme, transport } = usePathOf(this.options.usePath, own, named)
    return {
      id,
      uri: parseUri(formatUri({ scheme, host, port, transport, sessionId: id }))!,
      username: user.username,
      realm: user.realm,
      owner: relay ?? hop,
      expires,
      ownerAuthority: authorityKey(from[0]!),
      record: new SessionRecord(id, { user: user.username, realm: user.realm }, grantedOn(hop), turn.now)
    }
  }

  /** Seconds to grant, or the answer to an Expires out of bounds. `most`: the bound that the credentials set. */
  #interval({ behindRelay, expires: wanted }: PendingAuth, most: number): number | AuthAnswer {
    const { expires, minExpires = 1, relayMaxExpires = Infinity } = this.options
    const bound = Math.min(this.options.maxExpires ?? Infinity, behindRelay ? relayMaxExpires : Infinity)
    // Credentials that end before the minimum end the session all the same.
    const longest = Math.min(Math.max(bound, minExpires), most)
    const maxExpires = longest === Infinity ? undefined : longest
    if (wanted === undefined) return Math.min(Math.max(expires, minExpires), maxExpires ?? Infinity)
    const seconds = wanted.replace(/^0+(?=\d)/, "").length > EXPIRES_DIGITS ? Infinity : Number(wanted)
    if (seconds < minExpires) return { status: 423, headers: [["Min-Expires", String(minExpires)]] }
    if (maxExpires === undefined) return Math.min(seconds, LONGEST_EXPIRES)
    return seconds > maxExpires ? { status: 423, headers: [["Max-Expires", String(maxExpires)]] } : seconds
  }

  #exhausted(username: string): AuthAnswer {
    this.#shared.counters.sessionsRefused++
    return { status: 403, attempt: { username, reason: "too many sessions" } }
  }

  /** The answer to an AUTH whose session was made; `undefined`: there are too many sessions. */
  granted(
    { hop, request }: PendingAuth,
    session: Session | undefined,
    { authenticationInfo, expires, headers = [], username }: {
      readonly authenticationInfo: string | undefined
      /** Further headers of the 200. */
      readonly headers?: HeaderLines
      readonly expires: number
      readonly username: string
    }
  ): AuthAnswer {
    if (session === undefined) return this.#exhausted(username)
    if (this.#shared.phase !== "serving") {
      this.#sessions.end(session, "the relay stops")
      return DRAINING
    }
    this.#book.granted(session)
    this.#shared.counters.authsGranted++
    this.#shared.observer.granted(session, expires)
    if (session.owner instanceof RelayOwner) {
      cameBy(session, request.from[0]!, hop)
      this.#relays.owns(session.owner, session, request.from[0]!)
    } else {
      // The connection may have closed while the repository worked; its other sessions have ended with it.
      if (hop.gone) this.#sessions.end(session, "its connection closed")
      hop.sessions.owns(session)
      hop.outbound.load.countsFor(() => this.#shared.outputs.ofUser(session))
    }
    this.#shared.tracing?.granted(hop, session)
    hop.probation.succeeded()
    return {
      status: 200,
      headers: [
        // In the order in which the client will use the URIs: the relays in between, nearest first (RFC 4976 §4.2).
        ["Use-Path", [...request.from.slice(0, -1).toReversed(), session.uri].map(({ text }) => text).join(" ")],
        ["Expires", String(expires)],
        ...(authenticationInfo === undefined ? [] : [["Authentication-Info", authenticationInfo] as const]),
        ...headers
      ]
    }
  }

  /** Answers, and counts the outcome for the connection. */
  answer(
    { authorizations, behindRelay, hop, realm, to }: PendingAuth,
    answer: AuthAnswer
  ): void {
    const { attempt, comment, failed, headers = [], status } = answer
    this.#shared.counters.logins[resultOf(answer)]++
    if (status >= 300 && status !== 401) countRefused(this.#shared.counters, status)
    if (failed === true || (status !== 200 && status !== 401)) {
      const { reason = comment ?? reasonPhrase(status), username } = attempt ?? {}
      this.#shared.observer.loginFailed(hop, { status, username, realm, reason })
    }
    const words = comment === undefined ? reasonPhrase(status) : commentOf(comment)
    this.#respond(hop, { ...to, status, comment: words, headers })
    // A relay's connection is not closed because of its clients (RFC 4976 §6.3).
    if (behindRelay) {
      if (failed === true) this.#shared.counters.failedAuths++
      return
    }
    if (failed === true) hop.probation.authFailed()
    else if (status === 401) {
      // A 401 to credentials with an old nonce counts for nothing; neither does an Expires out of bounds (423).
      if (authorizations.length === 0) hop.probation.challenged()
    } else if (status !== 200 && status !== 423) hop.probation.refused()
  }

  #respond(hop: AuthSource, response: ResponseParts): void {
    if (hop.gone) return
    this.#shared.counters.responsesOut[response.status]!++
    hop.control(encodeResponse(response))
  }
}

/** The name that the AUTH claims, for the log. */
const usernameOf = ([first, ...others]: ReadonlyArray<string>): string | undefined => {
  const parsed = first === undefined ? undefined : chooseAuthorization(first, others, () => true)
  return parsed?._tag === "Authorization" ? parsed.authorization.username : undefined
}
