/** Sessions and connections as the operator sees them. */
import type * as Clock from "effect/Clock"
import { dateOf, monotonicMillis } from "../../clock/Monotonic.ts"
import { addressText } from "../../transport/Connection.ts"
import { listenerText } from "../../transport/SocketText.ts"
import { transportName } from "../../transport/TransportName.ts"
import type { Hop } from "../Hop.ts"
import { peerOf } from "../rules/Party.ts"
import { ownerOf, RelayOwner } from "../rules/RelayOwners.ts"
import type { Session } from "../Session.ts"
import { addressOf } from "./Journal.ts"
import type { ConnectionSummary, SessionSummary } from "./Operator.ts"

export const sessionSummaryOf = (session: Session, clock: Clock.Clock): SessionSummary => {
  const { expiresAt, realm, record, username } = session
  const { label, on, received, sent, since } = record
  return {
    session: label,
    user: username,
    realm,
    connection: connectionNow(session),
    remote: addressText(on.remote),
    transport: transportName(on),
    listener: on.socket === undefined ? "" : listenerText(on.socket),
    since: dateOf(clock, since),
    expires: dateOf(clock, expiresAt),
    peer: addressOf(peerOf(session)?.connection),
    sent: { ...sent },
    received: { ...received },
    failures: record.failures
  }
}

/** The number of the connection it was granted on, or of an open one of its relay: such a session outlives its connection. */
const connectionNow = (session: Session): number | undefined => {
  const { number } = session.record.on
  const owner = ownerOf(session)
  if (!(owner instanceof RelayOwner)) return number
  const open = Array.from(owner.links).filter(({ connection, gone }) => connection !== undefined && !gone)
  return (open.find((hop) => hop.number === number) ?? open[0])?.number
}

/** Octets that wait to go out. */
export const waitingOf = ({ outbound: { outbox, windows } }: Hop): number => outbox.waitingOctets + windows.parkedOctets

/** Of a hop that has its connection. */
export const connectionSummaryOf = (hop: Hop, clock: Clock.Clock): ConnectionSummary => {
  const connection = hop.connection!
  const { inbound, socket } = connection
  return {
    connection: hop.number,
    remote: addressOf(connection)!,
    transport: transportName(connection),
    listener: inbound && socket !== undefined ? listenerText(socket) : undefined,
    relay: hop.proof.withRelay,
    user: hop.lastSession?.user,
    realm: hop.lastSession?.realm,
    severalUsers: hop.sessions.severalUsers,
    since: dateOf(clock, hop.since),
    sessions: hop.sessions.owned(monotonicMillis(clock)),
    octetsIn: hop.octetsIn,
    octetsOut: hop.octetsOut,
    waiting: waitingOf(hop)
  }
}
