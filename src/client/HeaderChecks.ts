/** What the headers of a request or response may be: none that the client writes itself, and no more than a relay takes. */
import type * as Schema from "effect/Schema"
import { declared } from "../options/Options.ts"
import { type HeaderLines, isHeaderName } from "../protocol/Encoder.ts"
import { defaultFrameLimits } from "../protocol/FrameLimits.ts"
import { isUtf8Line, utf8Length } from "./Utf8.ts"

/** Written by the client into whatever it sends. */
export const ofAny = ["To-Path", "From-Path"]
/** The same of a message. */
export const ofSend = [...ofAny, "Message-ID", "Byte-Range", "Success-Report", "Failure-Report", "Content-Type"]

/** Beyond the limits of a relay the connection ends. A path is one line; the rest is divided, and leaves what the client writes. */
const REST = 1024
export const PATHS = defaultFrameLimits.headerLine - 64
export const MAX_URIS = defaultFrameLimits.pathUris
const OCTETS = defaultFrameLimits.headerSection - PATHS - REST
const LINES = defaultFrameLimits.headers - ofSend.length

/** Octets of a line, with what is between name and value and behind it. */
const octetsOf = ([name, value]: HeaderLines[number]): number => name.length + utf8Length(value) + 4

export const headersBeside = (own: ReadonlyArray<string>): Schema.Codec<HeaderLines> => {
  const names = new Set(own.map((name) => name.toLowerCase()))
  const isHeader = (line: unknown): line is HeaderLines[number] =>
    Array.isArray(line) && typeof line[0] === "string" && isHeaderName(line[0]) && !names.has(line[0].toLowerCase()) &&
    typeof line[1] === "string" && isUtf8Line(line[1])
  return declared(
    `at most ${LINES} pairs of a name and a value, of ${OCTETS} octets in all, each text in one line, ` +
      `without ${own.join(", ")}`,
    (value) =>
      Array.isArray(value) && value.length <= LINES && Array.from(value).every(isHeader) &&
      value.reduce((sum, line) => sum + octetsOf(line), 0) <= OCTETS
  )
}
