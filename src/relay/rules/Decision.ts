/** What the router decides about a request: it is forwarded, answered or refused (RFC 4976 §6.2 to §6.4). */
import type { MsrpUri } from "../../protocol/Uri.ts"
import type { Outcome } from "../Refused.ts"
import type { Route } from "../route/Route.ts"
import type { Parties } from "../SessionRecord.ts"

export type Decision =
  /** The request is forwarded. */
  | Route
  /** The path ends at this relay. */
  | Here
  | Authenticate
  | Refuse
  /** Addressed to another relay, which is a reason to close the connection (RFC 4976 §6.2). */
  | { readonly _tag: "Foreign" }

export interface Here extends Outcome {
  readonly _tag: "Here"
}

export interface Refuse extends Outcome {
  readonly _tag: "Refuse"
}

/** AUTH for this relay (RFC 4976 §5.1). */
export interface Authenticate {
  readonly _tag: "Authenticate"
  /** The relay's URI that it addresses, as configured. */
  readonly own: MsrpUri
  /** The URI that a session URI is made of: peers connect by TCP also where the client uses WebSocket (RFC 7977 §8.1.1). */
  readonly named: MsrpUri
  /** The relay's URI as the AUTH spells it. */
  readonly target: MsrpUri
  /** The From-Path of the AUTH. */
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
/** The request is longer than this relay accepts. */
export const TOO_LONG = refuse(413, "too long")
