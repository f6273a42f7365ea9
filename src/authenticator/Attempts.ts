/**
 * Who presents wrong credentials again and again is answered ever later, on however many connections (RFC 4976 §6.3): by
 * user, realm and address, so that nobody can lock out a user from elsewhere, and by address (for IPv6, by network), for
 * those who try one password with many users. Of a client behind another relay only that relay is known, and stands for
 * his address.
 *
 * Only wrong credentials are answered late, so no user waits for what others have done in his name. But few attempts of a
 * kind may be under way at a time once it has failed too often, or guesses side by side would be as fast as ever. A user
 * who has logged in from an address is not counted with others there, since it may be that of a NAT, and is always looked
 * at, until so many have guessed there in his name that his password is in danger, or guesses behind his relay leave no
 * place for an answer that is late.
 */
import { LinkedMap } from "../collections/LinkedMap.ts"
import { nameKey } from "../credentials/NameKey.ts"

export interface AttemptsOptions {
  /** Failures of a user from one address that cost nothing. Absent: 10. */
  readonly freePerUser?: number | undefined
  /** Failures from one address, whoever the users are. Absent: 100. */
  readonly freePerAddress?: number | undefined
}

const FREE_PER_USER = 10
const FREE_PER_ADDRESS = 100

/** Who wants to log in. */
export interface Candidate {
  readonly username: string
  readonly realm: string
  /** Address of the client, an IPv6 address as its network; absent behind another relay. */
  readonly source: string | undefined
  /** Address of that relay. */
  readonly relay: string | undefined
}

/** What is known of one user at one address, or of one address. */
interface Failures {
  count: number
  /** Attempts that are not answered yet. */
  underWay: number
  /** When all is forgotten. */
  forgotten: number
}

/** Milliseconds: of the first answer that is late; each further one takes twice as long. */
const FIRST_DELAY = 1000
/** Less than the time that a client waits for an answer. */
const LONGEST_DELAY = 16_000
const FORGOTTEN_AFTER = 900_000

/** Attempts of a kind under way at a time, once it has failed too often. */
const UNDER_WAY = 4

/**
 * Attempts behind one relay that are under way and may be answered late, whoever the users are. Fewer than what makes the
 * relay's connection wait for its AUTHs (the limit `auths`): guesses in many names must not stop what others do there.
 */
const LATE_BEHIND_RELAY = 128

/** Failures in the name of a user at an address from where he has logged in, after which that helps him no more. */
const WELCOME_FAILURES = 1000

/** Users and addresses that are remembered, each; the one that failed least recently is forgotten first. */
const MAX_REMEMBERED = 10_000

class Kind {
  /** Failures that cost nothing. */
  free: number
  /** The one that failed least recently is the first. */
  readonly #failures = new LinkedMap<string, Failures>()

  constructor(free: number) {
    this.free = free
  }

  /** What is known if it has failed too often. */
  suspect(key: string, now: number): Failures | undefined {
    const found = this.#find(key, now)
    return found === undefined || found.count <= this.free ? undefined : found
  }

  #find(key: string, now: number): Failures | undefined {
    const found = this.#failures.get(key)
    if (found === undefined || found.forgotten > now) return found
    this.#failures.delete(key)
    return undefined
  }

  /** Failures that are remembered. */
  count(key: string, now: number): number {
    return this.#find(key, now)?.count ?? 0
  }

  /** Counts one more; gives milliseconds until the answer. */
  failed(key: string, now: number): number {
    const failures = this.#find(key, now) ?? { count: 0, underWay: 0, forgotten: 0 }
    failures.count++
    failures.forgotten = now + FORGOTTEN_AFTER
    this.#failures.set(key, failures)
    if (this.#failures.size > MAX_REMEMBERED) this.forget(this.#failures.first!.key)
    const beyond = failures.count - this.free
    return beyond <= 0 ? 0 : Math.min(FIRST_DELAY * 2 ** (beyond - 1), LONGEST_DELAY)
  }

  forget(key: string): void {
    this.#failures.delete(key)
  }
}

/** An attempt that is looked at; `end` when it is answered. */
export interface Attempt {
  /** The credentials are wrong. Milliseconds until that is answered. */
  readonly failed: () => number
  /** They are right: the user is who he says. */
  readonly succeeded: () => void
  readonly end: () => void
}

export class Attempts {
  readonly #users: Kind
  readonly #addresses: Kind
  /** Users who have logged in, each from one address; the one that did so least recently is forgotten first. */
  readonly #welcome = new LinkedMap<string, true>()
  /** Of each relay: attempts behind it that may be answered late. */
  readonly #late = new Map<string, number>()
  readonly #now: () => number

  /** `now` in milliseconds. */
  constructor(options: AttemptsOptions, now: () => number) {
    this.#users = new Kind(options.freePerUser ?? FREE_PER_USER)
    this.#addresses = new Kind(options.freePerAddress ?? FREE_PER_ADDRESS)
    this.#now = now
  }

  /** What counts from now on, also for those who have failed before. */
  set options({ freePerAddress = FREE_PER_ADDRESS, freePerUser = FREE_PER_USER }: AttemptsOptions) {
    this.#users.free = freePerUser
    this.#addresses.free = freePerAddress
  }

  /** Begins an attempt; `undefined` when so many are under way already that it must come again later. */
  begin({ realm, relay, source, username }: Candidate): Attempt | undefined {
    const key = `${source ?? `behind ${relay ?? ""}`}\n${realm}\n${nameKey(username)}`
    const begun = this.#now()
    const welcome = this.#welcome.has(key)
    const byAddress = source !== undefined && !welcome
    const suspects = [this.#users.suspect(key, begun)]
    if (byAddress) suspects.push(this.#addresses.suspect(source, begun))
    if (!welcome && suspects.some((one) => one !== undefined && one.underWay >= UNDER_WAY)) return undefined
    let late = source === undefined && suspects[0] !== undefined
    if (late && !this.#takesLate(relay)) return undefined
    for (const one of suspects) if (one !== undefined) one.underWay++
    return {
      failed: () => {
        const time = this.#now()
        const ofUser = this.#users.failed(key, time)
        const wait = byAddress ? Math.max(ofUser, this.#addresses.failed(source, time)) : ofUser
        if (welcome && this.#users.count(key, time) >= WELCOME_FAILURES) this.#welcome.delete(key)
        // Who was no suspect yet, and finds no place, is answered now: as one, he is not looked at while there is none.
        if (wait > 0 && source === undefined && !late && !(late = this.#takesLate(relay))) return 0
        return Math.max(0, wait - (time - begun))
      },
      succeeded: () => {
        this.#users.forget(key)
        this.#welcome.set(key, true)
        if (this.#welcome.size > MAX_REMEMBERED) this.#welcome.delete(this.#welcome.first!.key)
      },
      end: () => {
        for (const one of suspects) if (one !== undefined) one.underWay--
        if (late) this.#leavesLate(relay)
      }
    }
  }

  #takesLate(relay = ""): boolean {
    const taken = this.#late.get(relay) ?? 0
    if (taken >= LATE_BEHIND_RELAY) return false
    this.#late.set(relay, taken + 1)
    return true
  }

  #leavesLate(relay = ""): void {
    const left = this.#late.get(relay)! - 1
    if (left > 0) this.#late.set(relay, left)
    else this.#late.delete(relay)
  }
}
