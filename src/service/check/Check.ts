/**
 * `msrp-relay check`: checks before the start that the service would work with its settings. Nothing is changed:
 * ports are bound and released, and backends are asked for a user that does not exist.
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { userInfo } from "node:os"
import { Settings, type SettingsError, type SettingsShape } from "../Settings.ts"
import { exported } from "../settings/EnvFile.ts"
import { version } from "../Version.ts"
import { checkAdmin } from "./Admin.ts"
import { checkCertificates } from "./Certificates.ts"
import { checkFiles } from "./Files.ts"
import { CHECKS, type Finding, findingsOf } from "./Finding.ts"
import { checkListeners, type ListenersOptions } from "./Listeners.ts"
import { checkNames } from "./Names.ts"
import { toJson, toTable, verdictOf } from "./Report.ts"
import { runChecks, type SetupCheck, TIME_LIMIT } from "./SetupCheck.ts"
import { checkBacklog, checkDescriptors } from "./System.ts"
import { checkUsers } from "./Users.ts"
import { checkSettings, findingsOfError } from "./Variables.ts"

/** The service would not work, or does not run as it should. The report has the problems. */
class CheckFailed extends Data.TaggedError("CheckFailed")<{
  readonly problems: number
  readonly running: boolean
}> {
  override get message(): string {
    const { problems, running } = this
    const counted = `check failed: ${problems} problem${problems === 1 ? "" : "s"}`
    return running ? counted : `${counted} would keep the service from working`
  }
}

export interface CheckOptions extends ListenersOptions {}

/** All checks, with valid settings. */
const checksOf = (
  settings: SettingsShape,
  options: CheckOptions
): ReadonlyArray<SetupCheck<FileSystem.FileSystem | Scope.Scope>> => [
  { name: "settings", findings: checkSettings(settings) },
  { name: "files", findings: checkFiles(settings) },
  { name: "certificates", findings: checkCertificates(settings) },
  { name: "users", findings: checkUsers(settings) },
  { name: "listeners", findings: checkListeners(settings, options) },
  { name: "admin", findings: checkAdmin(settings.admin, options) },
  { name: "names", findings: checkNames(settings) },
  { name: "descriptors", findings: checkDescriptors(settings) },
  { name: "backlog", findings: checkBacklog(settings) }
]

/** All findings, in the order of the checks. If the settings are invalid, nothing else is checked. */
export const check = <R>(
  settings: Effect.Effect<SettingsShape, SettingsError, R>,
  options: CheckOptions
): Effect.Effect<ReadonlyArray<Finding>, never, R | FileSystem.FileSystem> => {
  const read = settings.pipe(
    // Reading may never end, for example if a variable names a pipe without a writer.
    Effect.timeoutOrElse({
      duration: `${TIME_LIMIT} seconds`,
      orElse: () => Effect.succeed(`a file that they name could not be read within ${TIME_LIMIT} seconds`)
    }),
    Effect.result
  )
  return Effect.flatMap(read, (found) =>
    Result.isFailure(found)
      ? Effect.succeed([...findingsOfError(found.failure), ...othersSkipped])
      : typeof found.success === "string"
      ? Effect.succeed([findingsOf("settings").problem("", found.success), ...othersSkipped])
      : runChecks(checksOf(found.success, options)))
}

const othersSkipped = CHECKS.filter((name) => name !== "settings").map((name) =>
  findingsOf(name).skipped("", "not checked, because the settings cannot be used")
)

/** The name of the user that runs the check, or its number if it has no name. */
const userName = Effect.sync(() => {
  try {
    return userInfo().username
  } catch {
    return `user ${process.getuid?.() ?? "unknown"}`
  }
})

/** Columns if the output is not a terminal. */
const WIDTH = 120

const run = Effect.fnUntraced(function*({ json, ...options }: CheckOptions & { readonly json: boolean }) {
  const findings = yield* check(Effect.andThen(exported, Effect.provide(Settings, Settings.layer)), options)
  const circumstances = { version, node: process.versions.node, user: yield* userName }
  yield* Console.log(
    json
      ? toJson(findings, circumstances)
      : toTable(findings, circumstances, {
        width: process.stdout.isTTY ? process.stdout.columns : WIDTH,
        colours: process.stdout.isTTY && process.stdout.hasColors()
      })
  )
  const { problems } = verdictOf(findings)
  if (problems > 0) return yield* new CheckFailed({ problems, running: options.running })
})

/** Fails with `CheckFailed`, which makes the exit code 1, if the service would not work. */
export const checkCommand = Command.make(
  "check",
  {
    json: Flag.Boolean("json").pipe(
      Flag.withoutNegation,
      Flag.withDescription("Print one JSON document instead of a table"),
      Flag.withDefault(false)
    ),
    running: Flag.Boolean("running").pipe(
      Flag.withoutNegation,
      Flag.withDescription("Check a relay that is running: it must use its ports, and answer at MSRP_ADMIN"),
      Flag.withDefault(false)
    )
  },
  run
).pipe(
  Command.withDescription(
    "Checks whether the service would work with the settings of the environment. Exits with code 1 if it would not, or " +
      "with --running if no relay is running. " +
      "Run it as the user of the service, because that user's permissions matter."
  ),
  Command.withShortDescription("Checks whether the service would work with its settings"),
  Command.withExamples([
    { command: "msrp-relay check", description: "Check before the start" },
    { command: "msrp-relay check --running --json", description: "Check a running relay, for monitoring" }
  ])
)
