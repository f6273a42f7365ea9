/** The connection to the relay: begins, reads, and begins again when it is lost. */
import type { Status, StatusEvent, StatusSnapshot, StatusUser } from "../status/Shapes.ts"
import { eventReader } from "./sse.ts"

/** Where the token of this tab is kept. */
const TOKEN = "msrp-relay-token"

/** Milliseconds between two tries: at first, and at most. */
const FIRST_PAUSE = 1000
const LONGEST_PAUSE = 15_000

/** Milliseconds without an octet after which the connection is lost, whatever the network says. */
const SILENCE = 10_000

export interface FeedOwner {
  began(status: Status): void
  snapshot(snapshot: StatusSnapshot): void
  happened(event: StatusEvent): void
  /** Milliseconds since 1970 when it last came; `undefined`: never. `reason`: what the relay says, if it does. */
  lost(since: number | undefined, reason: string | undefined): void
  /** The relay wants a token; `wrong`: not the one that it got. */
  wantsToken(wrong: boolean): void
}

export class Feed {
  readonly #owner: FeedOwner
  #last: number | undefined
  #pause = FIRST_PAUSE
  #again: (() => void) | undefined

  constructor(owner: FeedOwner) {
    this.#owner = owner
    for (const [target, name] of [[window, "online"], [document, "visibilitychange"]] as const) {
      target.addEventListener(name, () => {
        if (!document.hidden) this.#again?.()
      })
    }
  }

  /** Goes on for as long as the page is there. */
  async run(): Promise<void> {
    for (;;) {
      const { problem, wantsToken } = await this.#once()
      if (wantsToken) {
        this.#owner.wantsToken(sessionStorage.getItem(TOKEN) !== null)
        sessionStorage.removeItem(TOKEN)
        await new Promise<void>((resolve) => {
          this.#again = () => {
            if (sessionStorage.getItem(TOKEN) !== null) resolve()
          }
        })
        continue
      }
      this.#owner.lost(this.#last, problem)
      await new Promise<void>((resolve) => {
        this.#again = resolve
        setTimeout(resolve, this.#pause)
      })
      this.#pause = Math.min(LONGEST_PAUSE, this.#pause * 2)
    }
  }

  use(token: string): void {
    sessionStorage.setItem(TOKEN, token)
    this.#again?.()
  }

  async user(name: string, signal: AbortSignal): Promise<StatusUser> {
    const response = await fetch(`/status/users?name=${encodeURIComponent(name)}`, { headers: authorization(), signal })
    if (!response.ok) throw new Error((await problemOf(response)) ?? `The relay answered ${response.status}.`)
    return await response.json() as StatusUser
  }

  /** Until it is over; why, as far as the relay has said so. */
  async #once(): Promise<Over> {
    this.#again = undefined
    const control = new AbortController()
    let watch = setTimeout(() => control.abort(), SILENCE)
    const headers = authorization()
    const options = { headers, signal: control.signal, cache: "no-store" } as const
    try {
      const stream = await fetch("/status/events", options)
      if (stream.status === 401) return { problem: undefined, wantsToken: true }
      if (!stream.ok || stream.body === null) return over(await problemOf(stream))
      const begun = await fetch("/status", options)
      if (!begun.ok) return over(await problemOf(begun))
      this.#owner.began(await begun.json() as Status)
      this.#pause = FIRST_PAUSE
      const read = eventReader()
      for await (const text of stream.body.pipeThrough(new TextDecoderStream())) {
        clearTimeout(watch)
        watch = setTimeout(() => control.abort(), SILENCE)
        this.#last = Date.now()
        for (const { data, event } of read(text)) {
          if (event === "snapshot") this.#owner.snapshot(JSON.parse(data) as StatusSnapshot)
          else if (event === "event") this.#owner.happened(JSON.parse(data) as StatusEvent)
        }
      }
      return over(undefined)
    } catch {
      return over(undefined)
    } finally {
      clearTimeout(watch)
      control.abort()
    }
  }
}

/** Why the connection is over: what the relay says, or that it wants a token. */
interface Over {
  readonly problem: string | undefined
  readonly wantsToken: boolean
}

const over = (problem: string | undefined): Over => ({ problem, wantsToken: false })

const authorization = (): Record<string, string> => {
  const token = sessionStorage.getItem(TOKEN)
  return token === null ? {} : { authorization: `Bearer ${token}` }
}

/** What the relay says about why it does not answer as wanted. */
const problemOf = async (response: Response): Promise<string | undefined> => {
  try {
    const { error } = await response.json() as { readonly error?: unknown }
    return typeof error === "string" ? error.slice(0, 200) : undefined
  } catch {
    return undefined
  }
}
