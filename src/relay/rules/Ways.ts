/**
 * Which connection leads to another relay for a session, where that relay has several. There are relays with a connection
 * for each session, which refuse every other session on it: what goes back takes the connection that it came in on.
 */
import { authorityKey, type MsrpUri } from "../../protocol/Uri.ts"
import type { Session } from "../Session.ts"
import type { Party } from "./Party.ts"

/** Those of a session that are remembered; the oldest is forgotten first. */
const MAX_WAYS = 16

const keyOf = (uri: MsrpUri): string => `${uri.scheme} ${authorityKey(uri)}/${uri.sessionId ?? ""}`

/** Requests of the session came in on this connection, whose peer is the relay that this URI names. The first one stays. */
export const cameBy = (session: Session, uri: MsrpUri, hop: Party): void => {
  const ways = session.ways ??= new Map()
  const key = keyOf(uri)
  if (isOpen(ways.get(key))) return
  ways.delete(key)
  ways.set(key, hop)
  if (ways.size > MAX_WAYS) ways.delete(ways.keys().next().value ?? "")
}

/** The connection that leads there, if it is still to be used. */
export const wayTo = (session: Session, uri: MsrpUri): Party | undefined => {
  const hop = session.ways?.get(keyOf(uri))
  return isOpen(hop) ? hop : undefined
}

const isOpen = (hop: object | undefined): hop is Party => hop !== undefined && (hop as Party).open
