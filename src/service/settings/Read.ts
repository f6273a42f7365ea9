/** The variables as they come from a `ConfigProvider` or several, each by itself. */
import * as Config from "effect/Config"
import type * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { decode } from "./codecs/Codec.ts"
import type { Problems } from "./Problems.ts"
import { secretFileVariables } from "./SecretFiles.ts"
import { PASSWORD, settingsTable, type Values, type Variables, variables } from "./Table.ts"

/** The texts of the variables that are set. There are secrets among them. */
export type Texts = ReadonlyMap<keyof Variables, string>

/**
 * The value of each variable, and its text if it is set: the first of the providers that has it counts. One with a problem
 * has the value that it has when it is not set.
 */
export const readValues = Effect.fnUntraced(function*(
  providers: ReadonlyArray<ConfigProvider.ConfigProvider>,
  problems: Problems
) {
  const values: Record<string, unknown> = {}
  const texts = new Map<keyof Variables, string>()
  for (const key of Object.keys(variables) as Array<keyof Variables>) {
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

/** Whether both texts of a variable say the same, as `30` and `30s`; none says what its default does. */
export const sameValue = (key: keyof Variables, a: string | undefined, b: string | undefined): boolean => {
  const { codec, default: fallback } = variables[key]
  const valueOf = (text = fallback): unknown => text === undefined ? undefined : Result.getOrThrow(decode(codec, text))
  return a === b || Equal.equals(valueOf(a), valueOf(b))
}

/** The text of a variable; empty or blank is none. */
const textOf = (providers: ReadonlyArray<ConfigProvider.ConfigProvider>, variable: string) =>
  Effect.gen(function*() {
    for (const provider of providers) {
      const found = yield* Config.option(Config.String(variable)).parse(provider)
      if (Option.isSome(found) && found.value.trim() !== "") return found.value.trim()
    }
    return undefined
  }).pipe(Effect.result)

const known = new Set([...settingsTable.map(({ variable }) => variable), ...secretFileVariables, PASSWORD])
const PREFIX = "MSRP"

/** Indices of an array that are looked at; of a longer one, its last. */
const MAX_INDICES = 100

const INJECTED = /_SERVICE_(?:HOST|PORT(?:_\w+)?)$|_PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?$/

/** Kubernetes and Docker tell a container about services this way, also about one whose name begins with "msrp". */
const isInjected = (variable: string, value: string): boolean =>
  INJECTED.test(variable) || (variable.endsWith("_PORT") && /^(?:tcp|udp|sctp):\/\//.test(value))

/** Variables with the prefix of this program that it does not have: they are misspelt, and would do nothing. */
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
