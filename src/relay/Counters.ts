import { Kind } from "../protocol/StartLine.ts"
import { type TransportName, transportNames } from "../transport/TransportName.ts"
import { type Closing, closings } from "./Closing.ts"
import { type SessionEnd, sessionEnds } from "./Session.ts"

/**
 * Counts by status code, which is the index. A peer may send any code of three digits (RFC 4975 §9).
 *
 * @category models
 * @since 0.2.0
 */
export type ByStatus = Float64Array
const STATUSES = 1000

export const connectionEnds = ["closed by its peer", "failed", ...closings] as const

/**
 * Why a connection has ended: the relay's reason to close it, or that its peer closed it, or that the network failed.
 * docs/log.md explains them.
 *
 * @category models
 * @since 0.2.0
 */
export type ConnectionEnd = typeof connectionEnds[number]

export const loginResults = ["granted", "challenged", "wrong credentials", "held back", "refused", "undecided"] as const

/**
 * The result of an AUTH for this relay: `challenged` if it had no credentials or an old nonce, `held back` if it came too
 * soon after wrong credentials, `refused` if it asked for something that is not allowed or there are too many sessions,
 * `undecided` if the backend could not decide.
 *
 * @category models
 * @since 0.2.0
 */
export type LoginResult = typeof loginResults[number]

/**
 * Counts of what has happened in a relay since it started. The fields are plain, and are read on demand.
 *
 * @category models
 * @since 0.1.0
 */
export interface RelayCounters {
  connectionsAccepted: number
  connectionsDialled: number
  /** Accepted and dialled connections by transport. */
  readonly acceptedBy: Record<TransportName, number>
  readonly dialledBy: Record<TransportName, number>
  /** Connections that have ended, by reason. */
  readonly closed: Record<ConnectionEnd, number>
  /** Connections closed because there were too many, and connections closed because they were not used. */
  connectionsTurnedAway: number
  connectionsIdle: number
  /** Connections closed without a successful request: after 30 seconds, or after too many unsuccessful ones. */
  probationsFailed: number
  /** Connections closed because they took no octets for the time of the limit `stall`. */
  receiversStalled: number
  /** Times that what waited for a slow receiver failed because others use its sender's connection as well. */
  receiversGivenUp: number
  /** Times that what waited failed because a session from another relay was faster than allowed, and too much waited. */
  sessionsTooFast: number
  dialsFailed: number
  /** Next hops that policy refused, by their URI or by an address that DNS gave. */
  dialsForbidden: number
  /** Next hops that were not dialled because there were too many, at a time or in all, or too many look-ups. */
  dialsOverLimit: number
  /** Next hops that policy refused by an address that DNS gave; `dialsForbidden` and `dialsFailed` include them. */
  dialsForbiddenLate: number
  /** Requests and responses received. SENDs have no count of their own: see `sendsIn`. */
  framesIn: number
  /** Octets received on connections, and octets that the operating system has taken; both without those of TLS. */
  octetsIn: number
  octetsOut: number
  /** Requests received other than SENDs. */
  reportsIn: number
  authsIn: number
  othersIn: number
  /** Requests written, whether passed on or made here. A long SEND may leave in pieces, each of which counts. */
  sendsOut: number
  reportsOut: number
  authsOut: number
  othersOut: number
  /** Octets of the bodies of SENDs: received, including those of refused SENDs, and written. */
  bodyOctetsIn: number
  bodyOctetsOut: number
  /** Responses received and written. */
  readonly responsesIn: ByStatus
  readonly responsesOut: ByStatus
  /** Requests passed on; each chunk counts as one. */
  forwarded: number
  /** Requests refused: in all, and by the status that they were, or would have been, answered with. */
  refused: number
  refused400: number
  refused403: number
  refused408: number
  refused413: number
  refused423: number
  refused481: number
  refused501: number
  refused506: number
  /** Connections closed because framing was lost (see `Broken`), and because a request was for another relay. */
  framingLost: number
  foreign: number
  /** Failure REPORTs made here: those about accepted requests that did not arrive; and all, by status. */
  reports: number
  readonly reportsMade: ByStatus
  /** Accepted requests that failed or had no answer, including those whose sender gets no REPORT. */
  lost: number
  /** SENDs written for which no answer is waited for, because their sender wants no REPORT. */
  sendsUnanswered: number
  /** Transactions whose answer did not come in time. */
  transactionsTimedOut: number
  authsGranted: number
  /** Sessions that have ended, by reason. */
  readonly sessionsEnded: Record<SessionEnd, number>
  /** AUTHs for this relay, by result. */
  readonly logins: Record<LoginResult, number>
  /** AUTHs with correct credentials that got no session because there were too many. */
  sessionsRefused: number
  /** Times that reading from a connection stopped because receivers of what it sends were slow. */
  held: number
  /** Times that reading from a connection stopped because a session was faster than allowed. */
  paced: number
  /** Times that reading from a connection stopped because requests without an answer held too many octets. */
  unansweredOverLimit: number
  /** AUTHs with wrong credentials, and AUTHs that came too soon after one. */
  failedAuths: number
  /** AUTHs that the backend could not decide, and AUTHs that came too soon after such failures. */
  undecidedAuths: number
}

