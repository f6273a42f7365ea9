/** How the peer that a URI names is reached: whether it can be connected to, and which connections may lead to it. */
import { type MsrpUri, sameUri } from "../../protocol/Uri.ts"
import type { Party } from "./Party.ts"

/**
 * Whether its peer is reached by TCP, with or without TLS. Any other transport is that of a browser: a data channel, which ends at
 * a gateway (RFC 8873 §6), or a WebSocket, whose TLS may end at a web server (RFC 7977 §8.1.1).
 */
export const isByTcp = ({ transport }: MsrpUri): boolean => transport.toLowerCase() === "tcp"

/** Whether the host never has an address, or the port says that the peer connects itself (RFC 6761 §6.4, RFC 6135 §4.2.2). */
export const cannotBeReached = ({ host, port }: MsrpUri): boolean => port === 9 || /(^|\.)invalid\.?$/i.test(host)

/** Whether nobody can connect there: no relay is there, and the only way is a connection that the peer itself has made. */
export const onlyConnects = (uri: MsrpUri): boolean => !isByTcp(uri) || cannotBeReached(uri)

/**
 * Whether the URI has no port and needs one. Only an AUTH may leave it out (RFC 4976 §8). A peer that connects itself, as by
 * WebSocket, is not found by its port (RFC 7977 §8.3.2).
 */
export const lacksPort = (uri: MsrpUri): boolean => uri.port === undefined && isByTcp(uri)

/** Whether the URI promises TLS and the connection has none (RFC 4975 §6). */
export const lacksTls = (uri: MsrpUri, { connection }: Party): boolean => uri.scheme === "msrps" && !connection!.secure

/** Whether what is for `next` may take the connection that the peer with this URI has made. */
export const mayTake = (hop: Party, peer: MsrpUri, next: MsrpUri): boolean =>
  hop.open && names(next, peer) && (!isByTcp(next) || !lacksTls(next, hop))

/**
 * Whether `next` is the URI of this peer. Middleboxes rewrite host and port of the path in SDP and not in the requests
 * (RFC 6714), so the same session-id is enough.
 */
const names = (next: MsrpUri, peer: MsrpUri): boolean =>
  sameUri(peer, next) || (peer.sessionId !== undefined && peer.sessionId === next.sessionId)
