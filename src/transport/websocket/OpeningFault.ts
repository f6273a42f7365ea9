/** Why no WebSocket was opened from here, in words. */

/** Characters of what a stranger says that are told. */
const TOLD = 120

/** What was answered opens no WebSocket for MSRP. `status`: that of an HTTP response other than 101. */
export class OpeningFault extends Error {
  override readonly name = "OpeningFault"
  readonly status: number | undefined

  constructor(message: string, cause?: unknown, status?: number) {
    super(message, cause === undefined ? undefined : { cause })
    this.status = status
  }
}

/** An HTTP response in place of the WebSocket. The first line of its body is told if that may be read by people. */
export const refusal = (status: number, phrase: string, body: string): OpeningFault => {
  const [line = ""] = body.split(/\r?\n/, 1)
  const said = /^[\x20-\x7e]+$/.test(line) && !line.includes("<") ? `: ${line.slice(0, TOLD)}` : ""
  return new OpeningFault(`the WebSocket is refused with ${status} ${printable(phrase)}${said}`, undefined, status)
}

const printable = (text: string): string => text.slice(0, TOLD).replaceAll(/[^\x20-\x7e]/g, "?")
