/** Checks the settings: everything that is wrong with them, and what is probably a mistake. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type { SettingsError, SettingsShape } from "../Settings.ts"
import { readTls } from "../settings/TlsFiles.ts"
import { type Finding, findingsOf } from "./Finding.ts"

const { ok, problem, warning } = findingsOf("settings")

export const checkSettings = Effect.fnUntraced(function*(
  settings: SettingsShape
): Effect.fn.Return<ReadonlyArray<Finding>, never, FileSystem.FileSystem> {
  // Warnings about certificates are left out, because the check of certificates reports them in more detail.
  const { warnings: told } = yield* readTls(settings.tlsFiles, [
    ...settings.relay.uris,
    ...settings.relay.usePath ?? []
  ])
  const warnings = settings.warnings.filter((one) => !told.includes(one))
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
