/** How octets travel from one end of a connection to the other. */
import * as Schema from "effect/Schema"
import { declared, wholeOrUnbounded, wrongOptions } from "../../options/Options.ts"

/**
 * What is absent stays as it was.
 *
 * @category options
 * @since 0.1.0
 */
export interface LinkOptions {
  /** Milliseconds from one end to the other, for octets, for the close, and for setting up. A function's NaN is 0. Default 0. */
  readonly latency?: number | ((random: () => number) => number) | undefined
  /** Octets of each delivered piece, or a function of those at hand. Default: all at hand, at most 65,536. */
  readonly split?: number | ((available: number, random: () => number) => number) | undefined
  /** Octets in each direction which the system takes and the receiver has not read yet. Default 65,536. */
  readonly window?: number | undefined
}

const orFunction = (least: number) =>
  declared<number | (() => number)>(
    `a number from ${least} on, or a function`,
    (value) => typeof value === "function" || (typeof value === "number" && value >= least)
  )

export const linkSchema = {
  latency: Schema.optional(orFunction(0)),
  split: Schema.optional(orFunction(1)),
  window: Schema.optional(wholeOrUnbounded([1, Number.MAX_SAFE_INTEGER]))
}

/** A defect of the test, since nothing there handles errors. */
export const wrongLink = wrongOptions<LinkOptions>("TestNetwork.configure", Schema.Struct(linkSchema))

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
export const latencyOf = ({ latency }: Link, random: () => number): number =>
  typeof latency === "number" ? latency : latency(random) || 0
