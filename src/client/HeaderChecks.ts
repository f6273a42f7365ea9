/** Checks the additional headers of a request or response: not those that the client writes, and within the limits of relays. */
import * as Schema from "effect/Schema"
import { type HeaderLines, isHeaderName } from "../protocol/Encoder.ts"
import { defaultFrameLimits } from "../protocol/FrameLimits.ts"
import { PATHS } from "./PathLimits.ts"
import { isUtf8Line, utf8Length } from "./Utf8.ts"

/** Headers that the client writes in every frame. */
export const ofAny = ["To-Path", "From-Path"]
/** Headers that the client writes in a SEND. */
export const ofSend = [...ofAny, "Message-ID", "Byte-Range", "Success-Report", "Failure-Report", "Content-Type"]

/** Octets left for the headers that the client writes. A relay closes the connection when its limits are exceeded. */
const REST = 1024
const OCTETS = defaultFrameLimits.headerSection - PATHS - REST
const LINES = defaultFrameLimits.headers - ofSend.length

const PAIRS = `must be at most ${LINES} pairs of a name and a value`

/** Octets of a line, with the colon, the space and CRLF. */
const octetsOf = ([name, value]: HeaderLines[number]): number => name.length + utf8Length(value) + 4

/** What is wrong with a line, to follow its index in a message. Values are not repeated, because they may be secret. */
const wrongLine = (line: unknown, own: ReadonlySet<string>): string | undefined => {
  if (!Array.isArray(line) || line.length > 2 || typeof line[0] !== "string") {
    return "must be a pair of a name and a value"
  }
  const [name, value] = line
  if (!isHeaderName(name)) return "must have a name of letters, digits, hyphens and the like"
  if (own.has(name.toLowerCase())) return `must not be ${name}, which the client writes itself`
  return typeof value === "string" && isUtf8Line(value)
    ? undefined
    : `must have text in one line as the value of ${name}`
}

const wrongHeaders = (headers: unknown, own: ReadonlySet<string>): ReadonlyArray<Schema.FilterIssue> => {
  if (!Array.isArray(headers) || headers.length > LINES) return [PAIRS]
  const issues = Array.from(headers).flatMap((line, i) => {
    const issue = wrongLine(line, own)
    return issue === undefined ? [] : [{ path: [i], issue }]
  })
  if (issues.length > 0) return issues
  return headers.reduce<number>((sum, line) => sum + octetsOf(line), 0) > OCTETS
    ? [`must be of at most ${OCTETS} octets in all`]
    : []
}

export const headersBeside = (own: ReadonlyArray<string>): Schema.Codec<unknown> => {
  const names = new Set(own.map((name) => name.toLowerCase()))
  return Schema.Unknown.check(Schema.makeFilter((headers) => {
    try {
      return wrongHeaders(headers, names)
    } catch {
      return PAIRS
    }
  }))
}
