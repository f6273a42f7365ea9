/** Identifiers: transaction ids, session-ids and the form they share with Message-IDs (RFC 4975 §7.1, §9, §14.1). */
import { Buffer, hash, randomFillSync } from "../platform/Node.ts"

/** 32 characters: each has 5 random bits, and is allowed anywhere in an `ident`. */
const ALPHABET = Buffer.from("abcdefghijklmnopqrstuvwxyz234567", "latin1")

/** Random characters, unused from `next` on. One call of the generator serves 512 transactions. */
const pool = Buffer.allocUnsafeSlow(8192)
let next = pool.length

/** Takes `length` unused characters of the pool. Returns their offset. */
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
 * §14.1 wants 80, RFC 4976 §6.3 64). It is a secret, because knowing it is enough to use the session: it must not be logged.
 */
export const sessionId = (): string => {
  const at = take(24)
  const id = pool.toString("latin1", at, at + 24)
  pool.fill(0, at, at + 24)
  return id
}

/** The key of a session-id for places where the secret must not be: a digest of 32 hexadecimal digits, which does not reveal it. */
export const sessionKey = (sessionId: string): string => hash("sha256", sessionId, "hex").slice(0, 32)

/** The label of a session for logs: the first 12 digits of its key. */
export const sessionLabel = (sessionId: string): string => labelOf(sessionKey(sessionId))

/** The label that belongs to a key. */
export const labelOf = (key: string): string => key.slice(0, 12)

const IDENT = /^[A-Za-z0-9][A-Za-z0-9.\-+%=]{3,31}$/

/** The form of transaction ids and Message-IDs: 4 to 32 characters (RFC 4975 §9, `ident`). */
export const isIdent = (text: string): boolean => IDENT.test(text)

/** A short text that stands for a long one. */
export const digestOf = (text: string): string => hash("sha256", text, "base64")
