/** Requests through a session whose To-Path ends at this relay: only an owner's keep-alive is accepted. */
import { type Head, Kind } from "../../protocol/Head.ts"
import { extend, type Session } from "../Session.ts"
import { partiesOf } from "../SessionRecord.ts"
import type { Decision } from "./Decision.ts"

export const endsHere = (head: Head, session: Session, fromOwner: boolean, now: number): Decision => {
  const { kind } = head
  const here = (status: number, problem: string): Decision => ({
    _tag: "Here",
    status,
    problem,
    parties: partiesOf([session], fromOwner)
  })
  if (kind === Kind.Auth) return here(403, "an AUTH that goes no further than this relay, through a session")
  if (kind !== Kind.Send) return here(501, "a request that is for the relay")
  if (!fromOwner || head.hasBody) return here(403, "a message that is for the relay")
  // A SEND without a body is a keep-alive: nothing is forwarded, but the session is in use.
  extend(session, now)
  return { _tag: "Here", status: 200 }
}
