import { assert, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { algorithmsOf, Credentials, passwordUser, type User } from "../../src/Credentials.ts"
import { byRealm, layerByRealm } from "../../src/credentials/ByRealm.ts"

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

it.effect("asks the backend of a realm however that is composed", () =>
  Effect.gen(function*() {
    const [composed, decomposed] = ["Caf\u{e9}", "cafe\u{301}"]
    for (const [named, asked] of [[composed, decomposed], [decomposed, composed]] as const) {
      const users = byRealm({ [named]: yield* backend(alice) })
      assert.isTrue(Option.isSome(yield* users.lookup({ username: "alice", realm: asked })))
    }
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

it.effect("a backend of several realms is made once, and closed with the others", () => {
  const made: Array<string> = []
  const counted = (name: string) =>
    Layer.effect(
      Credentials,
      Effect.acquireRelease(
        Effect.tap(backend(passwordUser(name, Redacted.make("x"))), () => Effect.sync(() => made.push(name))),
        () => Effect.sync(() => made.push(`end of ${name}`))
      )
    )
  const one = counted("alice")
  return Effect.gen(function*() {
    yield* Effect.scoped(Effect.gen(function*() {
      const context = yield* Layer.build(layerByRealm({ "a.test": one, "b.test": one }, counted("bob")))
      const { lookup } = Context.get(context, Credentials)
      const has = (username: string, realm: string) => Effect.map(lookup({ username, realm }), Option.isSome)
      assert.deepStrictEqual(
        [
          yield* has("alice", "a.test"),
          yield* has("alice", "B.test"),
          yield* has("alice", "c.test"),
          yield* has("bob", "c.test")
        ],
        [true, true, false, true]
      )
      assert.deepStrictEqual(made, ["alice", "bob"])
    }))
    assert.sameMembers(made, ["alice", "bob", "end of alice", "end of bob"])
  })
})
