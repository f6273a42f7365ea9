/**
 * AUTH for this relay (RFC 4976 §5.1, §6.3, §9.1): what it may ask for, and what it is answered. Who the user is, is
 * decided elsewhere and takes time: `ask`, then `grant` and `granted` for a user who is who he says, then `answer`.
 */
import { isLoopback } from "../../net/Hosts.ts"
import type { HeaderLines } from "../../protocol/Encoder.ts"
import type { Head } from "../../protocol/Head.ts"
import { sessionId } from "../../protocol/Ident.ts"
import { authorityKey, formatUri, type MsrpUri, parseUri } from "../../protocol/Uri.ts"
import type { Connection } from "../../transport/Connection.ts"
import type { Closing } from "../Closing.ts"
import type { NewSession, Session, Sessions } from "../Session.ts"
import type { Shared } from "../Shared.ts"
import type { Party } from "./Party.ts"
import { RelayOwner } from "./Peers.ts"
import type { Authenticate } from "./Router.ts"
import { cameBy } from "./Ways.ts"

export interface AuthOptions {
  /** What session URIs are made of, by scheme; the URI that was addressed when there is none. */
  readonly usePath: ReadonlyArray<MsrpUri>
  /** The realm of challenges; the host that the AUTH addresses when absent. */
  readonly realm?: string | undefined
  /** Seconds: granted when the client names none, and the bounds for one that does (RFC 4976 §6.3). */
  readonly expires: number
  readonly minExpires?: number | undefined
  readonly maxExpires?: number | undefined
  /** On which connections AUTH is allowed without TLS (RFC 4976 §9.2). */
  readonly plaintext: "loopback" | "always" | "never"
}

/** Seconds: what a client gets at most when no maximum is set; the largest maximum that can be set. */
const LONGEST_EXPIRES = 365 * 86_400

/** A number with more digits is above every maximum. */
const EXPIRES_DIGITS = 9

/** The hop that an AUTH came in on. */
export interface AuthSource extends Party {
  /** Counts what became of its requests (RFC 4976 §6.1). */
  readonly probation: { refused(): void; challenged(): void; succeeded(): void }
  /** Sends what is written, then closes. */
  finish(reason: Closing): void
  respond(
    to: { readonly transactionId: string; readonly toPath: string; readonly fromPath: string },
    status: number,
    headers: HeaderLines
  ): void
}

/** An AUTH that may ask what it asks. */
export interface Asking {
  readonly hop: AuthSource
  readonly request: Authenticate
  /** Paths and transaction id of its answer. */
  readonly to: { readonly transactionId: string; readonly toPath: string; readonly fromPath: string }
  readonly realm: string
  /** Value of Authorization. */
  readonly authorization: string | undefined
  /** Value of Expires: a number of seconds. */
  readonly expires: string | undefined
  /** Its client is behind another relay, on whose connection it came in. */
  readonly behindRelay: boolean
}

export interface AuthAnswer {
  readonly status: number
  readonly headers?: HeaderLines
  /** The credentials were wrong (RFC 4976 §6.3). */
  readonly failed?: boolean
}

export class Auth {
  readonly #shared: Shared
  readonly #sessions: Sessions
  readonly #options: AuthOptions

  constructor(shared: Shared, sessions: Sessions, options: AuthOptions) {
    this.#shared = shared
    this.#sessions = sessions
    this.#options = options
  }

  /** What it asks for; nothing when it may not, and is answered. */
  ask(hop: AuthSource, head: Head, request: Authenticate): Asking | undefined {
    const { fromPath, toPath, transactionId } = head
    const to = { transactionId, toPath: fromPath, fromPath: toPath }
    const first = request.from[0]!
    const behindRelay = request.from.length > 1
    const authorization = head.headers("Authorization")
    const expires = head.header("Expires")

    if (!this.#allowedOn(hop.connection!)) {
      hop.respond(to, 403, [])
      hop.finish("AUTH without TLS")
    } else if (behindRelay && !hop.isRelay(first)) {
      // Nobody but a relay may stand between a client and this relay (RFC 4976 §6.3).
      hop.respond(to, 403, [])
      hop.probation.refused()
    } else if (behindRelay && first.port === undefined) {
      // A session of a relay that nobody could connect to would be of no use (RFC 4976 §8).
      hop.respond(to, 400, [])
    } else if ((expires !== undefined && !/^\d+$/.test(expires)) || authorization.length > 1) {
      hop.respond(to, 400, [])
      hop.probation.refused()
    } else {
      // Stored secrets are made for a name in lower case; how a client spells the host does not matter (RFC 4975 §6.1).
      const realm = this.#options.realm ?? request.target.host.toLowerCase()
      return { hop, request, to, realm, authorization: authorization[0], expires, behindRelay }
    }
    return undefined
  }

