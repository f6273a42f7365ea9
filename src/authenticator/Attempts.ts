/**
 * Slows down the guessing of passwords, over any number of connections (RFC 4976 §6.3): each further failure is answered later.
 * Failures are counted by user, realm and address, so that nobody can lock out a user from another address, and by address
 * alone (for IPv6, by network), against trying one password with many users. The address of a client behind another relay is
 * not known, so the address of that relay stands in for it.
 *
 * Only wrong credentials are answered late, so a user does not wait because of failures that others caused in the same name.
 * Once a user or an address has failed too often, few of its attempts may be under way at a time, because parallel guesses
 * would otherwise be as fast as before. A user who has logged in from an address is not counted with others there, because a
 * NAT may share it, and is always verified. That ends when guesses there in the user's name put the password at risk, or when
 * guesses behind the user's relay have taken all places for late answers.
 */
import { LinkedMap } from "../collections/LinkedMap.ts"
import { nameKey } from "../credentials/NameKey.ts"

export interface AttemptsOptions {
  /** Failures of a user from one address that cost nothing. Absent: 10. */
  readonly freePerUser?: number | undefined
  /** Failures from one address, of all users together. Absent: 100. */
  readonly freePerAddress?: number | undefined
}

const FREE_PER_USER = 10
const FREE_PER_ADDRESS = 100

/** The user, realm and address of an attempt to log in. */
export interface Candidate {
  readonly username: string
  readonly realm: string
  /** Address of the client, an IPv6 address as its network; absent behind another relay. */
  readonly source: string | undefined
  /** Address of the relay that the client is behind. */
  readonly relay: string | undefined
}

/** The failures of one user at one address, or of one address. */
interface Failures {
  count: number
  /** Attempts that are not answered yet. */
  underWay: number
  /** Monotonic milliseconds at which the failures are forgotten. */
  forgotten: number
}

/** Milliseconds by which the first late answer is delayed; each further one is delayed twice as long. */
const FIRST_DELAY = 1000
/** Milliseconds of the longest delay: less than the time that a client waits for an answer. */
const LONGEST_DELAY = 16_000

/** Milliseconds after the last failure until all are forgotten. */
const FORGOTTEN_AFTER = 900_000

/** Attempts of a user or an address that may be under way at a time, once it has failed too often. */
const UNDER_WAY = 4

/**
 * Attempts behind one relay, of all users together, that may be under way and answered late. It is below the limit `auths`,
 * at which the connection of the relay is no longer read: guesses in many names must not stop the other clients there.
 */
const LATE_BEHIND_RELAY = 128

/** Failures in the name of a user, at an address of an earlier login, after which that login no longer counts. */
const WELCOME_FAILURES = 1000

/** Maximum number of entries for users, and of entries for addresses; the one that failed least recently goes first. */
const MAX_REMEMBERED = 10_000

/** Failures by key: those of users, or those of addresses. */
class FailureTable {
  /** Failures that cost nothing. */
  free: number
  /** Ordered by the last failure, the least recent first. */
  readonly #failures = new LinkedMap<string, Failures>()

  constructor(free: number) {
    this.free = free
  }

  /** The failures of a key that has failed too often. */
  suspect(key: string, now: number): Failures | undefined {
    const found = this.#find(key, now)
    return found === undefined || found.count <= this.free ? undefined : found
  }

  #find(key: string, now: number): Failures | undefined {
    const found = this.#failures.get(key)
    return found !== undefined && found.forgotten > now ? found : undefined
  }

  /** Number of remembered failures. */
  count(key: string, now: number): number {
    return this.#find(key, now)?.count ?? 0
  }

  /** Counts a failure; returns the milliseconds by which the answer is delayed. */
  failed(key: string, now: number): number {
    const failures = this.#find(key, now) ?? { count: 0, underWay: 0, forgotten: 0 }
    failures.count++
    failures.forgotten = now + FORGOTTEN_AFTER
    this.#failures.set(key, failures)
    this.#failures.shorten(MAX_REMEMBERED)
    const beyond = failures.count - this.free
    return beyond <= 0 ? 0 : Math.min(FIRST_DELAY * 2 ** (beyond - 1), LONGEST_DELAY)
  }

  /** Counts one failure less. */
  takeBack(key: string): void {
    const failures = this.#failures.get(key)
    if (failures !== undefined && failures.count > 0) failures.count--
  }

  forget(key: string): void {
    this.#failures.delete(key)
  }
}

/** The places for attempts that may be answered late, behind each relay. */
class LatePlaces {
  /** Number of places that are taken, by relay. */
  readonly #taken = new Map<string, number>()

  take(relay = ""): boolean {
    const taken = this.#taken.get(relay) ?? 0
    if (taken >= LATE_BEHIND_RELAY) return false
    this.#taken.set(relay, taken + 1)
    return true
  }

  leave(relay = ""): void {
    const left = this.#taken.get(relay)! - 1
    if (left > 0) this.#taken.set(relay, left)
    else this.#taken.delete(relay)
  }
}

