/** The program: `msrp-relay` runs the service, and its subcommands are tools for it. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as CliError from "effect/cli/CliError"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"
import * as CommandLine from "./CommandLine.ts"
import { endsInOrder } from "./Signals.ts"
import { version } from "./Version.ts"

/** Whether the help was shown, which includes what is wrong with the command line. */
const told = (cause: Cause.Cause<unknown>): boolean => {
  const error = Cause.squash(cause)
  return CliError.isCliError(error) && error._tag === "ShowHelp"
}

const program = Command.run(CommandLine.commandLine, { version }).pipe(
  Effect.tapCause((cause) =>
    Cause.hasInterruptsOnly(cause)
      ? Effect.void
      : told(cause)
      ? Effect.void
      : Console.error(Cause.prettyErrors(cause).map(({ message }) => message).join("\n"))
  ),
  Effect.provide([CommandLine.layer, NodeServices.layer])
)

// Standard error may be closed as well; without a listener that would crash the process.
process.stderr.on("error", () => {})

// The service is stopped by a signal, so an interrupt is success; for a subcommand it is not.
NodeRuntime.runMain(program, {
  disableErrorReporting: true,
  teardown: (exit, onExit) =>
    endsInOrder && Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)
      ? onExit(0)
      : Runtime.defaultTeardown(exit, onExit)
})
