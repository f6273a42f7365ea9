/** The status pages that are open: each reads server-sent events from a stream of its own. */
import { Readable } from "node:stream"

/** Status pages that can be open at the same time: half of `MAX_CONNECTIONS`, so that health checks still get an answer. */
export const MAX_PAGES = 32

/** Octets that may wait for one page. A page further behind is closed; it reconnects and starts with a new snapshot. */
export const MAX_BEHIND = 1_048_576

export class OpenPages {
  readonly #pages = new Set<Readable>()
  readonly #allClosed: () => void

  /** `allClosed` is called when the last page has closed. */
  constructor(allClosed: () => void) {
    this.#allClosed = allClosed
  }

  get size(): number {
    return this.#pages.size
  }

  /** Opens a page with its first event; `undefined` if `MAX_PAGES` are open. */
  open(first: string): Readable | undefined {
    if (this.#pages.size >= MAX_PAGES) return undefined
    const page: Readable = new Readable({
      read: () => {},
      destroy: (error, done) => {
        this.#pages.delete(page)
        if (this.#pages.size === 0) this.#allClosed()
        done(error)
      }
    })
    this.#pages.add(page)
    page.push(first)
    return page
  }

  /** Sends events to all pages; a page too far behind is closed instead. */
  send(events: string): void {
    const octets = Buffer.from(events)
    for (const page of this.#pages) {
      if (page.readableLength > MAX_BEHIND) page.destroy()
      else page.push(octets)
    }
  }

  /** Ends the streams of all pages. */
  end(): void {
    for (const page of this.#pages) page.push(null)
  }
}
