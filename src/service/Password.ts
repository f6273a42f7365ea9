/**
 * The password of a subcommand: from the command line (where other users of the machine can read it, and the shell
 * records it), a file, the environment, or a prompt.
 */
import * as Flag from "effect/cli/Flag"
import * as Prompt from "effect/cli/Prompt"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { PASSWORD } from "./settings/Table.ts"
import { readText } from "./settings/TextFile.ts"

/** Maximum size of a password file in octets. */
export const MAX_FILE = 4096

/** There is no usable password. The message is for people, and does not contain it. */
class NoPassword extends Data.TaggedError("NoPassword")<{ readonly message: string }> {}

interface PasswordGiven {
  readonly password: Option.Option<Redacted.Redacted>
  readonly passwordFile: Option.Option<string>
}

export const passwordFlags = {
  password: Flag.Redacted("password").pipe(
    Flag.withDescription(
      "Password, which other users of this machine can see while the command runs. Safer: --password-file, " +
        `${PASSWORD} in the environment, or neither of them for a prompt`
    ),
    Flag.withMetavar("TEXT"),
    Flag.optional
  ),
  passwordFile: Flag.String("password-file").pipe(
    Flag.withDescription("File with the password as its only line; - for standard input"),
    Flag.withMetavar("PATH"),
    Flag.optional
  )
}

const fail = (message: string) => new NoPassword({ message })

/** Reads standard input up to the limit. */
const fromInput = Effect.gen(function*() {
  const { stdin } = yield* Stdio.Stdio
  const pieces: Array<Uint8Array> = []
  let octets = 0
  yield* Stream.runForEachWhile(stdin, (piece) =>
    Effect.sync(() => {
      pieces.push(piece)
      octets += piece.length
      return octets <= MAX_FILE
    }))
  return Buffer.concat(pieces).toString()
}).pipe(Effect.mapError(() => fail("Standard input cannot be read")))

const onlyLine = (text: string, where: string): Effect.Effect<Redacted.Redacted, NoPassword> => {
  const line = text.replace(/\r?\n$/, "")
  return Buffer.byteLength(text) > MAX_FILE
    ? Effect.fail(fail(`${where} has more than ${MAX_FILE} octets`))
    : line === ""
    ? Effect.fail(fail(`${where} contains no password`))
    : /[\r\n]/.test(line)
    ? Effect.fail(fail(`${where} has more than one line`))
    : Effect.succeed(Redacted.make(line))
}

const fromFile = Effect.fnUntraced(function*(path: string) {
  if (path === "-") return yield* onlyLine(yield* fromInput, "Standard input")
  const text = yield* readText(path)
  if (Result.isFailure(text)) return yield* fail(`${path} cannot be read: ${text.failure}`)
  return yield* onlyLine(text.success, path)
})

/** The first password found, in the order that the flags describe. */
export const passwordOf = Effect.fnUntraced(function*({ password, passwordFile }: PasswordGiven) {
  if (Option.isSome(password) && Option.isSome(passwordFile)) {
    return yield* fail("Give one of --password and --password-file")
  }
  if (Option.isSome(password)) return password.value
  if (Option.isSome(passwordFile)) return yield* fromFile(passwordFile.value)
  const environment = yield* ConfigProvider.ConfigProvider
  const variable = yield* Config.option(Config.String(PASSWORD)).parse(environment).pipe(
    Effect.orElseSucceed(Option.none)
  )
  if (Option.isSome(variable) && variable.value !== "") return Redacted.make(variable.value)
  const { canPrompt } = yield* TerminalCapabilities.TerminalCapabilities
  if (!canPrompt) {
    return yield* fail(`No password: give --password-file, or set ${PASSWORD}. (In a terminal there is a prompt.)`)
  }
  return yield* Prompt.run(Prompt.Password({
    message: "Password",
    validate: (text) => text === "" ? Effect.fail("The password must not be empty") : Effect.succeed(text)
  }))
})
