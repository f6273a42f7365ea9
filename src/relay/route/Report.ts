import { byteRange } from "../../protocol/ByteRange.ts"
import { encodeRequest } from "../../protocol/Encoder.ts"
import { transactionId } from "../../protocol/Ident.ts"
import type { Piece } from "../outbound/Origin.ts"

/** A failure of a SEND, or of a part of it, as it is reported to the original sender. */
interface Failure {
  /** From-Path of the SEND as it came in. */
  readonly toPath: string
  /** The relay's URI of that session. */
  readonly fromPath: string
  /** The octets that failed. A REPORT has the Message-ID of the SEND (RFC 4975 §7.1.2), so there is none about what has no id. */
  readonly piece: Piece & { readonly messageId: string }
  readonly status: number
  readonly comment: string
}

/** Encodes a failure REPORT made by this relay (RFC 4975 §7.1.2 to §7.1.4). */
export const encodeReport = ({ comment, fromPath, piece, status, toPath }: Failure): Buffer => {
  const { length, messageId, start, total } = piece
  const headers = [
    ["Message-ID", messageId],
    ["Byte-Range", byteRange(start, start + length - 1, total)],
    ["Status", `000 ${String(status).padStart(3, "0")} ${comment}`]
  ] as const
  return encodeRequest({ transactionId: transactionId(), method: "REPORT", toPath, fromPath, headers })
}
