/** The settings as they are in force, without what is secret in them. */
import type { SettingInForce } from "../../Admin.ts"
import type { Texts } from "../settings/Read.ts"
import { type Variables, variables } from "../settings/Table.ts"

/** Variables with a password, a key or a token in them. A path of a file with one is not. */
export const secretVariables: ReadonlySet<string> = new Set([
  "MSRP_USERS",
  "MSRP_SQL_URL",
  "MSRP_HTTP_URL",
  "MSRP_HTTP_TOKEN",
  "MSRP_EPHEMERAL_SECRET",
  "MSRP_HEP_KEY"
])

/** Every variable, in the order of the documentation. */
export const settingsInForce = (texts: Texts): ReadonlyArray<SettingInForce> =>
  (Object.keys(variables) as Array<keyof Variables>).map((key) => {
    const { default: fallback, variable } = variables[key]
    const given = texts.get(key)?.trim()
    const secret = secretVariables.has(variable)
    const value = secret ? undefined : given ?? fallback
    const told = { name: variable, set: given !== undefined, secret }
    return value === undefined ? told : Object.assign(told, { value })
  })
