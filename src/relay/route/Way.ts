/** A route, as everything that writes to its target sees it. */
import type { Origin } from "../outbound/Origin.ts"
import type { Outbound } from "../outbound/Outbound.ts"
import type { Window } from "../outbound/Window.ts"
import type { Session } from "../Session.ts"
import type { WaitingUser } from "./FlowControl.ts"
import type { Pace } from "./Pace.ts"

export interface Way {
  readonly target: Outbound
  /** The window of the receiver that is reached through the target. */
  readonly window: Window
  /** The sessions whose URIs it uses. */
  readonly sessions: ReadonlyArray<Session>
  /** Whether its requests come in from another relay. */
  readonly fromRelay: boolean
  /** Whether its requests come from the owner of the first session, not to it. */
  readonly fromOwner: boolean
  /** The pace of its flow, where its requests come in on a connection shared by several users; undefined if there is no bound. */
  readonly flowPace: Pace | undefined
  /** What the relay holds for the user of the first session. */
  readonly user: WaitingUser
  /** The To-Path and From-Path lines of what goes out. */
  readonly lines: Buffer
  /** Octets of its paths, which stay in memory while its flow has anything parked. */
  readonly octets: number
  /** Where the outcome of its requests is reported. */
  readonly wayBack: Origin
  /** Writes a 200 to the previous hop for the request whose transaction id is in `buf` (RFC 4976 §6.4.1). */
  accept(buf: Buffer, tidStart: number, tidEnd: number): void
}
