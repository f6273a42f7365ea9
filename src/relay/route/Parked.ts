/** What waits in a flow for its turn: whole frames, and parts and ends of long chunks. */
import type { Flag } from "../../protocol/Head.ts"
import type { DelayedAnswer } from "./DelayedAnswer.ts"
import type { Stream } from "./Stream.ts"

/** Octets counted for each parked item besides its own, so that many small ones count too. */
export const OVERHEAD = 256

export type Parked =
  /** A whole frame as it came in; its head is read again when its turn comes. */
  | {
    readonly kind: "frame"
    readonly octets: Buffer
    readonly bodyEnd: number
    readonly flag: Flag
    /** Its 200, if that is delayed. */
    readonly answer: DelayedAnswer | undefined
  }
  | { readonly kind: "part"; readonly octets: Buffer; readonly stream: Stream }
  | {
    readonly kind: "end"
    readonly flag: Flag
    readonly stream: Stream
    /** The 200 to the chunk, if that is delayed. */
    readonly answer: DelayedAnswer | undefined
    /** Octets that are counted for it, because the chunk keeps its headers up to here. */
    readonly counted: number
  }

/** What is parked of the long chunk that goes on at index `i`. Its parts stand together, followed by its end. */
export const restFrom = (
  parked: ReadonlyArray<Parked>,
  i: number
): { readonly octets: number; readonly flag: Flag } => {
  let octets = 0
  let one = parked[i]
  for (; one?.kind === "part"; one = parked[++i]) octets += one.octets.length
  return { octets, flag: one?.kind === "end" ? one.flag : "+" }
}

/**
 * The index at which a long chunk begins that is not complete yet: its parts stand at the end. In front of them there may be parts of
 * a chunk that was refused meanwhile, which have no end.
 */
export const openFrom = (parked: ReadonlyArray<Parked>): number => {
  let i = parked.length
  const last = parked[i - 1]
  if (last?.kind !== "part") return i
  for (let one: Parked | undefined = last; one?.kind === "part" && one.stream === last.stream; one = parked[i - 1]) i--
  return i
}
