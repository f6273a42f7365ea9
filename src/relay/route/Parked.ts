/** What waits in a flow for its turn: whole frames, and parts and ends of long chunks. Frames are kept as they came in. */
import type { Flag } from "../../protocol/Head.ts"
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
