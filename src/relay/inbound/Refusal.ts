/**
 * What a request hears that goes no further than this relay: a response, a REPORT or nothing, as its method and
 * Failure-Report want it (RFC 4975 §7.1.4, §7.2, RFC 4976 §6.4.1).
 */
import { totalOf } from "../../protocol/ByteRange.ts"
import { encodeResponse } from "../../protocol/Encoder.ts"
import { type Flag, type Head, Kind } from "../../protocol/Head.ts"
import { reasonPhrase } from "../../protocol/Status.ts"
import { type MsrpUri, parsePath, parseUri } from "../../protocol/Uri.ts"
import { encodeReport } from "../route/Report.ts"

/** Makes the answer, once the real length of the body and its flag are known. */
export type Refusal = (octets: number, flag: Flag) => Buffer

/** The answer with this status, or `undefined` when there is none. `own`: what the relay is called on this connection. */
export const refusal = (
  head: Head,
  status: number,
  own: MsrpUri | undefined,
  pathUris: number
): Refusal | undefined => {
  if (head.kind === Kind.Report || head.kind === Kind.Response || head.failureReport === "no" || head.fromEnd === 0) {
    return undefined
  }
  const from = parsePath(head.fromPath, pathUris)
  const addressed = addressedBy(head) ?? own?.text
  // Without a previous hop there is nobody to answer.
  if (from === undefined || addressed === undefined) return undefined
  const isSend = head.kind === Kind.Send
  const fromPath = from.map((uri) => uri.text).join(" ")
  const comment = reasonPhrase(status)
  if (isSend && head.failureReport === "partial") {
    // A good SEND gets no response then; for a bad one a REPORT is safer, since the previous hop may keep no state.
    if (status < 300) return undefined
    const { messageId, rangeStart: start, rangeTotal } = head
    // A REPORT must have a Message-ID (RFC 4975 §7.1.2); a response does without.
    if (messageId !== undefined) {
      return (length, flag) => {
        const piece = { messageId, start, length, total: totalOf(rangeTotal, start + length - 1, flag) }
        return encodeReport({ toPath: fromPath, fromPath: addressed, piece, status, comment })
      }
    }
  }
  const toPath = isSend ? from[0]!.text : fromPath
  const response = encodeResponse({ transactionId: head.transactionId, status, comment, toPath, fromPath: addressed })
  return () => response
}

/** The URI by which a request addresses the relay, if it has one (RFC 4975 §7.2). */
const addressedBy = (head: Head): string | undefined => {
  const first = head.toPath.split(" ", 1)[0]!
  return parseUri(first) === undefined ? undefined : first
}
