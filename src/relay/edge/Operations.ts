/** The operator's view of the relay: made of its hops and its book of sessions when it is asked for. */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import { monotonicMillis } from "../../clock/Monotonic.ts"
import { printable } from "../../logging/Printable.ts"
import { canonicalHost } from "../../protocol/Uri.ts"
import type { Hop } from "../Hop.ts"
import { peerOf } from "../rules/Party.ts"
import { isOver, type Session, type Sessions } from "../Session.ts"
import type { Switchboard } from "../Switchboard.ts"
import type { History } from "./History.ts"
import type { ConnectionQuery, ConnectionSummary, Operator, Page, SessionQuery, SessionSummary } from "./Operator.ts"
import { AT_ONCE, inOneTurn, inSeveralTurns, pageOf, type Scan } from "./Scan.ts"
import { connectionSummaryOf, sessionSummaryOf, waitingOf } from "./Summaries.ts"

interface OperationsOptions {
  readonly switchboard: Switchboard
  readonly sessions: Sessions
  readonly history: History
  readonly listen: Operator["listen"]
  readonly clock: Clock.Clock
}

export const makeOperator = (options: OperationsOptions): Operator => {
  const { history, listen } = options
  const scans = makeScans(options)
  const one = Semaphore.makeUnsafe(1)
  const inTurns = <A>(scan: () => Scan<A>): Effect.Effect<A> =>
    one.withPermit(Effect.suspend(() => inSeveralTurns(scan())))
  return {
    sessions: (query) => inOneTurn(scans.sessions(query)),
    connections: (query) => inOneTurn(scans.connections(query)),
    endUser: (user, realm) => inOneTurn(scans.endUser(user, realm)),
    inTurns: {
      sessions: (query) => inTurns(() => scans.sessions(query)),
      connections: (query) => inTurns(() => scans.connections(query)),
      endUser: (user, realm) => inTurns(() => scans.endUser(user, realm))
    },
    endSession: (label) => endSession(options, label),
    endConnection: (number) => endConnection(options, number),
    history: (user) => history.of(printable(user.normalize("NFC"))),
    recent: () => history.recent,
    listen
  }
}

/** The queries and operations that visit all sessions or all connections. */
const makeScans = ({ clock, sessions, switchboard }: OperationsOptions) => ({
  sessions: ({ address, limit, offset, realm, sort, user }: SessionQuery = {}): Scan<Page<SessionSummary>> => {
    const host = address === undefined ? undefined : canonicalHost(address)
    const isWanted = isOf(user, realm)
    const now = monotonicMillis(clock)
    return pageOf(
      switchboard.book,
      (session) => !isOver(session, now) && isWanted(session) && (host === undefined || isAt(session, host)),
      sort === "octets" ? octetsOfSession : undefined,
      { limit, offset },
      (session) => sessionSummaryOf(session, clock)
    )
  },
  connections: ({ address, limit, offset, sort }: ConnectionQuery = {}): Scan<Page<ConnectionSummary>> => {
    const host = address === undefined ? undefined : canonicalHost(address)
    return pageOf(
      switchboard.hops,
      ({ connection }) => connection !== undefined && (host === undefined || connection.remote.host === host),
      sort === "octets" ? octetsOfHop : sort === "waiting" ? waitingOf : undefined,
      { limit, offset },
      (hop) => connectionSummaryOf(hop, clock)
    )
  },
  *endUser(user: string, realm?: string): Scan<number> {
    const now = monotonicMillis(clock)
    const isWanted = isOf(user, realm)
    let [count, visited] = [0, 0]
    for (const session of switchboard.book) {
      if (++visited % AT_ONCE === 0) yield
      if (!isWanted(session)) continue
      if (!isOver(session, now)) count++
      sessions.end(session, BY_OPERATOR)
    }
    return count
  }
})

const endSession = ({ clock, sessions, switchboard }: OperationsOptions, label: string): boolean => {
  const now = monotonicMillis(clock)
  for (const session of switchboard.book) {
    if (session.record.label !== label || isOver(session, now)) continue
    sessions.end(session, BY_OPERATOR)
    return true
  }
  return false
}

const endConnection = ({ switchboard }: OperationsOptions, number: number): boolean => {
  for (const hop of switchboard.hops) {
    if (hop.number !== number || hop.connection === undefined || hop.gone) continue
    hop.finish(BY_OPERATOR)
    return true
  }
  return false
}

const BY_OPERATOR = "ended by the operator"

/** Whether a session is one of this user and realm, as far as they are given. Names of sessions are in NFC. */
const isOf = (user: string | undefined, realm: string | undefined) => {
  const [name, of] = [user?.normalize("NFC"), realm?.normalize("NFC")]
  return (session: Session): boolean =>
    (name === undefined || session.username === name) && (of === undefined || session.realm === of)
}

/** Whether its owner or its peer is at this host. */
const isAt = (session: Session, host: string): boolean =>
  session.record.on.remote.host === host || peerOf(session)?.connection?.remote.host === host

const octetsOfSession = ({ record: { received, sent } }: Session): number => sent.octets + received.octets

const octetsOfHop = ({ octetsIn, octetsOut }: Hop): number => octetsIn + octetsOut
