/** Writes the man page and the completions. Run by `npm run build`. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { commandLine, completionsFor, layer, shells } from "../CommandLine.ts"
import { DEBIAN } from "../DocumentsFolder.ts"
import { settingsTable } from "../Settings.ts"
import { version } from "../Version.ts"
import { documentsOf, manualPage } from "./Manual.ts"

/** The file name of the completions, as each shell expects it. */
const names = { bash: "msrp-relay", zsh: "_msrp-relay", fish: "msrp-relay.fish" } as const

/** The man page. `date`: date of the version, such as 2026-11-28. */
export const manual = (date: string) =>
  documentsOf(commandLine).pipe(
    Effect.map((documents) =>
      manualPage(documents, {
        version,
        date,
        environment: [
          ...settingsTable.map((
            { absent, default: fallback, meaning, variable }
          ) => [variable, `${meaning} When not set: ${fallback ?? absent}.`] as const),
          ["MSRP_PASSWORD", "The password for `probe` and `user`, where no option has it."]
        ],
        exitCodes: [
          ["0", "It has done what it was asked; the service: it was stopped by a signal."],
          ["1", "It has not. Standard error says why."],
          ["2", "Of `admin` and `trace`: the relay cannot be asked."],
          ["130, 143", "The service was ended at once, by a second SIGINT, SIGTERM or SIGQUIT."]
        ],
        files: [
          [".env", "In the working directory: settings, where MSRP_ENV_FILE names no other file."],
          ["/etc/msrp-relay/relay.env", "Settings, where the Debian package and the unit for systemd have them."],
          [
            "$CREDENTIALS_DIRECTORY",
            "Secret settings that systemd hands over, each in a file with the name of the variable."
          ],
          [
            DEBIAN,
            "The documents and examples of the Debian package; `msrp-relay --help` names the folder of any other."
          ]
        ],
        seeAlso: "README.md in the folder of the documents, which `msrp-relay --help` names; RFC 4975, RFC 4976."
      })
    ),
    Effect.provide([layer, NodeServices.layer])
  )

/** Writes the man page and the completions to a folder. */
export const writeAll = async (folder: string, date: string): Promise<void> => {
  await mkdir(join(folder, "completions"), { recursive: true })
  await writeFile(join(folder, "msrp-relay.1"), await Effect.runPromise(manual(date)))
  for (const shell of shells) await writeFile(join(folder, "completions", names[shell]), `${completionsFor(shell)}\n`)
}

/** The date of the build, or the one that a reproducible build specifies. */
const today = (): string =>
  new Date(
    process.env["SOURCE_DATE_EPOCH"] === undefined ? Date.now() : Number(process.env["SOURCE_DATE_EPOCH"]) * 1000
  )
    .toISOString().slice(0, 10)

if (import.meta.main) await writeAll(fileURLToPath(new URL("../../../dist/share", import.meta.url)), today())
