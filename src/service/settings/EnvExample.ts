/** `.env.example`, made from the table of settings. */
import { wrapped } from "../Wrapping.ts"
import { secretVariables } from "./SecretFiles.ts"
import { settingsTable } from "./Table.ts"
import type { Setting } from "./Variable.ts"

const HEADING = `\
# All settings of the MSRP relay. None is required.
# Times are in seconds unless they have a unit (90, 90s, 500ms, 5 minutes, 1h).
# Sizes are in octets unless they have a unit (128 KiB).
# A reload (SIGHUP) applies changes, except for the settings that say otherwise.
# The value of each of these variables may be in a file instead, for example MSRP_USERS_FILE=/run/secrets/users:
# ${[...secretVariables].join(", ")}.
# The relay (MSRP_ENV_FILE, or else .env), Docker and systemd read values as they are below.
# A shell needs quotes around some of them.
`

/** Every variable, commented out, with its default or an example. */
export const envExample = (): string => HEADING + envExampleOf(() => true)

/** The chosen settings, without the heading; empty if there are none. */
export const envExampleOf = (chosen: (setting: Setting) => boolean): string =>
  Array.from(
    Map.groupBy(settingsTable.filter(chosen), ({ group }) => group),
    ([group, settings]) => `\n# ---- ${group}\n${settings.map(envText).join("")}`
  ).join("")

const envText = (setting: Setting): string => `\n${envLines(setting).join("\n")}\n`

const envLines = (setting: Setting): ReadonlyArray<string> => [
  ...comment(setting.meaning),
  ...comment(
    `Must be ${setting.expects}.${setting.reload === "live" ? "" : " A change takes effect at the next start."}`
  ),
  ...comment(setting.default === undefined ? `If not set: ${setting.absent}. Example:` : "Default:"),
  `#${setting.variable}=${setting.default ?? setting.example}`
]

/** Characters of a line, without its number sign. */
const WIDTH = 116

const comment = (text: string): ReadonlyArray<string> =>
  wrapped(text.replaceAll("`", "").split(" "), WIDTH).map((line) => `# ${line}`)
