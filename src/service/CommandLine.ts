/** The command line: `msrp-relay` and its subcommands. Help, completions and the man page are made from it. */
import * as CliConfig from "effect/cli/CliConfig"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as Completions from "effect/cli/Completions"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { adminCommand } from "./admin/Commands.ts"
import { checkCommand } from "./check/Check.ts"
import { presenter } from "./commandLine/Help.ts"
import { main } from "./main.ts"
import { probeCommand } from "./probe/Command.ts"
import { settingsCommand } from "./settings/Command.ts"
import { traceCommand } from "./trace/Command.ts"
import { userCommand } from "./users/Command.ts"

const startCommand = Command.make("start", {}, () => main).pipe(
  Command.withDescription(
    "Runs the relay until a signal ends it. Settings are environment variables, or are read from the file that MSRP_ENV_FILE " +
      "names, or else from .env in the working directory; the environment has precedence. Without any settings it " +
      "listens on localhost, and logs the random password of a user `demo`.\n\n" +
      "SIGTERM, SIGINT and SIGQUIT drain it: it grants no new sessions, and existing ones have MSRP_DRAIN_TIMEOUT to end. " +
      "A second signal ends it at once. SIGHUP reloads settings, users and certificates."
  ),
  Command.withShortDescription("Runs the relay; this is the default"),
  Command.withExamples([
    { command: "msrp-relay", description: "Run a relay on localhost to try it out" },
    {
      command: "MSRP_ENV_FILE=/etc/msrp-relay/relay.env msrp-relay start",
      description: "Run a relay with the settings in a file"
    }
  ])
)

export const commandLine = Command.make("msrp-relay", {}, () => main).pipe(
  Command.withDescription(
    "A relay of the Message Session Relay Protocol (RFC 4976). Without a subcommand it runs the relay, configured by " +
      "environment variables. `msrp-relay settings` prints all of them."
  ),
  Command.withSubcommands([
    startCommand,
    checkCommand,
    settingsCommand,
    probeCommand,
    userCommand,
    adminCommand,
    traceCommand
  ]),
  Command.withExamples([
    { command: "msrp-relay", description: "Run a relay on localhost, with a demo user" },
    { command: "msrp-relay settings", description: "Print all settings" },
    { command: "msrp-relay check", description: "Check whether the relay would work with its settings" },
    { command: "msrp-relay probe", description: "Send messages and a file through the relay" }
  ])
)

/** The shells that completions exist for. */
export const shells = ["bash", "zsh", "fish"] as const

/** A completion script for subcommands and flags. */
export const completionsFor = (shell: Completions.Shell): string =>
  Completions.generate(commandLine.name, shell, Completions.fromCommand(commandLine))

const completionsFlag = GlobalFlag.Action<Option.Option<Completions.Shell>>({
  flag: Flag.Literals("completions", shells).pipe(
    Flag.optional,
    Flag.withDescription("Print a completion script for a shell"),
    Flag.withMetavar(shells.join("|"))
  ),
  run: Option.match({ onNone: () => Effect.void, onSome: (shell) => Console.log(completionsFor(shell)) })
})

const helpFlag = GlobalFlag.Action({
  flag: Flag.Boolean("help").pipe(
    Flag.withoutNegation,
    Flag.withAlias("h"),
    Flag.withDescription("Print help, also for subcommands"),
    Flag.withDefault(false)
  ),
  run: GlobalFlag.Help.run
})

const versionFlag = GlobalFlag.Action({
  flag: Flag.Boolean("version").pipe(
    Flag.withoutNegation,
    Flag.withAlias("v"),
    Flag.withDescription("Print the version"),
    Flag.withDefault(false)
  ),
  run: GlobalFlag.Version.run
})

/** How help and errors are presented. */
export const layer = Layer.merge(
  CliConfig.layer({ builtIns: [helpFlag, versionFlag, completionsFlag] }),
  CliOutput.layerPresenter(presenter)
)
