/**
 * Turns whole frames into octets (RFC 4975 §7.1, §7.2, §9), for everything that is not forwarded: responses, REPORTs, and the
 * requests of a client.
 *
 * Text is Latin-1, so octets taken from a received frame stay unchanged; text in UTF-8 must be encoded before. No text can end its
 * line: an octet that is not allowed in a line, and a character beyond Latin-1, becomes `?`. The caller must ensure that ids,
 * method, URIs and names are well-formed, and that the body does not contain the end-line (RFC 4975 §7.1).
 */
import { Buffer } from "../platform/Node.ts"
import { toOctets } from "./digest/Digest.ts"
import type { Flag } from "./Head.ts"

/**
 * Header fields besides the paths, in the order in which they are written.
 *
 * @category models
 * @since 0.1.0
 */
export type HeaderLines = ReadonlyArray<readonly [name: string, value: string]>

/**
 * A request as `Codec.request` writes it (RFC 4975 §7.1).
 *
 * @category models
 * @since 0.1.0
 */
export interface RequestParts {
  readonly transactionId: string
  readonly method: string
  readonly toPath: string
  readonly fromPath: string
  /** In the order in which they are written. With a body, Content-Type must be the last. */
  readonly headers?: HeaderLines | undefined
  readonly body?: Uint8Array | undefined
  /** `$` when absent. */
  readonly flag?: Flag | undefined
}

/**
 * A response as `Codec.response` writes it (RFC 4975 §7.2).
 *
 * @category models
 * @since 0.1.0
 */
export interface ResponseParts {
  readonly transactionId: string
  readonly status: number
  readonly comment?: string | undefined
  readonly toPath: string
  readonly fromPath: string
  readonly headers?: HeaderLines | undefined
}

const NOT_TEXT = /[^\t -~\x80-\xff]/g

const line = (text: string): string => `${text.replace(NOT_TEXT, "?")}\r\n`

/** Whether text can be written into a line unchanged, with nothing that becomes `?`. */
export const isLine = (text: string): boolean => text.search(NOT_TEXT) === -1

/** Whether text is a name of a method that the decoder accepts. */
export const isMethod = (text: string): boolean => /^[A-Z][A-Z_]*$/.test(text)
/** Whether text is a name of a header (RFC 4975 §9). */
export const isHeaderName = (text: string): boolean => /^[A-Za-z][!#$%&'*+\-.^_`{|}~0-9A-Za-z]*$/.test(text)

const lines = (toPath: string, fromPath: string, headers: HeaderLines = []): string => {
  let text = line(`To-Path: ${toPath}`) + line(`From-Path: ${fromPath}`)
  for (const [name, value] of headers) text += line(`${name}: ${value}`)
  return text
}

const NOT_COMMENT = /[\p{Cc}\p{Zl}\p{Zp}]+/gu

/** Whether text is one line that can be written in UTF-8. */
export const isComment = (text: string): boolean => text.isWellFormed() && text.search(NOT_COMMENT) === -1

/** The most characters of a comment. */
const MAX_COMMENT = 200

/**
 * Text as a comment of a response, in UTF-8. Characters that are not allowed, such as line breaks, become a blank, and the text is
 * cut to `MAX_COMMENT` characters (RFC 4975 §9: utf8text).
 */
export const commentOf = (text: string): string => {
  // Cut again after the composition, by which some characters become three.
  const composed = text.slice(0, MAX_COMMENT).normalize("NFC").slice(0, MAX_COMMENT)
  return toOctets(composed.toWellFormed().replaceAll(NOT_COMMENT, " ").trim())
}

export const encodeRequest = (parts: RequestParts): Buffer => {
  const { body, flag = "$", method, transactionId } = parts
  const head = line(`MSRP ${transactionId} ${method}`) + lines(parts.toPath, parts.fromPath, parts.headers)
  const tail = line(`-------${transactionId}${flag}`)
  if (body === undefined) return Buffer.from(head + tail, "latin1")
  return Buffer.concat([Buffer.from(head + "\r\n", "latin1"), body, Buffer.from("\r\n" + tail, "latin1")])
}

export const encodeResponse = (parts: ResponseParts): Buffer => {
  const { comment, status, transactionId } = parts
  const code = String(status).padStart(3, "0")
  const start = comment === undefined || comment === "" ? code : `${code} ${comment}`
  const head = line(`MSRP ${transactionId} ${start}`) + lines(parts.toPath, parts.fromPath, parts.headers)
  return Buffer.from(head + line(`-------${transactionId}$`), "latin1")
}
