import { assert, describe, it } from "@effect/vitest"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import {
  Credentials,
  CredentialsUnavailable,
  passwordUser,
  type Secret,
  storedSecret,
  type User
} from "../src/Credentials.ts"
import { ha1 } from "../src/protocol/digest/Digest.ts"
import { TestRelay } from "../src/testing.ts"

const MD5 = "80be1c328e6bf1a5c124624b9b990edd"
const SHA = "aff93887458e7598df06411d3d72fad981e72ea355b3c919c129d5ae119b0022"

const user = (username: string, realm: string, value: string): User => {
  const secret = storedSecret(value, false)
  assert.isDefined(secret)
  return { username, realm, secret }
}
const plain = (secret: Option.Option<Secret>) => {
  if (Option.isNone(secret)) return undefined
  return secret.value._tag === "Password"
    ? Redacted.value(secret.value.password)
    : Object.fromEntries(Object.entries(secret.value.ha1).map(([name, one]) => [name, Redacted.value(one)]))
}
const find = (username: string, realm: string) =>
  Effect.flatMap(Credentials, (credentials) => Effect.map(credentials.lookup({ username, realm }), plain))
const algorithms = (users: ReadonlyArray<User>) =>
  Effect.map(Credentials, (credentials) => credentials.algorithms).pipe(
    Effect.provide(Credentials.layerMemory(users), { local: true })
  )

describe("layerMemory", () => {
  it.effect("finds a user of the realm before one of every realm, and nobody else", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* find("alice", "a"), "in a")
      assert.strictEqual(yield* find("alice", "b"), "everywhere")
      assert.strictEqual(yield* find("bob", "a"), "bob's")
      assert.isUndefined(yield* find("bob", "b"))
      assert.isUndefined(yield* find("Alice", "a"))
      assert.isUndefined(yield* find("__proto__", "a"))
    }).pipe(Effect.provide(Credentials.layerMemory([
      passwordUser("alice", Redacted.make("everywhere")),
      passwordUser("alice", Redacted.make("in a"), "a"),
      passwordUser("bob", Redacted.make("bob's"), "a")
    ]))))

  it.effect("R7616-3.6-01 puts the H(A1)s of one user together", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* find("alice", "a"), { "MD5": MD5, "SHA-256": SHA })
    }).pipe(Effect.provide(Credentials.layerMemory([user("alice", "a", MD5), user("alice", "a", SHA)]))))

  it.effect("R7616-3.4-03 composes user names", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* find("J\u00e4s\u00f8n", "a"), "p")
    }).pipe(Effect.provide(Credentials.layerMemory([passwordUser("Ja\u0308s\u00f8n", Redacted.make("p"))]))))

  it.effect("R7616-3.7-02 has the algorithms that every user can use, or else any", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* algorithms([]), ["SHA-256", "MD5"])
      assert.deepStrictEqual(yield* algorithms([passwordUser("a", Redacted.make("p"))]), ["SHA-256", "MD5"])
      assert.deepStrictEqual(yield* algorithms([user("a", "r", MD5)]), ["MD5"])
      assert.deepStrictEqual(yield* algorithms([user("a", "r", SHA)]), ["SHA-256"])
      assert.deepStrictEqual(yield* algorithms([user("a", "r", SHA), user("a", "r", MD5), user("b", "r", MD5)]), [
        "MD5"
      ])
      assert.deepStrictEqual(yield* algorithms([user("a", "r", SHA), user("b", "r", MD5)]), ["SHA-256", "MD5"])
    }))
})

describe("storedSecret", () => {
  const stored = (value: string, calculateHa1: boolean) =>
    plain(Option.fromNullishOr(storedSecret(value, calculateHa1)))

  it("is a password when H(A1) is to be calculated, and an H(A1) otherwise", () => {
    assert.strictEqual(stored(MD5, true), MD5)
    assert.deepStrictEqual(stored(MD5.toUpperCase(), false), { MD5 })
    assert.deepStrictEqual(stored(SHA, false), { "SHA-256": SHA })
    for (const value of ["secret", "", MD5.slice(1), `g${MD5.slice(1)}`, ` ${MD5.slice(1)}`]) {
      assert.isUndefined(stored(value, false))
    }
    assert.isUndefined(stored("", true))
  })
})

it("a backend that cannot answer says why, by the tag or name of an error that has no words", () => {
  class DbError extends Data.TaggedError("DbError")<{ readonly why: string }> {}
  const said = (cause: unknown) =>
    new CredentialsUnavailable({ backend: "db", cause }).message.slice("the db credentials cannot be read".length)
  assert.strictEqual(said("no answer"), ": no answer")
  assert.strictEqual(said(new Error("host gone")), ": host gone")
  assert.strictEqual(said(new DbError({ why: "host gone" })), ": DbError")
  assert.strictEqual(said(Object.assign(new Error(), { code: "ECONNREFUSED" })), ": Error ECONNREFUSED")
  assert.strictEqual(said({ _tag: "Gone", why: "secret" }), ": Gone")
  for (const none of [undefined, null, 1, {}]) assert.strictEqual(said(none), "")
})

describe("a login where names are beyond ASCII", () => {
  const [composed, decomposed] = ["caf\u{e9}", "cafe\u{301}"]
  const spellings = [composed, decomposed].flatMap((realm) =>
    [composed, decomposed].map((stored) => ({ realm, stored }))
  )
  for (const { realm, stored } of spellings) {
    it.effect(`finds its user: ${realm.length} characters in the settings, ${stored.length} in the store`, () => {
      const asked: Array<string> = []
      const users = Credentials.layerMemory([user(stored, stored, ha1("SHA-256", composed, composed, "builder"))])
      const credentials = Layer.effect(
        Credentials,
        Effect.map(Credentials, (of) => ({
          ...of,
          lookup: (key) => {
            asked.push(`${key.username}@${key.realm}`)
            return of.lookup(key)
          }
        }))
      ).pipe(Layer.provide(users))
      return Effect.gen(function*() {
        const { login, relay } = yield* TestRelay
        yield* login(decomposed, { password: "builder" })
        yield* login(composed, { password: "builder" })
        assert.deepStrictEqual(asked, [`${composed}@${composed}`, `${composed}@${composed}`])
        for (const name of [composed, decomposed]) {
          assert.lengthOf(relay.operator.sessions({ user: name, realm: name }).items, 2)
          assert.isNotEmpty(relay.operator.history(name))
        }
        assert.strictEqual(relay.operator.endUser(decomposed, decomposed), 2)
      }).pipe(Effect.provide(TestRelay.layer({ relay: { authRealm: realm } }).pipe(Layer.provide(credentials))))
    })
  }
})
