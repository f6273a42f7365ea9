/** What subcommands that ask the admin API have in common on the command line: flags, and how they fail. */
import * as Flag from "effect/cli/Flag"
import * as Data from "effect/Data"
import type * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"

/** Exit codes: the relay says no, or there is no such thing; it cannot be asked at all. */
export const EXIT_REFUSED = 1
export const EXIT_UNREACHABLE = 2

/** What a subcommand could not do. The message is for people. */
export class AdminFailed extends Data.TaggedError("AdminFailed")<{ readonly message: string; readonly code: number }> {
  override readonly [Runtime.errorExitCode] = this.code
}

export const refused = (message: string) => new AdminFailed({ message, code: EXIT_REFUSED })
export const unreachable = (message: string) => new AdminFailed({ message, code: EXIT_UNREACHABLE })

/** Flags of every subcommand that asks the admin API. */
export const adminFlags = {
  admin: Flag.String("admin").pipe(
    Flag.withDescription("Where the admin API is: address and port, or the path of a Unix socket; default MSRP_ADMIN"),
    Flag.withMetavar("ADDRESS"),
    Flag.optional
  ),
  tokenFile: Flag.String("token-file").pipe(
    Flag.withDescription("File with its token; default MSRP_ADMIN_TOKEN_FILE"),
    Flag.withMetavar("PATH"),
    Flag.optional
  )
}

export interface AdminGiven {
  readonly admin: Option.Option<string>
  readonly tokenFile: Option.Option<string>
}
