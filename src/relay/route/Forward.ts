/**
 * The hot path: a frame that came in leaves with another transaction id, To-Path, From-Path and Byte-Range (RFC 4976 §6.4).
 * Everything else is copied octet for octet.
 */
import { byteRangeLine, totalOf } from "../../protocol/ByteRange.ts"
import { INTERRUPTIBLE_ABOVE } from "../../protocol/FrameLimits.ts"
import { type Flag, type Head, Kind } from "../../protocol/Head.ts"
import { HYPHENS } from "../../protocol/Hyphens.ts"
import { transactionId } from "../../protocol/Ident.ts"
import { countRequestOut } from "../Counters.ts"
import { expectationOf, type OtherRequest } from "../outbound/Expectation.ts"
import { writeEndLine, writeSend } from "../outbound/Frames.ts"
import { Transaction } from "../outbound/Transaction.ts"
import type { Way } from "./Way.ts"

/** Writes a whole frame, whose body ends at `bodyEnd`, to the target of the way. */
export const forwardFrame = (way: Way, head: Head, bodyEnd: number, flag: Flag): void => {
  const { target } = way
  const { outbox } = target
  const { bodyStart, buf, hasBody, kind } = head
  const before = outbox.committed
  const isSend = kind === Kind.Send
  const length = bodyEnd - bodyStart
  const id = hasBody && head.hyphens ? idNotIn(buf, bodyStart, bodyEnd) : transactionId()

  way.flowPace?.spend(target.now, 1, length)
  target.interrupt()
  const { counters } = target.shared
  if (isSend) {
    counters.sendsOut++
    counters.bodyOctetsOut += length
    writeSend(outbox, id, way.lines)
  } else {
    countRequestOut(counters, kind)
    outbox.text(`MSRP ${id} ${head.method}\r\n`)
    outbox.copy(way.lines, 0, way.lines.length)
  }
  // Everything after the paths, up to the end-line, mostly leaves as it came in.
  const rangeLine = isSend && (hasBody || head.hasRange) ? rangeFor(head, length, flag) : undefined
  const inOrder = head.contentTypeEnd === 0 || head.contentTypeEnd === head.restEnd
  if (rangeLine === undefined && inOrder) outbox.copy(buf, head.restStart, bodyEnd)
  else {
    const around = aroundRange(head)
    const range = rangeLine ?? buf.toString("latin1", head.rangeLineStart, head.rangeLineEnd)
    outbox.text(around.before + range + around.after)
    outbox.copy(buf, head.restEnd, bodyEnd)
  }
  writeEndLine(outbox, id, flag, hasBody)

  const expects = isSend ? expectationOf(head.failureReport) : otherRequest(head)
  if (expects === undefined) return
  if (expects === "refusal") {
    // The whole frame is written, so there is nothing left that its receiver could stop.
    counters.sendsUnanswered++
    return
  }
  const transaction = new Transaction(target.transactions, id, way.wayBack, expects)
  const window = transaction.window = way.window
  if (isSend) {
    transaction.messageId = head.messageId
    transaction.start = head.rangeStart
    transaction.length = length
    transaction.total = totalOf(head.rangeTotal, head.rangeStart + length - 1, flag)
    transaction.more = flag === "+"
    if (expects === "every failure") window.wrote(transaction, outbox.committed - before)
  }
  target.transactions.expect(transaction)
  window.begins(transaction, target.now)
}

/** What a request other than SEND expects; undefined for a REPORT, which has no answer (RFC 4975 §7.1.2). */
const otherRequest = (head: Head): OtherRequest | undefined => {
  if (head.kind === Kind.Report) return undefined
  const { failureReport, kind, transactionId: id } = head
  const hasCredentials = kind === Kind.Auth && head.header("Authorization") !== undefined
  return { id, kind, hasCredentials, isSilent: failureReport === "no" }
}

/** The headers after the paths that come before and after Byte-Range; Content-Type is the last (RFC 4975 §7.1). */
export const aroundRange = (head: Head): { readonly before: string; readonly after: string } => {
  const { buf, contentTypeEnd, contentTypeStart, rangeLineEnd, rangeLineStart, restEnd, restStart } = head
  const without = (from: number, to: number): string =>
    contentTypeStart >= from && contentTypeEnd <= to && contentTypeEnd !== 0
      ? buf.toString("latin1", from, contentTypeStart) + buf.toString("latin1", contentTypeEnd, to)
      : buf.toString("latin1", from, to)
  const contentType = buf.toString("latin1", contentTypeStart, contentTypeEnd)
  return rangeLineEnd === 0
    ? { before: without(restStart, restEnd), after: contentType }
    : { before: without(restStart, rangeLineStart), after: without(rangeLineEnd, restEnd) + contentType }
}

/**
 * The Byte-Range line of a whole frame, or undefined if the one that came in is right. A frame without one gets one, because
 * some relays refuse a SEND without it, and its value is known (RFC 4975 §7.1.1). The end is `*` in a piece of more than 2048
 * octets, and the real end in a shorter one (RFC 4975 §7.1.1, RFC 4976 §6.4.1).
 */
const rangeFor = (head: Head, length: number, flag: Flag): string | undefined => {
  const last = head.rangeStart + length - 1
  const end = length > INTERRUPTIBLE_ABOVE ? -1 : last
  const total = totalOf(head.rangeTotal, last, flag)
  if (head.hasRange && end === head.rangeEnd && total === head.rangeTotal) return undefined
  return byteRangeLine(head.rangeStart, end, total)
}

const needle = Buffer.from(`-------${transactionId()}`)

/** A new transaction id whose end-line does not occur in the body (RFC 4975 §7.1). */
const idNotIn = (buf: Buffer, start: number, end: number): string => {
  const id = transactionId()
  if (end - start < needle.length) return id
  for (let i = 0; i < id.length; i++) needle[HYPHENS + i] = id.charCodeAt(i)
  return buf.subarray(start, end).indexOf(needle) === -1 ? id : idNotIn(buf, start, end)
}
