/** Metrics of traffic: requests, responses, octets, and what is queued. */
import { knownStatuses } from "../protocol/Status.ts"
import { type ByStatus, type RelayCounters, sendsIn } from "../relay/Counters.ts"
import { counter, counterBy, counterByTwo, type Family, gauge } from "./Family.ts"

/** The label of statuses that no RFC defines, which peers may make up. */
const OTHER = "other"
const statuses = [...knownStatuses.map(String), OTHER]

/** The count of a status, or of all statuses that are not known. */
const ofStatus = (counts: ByStatus, status: string): number => {
  if (status !== OTHER) return counts[Number(status)]!
  let others = 0
  for (let i = 0; i < counts.length; i++) others += counts[i]!
  for (const known of knownStatuses) others -= counts[known]!
  return others
}

const methods = ["SEND", "REPORT", "AUTH", "other"] as const
const directions = ["in", "out"] as const

const requests = (counters: Readonly<RelayCounters>, method: typeof methods[number], isIn: boolean): number => {
  switch (method) {
    case "SEND":
      return isIn ? sendsIn(counters) : counters.sendsOut
    case "REPORT":
      return isIn ? counters.reportsIn : counters.reportsOut
    case "AUTH":
      return isIn ? counters.authsIn : counters.authsOut
    case "other":
      return isIn ? counters.othersIn : counters.othersOut
  }
}

/** Requests that await a response. */
const transactions = ({ authsOut, othersOut, sendsOut, sendsUnanswered }: Readonly<RelayCounters>): number =>
  sendsOut + authsOut + othersOut - sendsUnanswered

/** Statuses that this relay itself refuses requests with. */
const refusals = ["400", "403", "408", "413", "423", "481", "501", "506", OTHER] as const

const refused = (counters: Readonly<RelayCounters>, status: typeof refusals[number]): number =>
  status === OTHER
    ? refusals.reduce((rest, one) => one === OTHER ? rest : rest - counters[`refused${one}`], counters.refused)
    : counters[`refused${status}`]

export const traffic: ReadonlyArray<Family> = [
  counterByTwo(
    "requests_total",
    "Requests, a chunk being one, that came in, and that were written, whether passed on or made here",
    ["method", methods],
    ["direction", directions],
    ({ relay: { counters } }, method, direction) => requests(counters, method, direction === "in")
  ),
  counterByTwo(
    "responses_total",
    "Responses that came in and that were written",
    ["status", statuses],
    ["direction", directions],
    ({ relay: { counters } }, status, direction) =>
      ofStatus(direction === "in" ? counters.responsesIn : counters.responsesOut, status)
  ),
  counterBy(
    "body_bytes_total",
    "Octets of the bodies of SENDs that came in and that were written",
    ["direction", directions],
    ({ relay: { counters } }, direction) => direction === "in" ? counters.bodyOctetsIn : counters.bodyOctetsOut
  ),
  counterBy(
    "network_bytes_total",
    "Octets of MSRP that came in and that the system has taken, without what TLS adds",
    ["direction", directions],
    ({ relay: { counters } }, direction) => direction === "in" ? counters.octetsIn : counters.octetsOut
  ),
  counter(
    "requests_accepted_total",
    "Requests that were accepted to be passed on",
    ({ relay }) => relay.counters.forwarded
  ),
  counterBy(
    "requests_refused_total",
    "Requests that went no further, by the status that they were answered with, or would have been",
    ["status", refusals],
    ({ relay: { counters } }, status) => refused(counters, status)
  ),
  counterBy(
    "reports_made_total",
    "REPORTs of failure made by this relay, by their status",
    ["status", statuses],
    ({ relay: { counters } }, status) => ofStatus(counters.reportsMade, status)
  ),
  counter(
    "requests_lost_total",
    "Requests that were accepted and did not arrive, or no answer says so, whether their sender was told or not",
    ({ relay }) => relay.counters.lost
  ),
  counter(
    "transactions_begun_total",
    "Requests written that may be answered",
    ({ relay: { counters } }) => transactions(counters)
  ),
  counter(
    "transactions_timed_out_total",
    "Transactions that had no answer in time",
    ({ relay }) => relay.counters.transactionsTimedOut
  ),
  gauge("transactions", "Requests that wait for an answer", ({ relay }) => relay.gauges().transactions),
  counterBy(
    "connections_held_total",
    "Times that a connection was not read: its receivers are slow, it is faster than a session may be, or too much of it has no answer",
    ["reason", ["slow receiver", "pace", "unanswered requests"]],
    ({ relay: { counters } }, reason) =>
      reason === "slow receiver"
        ? counters.held
        : reason === "pace"
        ? counters.paced
        : counters.unansweredOverLimit
  ),
  counterBy(
    "receivers_failed_total",
    "Times that what waited for a receiver failed: it took nothing, others wait behind it, or it is more than a session may bring",
    ["reason", ["takes nothing", "too slow", "too fast"]],
    ({ relay: { counters } }, reason) =>
      reason === "takes nothing"
        ? counters.receiversStalled
        : reason === "too slow"
        ? counters.receiversGivenUp
        : counters.sessionsTooFast
  ),
  gauge("parked_bytes", "Octets of requests that wait for slow receivers", ({ relay }) => relay.gauges().parkedOctets),
  gauge("queued_bytes", "Octets of output that the system has not taken", ({ relay }) => {
    const { bufferedOctets, parkedOctets } = relay.gauges()
    return bufferedOctets - parkedOctets
  })
]
