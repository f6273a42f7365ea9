/** How much a relay holds, and how much it may hold. */

/**
 * What a relay holds now. All values are 0 when the relay is idle and has no connections.
 *
 * @category models
 * @since 0.1.0
 */
export interface RelayGauges {
  readonly connections: number
  readonly sessions: number
  readonly transactions: number
  readonly timers: number
  /** Octets of output and of parked requests. */
  readonly bufferedOctets: number
  /** The part of `bufferedOctets` that is requests waiting for slow receivers. */
  readonly parkedOctets: number
}

/**
 * Memory outside the heap that a relay uses again. Some of it stays while the relay is idle; what was not needed for a minute or two is
 * freed.
 *
 * @category models
 * @since 0.2.0
 */
export interface RelayMemory {
  /** Octets of all memory for output, in use or free. */
  readonly output: number
  /** Octets of free memory for requests that wait; what they use is about `parkedOctets`. */
  readonly freeBlocks: number
}

/**
 * The limits of `RelayGauges`.
 *
 * @category models
 * @since 0.2.0
 */
export interface RelayBounds {
  readonly connections: number
  readonly sessions: number
}
