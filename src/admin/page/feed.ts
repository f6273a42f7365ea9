/** The connection to the relay, which is opened again when it is lost. */
import type { Status, StatusEvent, StatusSnapshot, StatusUser } from "../status/Shapes.ts"
import { eventReader } from "./sse.ts"

/** The key of the token in the session storage of this tab. */
const TOKEN = "msrp-relay-token"

/** The path that the API is mounted at, by a proxy or a program: that of this page, which may lack the slash at its end. */
const HERE = location.pathname.replace(/\/?$/, "/")

/** Milliseconds before the first attempt to connect again; each further pause is twice as long. */
const FIRST_PAUSE = 1000

/** Maximum milliseconds between two attempts. */
const LONGEST_PAUSE = 15_000

/** Milliseconds without an octet after which the connection counts as lost, even if it is still open. */
const SILENCE = 10_000

export interface FeedOwner {
  began(status: Status): void
  snapshot(snapshot: StatusSnapshot): void
  happened(event: StatusEvent): void
  /** The connection is lost. `since`: when data last arrived, in milliseconds since 1970, if ever. `reason`: as the relay gives it. */
  lost(since: number | undefined, reason: string | undefined): void
  /** The relay requires a token; `wrong`: whether it refused the one it got. */
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

  /** Runs for as long as the page is open. */
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
    const response = await fetch(`${HERE}status/users?name=${encodeURIComponent(name)}`, {
      headers: authorization(),
      signal
    })
    if (!response.ok) throw new Error((await problemOf(response)) ?? `The relay answered ${response.status}.`)
    return await response.json() as StatusUser
  }

  /** Keeps one connection until it ends; returns why it ended. */
  async #once(): Promise<Over> {
    this.#again = undefined
    const control = new AbortController()
    let watch = setTimeout(() => control.abort(), SILENCE)
    const headers = authorization()
    const options = { headers, signal: control.signal, cache: "no-store" } as const
    try {
      const stream = await fetch(`${HERE}status/events`, options)
      if (stream.status === 401) return { problem: undefined, wantsToken: true }
      if (!stream.ok || stream.body === null) return over(await problemOf(stream))
      const begun = await fetch(`${HERE}status`, options)
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

/** Why a connection ended: a problem that the relay reported, or a missing token. */
interface Over {
  readonly problem: string | undefined
  readonly wantsToken: boolean
}

const over = (problem: string | undefined): Over => ({ problem, wantsToken: false })

const authorization = (): Record<string, string> => {
  const token = sessionStorage.getItem(TOKEN)
  return token === null ? {} : { authorization: `Bearer ${token}` }
}

/** The reason in an error response of the relay. */
const problemOf = async (response: Response): Promise<string | undefined> => {
  try {
    const { detail } = await response.json() as { readonly detail?: unknown }
    return typeof detail === "string" ? detail.slice(0, 200) : undefined
  } catch {
    return undefined
  }
}
