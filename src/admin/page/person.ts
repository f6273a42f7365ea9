/** The view of one user: live sessions and recent events. It has a link (`#user=`), which can be sent to a colleague. */
import type { StatusEvent, StatusUser } from "../status/Shapes.ts"
import { byId, inputById, setText } from "./dom.ts"
import type { Feed } from "./feed.ts"
import { drawEvents, drawSessions } from "./tables.ts"

/** Milliseconds between two requests for the data of the user. */
const REFRESH = 6000

const MARK = "#user="

export class Person {
  readonly #feed: Feed
  readonly #panel = byId("person")
  readonly #title = byId("person-title")
  readonly #summary = byId("person-summary")
  readonly #input = inputById("user-name")
  #name: string | undefined
  #asking: AbortController | undefined
  #asked = -Infinity
  #time = Date.now()

  constructor(feed: Feed) {
    this.#feed = feed
    byId("search").addEventListener("submit", (event) => {
      event.preventDefault()
      const name = this.#input.value.trim()
      if (name === "") return
      const hash = `${MARK}${encodeURIComponent(name)}`
      if (location.hash === hash) this.#show(name)
      else location.hash = hash
    })
    byId("person-close").addEventListener("click", () => this.#close())
    this.#panel.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") this.#close()
    })
    addEventListener("hashchange", () => this.follow())
  }

  /** Shows the user in the fragment of the URL, or closes the view if there is none. */
  follow(): void {
    const name = nameIn(location.hash)
    if (name !== undefined) return this.#show(name)
    this.#name = undefined
    this.#asking?.abort()
    this.#panel.hidden = true
  }

  /** A snapshot has arrived. `time` is that of the relay's clock, `now` that of the page, in milliseconds. */
  tick(now: number, time: number): void {
    this.#time = time
    if (this.#name !== undefined && now - this.#asked >= REFRESH) void this.#ask(this.#name, now)
  }

  /** An event has arrived. Its user is requested again with the next snapshot, once for any number of events. */
  happened({ fields }: StatusEvent): void {
    if (this.#name !== undefined && fields.user === this.#name) this.#asked = -Infinity
  }

  #show(name: string): void {
    if (name !== this.#name) {
      setText(this.#summary, "Looking …")
      byId("person-live").replaceChildren()
      byId("person-history").replaceChildren()
    }
    this.#name = name
    this.#input.value = name
    setText(this.#title, name)
    this.#panel.hidden = false
    this.#title.focus()
    this.#panel.scrollIntoView({ block: "nearest" })
    void this.#ask(name, performance.now())
  }

  #close(): void {
    history.pushState(null, "", location.pathname)
    this.follow()
    this.#input.focus()
  }

  async #ask(name: string, now: number): Promise<void> {
    this.#asked = now
    this.#asking?.abort()
    const { signal } = this.#asking = new AbortController()
    try {
      const user = await this.#feed.user(name, signal)
      if (!signal.aborted) this.#draw(user)
    } catch (error) {
      if (!signal.aborted) setText(this.#summary, error instanceof Error ? error.message : "The relay does not answer.")
    }
  }

  #draw({ history, sessions, total }: StatusUser): void {
    const live = total === 0 ? "No live session" : total === 1 ? "1 live session" : `${total} live sessions`
    const some = total > sessions.length ? `; the oldest ${sessions.length} are shown` : ""
    const unknown = total === 0 && history.length === 0
      ? ". Nothing is known of a user of this name: is it spelt as the client spells it? The relay forgets users that were quiet for long."
      : "."
    setText(this.#summary, `${live}${some}${unknown}`)
    const region = byId("person-live")
    region.hidden = total === 0
    drawSessions(region, sessions, this.#time)
    drawEvents(byId("person-history"), history.toReversed(), {
      empty: "Nothing lately.",
      withDate: true,
      withUser: false
    })
  }
}

const nameIn = (hash: string): string | undefined => {
  if (!hash.startsWith(MARK)) return undefined
  try {
    return decodeURIComponent(hash.slice(MARK.length))
  } catch {
    return undefined
  }
}
