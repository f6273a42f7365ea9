/** Limits of the paths of a request, within which each relay on the way accepts it. */
import type { OptionProblem } from "../options/OptionsError.ts"
import { defaultFrameLimits } from "../protocol/FrameLimits.ts"
import { pathUris } from "./Path.ts"

/**
 * Octets of both paths together: relays move the URIs of To-Path to From-Path, so that one header line has all of them in the
 * end. The rest of the line is left for the header name and CRLF.
 */
export const PATHS = defaultFrameLimits.headerLine - 64
export const MAX_URIS = defaultFrameLimits.pathUris

/** Values of To-Path, From-Path and Content-Type. */
export interface Paths {
  readonly to: string
  readonly from: string
  readonly contentType?: string
}

/** Where a To-Path came from: an option, and what else is part of it. */
export interface ToPath {
  readonly option: string
  readonly beside: ReadonlyArray<string>
}

/** The limit that a line exceeds, if any. */
const excess = (line: string, uris = 0): string | undefined => {
  if (uris > MAX_URIS) return `at most ${MAX_URIS} URIs`
  return line.length > PATHS ? `at most ${PATHS} octets` : undefined
}

const withOthers = (others: ReadonlyArray<string>): string =>
  others.length === 0 ? "" : `, with ${others.join(" and ")},`

/** Checks each path, and both together, because relays move URIs from one to the other (RFC 4976 §6.4.1). */
export const wrongPaths = (
  { contentType = "", from, to }: Paths,
  { beside, option }: ToPath = { option: "toPath", beside: [] }
): ReadonlyArray<OptionProblem> => {
  const [toUris, fromUris] = [pathUris(to).length, pathUris(from).length]
  const alone = [
    { option, others: beside, most: excess(to, toUris) },
    { option: "fromPath", others: [], most: excess(from, fromUris) },
    { option: "contentType", others: [], most: excess(contentType) }
  ].flatMap(({ most, option, others }) =>
    most === undefined ? [] : [{ option, problem: `must be${withOthers(others)} ${most}` }]
  )
  if (alone.length > 0) return alone
  return toUris + fromUris > MAX_URIS + 1 || to.length + from.length + contentType.length > PATHS
    ? [{
      option,
      problem: `must be${withOthers([...beside, "fromPath"])} at most ${
        MAX_URIS + 1
      } URIs, and with contentType ${PATHS} octets`
    }]
    : []
}
