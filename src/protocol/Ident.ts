/** Identifiers: transaction ids, session-ids and the form they share with Message-IDs (RFC 4975 §7.1, §9, §14.1). */
import { Buffer, hash, randomFillSync } from "../platform/Node.ts"

/** 32 characters: each carries 5 random bits, and is legal at any place of an `ident`. */
const ALPHABET = Buffer.from("abcdefghijklmnopqrstuvwxyz234567", "latin1")

/** Random characters that were not used yet, from `next` on: one call of the generator serves 512 transactions. */
const pool = Buffer.allocUnsafeSlow(8192)
let next = pool.length

/** The place in the pool of so many characters, which nobody else gets. */
const take = (length: number): number => {
  if (next + length > pool.length) {
    randomFillSync(pool)
    for (let i = 0; i < pool.length; i++) pool[i] = ALPHABET[pool[i]! & 31]!
    next = 0
  }
  const at = next
  next += length
  return at
}

/**
 * A new transaction id: 16 lower-case letters and digits with 80 random bits from the cryptographic generator (RFC 4975
 * §7.1 wants 64). Once per forwarded message, so it must be cheap: about 60 ns.
 */
export const transactionId = (): string => {
  const p = pool
  const i = take(16)
  // One call with all the codes is twice as fast as a slice of the buffer, and makes a flat string.
  return String.fromCharCode(
    p[i]!,
    p[i + 1]!,
    p[i + 2]!,
    p[i + 3]!,
    p[i + 4]!,
    p[i + 5]!,
    p[i + 6]!,
    p[i + 7]!,
    p[i + 8]!,
    p[i + 9]!,
    p[i + 10]!,
    p[i + 11]!,
    p[i + 12]!,
    p[i + 13]!,
    p[i + 14]!,
    p[i + 15]!
  )
}

/**
 * A new session-id: 24 lower-case letters and digits with 120 random bits from the cryptographic generator (RFC 4975
 * §14.1 wants 80, RFC 4976 §6.3 64). Whoever knows it may use the session: it does not belong in a log.
 */
export const sessionId = (): string => {
  const at = take(24)
  const id = pool.toString("latin1", at, at + 24)
  pool.fill(0, at, at + 24)
  return id
}

/** What stands for a session-id where it must not be: the same for the same one, and of no use to who reads it. 32 hexadecimal digits. */
export const sessionKey = (sessionId: string): string => hash("sha256", sessionId, "hex").slice(0, 32)

/** The same for a log, where it only has to be found again: the first 12 of the digits. */
export const sessionLabel = (sessionId: string): string => labelOf(sessionKey(sessionId))

/** The label in a key. */
export const labelOf = (key: string): string => key.slice(0, 12)

const IDENT = /^[A-Za-z0-9][A-Za-z0-9.\-+%=]{3,31}$/

/** The form of transaction ids and Message-IDs: 4 to 32 characters (RFC 4975 §9, `ident`). */
export const isIdent = (text: string): boolean => IDENT.test(text)
