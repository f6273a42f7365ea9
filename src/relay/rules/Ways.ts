/**
 * Which connection leads to another relay for a session, where that relay has several. There are relays with a connection
 * for each session, which refuse every other session on it: what goes back takes the connection that it came in on. And
 * there are endpoints that confuse sessions on one connection, and have one for each. Whoever else connects in takes no
 * such way's place, whatever URI he shows.
 */
import { sessionKey } from "../../protocol/Ident.ts"
import { authorityKey, type MsrpUri, sameUri } from "../../protocol/Uri.ts"
import type { Session, SessionWay } from "../Session.ts"
import { cannotBeReached } from "./Directory.ts"
import type { Party } from "./Party.ts"

/** Those of a session that are remembered; the oldest is forgotten first. */
const MAX_WAYS = 16

/** Octets of a session-id that is remembered as it is. One may be as long as a URI, and a session stay for a year. */
const MAX_ID = 64

const keyOf = (uri: MsrpUri): string => {
  const { sessionId = "" } = uri
  // No session-id has that sign in it.
  return `${uri.scheme} ${authorityKey(uri)}/${sessionId.length > MAX_ID ? `#${sessionKey(sessionId)}` : sessionId}`
}

/** Requests of the session came in on this connection, whose peer is the relay that this URI names. The first one stays. */
export const cameBy = (session: Session, uri: MsrpUri, hop: Party): void => {
  const known = session.ways?.get(keyOf(uri))
  if (known?.came !== true || openOf(known, true) === undefined) {
    remember(session, uri, { hop: new WeakRef(hop), came: true, relay: true })
  }
}

/** Requests of the session go out on this connection, unless some have come in on another one. `relay`: it was made to one. */
export const wentBy = (session: Session, uri: MsrpUri, hop: Party, relay: boolean): void => {
  remember(session, uri, { hop: new WeakRef(hop), came: false, relay })
}

/**
 * The connection that leads there, if it is still to be used. Who has logged in at a relay by its bare name goes on there
 * with the URIs that it hands out. An AUTH may have named it without a port (RFC 4976 §8): then it is the one connected to.
 * `relay`: it must have been made to one, since an endpoint is reached with less proof (RFC 4976 §9.2).
 */
export const wayTo = (session: Session, uri: MsrpUri, relay: boolean): Party | undefined => {
  const { ways } = session
  if (ways === undefined) return undefined
  const exact = openOf(ways.get(keyOf(uri)), relay)
  if (exact !== undefined || uri.sessionId === undefined) return exact
  const bare = openOf(ways.get(keyOf({ ...uri, sessionId: undefined })), true)
  if (bare !== undefined) return bare
  const found = openOf(ways.get(keyOf({ ...uri, sessionId: undefined, port: undefined })), true)
  return found?.connection?.remote.port === uri.port ? found : undefined
}

/** Was it this connection that requests of the session were led to. */
export const ledTo = ({ ways }: Session, hop: Party): boolean => {
  for (const way of ways?.values() ?? []) if (!way.came && way.hop.deref() === hop) return true
  return false
}

/** What `msrps` promises to whoever got the URI, a connection without TLS does not keep (RFC 4975 §6). */
export const lacksTls = (uri: MsrpUri, { connection }: Party): boolean => uri.scheme === "msrps" && !connection!.secure

/** May what is for `next` take the connection that the peer has made who has this URI. */
export const mayTake = (hop: Party, peer: MsrpUri, next: MsrpUri): boolean =>
  hop.open && leadsTo(peer, next) && (isOfBrowser(next) || !lacksTls(next, hop))

/** Nobody can connect there, so no relay is there either, and there is no way but the connection that he has made. */
export const onlyConnects = (uri: MsrpUri): boolean => isOfBrowser(uri) || cannotBeReached(uri)

/**
 * It is that of a browser: a data channel, which ends at the gateway whose connection it is (RFC 8873 §6), or a WebSocket, whose
 * TLS may end at a web server (RFC 7977 §8.1.1).
 */
const isOfBrowser = ({ transport }: MsrpUri): boolean => transport.toLowerCase() !== "tcp"

/**
 * Is `next` the URI of the peer that has connected in. Middleboxes rewrite host and port of the path in SDP and not in
 * the requests (RFC 6714), so the same session-id is enough.
 */
const leadsTo = (peer: MsrpUri, next: MsrpUri): boolean =>
  sameUri(peer, next) || (peer.sessionId !== undefined && peer.sessionId === next.sessionId)

const remember = (session: Session, uri: MsrpUri, way: SessionWay): void => {
  const ways = session.ways ??= new Map()
  const key = keyOf(uri)
  ways.delete(key)
  ways.set(key, way)
  if (ways.size > MAX_WAYS) ways.delete(ways.keys().next().value ?? "")
}

const openOf = (way: SessionWay | undefined, relay: boolean): Party | undefined => {
  if (way === undefined || (relay && !way.relay)) return undefined
  const hop = way.hop.deref() as Party | undefined
  return hop?.open === true ? hop : undefined
}
