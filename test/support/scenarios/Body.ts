/** The body of a long message, put together from the chunks that a peer gets. */
import { type Frame, header, type Peer } from "../harness.ts"
import { wantsAnswer } from "./FailureReport.ts"

interface Piece {
  /** The first octet of the body that it has, counted from 1. */
  readonly start: number
  readonly range: string
  readonly flag: string
  readonly body: Buffer
}

/** The SENDs that the peer gets from now on, in order; it answers those that want it. */
export const collectBody = (peer: Peer) => {
  const pieces: Array<Piece> = []
  const state = { pieces, octets: 0, others: [] as Array<Frame> }
  peer.onFrame = (frame) => {
    if (frame.method !== "SEND") return void state.others.push(frame)
    const range = header(frame, "Byte-Range")!
    pieces.push({ start: Number.parseInt(range), range, flag: frame.flag, body: frame.body! })
    state.octets += frame.body!.length
    if (wantsAnswer(header(frame, "Failure-Report"))) peer.answer(frame)
  }
  return state
}
