/** The counters of a relay that the status page shows. */
import { type RelayCounters, sendsIn } from "../../relay/Counters.ts"
import type { TransportFacts } from "../../transport/TransportFacts.ts"

/** Totals of counters since the relay started. */
export interface Reading {
  /** SENDs received and sent; each chunk counts as one. */
  readonly messagesIn: number
  readonly messagesOut: number
  readonly octetsIn: number
  readonly octetsOut: number
  readonly trouble: Readonly<Record<Trouble, number>>
}

/** Counters of the relay. */
const ofRelay = [
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

/** Counters of the transport: connections that never became connections of the relay. */
const ofTransport = [
  "handshakesFailed",
  "webSocketsRefused",
  "proxyHeadersRefused",
  "turnedAway",
  "acceptsFailed"
] as const satisfies ReadonlyArray<keyof TransportFacts>

/** Counters of problems, in the order in which the page shows them. The words for each are in `page/words.ts`. */
export const troubles = [...ofRelay, ...ofTransport]
export type Trouble = typeof troubles[number]

const sum = (count: number | Readonly<Record<string, number>>): number =>
  typeof count === "number" ? count : Object.values(count).reduce((all, one) => all + one, 0)

export const readCounters = (counters: Readonly<RelayCounters>, facts?: TransportFacts): Reading => ({
  messagesIn: sendsIn(counters),
  messagesOut: counters.sendsOut,
  octetsIn: counters.octetsIn,
  octetsOut: counters.octetsOut,
  trouble: Object.fromEntries([
    ...ofRelay.map((kind) => [kind, counters[kind]]),
    ...ofTransport.map((kind) => [kind, sum(facts?.[kind] ?? 0)])
  ]) as Record<Trouble, number>
})
