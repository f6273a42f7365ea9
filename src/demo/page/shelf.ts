/** Files that have come, until somebody takes them: a browser keeps each for as long as there is a link to it. */

/** Octets of all files that are kept; the oldest go first. */
export const MAX_KEPT = 2_147_483_648

interface Kept {
  readonly size: number
  readonly gone: () => void
}

export class Shelf {
  #octets = 0
  readonly #kept = new Map<string, Kept>()

  /** A link to it; `gone` is called when there is no room for it any more. */
  put(blob: Blob, gone: () => void): string {
    // Whatever its sender says that it is: nothing that a browser would open as a page of this origin.
    const url = URL.createObjectURL(blob.slice(0, blob.size, "application/octet-stream"))
    this.#kept.set(url, { size: blob.size, gone })
    this.#octets += blob.size
    for (const [oldest] of this.#kept) {
      if (this.#octets <= MAX_KEPT || oldest === url) break
      this.drop(oldest)
    }
    return url
  }

  drop(url: string): void {
    const kept = this.#kept.get(url)
    if (kept === undefined) return
    this.#kept.delete(url)
    this.#octets -= kept.size
    URL.revokeObjectURL(url)
    kept.gone()
  }
}
