/** What a client sends about a received request: its response, and REPORTs. */
import type { Codec } from "../Codec.ts"
import type { HeaderLines } from "../protocol/Encoder.ts"
import { transactionId } from "../protocol/Ident.ts"
import { reasonPhrase } from "../protocol/Status.ts"
import type { Frame } from "./Frame.ts"
import { pathUris } from "./Path.ts"
import type { Wire } from "./Wire.ts"

interface Output {
  readonly codec: Codec["Service"]
  readonly wire: Wire
}

/**
 * Sends a response (RFC 4975 §7.2): to the previous hop for a SEND, along the whole path for other methods. From-Path is the
 * URI that the request was addressed to.
 */
export const sendResponse = (
  { codec, wire }: Output,
  request: Frame,
  status: number,
  comment = reasonPhrase(status),
  headers: HeaderLines = []
): void => {
  const fromPath = pathUris(request.toPath)[0]
  const toPath = request.method === "SEND" ? pathUris(request.fromPath)[0] : request.fromPath
  if (fromPath === undefined || toPath === undefined || toPath === "") return
  wire.post(codec.response({ transactionId: request.transactionId, status, comment, toPath, fromPath, headers }))
}

/** Sends a REPORT about a received SEND (RFC 4975 §7.1.2, §7.1.3). */
export const sendReport = (
  { codec, wire }: Output,
  send: Frame,
  about: { readonly status: number; readonly comment?: string | undefined; readonly byteRange: string }
): void =>
  wire.post(codec.request({
    transactionId: transactionId(),
    method: "REPORT",
    toPath: send.fromPath,
    fromPath: send.toPath,
    headers: [
      ["Message-ID", send.messageId ?? ""],
      ["Byte-Range", about.byteRange],
      ["Status", `000 ${about.status} ${about.comment ?? reasonPhrase(about.status)}`.trimEnd()]
    ]
  }))
