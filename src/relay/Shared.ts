import type { FrameDecoder, FrameSink } from "../protocol/Decoder.ts"
import type { FrameLimits } from "../protocol/FrameLimits.ts"
import type { Conditions } from "./Conditions.ts"
import type { RelayCounters } from "./Counters.ts"
import type { Tracing } from "./FrameTrace.ts"
import type { Limits } from "./Limits.ts"
import type { LongTasks } from "./LongTasks.ts"
import type { Memory } from "./Memory.ts"
import type { Observer } from "./Observer.ts"
import type { OutputLoads } from "./OutputLoads.ts"
import type { Totals } from "./Totals.ts"
import type { Turn } from "./Turn.ts"

/**
 * The phase of a relay. `serving`: new sessions are granted. `draining`: existing sessions continue, and no new ones are granted.
 * `stopping`: answers still come back, and new requests are refused.
 *
 * @category models
 * @since 0.2.0
 */
export type Phase = "serving" | "draining" | "stopping"

/** What all hops of one relay share. It does not refer to any of them. */
export interface Shared {
  /** Makes the decoders that turn octets into frames. */
  readonly codec: { readonly limits: FrameLimits; readonly decoder: (sink: FrameSink) => FrameDecoder }
  readonly turn: Turn
  readonly tasks: LongTasks
  readonly memory: Memory
  readonly limits: Limits
  readonly counters: RelayCounters
  readonly totals: Totals
  readonly outputs: OutputLoads
  readonly observer: Observer
  /** Present only while a user is traced. */
  tracing: Tracing | undefined
  /** The network of an address, as far as its owner is assumed to have all of it; else the address itself. */
  readonly networkOf: (address: string) => string
  /** The number of connections accepted and dialled so far, including attempts to dial. */
  hops: number
  /** Conditions that are waited for. */
  readonly conditions: Conditions
  phase: Phase
}
