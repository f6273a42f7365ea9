/** Lists of values separated by commas. */
import * as Result from "effect/Result"
import { fromParse, type TextCodec } from "./Codec.ts"

/** Parses each entry. The first problem of each is reported with the entry's position, never with its text. */
export const each = <A>(
  text: string,
  parse: (entry: string, before: ReadonlyArray<A>) => Result.Result<A, string>
): Result.Result<ReadonlyArray<A>, string> => {
  const entries = text.split(",").map((one) => one.trim())
  const values: Array<A> = []
  const problems: Array<string> = []
  for (const [index, entry] of entries.entries()) {
    const value = entry === "" ? Result.fail("is empty") : parse(entry, values)
    if (Result.isSuccess(value)) values.push(value.success)
    else problems.push(entries.length === 1 ? value.failure : `entry ${index + 1} ${value.failure}`)
  }
  return problems.length === 0 ? Result.succeed(values) : Result.fail(problems.join("; "))
}

/** One or more values. */
export const listOf = <A>(
  parse: (entry: string, before: ReadonlyArray<A>) => Result.Result<A, string>,
  print: (value: A) => string = String
): TextCodec<ReadonlyArray<A>> =>
  fromParse<ReadonlyArray<A>>((text) => each(text, parse), (list) => list.map(print).join(","))
