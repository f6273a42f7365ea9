/** Checks the settings: everything that is wrong with them, and what is probably a mistake. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import { backendsOf, type SettingsError, type SettingsShape } from "../Settings.ts"
import { noUsersWarning } from "../settings/checks/Users.ts"
import { readTls } from "../settings/TlsFiles.ts"
import { type Finding, findingsOf } from "./Finding.ts"

const { ok, problem, warning } = findingsOf("settings")

export const checkSettings = Effect.fnUntraced(function*(
  settings: SettingsShape
): Effect.fn.Return<ReadonlyArray<Finding>, never, FileSystem.FileSystem> {
  // Warnings about certificates and about users that are missing are left out, because other checks report them in more detail.
  const { warnings: ofCertificates } = yield* readTls(settings.tlsFiles, [
    ...settings.relay.uris,
    ...settings.relay.usePath ?? []
  ])
  const ofUsers = backendsOf(settings.credentials).flatMap((one) =>
    one._tag === "File" ? [noUsersWarning(one.path)] : []
  )
  const told = new Set([...ofCertificates, ...ofUsers])
  const warnings = settings.warnings.filter((one) => !told.has(one))
  return warnings.length > 0
    ? warnings.map((text) => warning("", text))
    : [
      ok(
        "",
        `all variables can be used${settings.readFrom === undefined ? "" : `, with those of ${settings.readFrom}`}`
      )
    ]
})

export const findingsOfError = ({ problems }: SettingsError): ReadonlyArray<Finding> =>
  problems.map((one) =>
    problem(
      one.variable,
      one.problem,
      one.example === undefined ? undefined : `for example ${one.variable}=${one.example}`
    )
  )
