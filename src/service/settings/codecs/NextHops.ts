/** Codecs of rules for next hops. */
import * as Result from "effect/Result"
import { isNextHopRule, isPortRange, type PortRange } from "../../../relay/rules/NextHops.ts"
import { fromParse, type TextCodec } from "./Codec.ts"
import { each } from "./List.ts"

/** `none`, or rules as in `NextHops`. */
export const nextHopRules: TextCodec<ReadonlyArray<string>> = fromParse<ReadonlyArray<string>>(
  (text) =>
    text === "none" ?
      Result.succeed([]) :
      each<string>(text, (one) =>
        isNextHopRule(one) ?
          Result.succeed(one) :
          Result.fail("is not an address, network or host name (without scheme, brackets and port)")),
  (rules) => rules.length === 0 ? "none" : rules.join(",")
)

/** `any`, or ports and ranges of ports. */
export const ports: TextCodec<ReadonlyArray<PortRange>> = fromParse<ReadonlyArray<PortRange>>(
  (text) =>
    text === "any" ?
      Result.succeed([{ first: 1, last: 65_535 }]) :
      each<PortRange>(text, (one) => {
        const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(one) ?? []
        const range = { first: Number(first), last: Number(last) }
        return isPortRange(range)
          ? Result.succeed(range)
          : Result.fail("is not a port or a range of ports")
      }),
  (ranges) => ranges.map(({ first, last }) => first === last ? first : `${first}-${last}`).join(",")
)
