/**
 * What a way back asks about the first requests of a session on a connection that it shares with other sessions, while the
 * next hop has accepted none of them: whether they are sent again elsewhere instead of failing.
 */
import type { Flag, Head } from "../../protocol/Head.ts"
import type { Piece } from "../outbound/Origin.ts"

export interface Retry {
  /** A whole request is sent. It may be copied, to be sent again. */
  keep(head: Head, bodyEnd: number, flag: Flag): void
  /** The next hop has answered one of the requests with this status. */
  heard(status: number): void
  /** A SEND has failed. Returns true if it is sent on another connection, so that nothing is reported to its sender. */
  absorbsFailure(piece: Piece, status: number): boolean
  /** A request other than SEND, which arrived with this transaction id, was answered. Returns true as `absorbsFailure` does. */
  absorbsAnswer(id: string, status: number): boolean
  /** No further request takes this way. */
  close(): void
}
