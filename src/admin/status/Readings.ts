/** The counters of a relay that the status page shows. */
import { type RelayCounters, sendsIn } from "../../relay/Counters.ts"

/** Totals of counters since the relay started. */
export interface Reading {
  /** SENDs received and sent; each chunk counts as one. */
  readonly messagesIn: number
  readonly messagesOut: number
  readonly octetsIn: number
  readonly octetsOut: number
  readonly trouble: Readonly<Record<Trouble, number>>
}

/** Counters of problems, in the order in which the page shows them. The words for each are in `page/words.ts`. */
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
