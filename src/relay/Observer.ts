/** Who hears what happens in a relay. Rare events only: what happens with every frame is a field of the counters. */
import type { Kind } from "../protocol/StartLine.ts"
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
  /**
   * A request goes no further than this relay. `status`: what it is answered with, or would be if it wanted an answer;
   * `problem`: what is malformed, in words of the relay's own. Absent where nobody listens, since strangers can cause any
   * number of them.
   */
  readonly refused?: ((hop: HopFacts, kind: Kind, status: number, problem: string | undefined) => void) | undefined
}
