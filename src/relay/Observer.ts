/** Who hears what happens in a relay. Rare events only: what happens with every frame is a field of the counters. */
import type { Connection } from "../transport/Connection.ts"
import type { Closing } from "./Closing.ts"
import type { Session } from "./Session.ts"

/** What is told of a hop. */
export interface HopFacts {
  /** `undefined`: it was to be dialled, and there is none. */
  readonly connection: Connection | undefined
}

/** Called inside a turn: it does not throw, does not wait, and keeps no view of octets. */
export interface Observer {
  /** A connection is there, made by either side. */
  opened(hop: HopFacts): void
  /** The relay closes it. */
  closing(hop: HopFacts, reason: Closing): void
  /** It is gone, or could not be made. */
  closed(hop: HopFacts): void
  /** A session URI was handed out on it. */
  granted(hop: HopFacts, session: Session): void
}
