/**
 * What all connections hold together. It is counted continuously, because there may be thousands of connections, and reading a
 * total must not visit all of them.
 */
export class Totals {
  /** Requests that wait for an answer. */
  transactions = 0
  /** Octets of requests that wait for slow receivers. */
  parkedOctets = 0
  /** Octets of output that the operating system had not taken at the end of the last turn. */
  queuedOctets = 0

  /** Octets of output and of parked requests. */
  get bufferedOctets(): number {
    return this.queuedOctets + this.parkedOctets
  }
}
