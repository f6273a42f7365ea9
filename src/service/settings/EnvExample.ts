/** `.env.example`, made from the table of settings. */
import { secretVariables } from "./SecretFiles.ts"
import { settingsTable } from "./Table.ts"
import type { Setting, SettingGroup } from "./Variable.ts"

const groups = (
  chosen: (setting: Setting) => boolean = () => true
): ReadonlyArray<readonly [SettingGroup, ReadonlyArray<Setting>]> => [
  ...Map.groupBy(settingsTable.filter(chosen), ({ group }) => group)
]

const HEADING = `\
# Settings of the MSRP relay: every variable there is. None has to be set.
# Times are seconds unless they carry a unit (90, 90s, 500ms, 5 minutes, 1h); sizes are octets unless they do (128 KiB).
# A reload (SIGHUP) takes changes over, but for those that say otherwise.
# ${[...secretVariables].slice(0, 4).join(", ")},
# ${
  [...secretVariables].slice(4).join(" and ")
} may each be in a file of their own: MSRP_USERS_FILE=/run/secrets/users, and so on.
# The relay (MSRP_ENV_FILE, else .env), Docker and systemd want values as they are here; a shell wants quotes around some of them.
`

/** Every variable, commented out, with its default or an example. */
export const envExample = (): string => HEADING + envExampleOf(() => true)

/** The chosen settings, without the heading; empty if there are none. */
export const envExampleOf = (chosen: (setting: Setting) => boolean): string =>
  groups(chosen).map(([group, settings]) =>
    `\n# ---- ${group}\n${settings.map((setting) => `\n${envLines(setting).join("\n")}\n`).join("")}`
  ).join("")

const envLines = (setting: Setting): ReadonlyArray<string> => [
  ...wrap(setting.meaning),
  ...wrap(`Must be ${setting.expects}.${setting.reload === "live" ? "" : " A change counts from the next start on."}`),
  ...wrap(setting.default === undefined ? `When not set: ${setting.absent}. Example:` : "Default:"),
  `#${setting.variable}=${setting.default ?? setting.example}`
]

const WIDTH = 118

const wrap = (text: string): ReadonlyArray<string> => {
  const lines = ["#"]
  for (const word of text.replaceAll("`", "").split(" ")) {
    if (lines.at(-1)!.length + 1 + word.length > WIDTH) lines.push("#")
    lines[lines.length - 1] += ` ${word}`
  }
  return lines
}
