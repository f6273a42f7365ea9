/**
 * Where a relay hears of requests that came from it, when the connection is gone on which they did: its sessions are valid on any
 * (RFC 4976 §6.3), so a REPORT goes along From-Path as any request would.
 */
import type { Session } from "../Session.ts"
import type { Shared } from "../Shared.ts"
import type { Directory, Wanted } from "./Directory.ts"
import type { Party } from "./Party.ts"
import type { RelayOwners } from "./RelayOwners.ts"
import { wayTo, wentBy } from "./Ways.ts"

/** What knows the connections with other relays. */
export interface Links {
  readonly shared: Shared
  readonly directory: Directory
  readonly relays: RelayOwners
}

/** Gives the connection that leads there now; it is made if there is none. */
export const returnTo = (session: Session, wanted: Wanted, links: Links): () => Party | undefined => () => {
  const { directory, relays, shared } = links
  const { uri } = wanted
  // Another relay is never reached without TLS (RFC 4976 §9.2).
  if (shared.phase === "stopping" || uri.scheme !== "msrps" || uri.transport.toLowerCase() !== "tcp") return undefined
  const known = wayTo(session, uri, "relay")
  const hop = known ?? directory.hopFor(wanted, () => true)
  if ("problem" in hop) return undefined
  relays.leads(hop, session, uri)
  // What fails next goes there, too, also where the directory has no connection for more than one session.
  if (known === undefined) wentBy(session, uri, hop, "relay")
  return hop
}
