/** Codecs of keywords, and of text on one line. */
import * as LogLevel from "effect/LogLevel"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import type { TextCodec } from "./Codec.ts"

const lowerCased = Schema.String.pipe(Schema.decodeTo(Schema.String, SchemaTransformation.toLowerCase()))

export const oneOf = <const A extends ReadonlyArray<string>>(...values: A): TextCodec<A[number]> =>
  lowerCased.pipe(Schema.decodeTo(Schema.Literals(values).annotate({ message: "" })))

export const boolean: TextCodec<boolean> = oneOf("1", "0", "true", "false", "yes", "no", "on", "off").pipe(
  Schema.decodeTo(
    Schema.Boolean,
    SchemaTransformation.transform({
      decode: (text) => text === "1" || text === "true" || text === "yes" || text === "on",
      encode: (value) => value ? "true" : "false"
    })
  )
)

export const logLevel: TextCodec<LogLevel.LogLevel> = oneOf(...LogLevel.values.map((level) => level.toLowerCase()))
  .pipe(
    Schema.decodeTo(
      Schema.Literals(LogLevel.values),
      SchemaTransformation.transform({
        decode: (text) => LogLevel.values.find((level) => level.toLowerCase() === text)!,
        encode: (level) => level.toLowerCase()
      })
    )
  )

/** Text without control characters, such as a path or a name. */
export const line: TextCodec<string> = Schema.String.check(Schema.isPattern(/^[^\p{Cc}]+$/u))
