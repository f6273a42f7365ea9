/** Codecs between the text of a variable and its value. A problem never quotes what could be a secret. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"

export type TextCodec<A> = Schema.Codec<A, string>

/** Every problem of a value, as sentences; `undefined` means that the value is not what the table requires. */
export const decode = <A>(codec: TextCodec<A>, text: string): Result.Result<A, ReadonlyArray<string | undefined>> =>
  Result.mapError(
    Schema.decodeResult(codec)(text),
    (error) => formatter(error.issue).issues.map(({ message }) => message === "" ? undefined : message)
  )

const formatter = SchemaIssue.makeFormatterStandardSchemaV1({
  leafHook: (issue) => issue._tag === "InvalidValue" ? issue.annotations?.["message"] ?? "" : "",
  checkHook: () => ""
})

/** A codec made from a function. A failure without a message means that the value is not what the table requires. */
export const fromParse = <A>(
  parse: (text: string) => Result.Result<A, string | undefined>,
  print: (value: A) => string
): TextCodec<A> =>
  Schema.String.pipe(Schema.decodeTo(
    Schema.declare((value: unknown): value is A => value !== undefined),
    SchemaTransformation.transformEffect({
      decode: (text: string) =>
        Effect.fromResult(Result.mapError(
          parse(text),
          (message) => new SchemaIssue.InvalidValue(message === undefined ? undefined : { message })
        )),
      encode: (value: A) => Effect.succeed(print(value))
    })
  ))
