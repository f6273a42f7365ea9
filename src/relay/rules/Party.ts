/** The connection of a client, a peer or another relay, as the rules see it. */
import type { Connection } from "../../transport/Connection.ts"
import type { FrameTrace } from "../FrameTrace.ts"
import type { HopSessions } from "../HopSessions.ts"
import type { Outbound } from "../outbound/Outbound.ts"
import type { HopRoutes } from "../route/HopRoutes.ts"
import type { CountedSource } from "../route/Unanswered.ts"
import type { Session } from "../Session.ts"

/** One connection as the rules see it: to a client, a peer or another relay. */
export interface Party extends CountedSource {
  /** `undefined` while it is being dialled. */
  readonly connection: Connection | undefined
  readonly outbound: Outbound
  /**
   * Whether new requests may take it: it is not gone, not being closed by either side, and its certificate, if it proved a relay,
   * has not expired.
   */
  readonly open: boolean
  /** The keys under which the `Directory` finds it; only the directory changes them. */
  readonly keys: Array<string>
  readonly sessions: HopSessions
  readonly routes: HopRoutes
  /** Observes its frames while one of its users is traced. */
  readonly trace: FrameTrace | undefined
}

/** The connection of the peer that writes to the owner of this session, if one does. */
export const peerOf = ({ peer }: Session): Party | undefined => peer?.connection as Party | undefined

/** A REPORT makes nobody the peer of a session, so its sender may bring any number of connections that count for no user. */
export const countsForAddress = ({ connection, outbound, shared: { networkOf, outputs } }: Party): void =>
  outbound.load.countsFor(() => outputs.ofAddress(networkOf(connection?.remote.host ?? "")))
