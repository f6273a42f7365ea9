/** A user who was removed loses his sessions, and nobody else loses any. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { layerRemovedUsers } from "../../src/authenticator/RemovedUsers.ts"
import { Credentials, CredentialsUnavailable } from "../../src/Credentials.ts"
import { layerCached } from "../../src/credentials/Cached.ts"
import type { OptionsError } from "../../src/options/Options.ts"
import { parseUri } from "../../src/protocol/Uri.ts"
import { logInto } from "../support/log.ts"
import { recordOf } from "../support/records.ts"
import { create as createOne, layerTable, tableOf } from "../support/table.ts"

const uri = parseUri("msrp://localhost:2855/session;tcp")!
let last = 0

const create = (username: string, realm = "one.test") =>
  Effect.suspend(() =>
    createOne({
      id: `id${last++}`,
      uri,
      username,
      realm,
      owner: {},
      expires: 86_400,
      ownerAuthority: "party.invalid:9",
      record: recordOf("id")
    })
  )

const make = () => {
  const state = {
    removed: new Set<string>(),
    asked: [] as Array<string>,
    down: new Set<string>(),
    twice: new Set<string>(),
    hangs: false,
    lines: [] as Array<string>
  }
  const backend = Layer.succeed(
    Credentials,
    Credentials.make(({ realm, username }) =>
      Effect.suspend(() => {
        const user = `${username}@${realm}`
        state.asked.push(user)
        if (state.hangs) return Effect.never
        if (state.down.has(user)) return Effect.fail(new CredentialsUnavailable({ backend: "test", cause: "down" }))
        if (state.twice.has(user)) {
          return Effect.fail(new CredentialsUnavailable({ backend: "test", cause: "twice", onlyThisUser: true }))
        }
        const secret = { _tag: "Password", password: Redacted.make("x") } as const
        return Effect.succeed(state.removed.has(user) ? Option.none() : Option.some(secret))
      })
    )
  )
  const logger = logInto(state.lines)
  const run = (users: Layer.Layer<Credentials, OptionsError> = backend) =>
    Effect.provide(
      layerRemovedUsers({ interval: "1 minute" }).pipe(
        Layer.provideMerge([users, layerTable({ cleanupInterval: "1 day" })]),
        Layer.provideMerge(logger)
      )
    )
  return { state, backend, run }
}

describe("sessions of a removed user", () => {
  it.effect("end within the interval, all of them, and only those of his realm", () => {
    const { run, state } = make()
    return Effect.gen(function*() {
      const his = yield* Effect.replicateEffect(create("alice"), 1000)
      const others = [yield* create("alice", "two.test"), yield* create("bob")]
      yield* TestClock.adjust("2 minutes")
      assert.isTrue(his.every(({ ended }) => !ended))
      state.removed.add("alice@one.test")
      yield* TestClock.adjust("1 minute")
      assert.isTrue(his.every(({ ended }) => ended))
      assert.isTrue(others.every(({ ended }) => !ended))
      assert.match(state.lines.join("\n"), /sessions of removed users ended" users=1/)
      const { size } = yield* tableOf
      assert.strictEqual(size(), 2)
    }).pipe(run())
  })

  it.effect("are asked for once for each user who has some, and nobody else is asked for", () => {
    const { run, state } = make()
    return Effect.gen(function*() {
      yield* create("alice")
      yield* create("alice")
      const sessions = yield* tableOf
      sessions.end(yield* create("carol"))
      yield* create("bob")
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(state.asked.toSorted(), ["alice@one.test", "bob@one.test"])
    }).pipe(run())
  })

  it.effect("stay when he is back a moment later, as while a file is written anew", () => {
    const { run, state } = make()
    return Effect.gen(function*() {
      const his = yield* create("alice")
      state.removed.add("alice@one.test")
      yield* TestClock.adjust("57 seconds")
      state.removed.clear()
      yield* TestClock.adjust("10 minutes")
      assert.isFalse(his.ended)
    }).pipe(run())
  })

  it.effect("end also where a memory still has him, who cannot log in any more then", () => {
    const { backend, run, state } = make()
    return Effect.gen(function*() {
      const { lookup } = yield* Credentials
      const his = yield* create("alice")
      yield* TestClock.adjust("50 seconds")
      assert.isTrue(Option.isSome(yield* lookup({ username: "alice", realm: "one.test" })))
      state.removed.add("alice@one.test")
      yield* TestClock.adjust("10 seconds")
      assert.isTrue(his.ended)
      assert.isTrue(Option.isNone(yield* lookup({ username: "alice", realm: "one.test" })))
    }).pipe(run(layerCached(backend, { timeToLive: "1 hour" })))
  })
})

describe("a backend that cannot tell", () => {
  it.effect("ends nobody's sessions, is not asked on and on, and is told of once in a look", () => {
    const { run, state } = make()
    return Effect.gen(function*() {
      const sessions = yield* Effect.forEach(Array.from({ length: 100 }), (_, n) => create(`user${n}`))
      for (let n = 0; n < 100; n++) state.down.add(`user${n}@one.test`)
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(state.asked, 10)
      assert.lengthOf(state.lines, 1)
      assert.include(state.lines[0], "the test credentials cannot be read: down")
      // One for whom it cannot is in nobody's way.
      state.down = new Set(["user7@one.test"])
      state.removed = new Set(["user50@one.test", "user99@one.test"])
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(sessions.flatMap(({ ended, username }) => ended ? [username] : []), ["user50", "user99"])
    }).pipe(run())
  })

  it.effect("about some users is asked about all others, and the first ten of those are named", () => {
    const { run, state } = make()
    return Effect.gen(function*() {
      const sessions = yield* Effect.forEach(Array.from({ length: 30 }), (_, n) => create(`user${n}`))
      for (let n = 0; n < 20; n++) state.twice.add(`user${n}@one.test`)
      state.removed = new Set(["user25@one.test"])
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(sessions.flatMap(({ ended, username }) => ended ? [username] : []), ["user25"])
      const told = state.lines.filter((line) => line.includes("It cannot be looked up"))
      const named = told.map((line) =>
        /user=(\S+) realm=one.test reason="the test .* of this user .*: twice"/.exec(line)?.[1]
      )
      assert.lengthOf(named, 10)
      assert.strictEqual(new Set(named).size, 10)
      assert.isTrue(named.every((name) => state.twice.has(`${name}@one.test`)))
      const lines = () => state.lines.filter((line) => line.includes("It cannot be looked up")).length
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(lines(), 10, "once, as long as it goes on")
      state.twice = new Set()
      yield* TestClock.adjust("1 minute")
      state.twice = new Set(["user0@one.test"])
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(lines(), 11, "and again when it begins again")
    }).pipe(run())
  })

  it.effect("or never answers, or is broken, is asked again at the next look", () => {
    const { run, state } = make()
    return Effect.gen(function*() {
      const his = yield* create("alice")
      state.removed.add("alice@one.test")
      state.hangs = true
      yield* TestClock.adjust("80 seconds")
      assert.include(state.lines.join("\n"), "no answer in time")
      state.hangs = false
      yield* TestClock.adjust("2 minutes")
      assert.isTrue(his.ended)
    }).pipe(run())
  })

  it.effect("dies once", () => {
    const { backend, run, state } = make()
    let dies = true
    const broken = Layer.effect(
      Credentials,
      Effect.map(Credentials, ({ lookup }) =>
        Credentials.make((user) => {
          if (dies) throw new Error("own bug")
          return lookup(user)
        }))
    ).pipe(Layer.provide(backend))
    return Effect.gen(function*() {
      const his = yield* create("alice")
      state.removed.add("alice@one.test")
      yield* TestClock.adjust("1 minute")
      assert.match(state.lines.join("\n"), /reason="a defect: Error"/)
      assert.notInclude(state.lines.join("\n"), "own bug")
      dies = false
      yield* TestClock.adjust("1 minute")
      assert.isTrue(his.ended)
    }).pipe(run(broken))
  })
})

it.effect("many users are asked for in slices: others have their turn meanwhile", () => {
  const { run, state } = make()
  return Effect.gen(function*() {
    for (let n = 0; n < 2000; n++) yield* create(`user${n}`)
    let most = 0
    let before = 0
    yield* Effect.sync(() => {
      most = Math.max(most, state.asked.length - before)
      before = state.asked.length
    }).pipe(Effect.andThen(Effect.yieldNow), Effect.forever, Effect.forkScoped)
    yield* TestClock.adjust("1 minute")
    assert.lengthOf(state.asked, 2000)
    assert.isAtMost(most, 256)
  }).pipe(run())
})
