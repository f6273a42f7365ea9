/** The settings as they are in force, without what is secret in them. */
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { SettingInForce } from "../../Admin.ts"
import { settingsTable } from "../Settings.ts"

/** Variables with a password, a key or a token in them. A path of a file with one is not. */
export const secretVariables: ReadonlySet<string> = new Set([
  "MSRP_USERS",
  "MSRP_SQL_URL",
  "MSRP_HTTP_URL",
  "MSRP_HTTP_TOKEN",
  "MSRP_EPHEMERAL_SECRET"
])

/** Every variable, in the order of the documentation. */
export const settingsInForce: Effect.Effect<ReadonlyArray<SettingInForce>> = Effect.flatMap(
  ConfigProvider.ConfigProvider,
  (provider) =>
    Effect.forEach(
      settingsTable,
      ({ default: fallback, variable }) =>
        Effect.map(textOf(provider, variable), (given) => {
          const secret = secretVariables.has(variable)
          const value = secret ? undefined : given ?? fallback
          return { name: variable, ...value === undefined ? {} : { value }, set: given !== undefined, secret }
        })
    )
)

/** The text of a variable; blank is none, as for whoever reads the settings. */
const textOf = (provider: ConfigProvider.ConfigProvider, variable: string): Effect.Effect<string | undefined> =>
  Config.option(Config.String(variable)).parse(provider).pipe(
    Effect.map((text) => Option.getOrElse(text, () => "").trim()),
    Effect.orElseSucceed(() => ""),
    Effect.map((text) => text === "" ? undefined : text)
  )
