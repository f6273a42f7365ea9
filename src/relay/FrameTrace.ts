/** Who is told what passes in a relay, while somebody traces a user. Without a trace there is none of these. */
import type { FrameSink } from "../protocol/Decoder.ts"
import type { Head } from "../protocol/Head.ts"
import type { HopFacts } from "./Observer.ts"
import type { Session } from "./Session.ts"

/** What passes on one connection. It never throws, does not wait, and keeps no view of octets. */
export interface FrameTrace {
  /** Is told of each frame that comes in; what it answers to a frame counts for nothing. */
  readonly incoming: FrameSink
  /** Octets that are handed to the connection, in order, from the beginning of a frame on. They stay unchanged. */
  outgoing(octets: Buffer): void
  /** The connection is gone. */
  closed(): void
}

/** What may be the beginning of something to trace: rare things, told inside a turn. It never throws. */
export interface Tracing {
  /** An AUTH for this relay has come in, and is not decided yet. Nothing of `head` is used after it returns. */
  asked(hop: HopFacts, head: Head): void
  /** A session URI is handed out on a connection, before its client hears of it. */
  granted(hop: HopFacts, session: Session): void
  /** Requests of these sessions go from one connection to another from now on; nothing was written yet. */
  routed(source: HopFacts, target: HopFacts, sessions: ReadonlyArray<Session>): void
}
