/** Variables to set, the files that they name, and what is read of them. */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as PlatformError from "effect/PlatformError"
import * as Redacted from "effect/Redacted"
import { Settings, type SettingsError, type SettingsShape, settingsTable } from "../../../src/service/Settings.ts"
import { ca, localhost, relay } from "../../support/pki.ts"

export const HA1 = "0123456789abcdef0123456789abcdef"

const files: Record<string, string> = {
  "/relay.crt": relay.cert,
  "/relay.key": Redacted.value(relay.key),
  "/localhost.crt": localhost.cert,
  "/localhost.key": Redacted.value(localhost.key),
  "/ca.crt": ca,
  "/text": "no PEM at all",
  "/encrypted.key": "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
  "/token": "0123456789abcdef\n",
  "/short": "0123456789abcde\n",
  "/two": "0123456789abcdef\n0123456789abcdef\n",
  "/open": "0123456789abcdef",
  "/users": `alice:example.org:${HA1}\n`,
  "/passwords": "alice:example.org:sesame\n"
}

// The examples of variables that name files work too.
for (const { example, variable } of settingsTable) {
  files[example] ??= variable === "MSRP_TLS_KEY"
    ? Redacted.value(relay.key)
    : variable === "MSRP_CREDENTIALS_FILE"
    ? `alice:example.org:${HA1}`
    : variable === "MSRP_ADMIN_TOKEN_FILE"
    ? "0123456789abcdef"
    : relay.cert
}

const failure = (_tag: "NotFound" | "PermissionDenied", path: string) =>
  PlatformError.systemError({ _tag, module: "FileSystem", method: "readFileString", pathOrDescriptor: path })

const read = (path: string) =>
  path === "/forbidden"
    ? Effect.fail(failure("PermissionDenied", path))
    // A path may be the name of something that every object has.
    : Object.hasOwn(files, path) && files[path] !== undefined
    ? Effect.succeed(files[path])
    : Effect.fail(failure("NotFound", path))

export const disk = FileSystem.layerNoop({
  readFile: (path) => Effect.map(read(path), (text) => Buffer.from(text)),
  readFileString: read,
  stat: (path) =>
    Effect.map(read(path), (text) => {
      const size = ByteSize.bytes(text.length)
      return { type: "File", size, mode: path === "/open" ? 0o644 : 0o600 } as FileSystem.File.Info
    })
})

export type Env = Readonly<Record<string, string | undefined>>

export const parse = (env: Env): Effect.Effect<SettingsShape, SettingsError> =>
  Effect.provide(Settings.parse(env), disk)

/** What is wrong, by variable. */
export const problemsOf = (env: Env): Effect.Effect<Record<string, string>> =>
  Effect.map(
    Effect.flip(parse(env)),
    ({ problems }) => Object.fromEntries(problems.map(({ problem, variable }) => [variable, problem]))
  ) as Effect.Effect<
    Record<string, string>
  >

export const users = { MSRP_USERS: "alice:secret" }
export const remote = {
  ...users,
  MSRP_URIS: "msrps://relay.example.com:2856;tcp",
  MSRP_TLS_CERT: "/relay.crt",
  MSRP_TLS_KEY: "/relay.key"
}

export const uriTexts = ({ relay }: SettingsShape) => relay.uris.map(({ text }) => text)
export const sockets = ({ relay }: SettingsShape) =>
  relay.listen.map(({ host, port, scheme }) => `${scheme} ${host} ${port}`)

/** Users with their secrets in the open. */
export const revealed = ({ credentials }: SettingsShape) =>
  credentials._tag === "Memory" &&
  credentials.users.map(({ realm, secret, username }) =>
    [username, realm, secret._tag === "Password" ? Redacted.value(secret.password) : secret.ha1] as const
  )
