/** Received files, which the browser keeps for as long as there is an object URL for them. */

/** Octets of all files that are kept. Beyond it, the oldest are removed. */
export const MAX_KEPT = 2_147_483_648

interface Kept {
  readonly size: number
  readonly gone: () => void
}

export class Shelf {
  #octets = 0
  readonly #kept = new Map<string, Kept>()

  /** Makes an object URL. `gone` is called when the file is removed. */
  put(blob: Blob, gone: () => void): string {
    // The type is not that of the sender: a browser must not open the file as a page of this origin.
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
