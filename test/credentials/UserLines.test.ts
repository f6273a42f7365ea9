import { assert, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as fc from "fast-check"
import { storedSecret, type User, type UserTable, userTable } from "../../src/Credentials.ts"
import { UserLines } from "../../src/credentials/UserLines.ts"

const MD5 = "80be1c328e6bf1a5c124624b9b990edd"
const SHA = "aff93887458e7598df06411d3d72fad981e72ea355b3c919c129d5ae119b0022"

const read = (text: string, calculateHa1 = false): UserLines => {
  const lines = new UserLines(calculateHa1)
  lines.add(text)
  lines.end()
  return lines
}
const problems = (text: string, calculateHa1 = false) => read(text, calculateHa1).problems.map((one) => one.line)

it("has a limit for a line with a user, and none for a comment", () => {
  const line = (length: number) => "a".repeat(length - 2 - MD5.length) + ":r:" + MD5.slice(1)
  assert.deepStrictEqual(read(`${line(8192)}\n# ${line(9000)}`, true).problems, [])
  assert.deepStrictEqual(read(`#\n${line(8193)}`, true).problems, [{ line: 2, problem: "too long" }])
})

it("names the lines that are wrong", () => {
  assert.deepStrictEqual(
    problems(["alice", "alice:r", `:r:${MD5}`, `alice::${MD5}`, `alice:r:${MD5}0`, "a:r:"].join("\n")),
    [1, 2, 3, 4, 5, 6]
  )
  assert.deepStrictEqual(problems(`alice:r:${MD5}\nalice:r:${SHA}\nalice:s:${MD5}\nalice:r:${MD5}`), [4])
  assert.deepStrictEqual(problems("alice:r:p\nalice::p\nalice:r:q\nbob:r:", true), [3, 4])
  assert.strictEqual(problems("wrong\n".repeat(1000)).length, 10)
})

it("tells whether it may have users of a realm: one with a password and no realm is of every realm", () => {
  const has = (text: string, ...realms: ReadonlyArray<string>) => read(text, true).mayHaveUsersOf(realms)
  assert.isFalse(has("", "r"))
  assert.isFalse(has("alice:r:p", "s"))
  assert.isTrue(has("alice:r:p", "s", "r"))
  assert.isTrue(has("alice:r:p\nbob::p", "s"))
  const many = (count: number) => Array.from({ length: count }, (_, i) => `alice:${i}:p`).join("\n")
  assert.isFalse(has(many(99), "s"))
  assert.isTrue(has(many(100), "s"))
})

it("finds a user and realm however they are composed, and says which H(A1)s may be of something else", () => {
  const composed = "d\u{e4}n:caf\u{e9}"
  for (const who of [composed, composed.normalize("NFD"), "d\u{e4}n:cafe\u{301}", "da\u{308}n:caf\u{e9}"]) {
    const table = userTable([{
      username: who.split(":")[0]!,
      realm: who.split(":")[1],
      secret: storedSecret(MD5, false)!
    }])
    for (const asked of [composed, composed.normalize("NFD")]) {
      const [username, realm] = asked.split(":") as [string, string]
      for (const users of [read(`${who}:${MD5}`), read(`${who}:p`, true), table]) {
        assert.isTrue(Option.isSome(users.lookup({ username, realm })), `${who} as ${asked}`)
      }
    }
    assert.deepStrictEqual(problems(`${composed}:${MD5}\n${who}:${MD5}`), [2])
    const isComposed = who === composed
    assert.deepStrictEqual(read(`a:r:${MD5}\n${who}:${MD5}`).decomposed, isComposed ? [] : [2])
    assert.deepStrictEqual(read(`a:r:p\n${who}:p`, true).decomposed, [])
  }
  const many = Array.from({ length: 100 }, (_, i) => `e\u{301}${i}:r:${MD5}`).join("\n")
  assert.lengthOf(read(many).decomposed, 10)
})

/** What a table says of these users in these realms. */
const told = (table: UserTable, names: ReadonlyArray<string>, realms: ReadonlyArray<string>) => ({
  users: table.users,
  algorithms: table.algorithms,
  secrets: names.flatMap((username) =>
    realms.map((realm) =>
      Option.match(table.lookup({ username, realm }), {
        onNone: () => "nobody",
        onSome: (secret) =>
          secret._tag === "Password"
            ? Redacted.value(secret.password)
            : Object.values(secret.ha1).map((one) => Redacted.value(one)).toSorted().join()
      })
    )
  )
})

it("is the table of its users, wherever its parts end", () => {
  const names = ["a", "\u{e9}", "e\u{301}", "a:r", ""]
  const realms = ["r", "\u{e9}", "e\u{301}", "x:r", ""]
  const line = fc.record({
    username: fc.constantFrom("a", "\u{e9}", "e\u{301}"),
    realm: fc.constantFrom("r", "\u{e9}", "e\u{301}", ""),
    secret: fc.constantFrom(MD5, SHA, SHA.toUpperCase())
  })
  const parts = fc.array(fc.nat(200), { maxLength: 5 })
  fc.assert(fc.property(fc.array(line, { maxLength: 6 }), fc.boolean(), parts, (written, calculateHa1, cuts) => {
    const text = written.map(({ realm, secret, username }) => `${username}:${realm}:${secret}`).join("\r\n")
    const lines = new UserLines(calculateHa1)
    const at = [0, ...cuts.map((one) => Math.min(one, text.length)), text.length].toSorted((a, b) => a - b)
    for (let i = 1; i < at.length; i++) lines.add(text.slice(at[i - 1], at[i]))
    lines.end()
    assert.deepStrictEqual(lines.problems, read(text, calculateHa1).problems)
    const wrong = new Set(lines.problems.map((one) => one.line - 1))
    const users = written.filter((_, index) => !wrong.has(index)).map(({ realm, secret, username }): User => ({
      username,
      realm: realm === "" ? undefined : realm,
      secret: storedSecret(secret, calculateHa1)!
    }))
    assert.deepStrictEqual(told(lines, names, realms), told(userTable(users), names, realms))
  }))
})

it("counts the lines of each realm, of a hundred of them", () => {
  const text = `a:r:${MD5}\n# b:no:${MD5}\na:r:${SHA}\nb:cafe\u0301:${MD5}\nb:wrong:1\n`
  assert.deepStrictEqual([...read(text).realms], [
    ["r", { count: 2, first: 1 }],
    ["caf\u00e9", { count: 1, first: 4 }]
  ])
  assert.deepStrictEqual([...read("a::p\na:r:p:q\n", true).realms], [["r", { count: 1, first: 2 }]])
  const many = Array.from({ length: 150 }, (_, i) => `a:r${i}:${MD5}`).join("\n")
  assert.strictEqual(read(`${many}\nb:r0:${MD5}`).realms.size, 100)
  assert.deepStrictEqual(read(`${many}\nb:r0:${MD5}`).realms.get("r0"), { count: 2, first: 1 })
})
