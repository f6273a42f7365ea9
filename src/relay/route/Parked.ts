/** What waits in a flow for its turn: whole frames, and parts and ends of long chunks. Frames are kept as they came in. */
import { defaultFrameLimits } from "../../protocol/FrameLimits.ts"
import { type Flag, Head } from "../../protocol/Head.ts"
import { HYPHENS } from "../../protocol/Hyphens.ts"
import { keepOctets } from "../../protocol/Octets.ts"
import type { Stream } from "./Stream.ts"

export type Parked =
  /** A whole frame as it came in; it is read again when its turn comes. */
  | {
    readonly kind: "frame"
    readonly octets: Buffer
    readonly bodyStart: number
    readonly bodyEnd: number
    readonly flag: Flag
    /** Its 200 is still to be sent. */
    readonly unanswered: boolean
  }
  | { readonly kind: "part"; readonly octets: Buffer; readonly stream: Stream }
  | {
    readonly kind: "end"
    readonly flag: Flag
    readonly stream: Stream
    readonly accepted: (() => void) | undefined
    /** Octets that are counted for it: those of the headers are kept up to here. */
    readonly counted: number
  }

/** What there is of the long chunk that goes on at `i`: its parts stand together, and its end behind them. */
export const restFrom = (
  parked: ReadonlyArray<Parked>,
  i: number
): { readonly octets: number; readonly flag: Flag } => {
  let octets = 0
  let one = parked[i]
  for (; one?.kind === "part"; one = parked[++i]) octets += one.octets.length
  return { octets, flag: one?.kind === "end" ? one.flag : "+" }
}

/** Where the parts stand of the long chunk at the end, of which more may come. */
export const openFrom = (parked: ReadonlyArray<Parked>): number => {
  let i = parked.length
  while (parked[i - 1]?.kind === "part") i--
  return i
}

/** A copy of a whole frame whose body ends at `bodyEnd`; `readAgain` reads it. */
export const keepFrame = (head: Head, bodyEnd: number): Buffer => {
  const endLine = HYPHENS + head.tidEnd - head.tidStart + 3
  const end = head.hasBody ? bodyEnd + 2 + endLine : head.bodyStart + endLine
  return keepOctets(head.buf.subarray(head.start, end))
}

const head = new Head()
/** What was accepted once is read again without limits. Whole numbers: with `Infinity` every later frame is read slower. */
const ANY = 2 ** 30 - 1
const anyLength = {
  ...defaultFrameLimits,
  startLine: ANY,
  headerLine: ANY,
  headerSection: ANY,
  headers: ANY
}

/** The head of a frame that was kept; it is the same object for all, so it is good until the next call. */
export const readAgain = (octets: Buffer): Head => {
  head.read(octets, 0, octets.length, anyLength, undefined)
  return head
}
