/** The settings in force, without secrets. */
import type { SettingInForce } from "../../Admin.ts"
import type { Texts } from "../settings/Read.ts"
import { secretVariables } from "../settings/SecretFiles.ts"
import { variableKeys, variables } from "../settings/Table.ts"

/** Every variable, in the order of the documentation. */
export const settingsInForce = (texts: Texts): ReadonlyArray<SettingInForce> =>
  variableKeys.map((key) => {
    const { default: fallback, variable } = variables[key]
    const given = texts.get(key)?.trim()
    const secret = secretVariables.has(variable)
    const value = secret ? undefined : given ?? fallback
    const told = { name: variable, set: given !== undefined, secret }
    return value === undefined ? told : Object.assign(told, { value })
  })
