/**
 * Nonces that cost no memory before they are used: each is a time, random characters, and a MAC of both with a key made at
 * start. The count of a used nonce is kept until it expires (RFC 7616 §3.3, §5.12).
 */
import { hash, randomBytes, randomInt } from "node:crypto"
import { LinkedMap } from "../collections/LinkedMap.ts"
import { sameText } from "../protocol/digest/Digest.ts"
import { transactionId } from "../protocol/Ident.ts"

interface Spent {
  /** Time at which the nonce was made. */
  readonly issued: number
  /** The highest nonce count received. */
  nc: number
}

/** Characters of the MAC in a nonce: 132 bits. */
const MAC_LENGTH = 22

/** Milliseconds by which the times in nonces are shifted at most, at random, so that they do not reveal the relay's uptime. */
const MAX_ORIGIN = 10 ** 12

/** Expired nonces that are removed for each use of a nonce: more than are added, and few at a time. */
const FORGOTTEN_AT_ONCE = 4

export class Nonces {
  readonly #key = randomBytes(32).toString("hex")
  /** Used nonces, in the order of their first use. */
  readonly #spent = new LinkedMap<string, Spent>()
  /** Nonces made up to this time are stale unless their count is kept, because it may have been dropped early. */
  #floor = -1
  readonly #now: () => number
  readonly #origin: number
  /** Milliseconds for which a nonce can be used; a change applies to existing nonces too. */
  life: number
  /** Maximum number of used nonces whose count is kept. */
  max: number

  /** `now` gives monotonic milliseconds of any origin; `life` is in milliseconds. */
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

  /** Uses a nonce with this count. False if the nonce is not from here or too old, or if the count was reached before. */
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
    this.#spent.set(nonce, { issued, nc })
    return true
  }

  /** Whole milliseconds: printing a fraction would take longer than calculating the MAC. */
  #time(): number {
    return Math.floor(this.#now() - this.#origin)
  }

  #expired(issued: number, now: number): boolean {
    return now - issued >= this.life
  }

  #forget(now: number): void {
    for (let i = 0; i < FORGOTTEN_AT_ONCE; i++) {
      const { first } = this.#spent
      if (first === undefined || !this.#expired(first.value.issued, now)) return
      this.#drop(first)
    }
  }

  #makeRoom(): void {
    const spent = this.#spent
    for (let { first } = spent; first !== undefined && spent.size >= this.max; first = spent.first) this.#drop(first)
  }

  /** Also an expired nonce would be valid again, and its count begin anew, if `life` became longer. */
  #drop({ key, value }: { readonly key: string; readonly value: Spent }): void {
    this.#floor = Math.max(this.#floor, value.issued)
    this.#spent.delete(key)
  }

  /** SHA-3 with the key as a prefix is a secure MAC by design, at a fifth of the cost of an HMAC object. */
  #mac(text: string): string {
    return hash("sha3-256", `${this.#key}${text}`, "base64url").slice(0, MAC_LENGTH)
  }

  /** Time at which a nonce was made; `undefined` if it was not made here. */
  #issued(nonce: string): number | undefined {
    const text = nonce.slice(0, -MAC_LENGTH - 1)
    return sameText(nonce, `${text}-${this.#mac(text)}`) ? Number.parseInt(text, 10) : undefined
  }
}
