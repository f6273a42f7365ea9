/** Problems of the variables. */
import type { SettingsProblem } from "./SettingsError.ts"
import { type VariableKey, variables } from "./Table.ts"

/** Collects problems while variables are read and compared. */
export class Problems {
  readonly list: Array<SettingsProblem> = []
  readonly #broken = new Set<string>()

  add(key: VariableKey, problem: string, example: string = variables[key].example): void {
    this.#broken.add(key)
    this.list.push({ variable: variables[key].variable, problem, example })
  }

  /** Adds a problem of a file that exists or should: no other value of the variable is an example of what to do. */
  addOfFile(key: VariableKey, problem: string): void {
    this.#broken.add(key)
    this.list.push({ variable: variables[key].variable, problem, example: undefined })
  }

  /** Whether none of these variables has a problem, so that they can be compared with others. */
  fine(...keys: ReadonlyArray<VariableKey>): boolean {
    return keys.every((key) => !this.#broken.has(key))
  }
}
