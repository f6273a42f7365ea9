/**
 * Nonces: a time, random characters, and a code over both with a key made at start, so that one which was never used
 * costs no memory. Of one that was used, the count is kept until it expires (RFC 7616 §3.3, §5.12).
 */
import { hash, randomBytes, randomInt } from "node:crypto"
import { LinkedMap } from "../collections/LinkedMap.ts"
import { sameText } from "../protocol/digest/Digest.ts"
import { transactionId } from "../protocol/Ident.ts"

interface Spent {
  /** When the nonce was made. */
  readonly issued: number
  /** When it was used first. */
  readonly since: number
  /** The highest count seen. */
  nc: number
}

/** Characters of the code in a nonce: 132 bits. */
const MAC_LENGTH = 22

/** Milliseconds: nonces tell a time that begins anywhere in three decades, and not for how long the relay has been running. */
const MAX_ORIGIN = 10 ** 12

/** Expired ones that are forgotten for each one that is used: more than come in, and never many at once. */
const FORGOTTEN_AT_ONCE = 4

export class Nonces {
  readonly #key = randomBytes(32).toString("hex")
  /** In the order of first use. */
  readonly #spent = new LinkedMap<string, Spent>()
  /** Those made up to then are stale unless their count is kept: one may have been dropped early. */
  #floor = -1
  readonly #now: () => number
  readonly #origin: number
  /** Milliseconds for which one can be used; also counts for those that there are. */
  life: number
  /** Those in use whose count is kept. */
  max: number

  /** `now` in milliseconds of any origin, as is `life`. */
  constructor(now: () => number, life: number, max: number) {
    this.#now = now
    this.#origin = Math.floor(now()) - randomInt(MAX_ORIGIN)
    this.life = life
    this.max = max
  }

  issue(): string {
    const text = `${this.#time()}-${transactionId()}`
    return `${text}-${this.#mac(text)}`
  }

  /** Uses a nonce up to this count. False: not a nonce of this relay, too old, or the count has been reached before. */
  spend(nonce: string, nc: number): boolean {
    const issued = this.#issued(nonce)
    const now = this.#time()
    this.#forget(now)
    if (issued === undefined || nc === 0 || this.#expired(issued, now)) return false
    const spent = this.#spent.get(nonce)
    if (spent !== undefined) {
      if (nc <= spent.nc) return false
      spent.nc = nc
      return true
    }
    if (issued <= this.#floor) return false
    this.#makeRoom()
    this.#spent.set(nonce, { issued, since: now, nc })
    return true
  }

  /** Whole milliseconds: a fraction would take longer to print than the code to calculate. */
  #time(): number {
    return Math.floor(this.#now() - this.#origin)
  }

  #expired(since: number, now: number): boolean {
    return now - since >= this.life
  }

  #forget(now: number): void {
    for (let i = 0; i < FORGOTTEN_AT_ONCE; i++) {
      const { first } = this.#spent
      if (first === undefined || !this.#expired(first.value.since, now)) return
      this.#spent.delete(first.key)
    }
  }

  #makeRoom(): void {
    const spent = this.#spent
    for (let { first } = spent; first !== undefined && spent.size >= this.max; first = spent.first) {
      this.#floor = Math.max(this.#floor, first.value.issued)
      spent.delete(first.key)
    }
  }

  /** SHA-3 with the key in front is a MAC by its design, and costs a fifth of what an HMAC object does. */
  #mac(text: string): string {
    return hash("sha3-256", `${this.#key}${text}`, "base64url").slice(0, MAC_LENGTH)
  }

  /** When it was made, if it was made here. */
  #issued(nonce: string): number | undefined {
    const text = nonce.slice(0, -MAC_LENGTH - 1)
    return sameText(nonce, `${text}-${this.#mac(text)}`) ? Number.parseInt(text, 10) : undefined
  }
}
