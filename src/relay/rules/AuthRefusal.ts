/** Which AUTHs are refused before the authenticator is asked (RFC 4976 §6.3, §9.2). */
import { isLoopback } from "../../net/Hosts.ts"
import type { MsrpUri } from "../../protocol/Uri.ts"
import type { Connection } from "../../transport/Connection.ts"
import type { Closing } from "../Closing.ts"
import { type AuthAnswer, DRAINING } from "./AuthAnswer.ts"
import type { Authenticate } from "./Decision.ts"
import type { Party } from "./Party.ts"
import { lacksPort } from "./Reachability.ts"

/** The hop that an AUTH came in on, as far as a refusal depends on it. */
export interface AuthHop extends Party {
  readonly logins: {
    /** Whether as many of its AUTHs are being decided as may be at a time, of all clients or of the one that the URI names. */
    tooMany(relay: MsrpUri): boolean
  }
  /** Whether it has a valid session, or a route that leads from it or to it. */
  inUse(now: number): boolean
}

/** What an AUTH asks for. */
export interface AuthRequest {
  readonly hop: AuthHop
  readonly request: Authenticate
  /** The value of Expires: digits, in seconds. */
  readonly expires: string | undefined
  /** Whether the client is behind another relay, on whose connection the AUTH came in. */
  readonly behindRelay: boolean
}

/** Where AUTH is allowed without TLS (RFC 4976 §9.2). */
export type PlaintextAuth = "loopback" | "always" | "never"

interface AuthRefusal {
  readonly status: number
  /** In the words of the log. */
  readonly reason: string
  /** The comment of the response, in place of the phrase for its status. */
  readonly comment?: AuthAnswer["comment"]
  /** Why the connection is closed after the response, if it is. */
  readonly closing?: Closing | undefined
  /** Whether it counts as an unsuccessful request of its connection (RFC 4976 §6.1). */
  readonly isUnsuccessful?: boolean
}

const NO_CERTIFICATE = "an AUTH through a peer without a trusted certificate"

/** Why the AUTH is refused; `undefined` if it is allowed. `now` is in milliseconds of the monotonic clock. */
export const refusalOf = (
  { behindRelay, expires, hop, request }: AuthRequest,
  { isServing, now, plaintext }: {
    readonly isServing: boolean
    readonly now: number
    readonly plaintext: PlaintextAuth
  }
): AuthRefusal | undefined => {
  if (!isServing) {
    // A client that does not know the status understands the end of an otherwise unused connection.
    const closing = behindRelay || hop.inUse(now) ? undefined : "the relay drains"
    return { status: DRAINING.status, reason: "the relay drains", comment: DRAINING.comment, closing }
  }
  if (!mayBePlain(hop.connection!, plaintext)) {
    return { status: 403, reason: "AUTH without TLS", closing: "AUTH without TLS" }
  }
  if (behindRelay) {
    const refusal = refusalBehindRelay(hop, request.from[0]!)
    if (refusal !== undefined) return refusal
  }
  // Each request from it or to it would be refused, so it is told before it relies on its session (RFC 4976 §8).
  if (request.from.some(lacksPort)) {
    return { status: 400, reason: "its own URI has no port", comment: "From-Path Without a Port", isUnsuccessful: true }
  }
  return expires === undefined || /^\d+$/.test(expires)
    ? undefined
    : { status: 400, reason: "Expires is no number", isUnsuccessful: true }
}

/** Why an AUTH is refused whose From-Path begins with the URI of another relay; `undefined` if it is allowed. */
const refusalBehindRelay = (hop: AuthHop, relay: MsrpUri): AuthRefusal | undefined => {
  if (!hop.isRelay(relay)) {
    // Only a relay may stand between a client and this relay (RFC 4976 §6.3).
    const named = hop.connection!.peerNames.length > 0
    const reason = named ? "an AUTH through a peer that is not an admitted relay" : NO_CERTIFICATE
    return { status: 403, reason, isUnsuccessful: true }
  }
  // A session behind a relay without a port would be of no use, because nobody could connect to it (RFC 4976 §8).
  if (relay.port === undefined) return { status: 400, reason: "its relay cannot be connected to: a URI without a port" }
  // The client may try again; the messages of others on this connection do not wait.
  return hop.logins.tooMany(relay)
    ? { status: 408, reason: "too many AUTHs of its relay are being decided" }
    : undefined
}

const mayBePlain = ({ hidden, local, remote, secure }: Connection, plaintext: PlaintextAuth): boolean =>
  secure || plaintext === "always" ||
  (plaintext === "loopback" && hidden !== true && isLoopback(local.host) && isLoopback(remote.host))
