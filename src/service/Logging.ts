/** How the program logs: the format and the least level of the settings. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import { Settings, type SettingsShape } from "./Settings.ts"

const loggers = {
  pretty: Logger.consolePretty(),
  json: Logger.consoleJson,
  logfmt: Logger.consoleLogFmt
}

/** The one logger of this format, on standard output; what is less severe than the level is dropped. */
export const layerWith = ({ format, level }: SettingsShape["log"]): Layer.Layer<never> =>
  Layer.merge(Logger.layer([loggers[format]]), Layer.succeed(References.MinimumLogLevel, level))

/** As the settings say. */
export const layer: Layer.Layer<never, never, Settings> = Layer.unwrap(
  Effect.map(Settings, ({ log }) => layerWith(log))
)
