/**
 * What documents for those who run a relay claim in numbers, and what they say is always or never so, by document.
 *
 * - A text is made of what the code has: it stands in the document word for word, or the document is wrong.
 * - `proven`: what it says is proved by a test, which is named by its file and a part of its title.
 * - `others`: nothing that the relay does: an example, an advice, what other programs do. Why is said beside it.
 */
import * as Result from "effect/Result"
import { decode } from "../../../src/service/settings/codecs/Codec.ts"
import type { Variable } from "../../../src/service/settings/Variable.ts"
import { time } from "../sources.ts"

export type Claim =
  | string
  | { readonly words: string; readonly file: string; readonly title: string }
  | { readonly words: string; readonly why: string }

export const proven = (file: string, title: string, words: string): Claim => ({ file, title, words })
export const others = (why: string, ...words: ReadonlyArray<string>): ReadonlyArray<Claim> =>
  words.map((one) => ({ words: one, why }))

export const seconds = (count: number): string => time(count * 1000)

/** What a setting is where it is not set. */
export const defaultOf = (variable: Variable<number>): number =>
  Result.getOrThrow(decode(variable.codec, variable.default!)) as number

/** The cells of some settings in a table: their names, and what they are where they are not set. */
export const cells = (
  write: (value: number) => string,
  ...settings: readonly [Variable<number>, ...ReadonlyArray<Variable<number>>]
): string =>
  `| ${settings.map(({ variable }) => `\`${variable}\``).join(", ")} | ${
    settings.map((one) => write(defaultOf(one))).join(", ")
  } |`
