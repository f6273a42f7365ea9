import { Kind } from "../protocol/StartLine.ts"
import { type TransportName, transportNames } from "../transport/TransportName.ts"
import { type Closing, closings } from "./Closing.ts"
import { type SessionEnd, sessionEnds } from "./Session.ts"

/** Counts by status: its number is the index. Those of peers may be any of three digits (RFC 4975 §9). */
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
 * What has happened in a relay since it started: plain fields, read when somebody asks.
 *
 * @category models
 * @since 0.1.0
 */
export interface RelayCounters {
  connectionsAccepted: number
  connectionsDialled: number
  /** The same, by what they run on. */
  readonly acceptedBy: Record<TransportName, number>
  readonly dialledBy: Record<TransportName, number>
  /** Connections that are gone, by why. */
  readonly closed: Record<ConnectionEnd, number>
  /** Closed since there were too many, and since they were not used. */
  connectionsTurnedAway: number
  connectionsIdle: number
  /** Closed without one successful request: after 30 seconds, or after too many others. */
  probationsFailed: number
  /** Closed since they took nothing for the stall limit. */
  receiversStalled: number
  /** Times that what waited for a slow receiver failed, since others use its sender's connection as well. */
  receiversGivenUp: number
  /** Times that what waited since a session from another relay was faster than it may be was too much, and failed. */
  sessionsTooFast: number
  dialsFailed: number
  /** Next hops that policy refused, as the URI has them or after DNS, and those that were too many (at a time or in all) or looked up too often. */
  dialsForbidden: number
  dialsOverLimit: number
  /** Those of the forbidden ones that were among the failed: refused after DNS. */
  dialsForbiddenLate: number
  /** Requests and responses. SENDs that came in are those which are none of the others below. */
  framesIn: number
  /** Octets of the connections, TLS left aside: those that came in, and those that the system has taken. */
  octetsIn: number
  octetsOut: number
  /** Requests that came in and are no SENDs. */
  reportsIn: number
  authsIn: number
  othersIn: number
  /** Requests that were written, whether passed on or made here. A long SEND may leave in pieces: each is one. */
  sendsOut: number
  reportsOut: number
  authsOut: number
  othersOut: number
  /** Octets of the bodies of SENDs: also of those that were refused, and those that were written. */
  bodyOctetsIn: number
  bodyOctetsOut: number
  /** Responses that came in, and that were written. */
  readonly responsesIn: ByStatus
  readonly responsesOut: ByStatus
  /** Requests passed on, a chunk being one. */
  forwarded: number
  /** Requests that went no further: in all, and by the status that they were (or would have been) answered with. */
  refused: number
  refused400: number
  refused403: number
  refused408: number
  refused413: number
  refused423: number
  refused481: number
  refused501: number
  refused506: number
  /** Connections closed since what came in was not MSRP or over a limit of `FrameLimits`, or was for another relay. */
  framingLost: number
  foreign: number
  /** Failure REPORTs made here: of what was accepted and did not arrive; and all, by their status. */
  reports: number
  readonly reportsMade: ByStatus
  /** Accepted requests that did not arrive, or no answer says so: also those whose sender does not hear of it. */
  lost: number
  /** SENDs written of which nobody wants to hear, so that no answer is waited for. */
  sendsUnanswered: number
  /** Transactions whose answer did not come in time. */
  transactionsTimedOut: number
  authsGranted: number
  /** Sessions that are over, by why. */
  readonly sessionsEnded: Record<SessionEnd, number>
  /** AUTHs for this relay, by what became of them. */
  readonly logins: Record<LoginResult, number>
  /** AUTHs with right credentials that got no session, since there were too many. */
  sessionsRefused: number
  /** Times that a connection was not read since receivers of what it sends are slow. */
  held: number
  /** Times that a connection was not read since a session was faster than it may be. */
  paced: number
  /** Times that a connection was not read since too much was held for requests without an answer. */
  unansweredOverLimit: number
  /** AUTHs with wrong credentials, and those that came too soon after such. */
  failedAuths: number
  /** AUTHs that the backend could not decide, and those that came too soon after failures. */
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

/** The statuses that this relay refuses with. */
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

/** A connection to a next hop was made, or could not be: 403 if it may not. */
export const countDialled = (counters: RelayCounters, transport: TransportName): void => {
  counters.connectionsDialled++
  counters.dialledBy[transport]++
}
export const countUndialled = (counters: RelayCounters, status: number): void => {
  counters.dialsFailed++
  if (status !== 403) return
  counters.dialsForbidden++
  counters.dialsForbiddenLate++
}

/** A connection is gone. `reason`: why the relay closed it; `failure`: what the network says, if it was not closed in order. */
export const countClosed = (
  counters: RelayCounters,
  reason: Closing | undefined,
  failure: string | undefined
): void => {
  counters.closed[reason ?? (failure === undefined ? "closed by its peer" : "failed")]++
}

/** SENDs that came in: all frames that are nothing else, so a SEND costs no count of its own. */
export const sendsIn = ({ authsIn, framesIn, othersIn, reportsIn, responsesIn }: Readonly<RelayCounters>): number =>
  framesIn - reportsIn - authsIn - othersIn - responsesIn.reduce((sum, one) => sum + one, 0)

/** A frame came in; of a SEND so many octets of body are there. */
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

/** A request was written that is no SEND. */
export const countRequestOut = (counters: RelayCounters, kind: Kind): void => {
  if (kind === Kind.Report) counters.reportsOut++
  else if (kind === Kind.Auth) counters.authsOut++
  else counters.othersOut++
}

/** A REPORT of failure was made here. */
export const countReportMade = (counters: RelayCounters, status: number): void => {
  counters.reportsMade[status]!++
  counters.reportsOut++
}
