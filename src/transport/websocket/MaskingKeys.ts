/** Keys that frames of a client are masked with (RFC 6455 §5.3): nobody who sees some may guess the next. */
import { randomFillSync } from "node:crypto"

/** Made at a time: to ask the system for each costs more than the mask. */
const keys = new Int32Array(1024)
let used = keys.length

export const maskingKey = (): number => {
  if (used === keys.length) {
    randomFillSync(keys)
    used = 0
  }
  return keys[used++]!
}
