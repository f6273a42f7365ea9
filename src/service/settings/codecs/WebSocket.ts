/** Codec of origins that may connect by WebSocket. */
import * as Result from "effect/Result"
import { fromParse, type TextCodec } from "./Codec.ts"
import { each } from "./List.ts"

/** Origins of pages, as browsers send them; `*` for any. */
export const origins: TextCodec<ReadonlyArray<string> | "*"> = fromParse<ReadonlyArray<string> | "*">(
  (text) =>
    text === "*" ? Result.succeed("*") : each<string>(text, (one) => {
      if (!/^https?:\/\/[^/]+$/i.test(one) || !URL.canParse(one)) {
        return Result.fail("is not an origin such as https://chat.example.com, without a path")
      }
      return Result.succeed(new URL(one).origin)
    }),
  (list) => list === "*" ? list : list.join(",")
)

/** Makes a predicate for origins from such a list. */
export const admitting = (list: ReadonlyArray<string> | "*"): (origin: string) => boolean => {
  if (list === "*") return () => true
  const all = new Set(list)
  return (origin) => URL.canParse(origin) && all.has(new URL(origin).origin)
}
