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
  /** Times that what waited for a slow receiver failed, since others use its sender's connection as well. */
  receiversGivenUp: number
  dialsFailed: number
  /** Next hops that policy refused, as the URI has them or after DNS, and those that were too many (at a time or in all) or looked up too often. */
  dialsForbidden: number
  dialsOverLimit: number
  framesIn: number
  octetsIn: number
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
  /** Failure REPORTs made here. */
  reports: number
  authsGranted: number
  /** AUTHs with right credentials that got no session, since there were too many. */
  sessionsRefused: number
  /** Times that a connection was not read since a session was faster than it may be. */
  paced: number
  /** Times that a connection was not read since too much was held for requests without an answer. */
  unansweredOverLimit: number
  /** AUTHs with wrong credentials, and those that came too soon after such. */
  failedAuths: number
  /** AUTHs that the backend could not decide, and those that came too soon after failures. */
  undecidedAuths: number
}

export const zeroCounters = (): RelayCounters => ({
  connectionsAccepted: 0,
  connectionsDialled: 0,
  connectionsTurnedAway: 0,
  connectionsIdle: 0,
  probationsFailed: 0,
  receiversStalled: 0,
  receiversGivenUp: 0,
  dialsFailed: 0,
  dialsForbidden: 0,
  dialsOverLimit: 0,
  framesIn: 0,
  octetsIn: 0,
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
  authsGranted: 0,
  sessionsRefused: 0,
  paced: 0,
  unansweredOverLimit: 0,
  failedAuths: 0,
  undecidedAuths: 0
})

/** The statuses that this relay refuses with. */
const byStatus: ReadonlyMap<number, keyof RelayCounters> = new Map([
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
