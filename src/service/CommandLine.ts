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
    "Serves until a signal ends it. Settings are environment variables, and those of a file: the one that " +
      "MSRP_ENV_FILE names, or else .env in the working directory; what the environment has counts. Without any setting " +
      "it listens on localhost, and logs the password of a user `demo` that is made up at each start.\n\n" +
      "SIGTERM, SIGINT and SIGQUIT end it in order: no new sessions, and what is under way has the time of MSRP_DRAIN_TIMEOUT. " +
      "A second one ends it at once. SIGHUP has it read its settings, users and certificates again."
  ),
  Command.withShortDescription("Serves; what is done without a subcommand too"),
  Command.withExamples([
    { command: "msrp-relay", description: "A relay to try out, on localhost" },
    {
      command: "MSRP_ENV_FILE=/etc/msrp-relay/relay.env msrp-relay start",
      description: "With the settings of a file"
    }
  ])
)

export const commandLine = Command.make("msrp-relay", {}, () => main).pipe(
  Command.withDescription(
    "A relay of the Message Session Relay Protocol (RFC 4976): without a subcommand it serves, configured by environment " +
      "variables. `msrp-relay settings` prints all of them."
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
    { command: "msrp-relay", description: "Serve: on localhost, with a user made up for it" },
    { command: "msrp-relay settings", description: "See all that can be set" },
    { command: "msrp-relay check", description: "Look whether it would work as it is set up" },
    { command: "msrp-relay probe", description: "Send a message and a file through it" }
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
    Flag.withDescription("Print a script that completes this command in a shell"),
    Flag.withMetavar(shells.join("|"))
  ),
  run: Option.match({ onNone: () => Effect.void, onSome: (shell) => Console.log(completionsFor(shell)) })
})

const helpFlag = GlobalFlag.Action({
  flag: Flag.Boolean("help").pipe(
    Flag.withoutNegation,
    Flag.withAlias("h"),
    Flag.withDescription("Print help, of a subcommand too"),
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
