/** The interfaces to which a relay reports frames while a user is traced. Without a trace there are no instances. */
import type { FrameSink } from "../protocol/Decoder.ts"
import type { Head } from "../protocol/Head.ts"
import type { HopFacts } from "./Observer.ts"
import type { Session } from "./Session.ts"

/** Traces one connection. Its functions never throw, do not wait, and keep no view of octets. */
export interface FrameTrace {
  /** Gets each frame that is received; its results are ignored. */
  readonly incoming: FrameSink
  /** Gets the octets that are handed to the connection, in order, starting at the beginning of a frame. They must not be changed. */
  outgoing(octets: Buffer): void
  /** The connection is gone. */
  closed(): void
}

/** Gets the rare events with which tracing of a connection may begin, inside a turn. Its functions never throw. */
export interface Tracing {
  /** An AUTH for this relay was received, and is not decided yet. `head` is not used after the call. */
  authReceived(hop: HopFacts, head: Head): void
  /** A session was granted on a connection; the response is not written yet. */
  granted(hop: HopFacts, session: Session): void
  /** Requests of these sessions go from one connection to the other from now on; nothing was written yet. */
  routed(source: HopFacts, target: HopFacts, sessions: ReadonlyArray<Session>): void
}