  #allowedOn({ local, secure }: Connection): boolean {
    const { plaintext } = this.#options
    return secure || plaintext === "always" || (plaintext === "loopback" && isLoopback(local.host))
  }

  /** The session to hand out to a user who is who he says, or the answer to one who gets none. */
  grant(asking: Asking, user: { readonly username: string; readonly realm: string }): NewSession | AuthAnswer {
    const { behindRelay, hop, request } = asking
    const expires = this.#interval(asking.expires)
    if (typeof expires !== "number") return expires
    if (hop.gone) return { status: 481 }
    const { limits, turn } = this.#shared
    turn.tick()
    if (hop.sessions.owned(turn.now) >= limits.sessionsPerConnection) return this.#exhausted()
    const { from, own } = request
    const id = sessionId()
    const { host, port, scheme } = this.#options.usePath.find((uri) => uri.scheme === own.scheme) ?? own
    return {
      id,
      uri: parseUri(formatUri({ scheme, host, port, sessionId: id }))!,
      username: user.username,
      realm: user.realm,
      owner: behindRelay ? new RelayOwner(from[0]!.host) : hop,
      expires,
      ownerAuthority: authorityKey(from[0]!)
    }
  }

  /** Seconds to grant, or the answer to an interval out of bounds. */
  #interval(wanted: string | undefined): number | AuthAnswer {
    const { expires, maxExpires, minExpires = 1 } = this.#options
    if (wanted === undefined) return Math.min(Math.max(expires, minExpires), maxExpires ?? Infinity)
    const seconds = wanted.replace(/^0+(?=\d)/, "").length > EXPIRES_DIGITS ? Infinity : Number(wanted)
    if (seconds < minExpires) return { status: 423, headers: [["Min-Expires", String(minExpires)]] }
    if (maxExpires === undefined) return Math.min(seconds, LONGEST_EXPIRES)
    return seconds > maxExpires ? { status: 423, headers: [["Max-Expires", String(maxExpires)]] } : seconds
  }

  #exhausted(): AuthAnswer {
    this.#shared.counters.sessionsRefused++
    return { status: 403 }
  }

  /** The session was made; `undefined`: there are too many. */
  granted(
    { behindRelay, hop, request }: Asking,
    session: Session | undefined,
    { authenticationInfo, expires }: { readonly authenticationInfo: string; readonly expires: number }
  ): AuthAnswer {
    if (session === undefined) return this.#exhausted()
    if (behindRelay) cameBy(session, request.from[0]!, hop)
    else {
      // The connection may have closed while a slower repository worked: its sessions are dead already.
      if (hop.gone) this.#sessions.end(session)
      hop.sessions.owns(session)
    }
    this.#shared.counters.authsGranted++
    this.#shared.observer.granted(hop, session)
    hop.probation.succeeded()
    return {
      status: 200,
      headers: [
        // In the order in which the client will use them: the relays in between, nearest first (RFC 4976 §4.2).
        ["Use-Path", [...request.from.slice(0, -1).toReversed(), session.uri].map(({ text }) => text).join(" ")],
        ["Expires", String(expires)],
        ["Authentication-Info", authenticationInfo]
      ]
    }
  }

  /** Answers, and counts for the connection what it was. */
  answer({ authorization, behindRelay, hop, to }: Asking, { failed, headers = [], status }: AuthAnswer): void {
    hop.respond(to, status, headers)
    // The connection with a relay is not closed for what its clients do (RFC 4976 §6.3).
    if (behindRelay) return
    if (failed === true) hop.authFailed()
    else if (status === 403) hop.probation.refused()
    else if (authorization === undefined) hop.probation.challenged()
  }
}
