/** The operator's view of the relay, made of its hops and its book of sessions when he asks. */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import { dateOf, monotonicMillis } from "../../clock/Monotonic.ts"
import { printable } from "../../logging/Printable.ts"
import { canonicalHost } from "../../protocol/Uri.ts"
import { addressText } from "../../transport/Connection.ts"
import { transportName } from "../../transport/TransportName.ts"
import type { Hop } from "../Hop.ts"
import type { Party } from "../rules/Party.ts"
import { RelayOwner } from "../rules/RelayOwners.ts"
import type { Session, Sessions } from "../Session.ts"
import type { Switchboard } from "../Switchboard.ts"
import type { History } from "./History.ts"
import { addressOf, listenerOf } from "./Journal.ts"
import type {
  ConnectionQuery,
  ConnectionSummary,
  Operator,
  Page,
  SessionQuery,
  SessionSummary,
  TrafficSummary
} from "./Operator.ts"
import { rankedPage } from "./RankedPage.ts"

/** Of a page, and what a page has unless somebody wants another number. */
export const MAX_ITEMS = 1000
export const ITEMS = 100

/** Sessions or connections that are looked at in one turn of the event loop. */
export const AT_ONCE = 1000

/** A look at all there are, which may pause for other turns; what it finds. */
type Look<A> = Generator<void, A>

export interface OperationsOptions {
  readonly switchboard: Switchboard
  readonly sessions: Sessions
  readonly history: History
  readonly listen: Operator["listen"]
  readonly clock: Clock.Clock
}

export const makeOperator = ({ clock, history, listen, sessions, switchboard }: OperationsOptions): Operator => {
  const isValid = (session: Session, now: number): boolean => !session.ended && session.expiresAt > now

  const summaryOf = (session: Session): SessionSummary => {
    const { expiresAt, peer, realm, record, username } = session
    const { label, on, received, sent, since } = record
    return {
      session: label,
      user: username,
      realm,
      connection: connectionNow(session),
      remote: addressText(on.remote),
      transport: transportName(on),
      listener: on.socket === undefined ? "" : listenerOf(on.socket),
      since: dateOf(clock, since),
      expires: dateOf(clock, expiresAt),
      peer: addressOf((peer?.connection as Hop | undefined)?.connection),
      sent: { ...sent },
      received: { ...received },
      failures: record.failures
    }
  }

  const connectionSummaryOf = (hop: Hop): ConnectionSummary => {
    const connection = hop.connection!
    const { inbound, socket } = connection
    return {
      connection: hop.number,
      remote: addressOf(connection)!,
      transport: transportName(connection),
      listener: inbound && socket !== undefined ? listenerOf(socket) : undefined,
      relay: hop.proof.withRelay,
      user: hop.party?.user,
      realm: hop.party?.realm,
      severalUsers: hop.sessions.severalUsers,
      since: dateOf(clock, hop.since),
      sessions: hop.sessions.owned(monotonicMillis(clock)),
      octetsIn: hop.octetsIn,
      octetsOut: hop.octetsOut,
      waiting: hop.outbound.outbox.waitingOctets + hop.outbound.windows.parkedOctets
    }
  }

  const ends = (session: Session): void => sessions.end(session, "ended by the operator")

  /** Whether a session is one of this user, of this realm, as far as they are given; names of sessions are composed (NFC). */
  const isOf = (user: string | undefined, realm: string | undefined) => {
    const [name, of] = [user?.normalize("NFC"), realm?.normalize("NFC")]
    return (session: Session): boolean =>
      (name === undefined || session.username === name) && (of === undefined || session.realm === of)
  }

  const looks = {
    sessions: ({ address, limit, offset, realm, sort, user }: SessionQuery = {}): Look<Page<SessionSummary>> => {
      const wanted = address === undefined ? undefined : canonicalHost(address)
      const isWanted = isOf(user, realm)
      const now = monotonicMillis(clock)
      const isAt = (session: Session): boolean =>
        session.record.on.remote.host === wanted ||
        (session.peer?.connection as Hop | undefined)?.connection?.remote.host === wanted
      return pageOf(
        switchboard.book,
        (session) => isValid(session, now) && isWanted(session) && (wanted === undefined || isAt(session)),
        sort === "octets" ? ({ record }) => octetsOf(record.sent, record.received) : undefined,
        { limit, offset },
        summaryOf
      )
    },
    connections: ({ address, limit, offset, sort }: ConnectionQuery = {}): Look<Page<ConnectionSummary>> => {
      const wanted = address === undefined ? undefined : canonicalHost(address)
      return pageOf(
        switchboard.hops,
        ({ connection }) => connection !== undefined && (wanted === undefined || connection.remote.host === wanted),
        sort === "octets" ? (hop) => hop.octetsIn + hop.octetsOut : undefined,
        { limit, offset },
        connectionSummaryOf
      )
    },
    *endUser(user: string, realm?: string): Look<number> {
      const now = monotonicMillis(clock)
      const isWanted = isOf(user, realm)
      let [count, looked] = [0, 0]
      for (const session of switchboard.book) {
        if (++looked % AT_ONCE === 0) yield
        if (!isWanted(session)) continue
        if (isValid(session, now)) count++
        ends(session)
      }
      return count
    }
  }
  const one = Semaphore.makeUnsafe(1)
  const inTurns = <A>(look: () => Look<A>): Effect.Effect<A> => one.withPermit(Effect.suspend(() => oneByOne(look())))

  return {
    sessions: (query) => atOnce(looks.sessions(query)),
    connections: (query) => atOnce(looks.connections(query)),
    endUser: (user, realm) => atOnce(looks.endUser(user, realm)),
    inTurns: {
      sessions: (query) => inTurns(() => looks.sessions(query)),
      connections: (query) => inTurns(() => looks.connections(query)),
      endUser: (user, realm) => inTurns(() => looks.endUser(user, realm))
    },
    endSession: (label) => {
      const now = monotonicMillis(clock)
      for (const session of switchboard.book) {
        if (session.record.label !== label || !isValid(session, now)) continue
        ends(session)
        return true
      }
      return false
    },
    endConnection: (number) => {
      for (const hop of switchboard.hops) {
        if (hop.number !== number || hop.connection === undefined || hop.gone) continue
        hop.finish("ended by the operator")
        return true
      }
      return false
    },
    history: (user) => history.of(printable(user.normalize("NFC"))),
    recent: () => history.recent,
    listen
  }
}

