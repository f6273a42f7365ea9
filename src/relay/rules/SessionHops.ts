/**
 * The connections that each session uses to other relays and endpoints. Some relays have one connection for each session, and
 * refuse every other session on it; some endpoints confuse the sessions on one connection. So the requests of a session keep to
 * the connection that they came in or went out on. A peer that shows the same URI on another connection does not change that.
 */
import { sessionKey } from "../../protocol/Ident.ts"
import { authorityKey, type MsrpUri } from "../../protocol/Uri.ts"
import type { Session, SessionHop } from "../Session.ts"
import type { NextHopKind } from "./Directory.ts"
import type { Party } from "./Party.ts"

/** Connections of one session that are remembered; the oldest is forgotten first. */
const MAX_HOPS = 16

/** Octets of a session-id beyond which its hash is kept: it may be as long as a URI, and a session may last a year. */
const MAX_ID = 64

const keyOf = (uri: MsrpUri): string => {
  const { sessionId = "" } = uri
  // "#" cannot occur in a session-id (RFC 4975 §9).
  return `${uri.scheme} ${authorityKey(uri)}/${sessionId.length > MAX_ID ? `#${sessionKey(sessionId)}` : sessionId}`
}

/** Requests of the session came in on this connection, whose peer is the relay that the URI names. An open one is not replaced. */
export const cameBy = (session: Session, uri: MsrpUri, hop: Party): void => {
  const known = session.hops?.get(keyOf(uri))
  if (known?.came !== true || openOf(known, "relay") === undefined) {
    remember(session, uri, { hop: new WeakRef(hop), came: true, relay: true })
  }
}

/** Requests of the session go out on this connection, which was made to a next hop of this kind. */
export const wentBy = (session: Session, uri: MsrpUri, hop: Party, kind: NextHopKind): void => {
  remember(session, uri, { hop: new WeakRef(hop), came: false, relay: kind === "relay" })
}

/**
 * The open connection that leads there, if one is known. A client that logged in at a relay by its bare URI goes on with the
 * session URIs that this relay hands out. That AUTH may have named no port (RFC 4976 §8): then the port of the connection counts.
 * For a `relay` it must have been made to one, because an endpoint is reached with less proof (RFC 4976 §9.2).
 */
export const knownHop = (session: Session, uri: MsrpUri, kind: NextHopKind): Party | undefined => {
  const { hops } = session
  if (hops === undefined) return undefined
  const exact = openOf(hops.get(keyOf(uri)), kind)
  if (exact !== undefined || uri.sessionId === undefined) return exact
  const bare = openOf(hops.get(keyOf({ ...uri, sessionId: undefined })), "relay")
  if (bare !== undefined) return bare
  const found = openOf(hops.get(keyOf({ ...uri, sessionId: undefined, port: undefined })), "relay")
  return found?.connection?.remote.port === uri.port ? found : undefined
}

/** Whether requests of the session were sent on this connection. */
export const hasSentOn = ({ hops }: Session, hop: Party): boolean => {
  for (const one of hops?.values() ?? []) if (!one.came && one.hop.deref() === hop) return true
  return false
}

const remember = (session: Session, uri: MsrpUri, used: SessionHop): void => {
  const hops = session.hops ??= new Map()
  const key = keyOf(uri)
  hops.delete(key)
  hops.set(key, used)
  if (hops.size > MAX_HOPS) hops.delete(hops.keys().next().value ?? "")
}

const openOf = (used: SessionHop | undefined, kind: NextHopKind): Party | undefined => {
  if (used === undefined || (kind === "relay" && !used.relay)) return undefined
  const hop = used.hop.deref() as Party | undefined
  return hop?.open === true ? hop : undefined
}
