/** The counters of a relay as the status page needs them: the one place that knows their names. */
import type { RelayCounters } from "../../relay/Counters.ts"

/** Totals since the relay started. */
export interface Reading {
  /** SENDs that came in, and that went out; a chunk is one. */
  readonly messagesIn: number
  readonly messagesOut: number
  readonly octetsIn: number
  /** Absent where the relay does not count them. */
  readonly octetsOut: number | undefined
  readonly trouble: Readonly<Record<Trouble, number>>
}

/** What a relay may count as well: then messages are told from other requests and from responses. */
type Counted = Readonly<RelayCounters> & {
  readonly octetsOut?: number
  readonly sendsOut?: number
  readonly reportsIn?: number
  readonly authsIn?: number
  readonly othersIn?: number
  readonly responsesIn?: Float64Array
}

/** What the page shows of what goes wrong, in this order. The page has the words for each. */
export const troubles = [
  "failedAuths",
  "undecidedAuths",
  "sessionsRefused",
  "dialsFailed",
  "dialsForbidden",
  "dialsOverLimit",
  "refused400",
  "refused403",
  "refused408",
  "refused413",
  "refused423",
  "refused481",
  "refused501",
  "refused506",
  "reports",
  "receiversGivenUp",
  "receiversStalled",
  "connectionsTurnedAway",
  "probationsFailed",
  "framingLost"
] as const satisfies ReadonlyArray<keyof RelayCounters>
export type Trouble = typeof troubles[number]

const messagesIn = ({ authsIn, forwarded, framesIn, othersIn, refused, reportsIn, responsesIn }: Counted): number =>
  reportsIn === undefined || authsIn === undefined || othersIn === undefined || responsesIn === undefined
    ? forwarded + refused
    : framesIn - reportsIn - authsIn - othersIn - responsesIn.reduce((all, one) => all + one, 0)

export const readCounters = (counters: Counted): Reading => ({
  messagesIn: messagesIn(counters),
  messagesOut: counters.sendsOut ?? counters.forwarded,
  octetsIn: counters.octetsIn,
  octetsOut: counters.octetsOut,
  trouble: Object.fromEntries(troubles.map((kind) => [kind, counters[kind]])) as Record<Trouble, number>
})
