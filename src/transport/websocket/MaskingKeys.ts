/** Masking keys of client frames, which must be unpredictable (RFC 6455 §5.3). */
import { randomFillSync } from "node:crypto"

/** Keys made in advance: a call of the system for each would cost more than the masking. */
const keys = new Int32Array(1024)
let used = keys.length

export const maskingKey = (): number => {
  if (used === keys.length) {
    randomFillSync(keys)
    used = 0
  }
  return keys[used++]!
}
