import type { RelayGauges } from "../../src/Relay.ts"

/** The gauges of a relay that holds nothing any more. */
export const nothingHeld: RelayGauges = {
  connections: 0,
  sessions: 0,
  transactions: 0,
  timers: 0,
  bufferedOctets: 0,
  parkedOctets: 0
}
