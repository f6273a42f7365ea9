/** Buckets per doubling of the delay: delays are exact to about one per cent. */
const resolution = 64
const buckets = resolution * 27

/** A histogram of delays in which recording costs almost nothing. */
export class Latencies {
  private readonly counts = new Uint32Array(buckets)
  private total = 0
  /** The longest delay of all, in milliseconds. */
  longest = 0

  /** `delay` in milliseconds. */
  record(delay: number): void {
    const bucket = delay <= 0.001 ? 0 : Math.min((Math.log2(delay * 1000) * resolution) | 0, buckets - 1)
    this.counts[bucket]!++
    this.total++
    if (delay > this.longest) this.longest = delay
  }

  clear(): void {
    this.counts.fill(0)
    this.total = 0
    this.longest = 0
  }

  /** The delay in milliseconds that the share `quantile` (0..1) of the values does not exceed; 0 without values. */
  quantile(quantile: number): number {
    let left = Math.ceil(this.total * quantile)
    if (left === 0) return 0
    for (let bucket = 0; bucket < buckets; bucket++) {
      left -= this.counts[bucket]!
      if (left <= 0) return 2 ** ((bucket + 0.5) / resolution) / 1000
    }
    return Infinity
  }
}
