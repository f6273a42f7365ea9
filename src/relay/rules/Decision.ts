/** What becomes of a request: it is passed on, answered, or goes no further (RFC 4976 §6.2 to §6.4). */
import type { MsrpUri } from "../../protocol/Uri.ts"
import type { Ending } from "../Refused.ts"
import type { Route } from "../route/Route.ts"
import type { Parties } from "../SessionRecord.ts"

export type Decision =
  /** It is passed on. */
  | Route
  /** The path ends at this relay. */
  | Here
  | Authenticate
  | Refuse
  /** Addressed to some other relay: this connection is not MSRP as it should be (RFC 4976 §6.2). */
  | { readonly _tag: "Foreign" }

export interface Here extends Ending {
  readonly _tag: "Here"
}

export interface Refuse extends Ending {
  readonly _tag: "Refuse"
}

/** AUTH for this relay (RFC 4976 §5.1). */
export interface Authenticate {
  readonly _tag: "Authenticate"
  /** The relay's URI that it addresses, as configured, and as it does. */
  readonly own: MsrpUri
  /** What a session URI is made of: others connect by TCP also to who has come by WebSocket (RFC 7977 §8.1.1). */
  readonly named: MsrpUri
  readonly target: MsrpUri
  /** Its From-Path. */
  readonly from: ReadonlyArray<MsrpUri>
}

export const refuse = (status: number, problem: string, parties?: Parties, target?: string): Refuse => ({
  _tag: "Refuse",
  status,
  problem,
  parties,
  target
})

export const MALFORMED = refuse(400, "malformed")
/** More than this relay takes. */
export const TOO_LONG = refuse(413, "too long")
