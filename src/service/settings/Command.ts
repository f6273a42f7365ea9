/** `msrp-relay settings`: prints every variable, as a file to start from. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { envExample, envExampleOf } from "./EnvExample.ts"
import { suggestion } from "./Suggest.ts"

/** No variable has this word in its name. */
export class NoSuchSetting extends Data.TaggedError("NoSuchSetting")<{ readonly word: string }> {
  override get message(): string {
    const meant = suggestion(this.word)
    const shown = this.word.replaceAll(/\p{Cc}/gu, "\uFFFD")
    return `no variable has ${shown} in its name${meant === undefined ? "" : `; did you mean ${meant}?`}`
  }
}

export const settingsCommand = Command.make(
  "settings",
  {
    word: Argument.String("word").pipe(
      Argument.withDescription("Only variables that have it in their names, as tls or MSRP_URIS"),
      Argument.optional
    )
  },
  ({ word }) =>
    Option.match(word, {
      onNone: () => Console.log(envExample().trimEnd()),
      onSome: (word) =>
        Effect.suspend(() => {
          const text = envExampleOf(({ variable }) => variable.includes(word.toUpperCase()))
          return text === "" ? Effect.fail(new NoSuchSetting({ word })) : Console.log(text.trim())
        })
    })
).pipe(
  Command.withDescription(
    "Prints every setting there is, with its meaning, what it must be, and its default or an example: a file of variables " +
      "in which nothing is set yet"
  ),
  Command.withShortDescription("Prints every setting there is"),
  Command.withExamples([
    { command: "msrp-relay settings >relay.env", description: "A file to begin with, for MSRP_ENV_FILE" },
    { command: "msrp-relay settings tls", description: "Those of TLS" }
  ])
)
