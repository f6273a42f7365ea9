/** The counters of a relay as the status page needs them: the one place that knows their names. */
import { type RelayCounters, sendsIn } from "../../relay/Counters.ts"

/** Totals since the relay started. */
export interface Reading {
  /** SENDs that came in, and that went out; a chunk is one. */
  readonly messagesIn: number
  readonly messagesOut: number
  readonly octetsIn: number
  readonly octetsOut: number
  readonly trouble: Readonly<Record<Trouble, number>>
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
  "lost",
  "receiversGivenUp",
  "sessionsTooFast",
  "receiversStalled",
  "connectionsTurnedAway",
  "probationsFailed",
  "framingLost"
] as const satisfies ReadonlyArray<keyof RelayCounters>
export type Trouble = typeof troubles[number]

export const readCounters = (counters: Readonly<RelayCounters>): Reading => ({
  messagesIn: sendsIn(counters),
  messagesOut: counters.sendsOut,
  octetsIn: counters.octetsIn,
  octetsOut: counters.octetsOut,
  trouble: Object.fromEntries(troubles.map((kind) => [kind, counters[kind]])) as Record<Trouble, number>
})
