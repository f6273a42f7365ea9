/** Requests through a session whose To-Path ends at this relay: only an owner's keep-alive is accepted. */
import { type Head, Kind } from "../../protocol/Head.ts"
import { extend, type Session } from "../Session.ts"
import { partiesOf } from "../SessionRecord.ts"
import { type Answered, OK, refuse } from "./Decision.ts"

export const endsHere = ({ hasBody, kind }: Head, session: Session, fromOwner: boolean, now: number): Answered => {
  const parties = partiesOf([session], fromOwner)
  if (kind === Kind.Auth) return refuse(403, "an AUTH that goes no further than this relay, through a session", parties)
  if (kind !== Kind.Send) return refuse(501, "a request that is for the relay", parties)
  if (!fromOwner || hasBody) return refuse(403, "a message that is for the relay", parties)
  // A SEND without a body is a keep-alive: nothing is forwarded, but the session is in use.
  extend(session, now)
  return OK
}
