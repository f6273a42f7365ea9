import type { Connection } from "../../transport/Connection.ts"
import type { FrameTrace } from "../FrameTrace.ts"
import type { HopSessions } from "../HopSessions.ts"
import type { Outbound } from "../outbound/Outbound.ts"
import type { HopRoutes } from "../route/HopRoutes.ts"
import type { CountedSource } from "../route/Unanswered.ts"

/** One connection as the rules see it: to a client, a peer or another relay. */
export interface Party extends CountedSource {
  /** `undefined`: it is being dialled. */
  readonly connection: Connection | undefined
  readonly outbound: Outbound
  /** New requests may take it: it is not gone, nor being closed by either side, nor with a relay whose certificate has expired. */
  readonly open: boolean
  /** Where it leads, as the directory knows it; the directory's own. */
  readonly keys: Array<string>
  readonly sessions: HopSessions
  readonly routes: HopRoutes
  /** Is told what passes on it; there only while somebody traces a user of it. */
  readonly trace: FrameTrace | undefined
}
