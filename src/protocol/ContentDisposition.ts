/**
 * Content-Disposition: the purpose of a body, and the file that it contains (RFC 2183, RFC 5547 §6). The name of the file is
 * written in ASCII, and if it has other characters, also in UTF-8 as `filename*` (RFC 6266). Values are text.
 */

/**
 * What is to be done with a body (RFC 2183).
 *
 * @category models
 * @since 0.2.0
 */
export interface ContentDisposition {
  /** `attachment`: to be kept; `render` or `inline`: to be shown. In lower case. */
  readonly type: string
  /** Name of the file as its sender has given it. It may be any text, such as `../../x`. */
  readonly filename?: string | undefined
  /** Octets. */
  readonly size?: number | undefined
}

/** Characters of a value that is parsed. */
const MAX_LENGTH = 4096
/** Characters of the name of a file that are written, from its end, which has the extension. */
const MAX_NAME = 255

const TYPE = /^[ \t]*([!#$%&'*+\-.^_`|~A-Za-z0-9]{1,64})[ \t]*(?=;|$)/
const PARAMETER = /[ \t]*;[ \t]*([!#$%&'*+\-.^_`|~A-Za-z0-9]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^ \t";]+))[ \t]*/sy
const EXTENDED = /^utf-8'[^']*'(.*)$/is
const DIGITS = /^\d{1,15}$/

/**
 * Makes a value of the header. If a name is longer than 255 characters, its end is written.
 *
 * @category encoding
 * @since 0.2.0
 */
export const formatDisposition = ({ filename, size, type }: ContentDisposition): string => {
  let value = type
  if (filename !== undefined) {
    const name = Array.from(filename.toWellFormed()).slice(-MAX_NAME).join("").normalize("NFC")
    const ascii = name.replaceAll(/[^ -~]/gu, "_")
    value += `; filename="${ascii.replaceAll(/["\\]/g, "\\$&")}"`
    if (ascii !== name) value += `; filename*=UTF-8''${percent(name)}`
  }
  return size === undefined ? value : `${value}; size=${size}`
}

/**
 * Reads a value. `undefined` when it is malformed. If there are two names, the one in UTF-8 is used (RFC 6266 §4.3).
 *
 * @category decoding
 * @since 0.2.0
 */
export const parseDisposition = (value: string): ContentDisposition | undefined => {
  const start = TYPE.exec(value)
  if (value.length > MAX_LENGTH || start === null) return undefined
  const parameters = new Map<string, string>()
  let at = start[0].length
  while (at < value.length) {
    PARAMETER.lastIndex = at
    const found = PARAMETER.exec(value)
    if (found === null) return undefined
    const name = found[1]!.toLowerCase()
    if (!parameters.has(name)) parameters.set(name, found[3] ?? found[2]!.replaceAll(/\\(.)/gs, "$1"))
    at = PARAMETER.lastIndex
  }
  const extended = EXTENDED.exec(parameters.get("filename*") ?? "")
  const plain = parameters.get("filename")
  const filename = (extended === null ? undefined : decoded(extended[1]!)) ?? plain?.normalize("NFC")
  const size = parameters.get("size")
  return {
    type: start[1]!.toLowerCase(),
    ...(filename === undefined ? {} : { filename }),
    ...(size !== undefined && DIGITS.test(size) ? { size: Number(size) } : {})
  }
}

/** Encodes a value for `filename*`: attr-char of RFC 8187 §3.2.1 has fewer characters than a part of a URI. */
const percent = (name: string): string =>
  encodeURIComponent(name).replaceAll(/['()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)

const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text).normalize("NFC")
  } catch {
    return undefined
  }
}
