/**
 * What all connections hold together. It is counted as it comes and goes: there may be thousands of them, and whoever asks
 * how much there is shall not go through all.
 */
export class Totals {
  /** Requests that wait for an answer. */
  transactions = 0
  /** Octets of requests that wait for slow receivers. */
  parkedOctets = 0
  /** Octets of output that the operating system has not taken, as of the end of the last turn. */
  queuedOctets = 0

  /** Octets of output and of parked requests. */
  get bufferedOctets(): number {
    return this.queuedOctets + this.parkedOctets
  }
}
