/** What docs/configuration.md shows is read as it says. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { settingsTable } from "../../src/service/Settings.ts"
import { decode } from "../../src/service/settings/codecs/Codec.ts"
import { secretVariables } from "../../src/service/settings/SecretFiles.ts"
import { variables } from "../../src/service/settings/Table.ts"
import { type Env, parse, remote, revealed } from "../service/settings/environment.ts"
import { fencesIn, textOf } from "./fences.ts"

const PAGE = "docs/configuration.md"
const page = textOf(PAGE).replaceAll(/\s+/g, " ")

/** What stands in backquotes from a text on, up to another one. */
const shown = (from: string, to: string): ReadonlyArray<string> => {
  const start = page.indexOf(from)
  const end = page.indexOf(to, start)
  assert.isTrue(start >= 0 && end > start, from)
  return [...page.slice(start, end).matchAll(/`([^`]+)`/g)].map(([, text]) => text!)
}

const read = (name: keyof typeof variables, text: string): unknown => {
  const result = decode(variables[name].codec, text)
  return Result.isSuccess(result) ? result.success : undefined
}

describe(PAGE, () => {
  it.effect("shows the problems as they are told", () =>
    Effect.gen(function*() {
      const fence = fencesIn(PAGE).find(({ code }) => code.startsWith("The configuration has"))
      const { message } = yield* Effect.flip(parse({ MSRP_HASH_SIZE: "0", MSRP_UIRS: "msrp://localhost;tcp" }))
      assert.strictEqual(message, fence?.code)
    }))

  it("has each variable that may be in a file of its own", () => {
    const rows = [...textOf(PAGE).matchAll(/^\| (MSRP_\w+) +\| (MSRP_\w+_FILE) +\|$/gm)]
    assert.deepStrictEqual(
      rows.map(([, variable, file]) => [variable, file]),
      [...secretVariables].map((one) => [
        one,
        `${one}_FILE`
      ])
    )
  })

  it.effect("says which settings leave no demo user", () =>
    Effect.gen(function*() {
      const [, list] = /The user `demo` exists in two cases only: - none of (.+?) is set/.exec(page)!
      const without = new Set(list!.match(/MSRP_\w+/g))
      for (const { example, variable } of settingsTable) {
        const env: Env = { [variable]: example }
        const settings = yield* Effect.result(parse(env))
        const hasDemo = Result.isSuccess(settings) && settings.success.demo !== undefined
        if (without.has(variable)) assert.isFalse(hasDemo, variable)
        else if (Result.isSuccess(settings)) assert.isTrue(hasDemo, variable)
      }
    }))

  it("has times, sizes and switches of which each is one", () => {
    const times = shown("- **Times** are seconds", "- **Sizes**")
    assert.deepStrictEqual(times.map((text) => read("drainTimeout", text)), [
      90,
      90,
      0.5,
      300,
      3600,
      86_400
    ])
    const sizes = shown("- **Sizes** are octets", "- **Switches**")
    assert.deepStrictEqual(sizes.map((text) => read("outputLimit", text)), [65_536, 65_536, 64_000, 1_572_864])
    const switches = shown("- **Switches** are", "- **Quotes**")
    assert.deepStrictEqual(switches.map((text) => read("allowPlaintextAuth", text)), [
      ...Array<boolean>(4).fill(true),
      ...Array<boolean>(4).fill(false)
    ])
  })

  it.effect("encodes a name and a password with what would end them", () =>
    Effect.gen(function*() {
      const [password, name, entry] = shown("The password `50%,off`", "The secret is a password")
      const settings = yield* parse({ ...remote, MSRP_USERS: entry })
      assert.deepStrictEqual(revealed(settings), [[name!, undefined, password!]])
    }))

  it.effect("has rules for local sockets that can be used", () =>
    Effect.gen(function*() {
      const rules = fencesIn(PAGE).find(({ code }) => code.startsWith("dst=*.example.com"))!.code
      yield* parse({ ...remote, MSRP_LISTEN: "msrps:192.0.2.1:2856", MSRP_SOCKET_ROUTES: rules })
    }))
})