/** A session of another relay outlives the connection that it was granted on, and goes on by any other. */
const connectionNow = ({ owner, record: { on: { number } } }: Session): number | undefined => {
  if (!(owner instanceof RelayOwner)) return number
  const open = Array.from(owner.links as ReadonlySet<Party>).filter(({ connection, gone }) =>
    connection !== undefined && !gone
  )
  return (open.find((hop) => hop.number === number) ?? open[0])?.number
}

const octetsOf = (sent: TrafficSummary, received: TrafficSummary): number => sent.octets + received.octets

/** One page of those that fit: as they come, of which only those of the page are kept, or those with most of something first. */
function* pageOf<A, B>(
  all: Iterable<A>,
  fits: (one: A) => boolean,
  rank: ((one: A) => number) | undefined,
  { limit = ITEMS, offset = 0 }: { readonly limit?: number | undefined; readonly offset?: number | undefined },
  summaryOf: (one: A) => B
): Look<Page<B>> {
  const most = Math.min(Math.max(0, limit), MAX_ITEMS)
  const from = Math.max(0, offset)
  const kept: Array<A> = []
  const ranks: Array<number> = []
  let [looked, total] = [0, 0]
  for (const one of all) {
    if (++looked % AT_ONCE === 0) yield
    if (!fits(one)) continue
    if (rank !== undefined || (total >= from && kept.length < most)) kept.push(one)
    if (rank !== undefined) ranks.push(rank(one))
    total++
  }
  const items = rank === undefined ? kept : rankedPage(kept, ranks, from, most)
  return { total, items: items.map(summaryOf) }
}

const atOnce = <A>(look: Look<A>): A => {
  for (;;) {
    const { done, value } = look.next()
    if (done === true) return value
  }
}

const oneByOne = Effect.fnUntraced(function*<A>(look: Look<A>): Effect.fn.Return<A> {
  for (;;) {
    const { done, value } = look.next()
    if (done === true) return value
    yield* Effect.yieldNow
  }
})