/** A counter for each name. */
const zerosOf = <Name extends string>(names: ReadonlyArray<Name>): Record<Name, number> =>
  Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>

export const zeroCounters = (): RelayCounters => ({
  connectionsAccepted: 0,
  connectionsDialled: 0,
  acceptedBy: zerosOf(transportNames),
  dialledBy: zerosOf(transportNames),
  closed: zerosOf(connectionEnds),
  connectionsTurnedAway: 0,
  connectionsIdle: 0,
  probationsFailed: 0,
  receiversStalled: 0,
  receiversGivenUp: 0,
  sessionsTooFast: 0,
  dialsFailed: 0,
  dialsForbidden: 0,
  dialsOverLimit: 0,
  dialsForbiddenLate: 0,
  framesIn: 0,
  octetsIn: 0,
  octetsOut: 0,
  reportsIn: 0,
  authsIn: 0,
  othersIn: 0,
  sendsOut: 0,
  reportsOut: 0,
  authsOut: 0,
  othersOut: 0,
  bodyOctetsIn: 0,
  bodyOctetsOut: 0,
  responsesIn: new Float64Array(STATUSES),
  responsesOut: new Float64Array(STATUSES),
  forwarded: 0,
  refused: 0,
  refused400: 0,
  refused403: 0,
  refused408: 0,
  refused413: 0,
  refused423: 0,
  refused481: 0,
  refused501: 0,
  refused506: 0,
  framingLost: 0,
  foreign: 0,
  reports: 0,
  reportsMade: new Float64Array(STATUSES),
  lost: 0,
  sendsUnanswered: 0,
  transactionsTimedOut: 0,
  authsGranted: 0,
  sessionsEnded: zerosOf(sessionEnds),
  logins: zerosOf(loginResults),
  sessionsRefused: 0,
  held: 0,
  paced: 0,
  unansweredOverLimit: 0,
  failedAuths: 0,
  undecidedAuths: 0
})

/** The counters of the statuses that this relay refuses with. */
const byStatus: ReadonlyMap<number, Extract<keyof RelayCounters, `refused${number}`>> = new Map([
  [400, "refused400"],
  [403, "refused403"],
  [408, "refused408"],
  [413, "refused413"],
  [423, "refused423"],
  [481, "refused481"],
  [501, "refused501"],
  [506, "refused506"]
])

export const countRefused = (counters: RelayCounters, status: number): void => {
  counters.refused++
  const name = byStatus.get(status)
  if (name !== undefined) counters[name]++
}

/** A connection to a next hop was made. */
export const countDialled = (counters: RelayCounters, transport: TransportName): void => {
  counters.connectionsDialled++
  counters.dialledBy[transport]++
}
/** A connection to a next hop could not be made; `status` is 403 if policy refused it. */
export const countUndialled = (counters: RelayCounters, status: number): void => {
  counters.dialsFailed++
  if (status !== 403) return
  counters.dialsForbidden++
  counters.dialsForbiddenLate++
}

/** A connection has ended. `reason`: why the relay closed it; `failure`: the error of the network, if it was not closed properly. */
export const countClosed = (
  counters: RelayCounters,
  reason: Closing | undefined,
  failure: string | undefined
): void => {
  counters.closed[reason ?? (failure === undefined ? "closed by its peer" : "failed")]++
}

/** SENDs received: all frames that are nothing else, so that a SEND needs no counter of its own. */
export const sendsIn = ({ authsIn, framesIn, othersIn, reportsIn, responsesIn }: Readonly<RelayCounters>): number =>
  framesIn - reportsIn - authsIn - othersIn - responsesIn.reduce((sum, one) => sum + one, 0)

/** A frame was received. `octets`: those of its body that are here, counted for a SEND. */
export const countFrameIn = (counters: RelayCounters, kind: Kind, status: number, octets: number): void => {
  counters.framesIn++
  switch (kind) {
    case Kind.Send:
      counters.bodyOctetsIn += octets
      break
    case Kind.Response:
      counters.responsesIn[status]!++
      break
    case Kind.Report:
      counters.reportsIn++
      break
    case Kind.Auth:
      counters.authsIn++
      break
    case Kind.Other:
      counters.othersIn++
  }
}

/** A request other than a SEND was written. */
export const countRequestOut = (counters: RelayCounters, kind: Kind): void => {
  if (kind === Kind.Report) counters.reportsOut++
  else if (kind === Kind.Auth) counters.authsOut++
  else counters.othersOut++
}

/** A failure REPORT was made here. */
export const countReportMade = (counters: RelayCounters, status: number): void => {
  counters.reportsMade[status]!++
  counters.reportsOut++
}
