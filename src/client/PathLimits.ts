/** How long the paths of a request may be, so that each relay on its way takes it. */
import type { OptionProblem } from "../options/OptionsError.ts"
import { defaultFrameLimits } from "../protocol/FrameLimits.ts"
import { pathUris } from "./Path.ts"

/**
 * Octets: a path is one line, and both are one in the end. What is left of the line has the name of its header, a space
 * between them and the line end in it.
 */
export const PATHS = defaultFrameLimits.headerLine - 64
export const MAX_URIS = defaultFrameLimits.pathUris

/** As they are written. */
export interface Paths {
  readonly to: string
  readonly from: string
  readonly contentType?: string
}

/** What a To-Path was given as: the option, and those that stand in it besides. */
export interface ToPath {
  readonly option: string
  readonly beside: ReadonlyArray<string>
}

/** How much of a line there may be, where it is more; of a path also how many URIs. */
const excess = (line: string, uris = 0): string | undefined => {
  if (uris > MAX_URIS) return `at most ${MAX_URIS} URIs`
  return line.length > PATHS ? `at most ${PATHS} octets` : undefined
}

const withOthers = (others: ReadonlyArray<string>): string =>
  others.length === 0 ? "" : `, with ${others.join(" and ")},`

/** By themselves, and together: the relays on the way move URIs from one path to the other, up to the last one (RFC 4976 §6.4.1). */
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
