/** What the router decides about a request: it is forwarded, answered or refused (RFC 4976 §6.2 to §6.4). */
import { type Head, Kind } from "../../protocol/Head.ts"
import type { MsrpUri } from "../../protocol/Uri.ts"
import type { Route } from "../route/Route.ts"
import type { Parties } from "../SessionRecord.ts"

export type Decision =
  /** The request is forwarded. */
  | Route
  | Answered
  | Authenticate
  /** Addressed to another relay, which is a reason to close the connection (RFC 4976 §6.2). */
  | { readonly _tag: "Foreign"; readonly meant: MsrpUri | undefined }

/** The request goes no further than this relay. */
export interface Answered {
  readonly _tag: "Answered"
  readonly status: number
  /** In the words of the log; absent if nothing is wrong. */
  readonly problem?: string | undefined
  /** The sessions whose URIs the request names, if there are any. */
  readonly parties?: Parties | undefined
  /** The next hop to which the request cannot go, if that is the reason: `msrps://host:port`. */
  readonly target?: string | undefined
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

export const refuse = (status: number, problem: string, parties?: Parties, target?: string): Answered => ({
  _tag: "Answered",
  status,
  problem,
  parties,
  target
})

export const OK: Answered = { _tag: "Answered", status: 200 }
export const MALFORMED = refuse(400, "malformed")
/** The request is longer than this relay accepts. */
export const TOO_LONG = refuse(413, "too long")

/**
 * The request is for another relay. That is not named where a session URI lacks its port: such a URI may be a damaged one, with the
 * session-id in place of the host.
 */
export const foreign = ({ kind }: Head, [uri, ...further]: ReadonlyArray<MsrpUri>): Decision => {
  const isShown = uri!.port !== undefined || (kind === Kind.Auth && further.length === 0)
  return { _tag: "Foreign", meant: isShown ? uri : undefined }
}