/** What is remembered of all attempts. */
interface Memory {
  readonly users: FailureTable
  readonly addresses: FailureTable
  /** Keys of users and addresses with a successful login, the least recent first. */
  readonly welcome: LinkedMap<string, true>
  readonly late: LatePlaces
  /** Monotonic milliseconds. */
  readonly now: () => number
}

/** An attempt that may be verified; `end` must be called when it is answered. */
export class Attempt {
  readonly #memory: Memory
  /** Its user at its address. */
  readonly #key: string
  readonly #relay: string | undefined
  readonly #isBehindRelay: boolean
  readonly #begun: number
  /** Whether the user had logged in from there when it began. */
  readonly wasWelcome: boolean
  /** The address, if the attempt counts for it with those of other users. */
  readonly #address: string | undefined
  /** Those who have failed too often, among whose attempts this one has a place. */
  readonly #places: Array<Failures> = []
  /** Whether it has a place for late answers. */
  #isLate = false
  /** Milliseconds from the beginning of the attempt to the answer; `undefined` if it has not failed. */
  #wait: number | undefined

  constructor(memory: Memory, { realm, relay, source, username }: Candidate) {
    this.#memory = memory
    this.#key = `${source ?? `behind ${relay ?? ""}`}\n${realm}\n${nameKey(username)}`
    this.#relay = relay
    this.#isBehindRelay = source === undefined
    this.#begun = memory.now()
    this.wasWelcome = memory.welcome.has(this.#key)
    this.#address = this.wasWelcome ? undefined : source
  }

  /**
   * To be called when the secret is there, just before it is compared. False if others have failed too often in the meantime, so
   * that the client must try again later: a slow backend would otherwise let any number of guesses pass at once.
   */
  goesOn(): boolean {
    const suspects = this.#suspects()
    // That may have ended since the attempt began, because of other guesses.
    const isWelcome = this.#memory.welcome.has(this.#key)
    if (!isWelcome && suspects.some((one) => one.underWay >= UNDER_WAY)) return false
    if (suspects.length > 0 && !this.#mayBeLate()) return false
    if (isWelcome) return true
    for (const one of suspects) one.underWay++
    this.#places.push(...suspects)
    return true
  }

  /** Those who have failed too often, except where it has a place already. */
  #suspects(): ReadonlyArray<Failures> {
    const { addresses, now, users } = this.#memory
    const time = now()
    const ofAddress = this.#address === undefined ? undefined : addresses.suspect(this.#address, time)
    return [users.suspect(this.#key, time), ofAddress]
      .filter((one) => one !== undefined)
      .filter((one) => !this.#places.includes(one))
  }

  /** Whether it may be answered late: behind a relay it needs one of the places there. */
  #mayBeLate(): boolean {
    if (this.#isBehindRelay && !this.#isLate) this.#isLate = this.#memory.late.take(this.#relay)
    return !this.#isBehindRelay || this.#isLate
  }

  /** To be called if the credentials are wrong; counts once, and returns the milliseconds until the answer. */
  failed(): number {
    this.#wait ??= this.#count()
    return Math.max(0, this.#wait - (this.#memory.now() - this.#begun))
  }

  #count(): number {
    const { addresses, now, users, welcome } = this.#memory
    const time = now()
    const ofUser = users.failed(this.#key, time)
    if (this.wasWelcome && users.count(this.#key, time) >= WELCOME_FAILURES) welcome.delete(this.#key)
    const longer = this.#address === undefined ? ofUser : Math.max(ofUser, addresses.failed(this.#address, time))
    // A user that only now has failed too often, and finds no place, is answered at once; without a place, later attempts
    // are not verified.
    return longer > 0 && !this.#mayBeLate() ? 0 : longer
  }

  /** To be called if the credentials are right, also if they seemed wrong at first. */
  succeeded(): void {
    const { addresses, users, welcome } = this.#memory
    users.forget(this.#key)
    if (this.#wait !== undefined && this.#address !== undefined) addresses.takeBack(this.#address)
    welcome.set(this.#key, true)
    welcome.shorten(MAX_REMEMBERED)
  }

  end(): void {
    for (const one of this.#places) one.underWay--
    if (this.#isLate) this.#memory.late.leave(this.#relay)
  }
}

export class Attempts {
  readonly #memory: Memory

  /** `now` gives monotonic milliseconds. */
  constructor({ freePerAddress = FREE_PER_ADDRESS, freePerUser = FREE_PER_USER }: AttemptsOptions, now: () => number) {
    this.#memory = {
      users: new FailureTable(freePerUser),
      addresses: new FailureTable(freePerAddress),
      welcome: new LinkedMap(),
      late: new LatePlaces(),
      now
    }
  }

  /** Replaces the options; they apply to earlier failures too. */
  set options({ freePerAddress = FREE_PER_ADDRESS, freePerUser = FREE_PER_USER }: AttemptsOptions) {
    this.#memory.users.free = freePerUser
    this.#memory.addresses.free = freePerAddress
  }

  /** Begins an attempt; `undefined` if too many are under way, so that the client must try again later. */
  begin(candidate: Candidate): Attempt | undefined {
    const attempt = new Attempt(this.#memory, candidate)
    return attempt.goesOn() ? attempt : undefined
  }
}
