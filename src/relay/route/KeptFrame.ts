/** Copies of whole frames, kept as they came in, to be sent later. */
import { defaultFrameLimits } from "../../protocol/FrameLimits.ts"
import { Head } from "../../protocol/Head.ts"
import { HYPHENS } from "../../protocol/Hyphens.ts"
import { keepOctets } from "../../protocol/Octets.ts"

/** Where a whole frame whose body ends at `bodyEnd` ends in the octets of its head. */
export const frameEnd = (head: Head, bodyEnd: number): number => {
  const endLine = HYPHENS + head.tidEnd - head.tidStart + 3
  return (head.hasBody ? bodyEnd + 2 : head.endLineStart) + endLine
}

/** Copies a whole frame whose body ends at `bodyEnd`, for `readAgain`. */
export const keepFrame = (head: Head, bodyEnd: number): Buffer =>
  keepOctets(head.buf.subarray(head.start, frameEnd(head, bodyEnd)))

const head = new Head()
/** No limits, because the frame was accepted already. A whole number: `Infinity` would make every later frame slower to read. */
const ANY = 2 ** 30 - 1
const anyLength = {
  ...defaultFrameLimits,
  startLine: ANY,
  headerLine: ANY,
  headerSection: ANY,
  headers: ANY
}

/** The head of a kept frame. All calls return the same object, so it is valid until the next call. */
export const readAgain = (octets: Buffer): Head => {
  head.read(octets, 0, octets.length, anyLength, undefined)
  return head
}
