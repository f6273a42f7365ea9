/** The hop that requests come in on, as their routes see it. */
import type { MsrpUri } from "../../protocol/Uri.ts"
import type { HopFacts } from "../Observer.ts"
import type { Shared } from "../Shared.ts"
import type { ReadControl } from "./FlowControl.ts"

export interface Source extends HopFacts {
  readonly shared: Shared
  /** Whether its connection is gone. */
  readonly gone: boolean
  /** Whether nothing that is written from now on goes out: the connection is gone, or one side has closed it. */
  readonly shut: boolean
  readonly reading: ReadControl
  /** Counts AUTHs with wrong credentials that came in on it (RFC 4976 §6.3). */
  readonly probation: { authFailed(): void }
  /** Whether its certificate proves that it is the relay named by the URI (RFC 4976 §6.3). */
  isRelay(uri: MsrpUri): boolean
  /** Writes a whole frame made by this relay, unless the connection is gone. */
  control(frame: Buffer): void
  /** Writes a 200 to the previous hop, unless the connection is gone. `between` stands between the two transaction ids. */
  ok(between: Buffer, buf: Buffer, tidStart: number, tidEnd: number): void
}
