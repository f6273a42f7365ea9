/** Flags and errors that all subcommands of the admin API have in common. */
import * as Flag from "effect/cli/Flag"
import * as Data from "effect/Data"
import type * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"

/** Exit codes: the relay refuses the request, or what it names does not exist; and the relay cannot be reached. */
const EXIT_REFUSED = 1
const EXIT_UNREACHABLE = 2

/** A subcommand failed. The message is for people. */
export class AdminFailed extends Data.TaggedError("AdminFailed")<{ readonly message: string; readonly code: number }> {
  override readonly [Runtime.errorExitCode] = this.code
}

export const refused = (message: string) => new AdminFailed({ message, code: EXIT_REFUSED })
export const unreachable = (message: string) => new AdminFailed({ message, code: EXIT_UNREACHABLE })

/** Flags of every subcommand that uses the admin API. */
export const adminFlags = {
  admin: Flag.String("admin").pipe(
    Flag.withDescription("Address and port, or path of the Unix socket, of the admin API (default: MSRP_ADMIN)"),
    Flag.withMetavar("ADDRESS"),
    Flag.optional
  ),
  tokenFile: Flag.String("token-file").pipe(
    Flag.withDescription("File with the token of the admin API (default: MSRP_ADMIN_TOKEN_FILE)"),
    Flag.withMetavar("PATH"),
    Flag.optional
  )
}

export interface AdminGiven {
  readonly admin: Option.Option<string>
  readonly tokenFile: Option.Option<string>
}
