/** Options of a layer: all that is wrong with them is told at once, before anything is made of them. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { type OptionProblem, OptionsError } from "./OptionsError.ts"
import type { Range } from "./Ranges.ts"

export { type OptionProblem, OptionsError } from "./OptionsError.ts"

/** What passes a test; `expected` fits behind "must be". */
export const declared = <A>(expected: string, test: (value: unknown) => boolean): Schema.Codec<A> => {
  // What throws when it is looked at, as a password that was wiped, cannot be used either.
  const holds = (value: unknown): value is A => {
    try {
      return test(value)
    } catch {
      return false
    }
  }
  return Schema.declare(holds, { expected })
}

const inRange = ([minimum, maximum]: Range) => (value: unknown): boolean =>
  typeof value === "number" && value >= minimum && value <= maximum

/** A whole number. */
export const whole = (range: Range): Schema.Codec<number> =>
  declared(
    `a whole number from ${range[0]} to ${range[1]}`,
    (value) => Number.isInteger(value) && inRange(range)(value)
  )

/** The same, or `Infinity`: no bound. */
export const wholeOrUnbounded = (range: Range): Schema.Codec<number> =>
  declared(
    `a whole number from ${range[0]} to ${range[1]}, or Infinity`,
    (value) => value === Infinity || (Number.isInteger(value) && inRange(range)(value))
  )

/** A number with or without a fraction. */
export const quantity = (range: Range): Schema.Codec<number> =>
  declared(`a number from ${range[0]} to ${range[1]}`, inRange(range))

/** Seconds, or octets, of whatever is above nothing. */
export const positive: Schema.Codec<number> = declared(
  "a number above 0",
  (value) => typeof value === "number" && value > 0 && value < Infinity
)

/** One that may be nothing. */
export const notNegative: Schema.Codec<number> = declared(
  "a number from 0 on",
  (value) => typeof value === "number" && value >= 0 && value < Infinity
)

/** A time that is not over at once. */
export const duration: Schema.Codec<Duration.Input> = declared(
  "a time above 0",
  (value) =>
    Option.exists(Duration.fromInput(value as Duration.Input), (one) => {
      const millis = Duration.toMillis(one)
      return millis > 0 && !Number.isNaN(millis)
    })
)

/** A value of a few. */
export const oneOf = (...values: ReadonlyArray<string>): Schema.Codec<string> =>
  declared(values.map((value) => `"${value}"`).join(" or "), (value) => values.some((one) => one === value))

/** Where a WebSocket is opened. */
export const httpPath: Schema.Codec<string> = declared(
  "a path that begins with a slash",
  (value) => typeof value === "string" && /^\/[!-~]*$/.test(value)
)

/** A secret; `expected` and `test` are for what is in it. */
export const secret = (
  expected = "redacted text",
  test: (text: string) => boolean = () => true
): Schema.Codec<Redacted.Redacted> =>
  declared(expected, (value) => {
    const text = Redacted.isRedacted(value) ? Redacted.value(value) : undefined
    return typeof text === "string" && test(text)
  })

export const func = declared<(...given: ReadonlyArray<never>) => unknown>(
  "a function",
  (value) => typeof value === "function"
)

/** Text that passes. */
export const text = (expected: string, test: (text: string) => boolean): Schema.Codec<string> =>
  declared(expected, (value) => typeof value === "string" && test(value))

const formatter = SchemaIssue.makeFormatterStandardSchemaV1()

/** All of them together are `options`. */
const nameOf = (path: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined): string =>
  (path ?? []).map((step) => typeof step === "object" ? step.key : step)
    .reduce<string>(
      (name, key) => typeof key === "number" ? `${name}[${key}]` : name === "" ? String(key) : `${name}.${String(key)}`,
      ""
    ) || "options"

const problemOf = (message: string): string =>
  message.replace(/, got .*$/s, "")
    .replace(/^Expected no excess property$/, "is no option")
    .replace(/^Expected /, "must be ")
    .replace(/^Missing key$/, "is missing")

/** All that is wrong: by the schema, and what `more` finds in options that are right by it, with what stands beside them. */
export const wrongOptions = <A extends object, Beside extends ReadonlyArray<unknown> = []>(
  layer: string,
  schema: Schema.Codec<unknown>,
  more: (options: A, ...beside: Beside) => ReadonlyArray<OptionProblem> = () => [],
  unknown: "ignore" | "error" = "ignore"
) => {
  const decode = Schema.decodeUnknownResult(schema, { errors: "all", onExcessProperty: unknown })
  return (options: A, ...beside: Beside): OptionsError | undefined => {
    const decoded = decode(options)
    const problems = Result.isSuccess(decoded)
      ? more(options, ...beside)
      : formatter(decoded.failure.issue).issues.map(({ message, path }) => ({
        option: nameOf(path),
        problem: problemOf(message)
      }))
    return problems.length === 0 ? undefined : new OptionsError({ layer, problems })
  }
}

/** The same, where what is no option is wrong too: who writes `expire` wants `expires`, and no type has told him. */
export const wrongOrUnknown = <A extends object, Beside extends ReadonlyArray<unknown> = []>(
  layer: string,
  schema: Schema.Codec<unknown>,
  more?: (options: A, ...beside: Beside) => ReadonlyArray<OptionProblem>
) => wrongOptions(layer, schema, more, "error")

/** A struct of which only these are looked at: there is more to it. */
export const amongOthers = (fields: Readonly<Record<string, Schema.Codec<any>>>): Schema.Codec<unknown> =>
  Schema.StructWithRest(Schema.Struct(fields), [Schema.Record(Schema.String, Schema.Unknown)])

/** Fails with all that is wrong, by the schema, and with what is no option. */
export const checkOptions = (
  layer: string,
  schema: Schema.Codec<unknown>,
  options: object
): Effect.Effect<void, OptionsError> =>
  Effect.suspend(() => {
    const error = wrongOrUnknown(layer, schema)(options)
    return error === undefined ? Effect.void : Effect.fail(error)
  })
