/**
 * The other tabs of this page in the same browser. They tell each other their names, and by which path they are reached through
 * the relay; everything else goes through the relay.
 */
import { MAX_NAME, nameOf } from "./names.ts"

/** Others that are known at a time; further ones are not answered. */
export const MAX_TABS = 20
/** Characters of a path, and of an id. */
const MAX_PATH = 2048
const MAX_ID = 64

/** What a tab says: at first, when it has another path or name, and when it hears of a tab that it did not know. */
interface Here {
  readonly kind: "here"
  readonly id: string
  readonly name: string
  /** By which path the tab with this id reaches it: each has a session of its own. Empty while it has no connection. */
  readonly paths: Readonly<Record<string, string>>
}

interface Left {
  readonly kind: "left"
  readonly id: string
}

/** As much of a `BroadcastChannel` as is used. */
export interface Channel {
  postMessage(message: unknown): void
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void
  close(): void
}

export interface NeighboursOwner {
  readonly name: string
  /** Somebody who was not known, or who has another name now. */
  met(id: string, name: string): void
  /** The path by which he is reached; empty: by none, now. */
  reached(id: string, path: string): void
  left(id: string): void
  /** The path by which he reaches this tab; empty: by none, now. */
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

  /** Tells everybody the name and the paths of now. */
  announce(): void {
    if (this.#closed) return
    const paths = Object.fromEntries(Array.from(this.#known, (id) => [id, this.#owner.pathFor(id)]))
    this.#tell({ kind: "here", id: this.id, name: this.#owner.name, paths })
  }

  /** He is gone, whether or not he has said so. */
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
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a BroadcastChannel is of one origin
    this.#channel.postMessage(said)
  }

  #hear({ id, name, paths }: Here): void {
    const isNew = !this.#known.has(id)
    if (isNew && this.#known.size >= MAX_TABS) return
    this.#known.add(id)
    this.#owner.met(id, name)
    if (Object.hasOwn(paths, this.id)) this.#owner.reached(id, paths[this.id]!)
    // He does not know the path for him yet.
    if (isNew) this.announce()
  }
}

/** What was said; undefined for what is no such thing: pages of other versions may be open, or of other programs that were here. */
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
