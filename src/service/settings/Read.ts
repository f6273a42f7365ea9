/** Reads each variable from one or more `ConfigProvider`s. */
import type * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { decode } from "./codecs/Codec.ts"
import type { Problems } from "./Problems.ts"
import { secretFileVariables } from "./SecretFiles.ts"
import { PASSWORD, settingsTable, type Values, type VariableKey, variableKeys, variables } from "./Table.ts"
import { readVariable } from "./VariableText.ts"

/** The texts of the variables that are set, secrets included. */
export type Texts = ReadonlyMap<VariableKey, string>

/**
 * The value of each variable, and its text if it is set. The first provider that has a variable wins. A variable with
 * a problem gets the value of one that is not set.
 */
export const readValues = Effect.fnUntraced(function*(
  providers: ReadonlyArray<ConfigProvider.ConfigProvider>,
  problems: Problems
) {
  const values: Record<string, unknown> = {}
  const texts = new Map<VariableKey, string>()
  for (const key of variableKeys) {
    const { codec, default: fallback, expects, variable } = variables[key]
    const given = yield* textOf(providers, variable)
    if (Result.isFailure(given)) problems.add(key, "cannot be read")
    const text = Result.getOrElse(given, () => undefined)
    if (text !== undefined) texts.set(key, text)
    const decoded = text === undefined ? undefined : decode(codec, text)
    if (decoded !== undefined && Result.isSuccess(decoded)) {
      values[key] = decoded.success
      continue
    }
    for (const problem of decoded?.failure ?? []) problems.add(key, problem ?? `must be ${expects}`)
    values[key] = fallback === undefined ? undefined : Result.getOrThrow(decode(codec, fallback))
  }
  return { values: values as unknown as Values, texts }
})

/**
 * Whether two texts of a variable have the same value, such as `30` and `30s`. An absent text stands for the default.
 */
export const sameValue = (key: VariableKey, a: string | undefined, b: string | undefined): boolean => {
  const { codec, default: fallback } = variables[key]
  const valueOf = (text = fallback): unknown => text === undefined ? undefined : Result.getOrThrow(decode(codec, text))
  return a === b || Equal.equals(valueOf(a), valueOf(b))
}

/** The text of a variable of the first provider that has one. */
const textOf = Effect.fnUntraced(
  function*(providers: ReadonlyArray<ConfigProvider.ConfigProvider>, variable: string) {
    for (const provider of providers) {
      const found = yield* readVariable(provider, variable)
      if (Option.isSome(found)) return found.value
    }
    return undefined
  },
  Effect.result
)

const known = new Set([...settingsTable.map(({ variable }) => variable), ...secretFileVariables, PASSWORD])
const PREFIX = "MSRP"

/** Maximum number of indices of an array that are examined; of a longer array, only the last one is. */
const MAX_INDICES = 100

const INJECTED = /_SERVICE_(?:HOST|PORT(?:_\w+)?)$|_PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?$/

/**
 * Whether Kubernetes or Docker has set the variable, which describe services to containers, even one whose name
 * begins with "msrp".
 */
const isInjected = (variable: string, value: string): boolean =>
  INJECTED.test(variable) || (variable.endsWith("_PORT") && /^(?:tcp|udp|sctp):\/\//.test(value))

/** Variables with the prefix `MSRP_` that do not exist, which are probably misspelt. */
export const unknownVariables = Effect.fnUntraced(function*(provider: ConfigProvider.ConfigProvider) {
  const unknown: Array<string> = []
  const open: Array<ReadonlyArray<string>> = [[PREFIX]]
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const here = path
    const loaded = yield* Effect.result(provider.load(here))
    const node = Result.getOrUndefined(loaded)
    if (node === undefined) continue
    const variable = here.join("_")
    const value = node.value?.trim() ?? ""
    if (here.length > 1 && value !== "" && !known.has(variable) && !isInjected(variable, value)) unknown.push(variable)
    if (node._tag === "Record") {
      for (const name of node.keys) open.push([...here, name])
    } else if (node._tag === "Array") {
      for (let i = node.length - 1; i >= 0; i = i > MAX_INDICES ? -1 : i - 1) open.push([...here, String(i)])
    }
  }
  return unknown.sort()
})
