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
class NoSuchSetting extends Data.TaggedError("NoSuchSetting")<{ readonly word: string }> {
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
      Argument.withDescription("Part of a name, such as tls: print only the variables whose names contain it"),
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
    "Prints all settings with their meaning, valid values, and default or example. The output is a file of variables in " +
      "which all of them are commented out."
  ),
  Command.withShortDescription("Prints all settings"),
  Command.withExamples([
    { command: "msrp-relay settings >relay.env", description: "Make a file for MSRP_ENV_FILE to start from" },
    { command: "msrp-relay settings tls", description: "Print the settings of TLS" }
  ])
)
