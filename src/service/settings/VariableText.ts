/** The text of a variable, as a `ConfigProvider` has it. */
import * as Config from "effect/Config"
import type * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** The text without white space around it; none if the variable is not set, or blank. Fails if it cannot be read. */
export const readVariable = (
  provider: ConfigProvider.ConfigProvider,
  variable: string
): Effect.Effect<Option.Option<string>, Config.ConfigError> =>
  Effect.map(
    Config.option(Config.String(variable)).parse(provider),
    (found) => Option.filter(Option.map(found, (text) => text.trim()), (text) => text !== "")
  )

/** As `readVariable`, with none for a variable that cannot be read. */
export const textIn = (
  provider: ConfigProvider.ConfigProvider,
  variable: string
): Effect.Effect<Option.Option<string>> => Effect.orElseSucceed(readVariable(provider, variable), Option.none)
