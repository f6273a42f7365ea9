/** How much there is of what a relay holds, and how much there may be. */

/**
 * What a relay holds at this moment; all of it is 0 when nothing is going on.
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
  /** Those of them that are requests which wait for slow receivers. */
  readonly parkedOctets: number
}

/**
 * How many there may be.
 *
 * @category models
 * @since 0.2.0
 */
export interface RelayBounds {
  readonly connections: number
  readonly sessions: number
}
