/** The sources of the metrics' values. */
import type { LogCounters } from "../logging/LogCounters.ts"
import type { Relay } from "../Relay.ts"
import type { ProcessFacts } from "./Process.ts"
import type { ProgramFacts } from "./ProgramFacts.ts"

export interface Sources {
  readonly relay: Relay["Service"]
  readonly process: ProcessFacts
  readonly log: LogCounters
  readonly program: ProgramFacts
}
