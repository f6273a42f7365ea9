/** What has happened in a relay since it started: plain fields, read when somebody asks. */
export interface RelayCounters {
  connectionsAccepted: number
  connectionsDialled: number
  /** Closed since there were too many, and since they were not used. */
  connectionsTurnedAway: number
  connectionsIdle: number
  /** Closed without one successful request: after 30 seconds, or after too many others. */
  probationsFailed: number
  /** Closed since they took nothing for the stall limit. */
  receiversStalled: number
  dialsFailed: number
  /** Next hops that policy refused, as the URI has them or after DNS, and those that were too many, at a time or in the making. */
  dialsForbidden: number
  dialsOverLimit: number
  framesIn: number
  octetsIn: number
  /** Requests passed on, a chunk being one. */
  forwarded: number
  /** Requests answered with an error or dropped. */
  refused: number
  /** Failure REPORTs made here. */
  reports: number
  authsGranted: number
  /** AUTHs with right credentials that got no session, since there were too many. */
  sessionsRefused: number
  /** Times that a connection was not read since a session was faster than it may be. */
  paced: number
  failedAuths: number
  /** AUTHs that the backend could not decide, or that came too soon after failures. */
  undecidedAuths: number
}

export const zeroCounters = (): RelayCounters => ({
  connectionsAccepted: 0,
  connectionsDialled: 0,
  connectionsTurnedAway: 0,
  connectionsIdle: 0,
  probationsFailed: 0,
  receiversStalled: 0,
  dialsFailed: 0,
  dialsForbidden: 0,
  dialsOverLimit: 0,
  framesIn: 0,
  octetsIn: 0,
  forwarded: 0,
  refused: 0,
  reports: 0,
  authsGranted: 0,
  sessionsRefused: 0,
  paced: 0,
  failedAuths: 0,
  undecidedAuths: 0
})
