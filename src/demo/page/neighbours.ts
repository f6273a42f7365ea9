/**
 * The other tabs of this page in the same browser. They exchange names and paths directly; everything else goes through the relay.
 */
import { MAX_NAME, nameOf } from "./names.ts"

/** Other tabs that are known at a time. Further ones are ignored. */
export const MAX_TABS = 20
/** Characters of a path. */
const MAX_PATH = 2048
/** Characters of an id. */
const MAX_ID = 64

/** Sent by a tab at the start, when its path or name changes, and when it learns of another tab. */
interface Here {
  readonly kind: "here"
  readonly id: string
  readonly name: string
  /** The path to the sender for each other tab, by the id of that tab. Empty while the sender has no connection. */
  readonly paths: Readonly<Record<string, string>>
}

interface Left {
  readonly kind: "left"
  readonly id: string
}

/** The part of `BroadcastChannel` that is used. */
export interface Channel {
  postMessage(message: unknown): void
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void
  close(): void
}

export interface NeighboursOwner {
  readonly name: string
  /** Called for a tab that is new, and when a tab may have another name. */
  met(id: string, name: string): void
  /** Called with the path to a tab. Empty while it has none. */
  reached(id: string, path: string): void
  left(id: string): void
  /** The path to this tab, for another one. Empty while there is none. */
  pathFor(id: string): string
}

export class Neighbours {
  readonly id: string
  readonly #channel: Channel
  readonly #owner: NeighboursOwner
  readonly #known = new Set<string>()
  #closed = false

  constructor(id: string, channel: Channel, owner: NeighboursOwner) {
    this.id = id
    this.#channel = channel
    this.#owner = owner
    channel.addEventListener("message", ({ data }) => {
      const said = read(data)
      if (said === undefined || said.id === id || this.#closed) return
      if (said.kind === "left") this.forget(said.id)
      else this.#hear(said)
    })
  }

  /** Sends the current name and paths to all tabs. */
  announce(): void {
    if (this.#closed) return
    const paths = Object.fromEntries(Array.from(this.#known, (id) => [id, this.#owner.pathFor(id)]))
    this.#tell({ kind: "here", id: this.id, name: this.#owner.name, paths })
  }

  /** Removes a tab that has left, even without a message. */
  forget(id: string): void {
    if (this.#known.delete(id)) this.#owner.left(id)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#tell({ kind: "left", id: this.id })
    this.#channel.close()
  }

  #tell(said: Here | Left): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a BroadcastChannel has one origin
    this.#channel.postMessage(said)
  }

  #hear({ id, name, paths }: Here): void {
    const isNew = !this.#known.has(id)
    if (isNew && this.#known.size >= MAX_TABS) return
    this.#known.add(id)
    this.#owner.met(id, name)
    if (Object.hasOwn(paths, this.id)) this.#owner.reached(id, paths[this.id]!)
    // The new tab does not know its path to this one yet.
    if (isNew) this.announce()
  }
}

/** Reads a message. Undefined if it is not valid: other versions of the page, or other pages of this origin, may use the channel. */
export const read = (data: unknown): Here | Left | undefined => {
  if (typeof data !== "object" || data === null) return undefined
  const { id, kind, name, paths } = data as Record<string, unknown>
  if (!isText(id, MAX_ID) || id === "") return undefined
  if (kind === "left") return { kind, id }
  if (kind !== "here" || !isText(name, 2 * MAX_NAME) || typeof paths !== "object" || paths === null) return undefined
  const shown = nameOf(name)
  const all = Object.entries(paths).slice(0, MAX_TABS + 1).flatMap(([to, path]) =>
    isText(to, MAX_ID) && isText(path, MAX_PATH) ? [[to, path] as const] : []
  )
  if (shown === "") return undefined
  return { kind, id, name: shown, paths: Object.fromEntries(all) }
}

const isText = (value: unknown, most: number): value is string => typeof value === "string" && value.length <= most
