import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { algorithmsOf, Credentials, passwordUser, type User } from "../../src/Credentials.ts"
import { byRealm } from "../../src/credentials/ByRealm.ts"

const md5 = (username: string): User => ({
  username,
  secret: { _tag: "Ha1", ha1: { MD5: Redacted.make("80be1c328e6bf1a5c124624b9b990edd") } }
})

const backend = (...users: ReadonlyArray<User>) => Effect.provide(Credentials, Credentials.layerMemory(users))

const alice = passwordUser("alice", Redacted.make("wonderland"))

it.effect("asks the backend of the realm, whatever its case, and the one for all others", () =>
  Effect.gen(function*() {
    const users = byRealm({ "Example.COM": yield* backend(alice) }, yield* backend(md5("bob")))
    const has = (username: string, realm: string) => Effect.map(users.lookup({ username, realm }), Option.isSome)
    assert.deepStrictEqual(
      yield* Effect.all([
        has("alice", "example.com"),
        has("alice", "EXAMPLE.com"),
        has("bob", "example.com"),
        has("alice", "example.net"),
        has("bob", "example.net")
      ]),
      [true, true, false, false, true]
    )
    assert.strictEqual(users.size?.(), 2)
    assert.deepStrictEqual(algorithmsOf(users, "example.com"), ["SHA-256", "MD5"])
    assert.deepStrictEqual(algorithmsOf(users, "example.net"), ["MD5"])
  }))

it.effect("has nobody in a realm without a backend, which looks like the others", () =>
  Effect.gen(function*() {
    const users = byRealm({ "example.com": yield* backend(md5("bob")) })
    assert.isTrue(Option.isNone(yield* users.lookup({ username: "bob", realm: "example.net" })))
    assert.deepStrictEqual(algorithmsOf(users, "example.net"), ["MD5"])
  }))

it.effect("asks again only the backend that remembers, and with the same question", () =>
  Effect.gen(function*() {
    const asked: Array<unknown> = []
    const plain = yield* backend(alice)
    const remembering = Credentials.of({
      ...plain,
      recheck: (user) =>
        Effect.sync(() => {
          asked.push(user)
          return Option.none()
        })
    })
    const users = byRealm({ a: remembering, b: plain })
    const user = { username: "alice", realm: "a" }
    assert.isTrue(Option.isNone(yield* users.recheck!(user)))
    assert.isTrue(Option.isSome(yield* users.recheck!({ ...user, realm: "b" })))
    assert.strictEqual(asked.length, 1)
    assert.strictEqual(asked[0], user)
    assert.isUndefined(users.refresh)
    assert.isUndefined(byRealm({ b: plain }).recheck)
  }))
