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
 * The limits of `RelayGauges`.
 *
 * @category models
 * @since 0.2.0
 */
export interface RelayBounds {
  readonly connections: number
  readonly sessions: number
}
