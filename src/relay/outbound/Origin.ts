/** The side that a request came from, as the connection that it goes out on sees it: where its outcome is reported. */
import type { Head, Kind } from "../../protocol/Head.ts"
import type { Loss } from "../Loss.ts"
import type { OtherRequest } from "./Expectation.ts"
import type { Sent } from "./Window.ts"

/** A part of a message: the number of its first octet, its octets, and those of the whole message (-1: unknown). */
export interface Piece {
  readonly messageId: string | undefined
  readonly start: number
  readonly length: number
  readonly total: number
}

export interface Origin {
  /** Hears the status of every answer while it is not known whether the next hop takes the session on this connection. */
  readonly retry: { heard(status: number): void } | undefined
  /** Whether the connection that the request came in on still exists. */
  readonly isThere: boolean
  /** Whether so many answers to requests from there are unread that no more are passed back. */
  readonly readsNoAnswers: boolean
  /** A request was written that may be answered. */
  began(): void
  /** A request was sent that is answered only if it fails. */
  silent(one: Sent): void
  /** No answer to the request is expected any more. */
  ended(one: Sent): void
  /** Whether this is the To-Path of an answer to a request from here. */
  isAnswered(toPath: string, isSend: boolean): boolean
  /** Passes the next hop's answer back (RFC 4976 §6.4.3). Returns false if its To-Path does not lead back. */
  answered(request: OtherRequest, head: Head): boolean
  /** Answers in place of the next hop: the request with this transaction id was not delivered. */
  answer(id: string, kind: Kind, loss: Loss): void
  /** Reports that a part of a SEND was not delivered (RFC 4975 §7.1.2, RFC 4976 §6.4.1). */
  report(piece: Piece, loss: Loss): void
  /** Reports only to the operator that a request was not delivered. */
  lost(loss: Loss, kind: Kind): void
  /** Refuses the rest of this message (RFC 4975 §10.5). `why` is in the words of the log. */
  block(messageId: string | undefined, why: string): void
}

/** The origin of a finished transaction: it ignores everything, and keeps nothing in memory. */
export const NO_ORIGIN: Origin = {
  retry: undefined,
  isThere: false,
  readsNoAnswers: false,
  began: () => {},
  silent: () => {},
  ended: () => {},
  isAnswered: () => false,
  answered: () => true,
  answer: () => {},
  report: () => {},
  lost: () => {},
  block: () => {}
}
