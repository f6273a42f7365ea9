/** Codecs of what challenges contain. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { REALM } from "../../../protocol/digest/Challenge.ts"
import { type DigestAlgorithm, digestAlgorithms } from "../../../protocol/digest/Digest.ts"
import { fromParse, type TextCodec } from "./Codec.ts"
import { each, listOf } from "./List.ts"

export const realm: TextCodec<string> = Schema.String.check(Schema.isPattern(REALM))

/** Realms separated by commas; `none` for an empty list. */
export const realms: TextCodec<ReadonlyArray<string>> = fromParse<ReadonlyArray<string>>(
  (text) =>
    text === "none"
      ? Result.succeed([])
      : each<string>(text, (one) => REALM.test(one) ? Result.succeed(one) : Result.fail("is not a realm")),
  (list) => list.length === 0 ? "none" : list.join(",")
)

export const algorithms = listOf<DigestAlgorithm>((text, before) => {
  const algorithm = digestAlgorithms.find((known) => known.toLowerCase() === text.toLowerCase())
  if (algorithm === undefined) return Result.fail(`is not ${digestAlgorithms.join(" or ")}`)
  return before.includes(algorithm) ? Result.fail("occurs twice") : Result.succeed(algorithm)
})
