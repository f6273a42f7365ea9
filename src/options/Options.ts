/** Checks of a layer's options, which report every problem at once, before the layer is built. */
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

/** A schema for values that pass a test; `expected` is phrased to follow "must be". */
export const declared = <A>(expected: string, test: (value: unknown) => boolean): Schema.Codec<A> => {
  // A value whose inspection throws, such as a wiped `Redacted`, is invalid too.
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

/** A whole number, or `Infinity` for no bound. */
export const wholeOrUnbounded = (range: Range): Schema.Codec<number> =>
  declared(
    `a whole number from ${range[0]} to ${range[1]}, or Infinity`,
    (value) => value === Infinity || (Number.isInteger(value) && inRange(range)(value))
  )

/** A number, possibly with a fraction. */
export const quantity = (range: Range): Schema.Codec<number> =>
  declared(`a number from ${range[0]} to ${range[1]}`, inRange(range))

/** A finite number above 0. */
export const positive: Schema.Codec<number> = declared(
  "a number above 0",
  (value) => typeof value === "number" && value > 0 && value < Infinity
)

/** A finite number, 0 or above. */
export const notNegative: Schema.Codec<number> = declared(
  "a number from 0 on",
  (value) => typeof value === "number" && value >= 0 && value < Infinity
)

/** A duration above 0. */
export const duration: Schema.Codec<Duration.Input> = declared(
  "a time above 0",
  (value) =>
    Option.exists(Duration.fromInput(value as Duration.Input), (one) => {
      const millis = Duration.toMillis(one)
      return millis > 0 && !Number.isNaN(millis)
    })
)

/** One of a few strings. */
export const oneOf = (...values: ReadonlyArray<string>): Schema.Codec<string> =>
  declared(values.map((value) => `"${value}"`).join(" or "), (value) => values.some((one) => one === value))

/** The path of an HTTP request. */
export const httpPath: Schema.Codec<string> = declared(
  "a path that begins with a slash",
  (value) => typeof value === "string" && /^\/[!-~]*$/.test(value)
)

/** A `Redacted` string; `expected` and `test` describe its content. */
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

/** A string that passes a test. */
export const text = (expected: string, test: (text: string) => boolean): Schema.Codec<string> =>
  declared(expected, (value) => typeof value === "string" && test(value))

const formatter = SchemaIssue.makeFormatterStandardSchemaV1()

/** The path of an option, such as `limits.output`; `options` for the options as a whole. */
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

/**
 * Makes a check of options. `more` finds further problems in options that match the schema, together with additional
 * arguments.
 */
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

/**
 * A check that also reports unknown options, because a misspelt name (`expire` for `expires`) is not always a type
 * error.
 */
export const wrongOrUnknown = <A extends object, Beside extends ReadonlyArray<unknown> = []>(
  layer: string,
  schema: Schema.Codec<unknown>,
  more?: (options: A, ...beside: Beside) => ReadonlyArray<OptionProblem>
) => wrongOptions(layer, schema, more, "error")

/** A struct that may have other fields, which are not checked. */
export const amongOthers = (fields: Readonly<Record<string, Schema.Codec<any>>>): Schema.Codec<unknown> =>
  Schema.StructWithRest(Schema.Struct(fields), [Schema.Record(Schema.String, Schema.Unknown)])

/** Fails with every problem, unknown options included. */
export const checkOptions = (
  layer: string,
  schema: Schema.Codec<unknown>,
  options: object
): Effect.Effect<void, OptionsError> =>
  Effect.suspend(() => {
    const error = wrongOrUnknown(layer, schema)(options)
    return error === undefined ? Effect.void : Effect.fail(error)
  })
