/** Where users come from. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { Settings } from "../../../src/service/Settings.ts"
import { temporaryDirectory } from "../../support/directory.ts"
import { type Env, HA1, parse, problemsOf, users } from "./environment.ts"

describe("Settings", () => {
  describe("users", () => {
    it.effect.each<readonly [string, Env, string]>([
      ["a user twice", { MSRP_USERS: "alice:one,alice:two" }, "entry 2"],
      ["a user of a realm twice", { MSRP_USERS: "a@r:one,alice:x,a@r:three" }, "entry 3"],
      ["a name in two spellings", { MSRP_USERS: "caf\u00e9:one,cafe\u0301:two" }, "entry 2"],
      [
        "a password where an H(A1) is wanted",
        { MSRP_USERS: `a@r:${HA1},b:hunter2`, MSRP_CALCULATE_HA1: "0" },
        "entry 2"
      ],
      ["an H(A1) of a user twice", { MSRP_USERS: `a@r:${HA1},a@r:${HA1}`, MSRP_CALCULATE_HA1: "0" }, "entry 2"]
    ])("%s is a problem", ([, env, where]) =>
      Effect.gen(function*() {
        assert.include((yield* problemsOf(env))["MSRP_USERS"], where)
      }))

    it.effect("a file is needed when it is chosen", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(
          Object.keys(yield* problemsOf({ ...users, MSRP_CREDENTIALS: "file" })),
          ["MSRP_CREDENTIALS_FILE"]
        )
      }))

    it.effect("what a backend says itself is not set, and who sets it is warned", () =>
      Effect.gen(function*() {
        const set = { MSRP_CALCULATE_HA1: "0" }
        for (const env of [{ MSRP_HTTP_URL: "https://users.example.com/" }, { MSRP_EPHEMERAL_SECRET: "x" }]) {
          assert.deepStrictEqual((yield* parse(env)).warnings, [])
          assert.include((yield* parse({ ...env, ...set })).warnings[0], "MSRP_CALCULATE_HA1 is not used")
        }
      }))

    it.effect("removed users are looked for each minute where that is easy, elsewhere if that is set", () =>
      Effect.gen(function*() {
        const check = (env: Env) => Effect.map(parse(env), (settings) => settings.credentialsCheck)
        const set = { MSRP_CREDENTIALS_CHECK: "7" }
        for (
          const [env, unset, seven] of [
            [{ MSRP_CREDENTIALS_FILE: "/users" }, 60, 7],
            [{ MSRP_SQL_URL: "sqlite:/users.db" }, 60, 7],
            [{ MSRP_HTTP_URL: "https://users.example.com/" }, 0, 7],
            [{ MSRP_EPHEMERAL_SECRET: "x" }, 0, 7],
            [users, 60, 7]
          ] as const
        ) assert.deepStrictEqual([yield* check(env), yield* check({ ...env, ...set })], [unset, seven])
      }))

    it.effect("lines of a file for realms of others are warned of, without what may be part of a password", () =>
      Effect.gen(function*() {
        const path = `${yield* temporaryDirectory}/users`
        const warningsOf = (lines: ReadonlyArray<string>, env: Env = {}) =>
          Effect.gen(function*() {
            yield* Effect.flatMap(FileSystem.FileSystem, (fs) => fs.writeFileString(path, lines.join("\n")))
            const { warnings } = yield* Settings.parse({
              MSRP_URIS: "msrp://a.example:2855;tcp,msrp://b.example:2855;tcp",
              MSRP_ALLOW_PLAINTEXT_AUTH: "1",
              MSRP_CREDENTIALS_FILE: path,
              ...env
            })
            return warnings
          })
        const line = (realm: string) => `alice:${realm}:${"0".repeat(32)}`
        const fine = ["a.example", "b.example"].map(line)
        const [has, looked] = ["MSRP_CREDENTIALS_FILE has", "whose users are not looked up there"]
        assert.deepStrictEqual(yield* warningsOf(fine), [])
        assert.deepStrictEqual(yield* warningsOf([...fine, line("A.example")]), [
          `${has} 1 line for a realm ${looked} (but those of a.example, b.example are): A.example (line 3) (${path})`
        ])
        assert.deepStrictEqual(
          yield* warningsOf([...Array(7).keys()].map((i) => line(`other${i}`)).concat(`bob${line("other0")}`)),
          [
            `${has} 8 lines for realms ${looked} (but those of a.example, b.example are): other0 (line 1), ` +
            `other1 (line 2), other2 (line 3), other3 (line 4), other4 (line 5), and 2 more realms (${path})`
          ]
        )
        const ephemeral = { MSRP_EPHEMERAL_SECRET: "x", MSRP_CREDENTIALS: "file,B.example=ephemeral" }
        assert.deepStrictEqual(yield* warningsOf(fine, ephemeral), [
          `${has} 1 line for a realm ${looked} (but those of a.example are): b.example (line 2) (${path})`
        ])
        const passwords = { MSRP_CALCULATE_HA1: "1" }
        assert.deepStrictEqual(yield* warningsOf(["alice:a.example:x", "bob:pass:word", "carol::x"], passwords), [
          `${has} 1 line for a realm ${looked} (but those of a.example, b.example are): line 2 (${path})`
        ])
      }).pipe(Effect.provide(NodeFileSystem.layer)))

    it.effect("a realm that nobody is asked for is warned of, since what is said of it has no effect", () =>
      Effect.gen(function*() {
        const warningsOf = (env: Env) => Effect.map(parse(env), ({ warnings }) => warnings)
        const uris = {
          MSRP_URIS: "msrp://Relay.example:2855;tcp,msrp://[2001:DB8::0:1]:2855;tcp",
          MSRP_ALLOW_PLAINTEXT_AUTH: "1"
        }
        const of = "no client is asked for (but for relay.example, 2001:db8::1)"
        const good = {
          ...uris,
          MSRP_USERS: "alice@relay.example:x,bob@2001%3Adb8%3A%3A1:x,carol:x",
          MSRP_CREDENTIALS: "Relay.Example=memory,ephemeral",
          MSRP_EPHEMERAL_SECRET: "x",
          MSRP_REALMS_WITHOUT_MD5: "RELAY.example"
        }
        assert.deepStrictEqual(yield* warningsOf(good), [])
        // Realms in Unicode NFD are those in NFC.
        const [nfc, nfd] = ["z\u00FCrich.example", "zu\u0308rich.example"]
        for (const [asked, named] of [[nfc, nfd], [nfd, nfc], [nfd, nfd]] as const) {
          const same = {
            ...uris,
            MSRP_AUTH_REALM: asked,
            MSRP_USERS: `alice@${named}:x`,
            MSRP_CREDENTIALS: `${named}=memory,ephemeral`,
            MSRP_EPHEMERAL_SECRET: "x",
            MSRP_REALMS_WITHOUT_MD5: named.toUpperCase()
          }
          assert.deepStrictEqual(yield* warningsOf(same), [])
        }
        assert.deepStrictEqual(
          yield* warningsOf({ ...uris, MSRP_USERS: "alice@Relay.example:x,carol:x,dave@example.org:x" }),
          [`MSRP_USERS has in entry 1, 3 a realm that ${of}`]
        )
        assert.deepStrictEqual(
          yield* warningsOf({
            ...good,
            MSRP_CREDENTIALS: "other.example=memory,ephemeral",
            MSRP_REALMS_WITHOUT_MD5: "relay.exampel"
          }),
          [
            `MSRP_CREDENTIALS names other.example, which ${of}`,
            `MSRP_REALMS_WITHOUT_MD5 names relay.exampel, which ${of}`
          ]
        )
        assert.deepStrictEqual(
          yield* warningsOf({ ...uris, MSRP_USERS: "a@Sip.example:x", MSRP_AUTH_REALM: "Sip.example" }),
          []
        )
      }))

    it.effect("two sources need a choice, and the other is warned of", () =>
      Effect.gen(function*() {
        const both = { ...users, MSRP_CREDENTIALS_FILE: "/users" }
        assert.deepStrictEqual(Object.keys(yield* problemsOf(both)), ["MSRP_CREDENTIALS"])
        assert.include((yield* parse({ ...both, MSRP_CREDENTIALS: "file" })).warnings[0], "MSRP_USERS is not used")
        assert.include((yield* parse({ ...both, MSRP_CREDENTIALS: "memory" })).warnings[0], "FILE is not used")
        for (
          const [kind, variable] of [["sql", "SQL_URL"], ["http", "HTTP_URL"], [
            "ephemeral",
            "EPHEMERAL_SECRET"
          ]] as const
        ) assert.deepStrictEqual(Object.keys(yield* problemsOf({ MSRP_CREDENTIALS: kind })), [`MSRP_${variable}`])
        const three = {
          ...both,
          MSRP_AUTH_REALM: "A.example",
          MSRP_SQL_URL: "sqlite:/users.db",
          MSRP_CREDENTIALS: "file,a.example=memory"
        }
        assert.deepStrictEqual((yield* parse(three)).warnings, [
          "MSRP_SQL_URL is not used: users come from MSRP_CREDENTIALS_FILE and MSRP_USERS"
        ])
        assert.deepStrictEqual(Object.keys(yield* problemsOf({ MSRP_CREDENTIALS: "sql,a.example=memory" })), [
          "MSRP_SQL_URL",
          "MSRP_USERS"
        ])
      }))
  })
})
