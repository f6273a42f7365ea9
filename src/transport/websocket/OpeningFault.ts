/** The error for a peer that opens no WebSocket, in words. */
import { printable } from "../../logging/Printable.ts"

/** Characters of the phrase, and of the body, of a response that the message shows. */
const MAX_SAID = 120

/** The answer did not open a WebSocket for MSRP. `status`: of an HTTP response other than 101. */
export class OpeningFault extends Error {
  override readonly name = "OpeningFault"
  readonly status: number | undefined

  constructor(message: string, cause?: unknown, status?: number) {
    super(message, cause === undefined ? undefined : { cause })
    this.status = status
  }
}

/** The fault for an HTTP response that refuses the WebSocket. Contains the first line of its body if that is plain text. */
export const refusal = (status: number, phrase: string, body: string): OpeningFault => {
  const [line = ""] = body.split(/\r?\n/, 1)
  const said = /^[\x20-\x7e]+$/.test(line) && !line.includes("<") ? `: ${printable(line, MAX_SAID)}` : ""
  return new OpeningFault(
    `the WebSocket is refused with ${status} ${printable(phrase, MAX_SAID)}${said}`,
    undefined,
    status
  )
}
