/**
 * The connection on which another relay gets REPORTs once the connection that its requests came in on has closed. Its sessions are
 * valid on any of its connections (RFC 4976 §6.3), so a REPORT goes along the From-Path like any request.
 */
import type { Session } from "../Session.ts"
import type { Shared } from "../Shared.ts"
import type { Directory, Wanted } from "./Directory.ts"
import type { Party } from "./Party.ts"
import { isByTcp } from "./Reachability.ts"
import type { RelayOwners } from "./RelayOwners.ts"
import { knownHop, wentBy } from "./SessionHops.ts"

/** What finds and makes connections with other relays. */
interface Links {
  readonly shared: Shared
  readonly directory: Directory
  readonly relays: RelayOwners
}

/** The function finds the connection that leads there when it is called, and dials it if there is none. */
export const reportHopFor = (session: Session, wanted: Wanted, links: Links): () => Party | undefined => () => {
  const { directory, relays, shared } = links
  const { uri } = wanted
  // Another relay is reached by TLS only (RFC 4976 §9.2).
  if (shared.phase === "stopping" || uri.scheme !== "msrps" || !isByTcp(uri)) return undefined
  const known = knownHop(session, uri, "relay")
  const hop = known ?? directory.hopFor(wanted, () => true)
  if ("problem" in hop) return undefined
  relays.leads(hop, session, uri)
  // The next REPORT takes the same connection, also where the directory keeps none because it is for one session only.
  if (known === undefined) wentBy(session, uri, hop, "relay")
  return hop
}
