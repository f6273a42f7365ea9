/** How octets travel from one end of a connection to the other. */
import * as Schema from "effect/Schema"
import { declared, wholeOrUnbounded, wrongOrUnknown } from "../../options/Options.ts"

/**
 * What is absent stays as it was.
 *
 * @category options
 * @since 0.1.0
 */
export interface LinkOptions {
  /**
   * Milliseconds from one end to the other, for octets, for the close, and for setting up. What a function gives that is no such
   * time is 0. Default 0.
   */
  readonly latency?: number | ((random: () => number) => number) | undefined
  /** Octets of each delivered piece, or a function of those at hand. Default: all at hand, at most 65,536. */
  readonly split?: number | ((available: number, random: () => number) => number) | undefined
  /** Octets in each direction which the system takes and the receiver has not read yet. Default 65,536. */
  readonly window?: number | undefined
}

const orFunction = (least: number, most = Infinity) =>
  declared<number | (() => number)>(
    `a number from ${least} on, or a function`,
    (value) => typeof value === "function" || (typeof value === "number" && value >= least && value <= most)
  )

/** What takes for ever does not arrive. */
const isLatency = (millis: number): boolean => millis >= 0 && millis <= Number.MAX_SAFE_INTEGER

export const linkSchema = {
  latency: Schema.optional(orFunction(0, Number.MAX_SAFE_INTEGER)),
  split: Schema.optional(orFunction(1)),
  window: Schema.optional(wholeOrUnbounded([1, Number.MAX_SAFE_INTEGER]))
}

/** A defect of the test, since nothing there handles errors. */
export const wrongLink = wrongOrUnknown<LinkOptions>("TestNetwork.configure", Schema.Struct(linkSchema))

/** The options in force. */
export type Link = Required<{ readonly [K in keyof LinkOptions]: Exclude<LinkOptions[K], undefined> }>

/** The most octets of one delivered piece. */
export const MAX_PIECE = 65_536

export const defaultLink: Link = { latency: 0, split: MAX_PIECE, window: 65_536 }

/** What is given goes for what was there. */
export const merge = (link: Link, { latency, split, window }: LinkOptions): Link => ({
  latency: latency ?? link.latency,
  split: split ?? link.split,
  window: window ?? link.window
})

/** Milliseconds that what leaves now takes. */
export const latencyOf = ({ latency }: Link, random: () => number): number => {
  if (typeof latency === "number") return latency
  const millis = latency(random)
  return isLatency(millis) ? millis : 0
}
