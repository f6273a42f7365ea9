/**
 * Who presents wrong credentials again and again is slowed down, on however many connections (RFC 4976 §6.3): by user
 * and address, so that nobody can lock out a user from elsewhere, and by address, for those who try one password with
 * many users (for IPv6, by network). A user who has logged in from that address does not wait for what others do there: it may be that of a NAT.
 *
 * Each failure beyond the free ones doubles the time until the next attempt of the same kind is looked at.
 */
export interface AttemptsOptions {
  /** Failures of a user from one address that cost nothing. Absent: 5. */
  readonly freePerUser?: number | undefined
  /** Failures from one address, whoever the users are. Absent: 50. */
  readonly freePerAddress?: number | undefined
}

interface Failures {
  count: number
  /** When the next attempt may be looked at. */
  until: number
  /** When all is forgotten. */
  forgotten: number
}

/** Milliseconds. */
const FIRST_DELAY = 1000
/** Less than the time that a client waits for an answer. */
const LONGEST_DELAY = 16_000
const FORGOTTEN_AFTER = 900_000

/** Users and addresses that are remembered, each; the one that failed least recently is forgotten first. */
const MAX_REMEMBERED = 10_000

class Kind {
  readonly #free: number
  readonly #failures = new Map<string, Failures>()

  constructor(free: number) {
    this.#free = free
  }

  find(key: string, now: number): Failures | undefined {
    const found = this.#failures.get(key)
    if (found === undefined || found.forgotten > now) return found
    this.#failures.delete(key)
    return undefined
  }

  delayOf({ count }: Failures): number {
    return count <= this.#free ? 0 : Math.min(FIRST_DELAY * 2 ** (count - this.#free - 1), LONGEST_DELAY)
  }

  failed(key: string, now: number): void {
    const failures = this.find(key, now) ?? { count: 0, until: now, forgotten: 0 }
    failures.count++
    failures.until = Math.max(failures.until, now + this.delayOf(failures))
    failures.forgotten = now + FORGOTTEN_AFTER
    this.#failures.delete(key)
    this.#failures.set(key, failures)
    if (this.#failures.size > MAX_REMEMBERED) this.forget(this.#failures.keys().next().value!)
  }

  forget(key: string): void {
    this.#failures.delete(key)
  }
}

export class Attempts {
  readonly #users: Kind
  readonly #addresses: Kind
  /** Users who have logged in, each from one address; the one that did so least recently is forgotten first. */
  readonly #welcome = new Set<string>()
  readonly #now: () => number

  /** `now` in milliseconds. */
  constructor(options: AttemptsOptions, now: () => number) {
    this.#users = new Kind(options.freePerUser ?? 5)
    this.#addresses = new Kind(options.freePerAddress ?? 50)
    this.#now = now
  }

  /**
   * Milliseconds until an attempt is looked at; `undefined` when so many wait already that it must come again later.
   * Whoever waits takes the place of who comes after him.
   */
  wait(user: string, address: string | undefined): number | undefined {
    const now = this.#now()
    const key = keyOf(user, address)
    const byAddress = address === undefined || this.#welcome.has(key) ? undefined : this.#addresses.find(address, now)
    const known = [[this.#users, this.#users.find(key, now)], [this.#addresses, byAddress]] as const
    const wait = Math.max(0, ...known.map(([, failures]) => (failures?.until ?? 0) - now))
    if (wait > LONGEST_DELAY) return undefined
    for (const [kind, failures] of known) {
      if (failures !== undefined) failures.until = Math.max(failures.until, now) + kind.delayOf(failures)
    }
    return wait
  }

  failed(user: string, address: string | undefined): void {
    const now = this.#now()
    this.#users.failed(keyOf(user, address), now)
    if (address !== undefined) this.#addresses.failed(address, now)
  }

  /** The user is who he says; what came from his address otherwise is remembered. */
  succeeded(user: string, address: string | undefined): void {
    const key = keyOf(user, address)
    this.#users.forget(key)
    this.#welcome.delete(key)
    this.#welcome.add(key)
    if (this.#welcome.size > MAX_REMEMBERED) this.#welcome.delete(this.#welcome.values().next().value!)
  }
}

const keyOf = (user: string, address: string | undefined): string => `${address ?? ""}\n${user}`
