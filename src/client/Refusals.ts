/** Messages that were refused, and the status for their further chunks (RFC 4975 §10.5). */

/** Messages that are remembered. Beyond it, the oldest is forgotten. */
const MAX_REFUSED = 1024

export class Refusals {
  readonly #statuses = new Map<string, number>()

  refuse(key: string, status: number): void {
    this.#statuses.delete(key)
    const [oldest] = this.#statuses.keys()
    if (oldest !== undefined && this.#statuses.size >= MAX_REFUSED) this.#statuses.delete(oldest)
    this.#statuses.set(key, status)
  }

  statusOf(key: string): number | undefined {
    return this.#statuses.get(key)
  }

  /** The last chunk has arrived, or the message begins anew. */
  forget(key: string): void {
    this.#statuses.delete(key)
  }

  clear(): void {
    this.#statuses.clear()
  }
}
