/**
 * Whole frames to octets (RFC 4975 §7.1, §7.2, §9), for everything that is not forwarded: responses, REPORTs, and the
 * requests of a client. Text is Latin-1, so octets taken out of a received frame go back unchanged.
 */
import type { Flag } from "./Head.ts"

export type HeaderLines = ReadonlyArray<readonly [name: string, value: string]>

export interface RequestParts {
  readonly transactionId: string
  readonly method: string
  readonly toPath: string
  readonly fromPath: string
  /** In the order in which they are written. With a body, Content-Type must be the last. */
  readonly headers?: HeaderLines
  readonly body?: Uint8Array
  /** `$` when absent. */
  readonly flag?: Flag
}

export interface ResponseParts {
  readonly transactionId: string
  readonly status: number
  readonly comment?: string
  readonly toPath: string
  readonly fromPath: string
  readonly headers?: HeaderLines
}

const lines = (toPath: string, fromPath: string, headers: HeaderLines | undefined): string => {
  let text = `To-Path: ${toPath}\r\nFrom-Path: ${fromPath}\r\n`
  if (headers !== undefined) { for (const [name, value] of headers) text += `${name}: ${value}\r\n` }
  return text
}

export const encodeRequest = (parts: RequestParts): Buffer => {
  const { body, flag = "$", method, transactionId } = parts
  const head = `MSRP ${transactionId} ${method}\r\n${lines(parts.toPath, parts.fromPath, parts.headers)}`
  const tail = `-------${transactionId}${flag}\r\n`
  if (body === undefined) return Buffer.from(head + tail, "latin1")
  return Buffer.concat([Buffer.from(head + "\r\n", "latin1"), body, Buffer.from("\r\n" + tail, "latin1")])
}

export const encodeResponse = (parts: ResponseParts): Buffer => {
  const { comment, status, transactionId } = parts
  const start = comment === undefined || comment === "" ? `${status}` : `${status} ${comment}`
  const head = `MSRP ${transactionId} ${start}\r\n${lines(parts.toPath, parts.fromPath, parts.headers)}`
  return Buffer.from(`${head}-------${transactionId}$\r\n`, "latin1")
}
