import type { FrameDecoder, FrameSink } from "../protocol/Decoder.ts"
import type { FrameLimits } from "../protocol/FrameLimits.ts"
import type { Conditions } from "./Conditions.ts"
import type { RelayCounters } from "./Counters.ts"
import type { Tracing } from "./FrameTrace.ts"
import type { Limits } from "./Limits.ts"
import type { Observer } from "./Observer.ts"
import type { Slabs } from "./Slabs.ts"
import type { Totals } from "./Totals.ts"
import type { Turn } from "./Turn.ts"

/**
 * Whether new sessions are granted, or only what is under way goes on, or everything ends: answers still come back then, and
 * new requests are refused.
 *
 * @category models
 * @since 0.2.0
 */
export type Phase = "serving" | "draining" | "stopping"

/** What all hops of one relay share. It knows none of them. */
export interface Shared {
  /** Octets to frames. */
  readonly codec: { readonly limits: FrameLimits; readonly decoder: (sink: FrameSink) => FrameDecoder }
  readonly turn: Turn
  /** Memory for output. */
  readonly slabs: Slabs
  readonly limits: Limits
  readonly counters: RelayCounters
  readonly totals: Totals
  readonly observer: Observer
  /** Only there while somebody traces a user. */
  tracing: Tracing | undefined
  /** Whose an address is: itself, or the network that its owner has. */
  readonly networkOf: (address: string) => string
  /** Connections that there were, and were to be dialled, so far. */
  hops: number
  /** Who waits for the end of something. */
  readonly awaited: Conditions
  phase: Phase
}
