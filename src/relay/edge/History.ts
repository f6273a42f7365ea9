/**
 * Recent events: of each user, to explain why something failed, and the last ends of sessions and connections. An event that
 * repeats is kept once, with a count.
 */
import { LinkedMap } from "../../collections/LinkedMap.ts"
import { Tally } from "../../collections/Tally.ts"
import type { Noted } from "./Journal.ts"
import type { RelayEvent } from "./RelayEvent.ts"

/** Users that are remembered; the one without events for longest is forgotten first. */
export const MAX_USERS = 2048

/** Names of failed logins that are remembered: they may be no names of users. */
export const MAX_NAMES = 256

/** Events that are kept of one user. */
export const MAX_EVENTS = 16

/** Ends that are kept of sessions and connections. Beyond that, the oldest is dropped of the user that has most of them. */
export const MAX_RECENT = 100

/** All connections without a user count as those of one user. */
const STRANGERS = ""

/** The last ends, in which a user who connects again and again does not hide the others. */
class Recent {
  readonly #events: Array<{ readonly whose: string; readonly event: RelayEvent }> = []
  /** How many of the events each user has. */
  readonly #counts = new Tally<string>()

  add(whose: string, event: RelayEvent): void {
    this.#events.push({ whose, event })
    this.#counts.more(whose)
    if (this.#events.length <= MAX_RECENT) return
    let most = 0
    for (const one of this.#events) most = Math.max(most, this.#counts.of(one.whose))
    const at = this.#events.findIndex((one) => this.#counts.of(one.whose) === most)
    const [gone] = this.#events.splice(at, 1)
    this.#counts.less(gone!.whose)
  }

  /** The latest last. */
  get all(): ReadonlyArray<RelayEvent> {
    return this.#events.map(({ event }) => event)
  }
}

export class History {
  readonly #users = new LinkedMap<string, Array<RelayEvent>>()
  readonly #names = new LinkedMap<string, Array<RelayEvent>>()
  readonly #recent = new Recent()

  note({ fields, level, message, time, user }: Noted): void {
    const event: RelayEvent = { time, level, message, fields }
    if (level === "Debug") return
    if (event.message === "session ended" || event.message === "connection ended") {
      this.#recent.add(user ?? STRANGERS, event)
    }
    if (user !== undefined) add(this.#eventsOf(user, event.message === "login failed"), event)
  }

  /** A name counts as that of a user after a successful login. */
  #eventsOf(user: string, isClaim: boolean): Array<RelayEvent> {
    const known = this.#users.touch(user)
    if (known !== undefined) return known
    const claimed = this.#names.touch(user)
    if (isClaim) return claimed ?? remembered(this.#names, user, [], MAX_NAMES)
    this.#names.delete(user)
    return remembered(this.#users, user, claimed ?? [], MAX_USERS)
  }

  /** The latest last. */
  of(user: string): ReadonlyArray<RelayEvent> {
    return [...this.#users.get(user) ?? this.#names.get(user) ?? []]
  }

  /** The latest last. */
  get recent(): ReadonlyArray<RelayEvent> {
    return this.#recent.all
  }
}

const remembered = (
  of: LinkedMap<string, Array<RelayEvent>>,
  user: string,
  events: Array<RelayEvent>,
  most: number
): Array<RelayEvent> => {
  of.set(user, events)
  of.shorten(most)
  return events
}

/** Events that are kept once, with a count. */
const REPEATED: ReadonlySet<RelayEvent["message"]> = new Set(["login failed", "request refused", "dial failed"])

/** Events of success, which are dropped first. */
const WELL: ReadonlySet<RelayEvent["message"]> = new Set(["login granted", "peer bound", "dial succeeded"])

const add = (events: Array<RelayEvent>, event: RelayEvent): void => {
  const at = REPEATED.has(event.message) ? events.findIndex((one) => isSame(one, event)) : -1
  const [same] = at === -1 ? [] : events.splice(at, 1)
  const times = same === undefined ? undefined : Number(same.fields["times"] ?? 1) + 1
  events.push(times === undefined ? event : { ...event, fields: { ...event.fields, times } })
  if (events.length <= MAX_EVENTS) return
  // Failures are asked for, successes hardly.
  const least = events.findIndex(({ message }) => WELL.has(message))
  events.splice(Math.max(least, 0), 1)
}

const isSame = (a: RelayEvent, b: RelayEvent): boolean =>
  a.message === b.message &&
  ["status", "reason", "method", "target", "direction"].every((name) => a.fields[name] === b.fields[name])
