/** How the program logs: the format and level of the settings, on standard output, within a budget of lines. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as LogLevel from "effect/LogLevel"
import * as Predicate from "effect/Predicate"
import * as References from "effect/References"
import { Console as NodeConsole } from "node:console"
import { isIP } from "node:net"
import { tellHeldBack } from "../logging/BoundedLog.ts"
import { HasOwnBudget } from "../logging/HasOwnBudget.ts"
import { LineBudget } from "../logging/LineBudget.ts"
import { LogCounters } from "../logging/LogCounters.ts"
import { LiveLevel, LogLevels } from "../logging/LogLevels.ts"
import { hostOf } from "../net/Hosts.ts"
import { networkOf } from "../net/Network.ts"
import * as LogOutput from "./LogOutput.ts"
import { Settings, type SettingsShape } from "./Settings.ts"

const loggers = {
  pretty: Logger.consolePretty(),
  json: Logger.consoleJson,
  logfmt: Logger.consoleLogFmt
}

/** Time between two checks for lost lines. */
const LOST = "5 seconds"

/** Levels without a budget, because an operator who enables them wants every line. */
const DETAILS: ReadonlySet<LogLevel.LogLevel> = new Set(["Debug", "Trace"])

/** Characters of a message that identify its kind. */
const KIND = 100

/** The kind of a line: the start of its message, without details of the single case. */
const kindOf = (message: unknown): string => String(Array.isArray(message) ? message[0] : message).slice(0, KIND)

/** The address that caused a line, if its annotations name one; in lines of the admin API `remote` has no port. */
const addressOf = ({ host, remote, source }: Readonly<Record<string, unknown>>): string =>
  [Predicate.isString(remote) ? isIP(remote) === 0 ? hostOf(remote) : remote : undefined, source, host]
    .find(Predicate.isString) ?? ""

/** Passes lines on that are severe enough at present, within a budget for each kind and address. */
const within = (
  live: LiveLevel,
  budget: LineBudget,
  logger: Logger.Logger<unknown, void>
): Logger.Logger<unknown, void> =>
  Logger.make((options) => {
    const { date, fiber, logLevel, message } = options
    if (!live.enables(logLevel)) return
    if (!DETAILS.has(logLevel) && !fiber.getRef(HasOwnBudget)) {
      const address = networkOf(addressOf(fiber.getRef(References.CurrentLogAnnotations)))
      if (!budget.admits(kindOf(message), address, date.getTime())) return
    }
    logger.log(options)
  })

/**
 * A logger of this format, which drops lines that are below the level or exceed the budget. The level is that of
 * `LogLevels` and may change; Effect's minimum level is set to `All`.
 */
export const layerWith = ({ format, level }: SettingsShape["log"]): Layer.Layer<never> =>
  Layer.unwrap(Effect.map(LogCounters, (counters) => {
    const budget = new LineBudget(undefined, counters)
    const live = new LiveLevel(level)
    const lines = Layer.mergeAll(
      Logger.layer([within(live, budget, loggers[format])]),
      Layer.succeed(References.MinimumLogLevel, "All"),
      Layer.succeed(LogLevels, live)
    )
    return Layer.merge(lines, Layer.provide(Layer.effectDiscard(tellHeldBack([budget])), lines))
  }))

/** Logs as the settings say, on the current console. */
export const layer: Layer.Layer<never, never, Settings> = Layer.unwrap(
  Effect.map(Settings, ({ log }) => layerWith(log))
)

/** Logs as the settings say, on standard output, which may be slow, full or closed. */
export const layerStandardOutput: Layer.Layer<never, never, Settings> = Layer.unwrap(
  Effect.gen(function*() {
    const output = yield* LogOutput.make()
    const console = new NodeConsole({ stdout: output, stderr: output })
    const lines = Layer.provideMerge(layer, Layer.succeed(Console.Console, console))
    const told = LogOutput.tellLost(output).pipe(
      Effect.provideService(HasOwnBudget, true),
      Effect.delay(LOST),
      Effect.forever,
      Effect.forkScoped
    )
    return Layer.merge(lines, Layer.provide(Layer.effectDiscard(told), lines))
  })
)
