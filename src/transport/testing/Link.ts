/** How octets travel from one end of a connection to the other. */
import * as Schema from "effect/Schema"
import { declared, wholeOrUnbounded, wrongOrUnknown } from "../../options/Options.ts"

/**
 * How octets travel. Absent options keep their current value.
 *
 * @category options
 * @since 0.1.0
 */
export interface LinkOptions {
  /**
   * Milliseconds from one end to the other, for octets, for the close, and for the set-up. An invalid result of a function
   * counts as 0. Default 0.
   */
  readonly latency?: number | ((random: () => number) => number) | undefined
  /** Octets of each delivered piece, or a function of those available. Default: all available, at most 65,536. */
  readonly split?: number | ((available: number, random: () => number) => number) | undefined
  /** The most octets in each direction that are taken from the writer and not read by the receiver. Default 65,536. */
  readonly window?: number | undefined
}

const orFunction = (least: number, most = Infinity) =>
  declared<number | (() => number)>(
    `a number from ${least} on, or a function`,
    (value) => typeof value === "function" || (typeof value === "number" && value >= least && value <= most)
  )

/** Whether a latency is valid: an infinite one would never arrive. */
const isLatency = (millis: number): boolean => millis >= 0 && millis <= Number.MAX_SAFE_INTEGER

export const linkSchema = {
  latency: Schema.optional(orFunction(0, Number.MAX_SAFE_INTEGER)),
  split: Schema.optional(orFunction(1)),
  window: Schema.optional(wholeOrUnbounded([1, Number.MAX_SAFE_INTEGER]))
}

/** Checks the options of `TestNetwork.configure`, which throws the error: a mistake in the test. */
export const wrongLink = wrongOrUnknown<LinkOptions>("TestNetwork.configure", Schema.Struct(linkSchema))

/** The options in effect. */
export type Link = Required<{ readonly [K in keyof LinkOptions]: Exclude<LinkOptions[K], undefined> }>

/** The most octets of one delivered piece. */
export const MAX_PIECE = 65_536

export const defaultLink: Link = { latency: 0, split: MAX_PIECE, window: 65_536 }

/** Replaces the values of a link by those that are given. */
export const merge = (link: Link, { latency, split, window }: LinkOptions): Link => ({
  latency: latency ?? link.latency,
  split: split ?? link.split,
  window: window ?? link.window
})

/** Milliseconds until octets that leave now arrive. */
export const latencyOf = ({ latency }: Link, random: () => number): number => {
  if (typeof latency === "number") return latency
  const millis = latency(random)
  return isLatency(millis) ? millis : 0
}
