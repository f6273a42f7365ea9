/** What is told of variables that cannot be used. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { inspect } from "node:util"
import { NO_FILE } from "../../../src/service/settings/TextFile.ts"
import { bad } from "./bad.ts"
import { parse, problemsOf, remote } from "./environment.ts"

describe("Settings", () => {
  describe("errors", () => {
    it.effect("are all told at once, each with an example that can be copied into a shell", () =>
      Effect.gen(function*() {
        // Without the rest of the variables, which a file that cannot be read may have, nothing else is checked.
        const { MSRP_ENV_FILE: _, ...others } = bad
        const all = Object.fromEntries(Object.entries(others).map(([variable, [value]]) => [variable, value!]))
        const { message, problems } = yield* Effect.flip(parse({ ...all, MSRP_NONSENSE: "x" }))
        const told = problems.map(({ variable }) => variable)
        // a path is looked at only once it is known what for
        const expected = Object.keys(others).filter((variable) => variable !== "MSRP_CREDENTIALS_FILE")
        assert.deepStrictEqual(told.sort(), [...expected, "MSRP_NONSENSE"].sort())
        for (const { example, problem, variable } of problems) {
          assert.include(message, `${variable}: ${problem}`)
          // The example of a path would be the path of a file that is not there either.
          if (variable !== "MSRP_NONSENSE" && !problem.includes(NO_FILE)) assert.isDefined(example)
        }
        assert.include(message, "MSRP_URIS='msrp://relay.example.org:2855;tcp,")
      }))

    it.effect.each([
      ["MSRP_CREDENTIALS_FILE", "(/nowhere); msrp-relay user add --file makes it"],
      ["MSRP_TLS_CA", "(/nowhere)"]
    ])(
      "of a file of %s that is not there have no other path as an example",
      ([variable, words]) =>
        Effect.gen(function*() {
          const { problems } = yield* Effect.flip(parse({ [variable!]: "/nowhere" }))
          const told = problems.find(({ problem }) => problem.includes(NO_FILE))
          assert.include(told?.problem, words)
          assert.isUndefined(told?.example)
        })
    )

    it.effect.each([
      ["MSRP_UIRS", "MSRP_URIS"],
      ["MSRP_URI", "MSRP_URIS"],
      ["MSRP_LOGLEVEL", "MSRP_LOG_LEVEL"],
      ["MSRP_log_level", "MSRP_LOG_LEVEL"],
      ["MSRP_MY_URI", "MSRP_URIS"],
      ["MSRP_NONCE_EXPIRES", "MSRP_NONCE_EXPIRE"],
      ["MSRP_CREDENTIALS_FILE_2", "MSRP_CREDENTIALS_FILE"],
      ["MSRP_HASH_SIZE_0", "MSRP_HASH_SIZE"],
      ["MSRP_BANANA", undefined],
      ["MSRP_7", undefined],
      ["MSRP_4294967294", undefined],
      ["MSRP__", undefined],
      ["MSRP___proto__", undefined]
    ])("%s is not a variable; meant is %s", ([variable, meant]) =>
      Effect.gen(function*() {
        const problems = yield* problemsOf({ [variable!]: "hunter2" })
        assert.deepStrictEqual(Object.keys(problems), [variable])
        if (meant === undefined) assert.notInclude(problems[variable!], "did you mean")
        else assert.include(problems[variable!], `did you mean ${meant}?`)
      }))

    it.effect("what container platforms set, other prefixes, and empty ones are no problem", () =>
      Effect.gen(function*() {
        yield* parse({
          MSRP_RELAY_SERVICE_HOST: "10.0.0.1",
          MSRP_RELAY_SERVICE_PORT: "2855",
          MSRP_RELAY_SERVICE_PORT_TLS: "2856",
          MSRP_RELAY_PORT: "tcp://10.0.0.1:2855",
          MSRP_RELAY_PORT_2855_TCP: "tcp://10.0.0.1:2855",
          MSRP_RELAY_PORT_2855_TCP_ADDR: "10.0.0.1",
          MSRP_NOTHING: "",
          MSRP: "x",
          MSRPX_URIS: "x"
        })
        assert.deepStrictEqual(Object.keys(yield* problemsOf({ MSRP_PORT: "2855" })), ["MSRP_PORT"])
      }))

    const secret = "hunter2-Tr0ub4dor"
    it.effect.each([
      { MSRP_USERS: secret },
      { MSRP_USERS: `alice:${secret}%zz` },
      { MSRP_USERS: `alice:x,,alice:${secret},alice:${secret}` },
      { MSRP_USERS: `a@b@c:${secret}` },
      { MSRP_USERS: `alice:${secret}`, MSRP_CALCULATE_HA1: "0" },
      { MSRP_URIS: `msrp://alice:${secret}@relay.example.com;tcp` },
      { MSRP_URIS: `msrp://alice:${secret}@@;tcp` },
      { MSRP_URIS: `msrp://relay.example.com:2855/${secret};tcp` },
      { MSRP_CALCULATE_HA1: secret, MSRP_HASH_SIZE: secret, MSRP_LOG_LEVEL: secret, MSRP_USRES: `a:${secret}` },
      { MSRP_USERS: `alice:${secret}`, MSRP_HASH_SIZE: "0" }
    ])("never have a secret in them: %o", (env) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(parse(env))
        assert.notInclude(error.message, secret)
        assert.notInclude(inspect(error, { depth: 9 }), secret)
        assert.notInclude(JSON.stringify(error), secret)
      }))

    it.effect("settings that are printed show no secret", () =>
      Effect.gen(function*() {
        const settings = yield* parse({ ...remote, MSRP_USERS: `alice:${secret}` })
        const demo = yield* parse({})
        const text = inspect([settings, demo], { depth: 9 }) + JSON.stringify([settings, demo])
        assert.notInclude(text, secret)
        assert.notInclude(text, "PRIVATE KEY")
        assert.notInclude(text, Redacted.value(demo.demo!.password))
      }))
  })
})
