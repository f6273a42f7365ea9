/** A custom repository is asked about each session, may refuse and end some, and delays no message. */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { OptionsError } from "../../../src/options/Options.ts"
import { parseUri } from "../../../src/protocol/Uri.ts"
import { makeSessionKeeper } from "../../../src/relay/edge/SessionKeeper.ts"
import {
  type SessionChange,
  type SessionEntry,
  SessionRepo,
  SessionRepoUnavailable,
  SessionsExhausted
} from "../../../src/SessionRepo.ts"
import { heardIn, of } from "../../support/events.ts"
import { request, send, until, type WorldOptions } from "../../support/harness.ts"
import { recordOf } from "../../support/records.ts"
import { simulated } from "../../support/simulated.ts"
import { layerTable, tableOf } from "../../support/table.ts"

const scenario = simulated()

/** What a repository was asked, in order. */
const noting = (over: Partial<SessionRepo["Service"]> = {}) => {
  const asked: Array<string> = []
  const entries: Array<SessionEntry> = []
  const repo: WorldOptions["repo"] = (memory) => ({
    ...memory,
    ...over,
    create: (session) => {
      asked.push(`create ${session.username}`)
      entries.push(session)
      return (over.create ?? memory.create)(session)
    },
    end: (id, reason) => {
      asked.push(`end ${entries.find((one) => one.id === id)?.username}: ${reason}`)
      return (over.end ?? memory.end)(id, reason)
    }
  })
  return { asked, entries, options: { repo } }
}

/** What a session is made of. */
const sessionOf = (id: string) => ({
  id,
  uri: parseUri(`msrp://localhost:2855/${id};tcp`)!,
  username: id,
  realm: "localhost",
  owner: {},
  expires: 60,
  ownerAuthority: "party.invalid:9",
  record: recordOf(id)
})

const kept = Effect.fnUntraced(function*(repository: SessionRepo["Service"]) {
  return (yield* Effect.orDie(Stream.runCollect(repository.list))).map(({ username }) => username)
})

describe("a repository", () => {
  const { asked, entries, options } = noting()
  scenario(
    "keeps the user of a session, when and where it was granted and when it expires, and no secret",
    (world) =>
      Effect.gen(function*() {
        yield* TestClock.adjust("1 hour")
        const { peer, usePath } = yield* world.login({ headers: ["Expires: 60"] })
        const [{ id, remote, ...entry }] = entries as [SessionEntry]
        assert.deepStrictEqual(entry, {
          username: "alice",
          realm: "localhost",
          relay: world.uri,
          secure: false,
          since: 3_600_000,
          expires: 3_660_000
        })
        assert.match(id, /^[0-9a-f]{32}$/)
        assert.match(remote, /:\d+$/)
        assert.strictEqual(world.relay.operator.sessions().items[0]!.session, id.slice(0, 12))
        const secret = /\/([^/;]+);tcp$/.exec(usePath)![1]!
        assert.notInclude(JSON.stringify(entries), secret)
        assert.deepStrictEqual(yield* kept(world.repository), ["alice"])
        yield* peer.close
        yield* until(() => asked.length === 2, "the end")
        assert.deepStrictEqual(asked, ["create alice", "end alice: its connection closed"])
        assert.deepStrictEqual(yield* kept(world.repository), [])
      }),
    options
  )

  const expiring = noting()
  scenario(
    "is told of the end of one that has expired, on use and by the clean-up, once",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login({ headers: ["Expires: 10"] })
        yield* world.login({ username: "carol", headers: ["Expires: 10"] })
        yield* TestClock.adjust("10 seconds")
        alice.peer.write(send({ to: alice.usePath, from: alice.uri }))
        assert.strictEqual((yield* alice.peer.next).status, 481)
        yield* TestClock.adjust("2 minutes")
        assert.deepStrictEqual(expiring.asked.slice(2), ["end alice: expired", "end carol: expired"])
      }),
    expiring.options
  )

  scenario(
    "ends a session for the relay, with the reason that the repository gives",
    (world) =>
      Effect.gen(function*() {
        const heard = heardIn(world)
        const { peer, uri, usePath } = yield* world.login()
        const [entry] = yield* Effect.orDie(Stream.runCollect(world.repository.list))
        yield* Effect.orDie(world.repository.end(entry!.id, "its user was removed"))
        yield* until(() => world.relay.gauges().sessions === 0, "its end")
        assert.deepStrictEqual(of(heard, "session ended").map(({ fields }) => fields["reason"]), [
          "its user was removed"
        ])
        peer.write(send({ to: usePath, from: uri }))
        assert.strictEqual((yield* peer.next).status, 481)
      })
  )

  scenario("publishes its changes to all readers", (world) =>
    Effect.gen(function*() {
      const changes: Array<SessionChange> = []
      const reading = yield* Effect.forkChild(
        Stream.runForEach(world.repository.changes, (change) => Effect.sync(() => void changes.push(change))),
        { startImmediately: true }
      )
      const { peer } = yield* world.login()
      yield* peer.close
      yield* until(() => changes.length === 2, "both changes")
      const [created, ended] = changes
      assert.strictEqual(created?._tag === "Created" && created.session.username, "alice")
      assert.strictEqual(ended?._tag === "Ended" && ended.reason, "its connection closed")
      yield* Fiber.interrupt(reading)
    }))

  const refusing = noting({ create: () => Effect.fail(new SessionsExhausted({ of: "user", limit: 0 })) })
  scenario(
    "may refuse one more: 403, and is not told of the end of what it has not kept",
    (world) =>
      Effect.gen(function*() {
        yield* attempt(world, 403)
        yield* world.network!.settled
        assert.deepStrictEqual(refusing.asked, ["create alice"])
        assert.deepStrictEqual(world.errors, [])
      }),
    refusing.options
  )

  const down = noting({ create: () => Effect.fail(new SessionRepoUnavailable({ cause: "s3cret" })) })
  scenario("that cannot be used: 408, and what it may have kept is taken back", (world) =>
    Effect.gen(function*() {
      yield* attempt(world, 408)
      yield* until(() => down.asked.length === 2, "the end of it")
      assert.deepStrictEqual(down.asked, ["create alice", "end alice: it was not granted"])
      assert.notInclude(world.log.join(), "s3cret")
      assert.deepStrictEqual(broken(world), [["create", "SessionRepoUnavailable"]])
      assert.strictEqual(world.relay.gauges().sessions, 0)
    }), down.options)

  const stopping = noting()
  scenario(
    "gets the end of sessions that are still connected when the relay stops, and so does the log",
    (world) =>
      Effect.gen(function*() {
        const heard = heardIn(world)
        yield* world.login()
        const gone = yield* world.login({ username: "carol" })
        yield* gone.peer.close
        yield* until(() => stopping.asked.length === 3, "the end of who has gone")
        yield* Effect.forkChild(world.relay.close, { startImmediately: true })
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual(stopping.asked.slice(2), [
          "end carol: its connection closed",
          "end alice: the relay stops"
        ])
        assert.deepStrictEqual(of(heard, "session ended").map(({ fields }) => fields["reason"]), [
          "its connection closed",
          "the relay stops"
        ])
        const { sessionsEnded } = world.relay.counters
        assert.strictEqual(sessionsEnded["its connection closed"], 1)
        assert.strictEqual(sessionsEnded["the relay stops"], 1)
      }),
    stopping.options
  )

  it.effect("of a store is not made with options that cannot be used", () =>
    Effect.gen(function*() {
      const nothing = { create: () => Effect.void, end: () => Effect.void, list: Stream.empty }
      const exit = yield* Effect.exit(SessionRepo.make(nothing, { maxChanges: -1 }))
      assert.instanceOf(Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined, OptionsError)
    }))

  it.effect("is told when the relay stops of those that are left, as of clients behind other relays", () => {
    const asked: Array<string> = []
    return Effect.gen(function*() {
      yield* Effect.scoped(Effect.gen(function*() {
        const repo = yield* SessionRepo.make({
          create: ({ username }) => Effect.sync(() => void asked.push(`create ${username}`)),
          end: (_, reason) => Effect.sync(() => void asked.push(`end: ${reason}`)),
          list: Stream.empty
        })
        const keeper = yield* makeSessionKeeper(repo, yield* tableOf)
        yield* keeper.create(sessionOf("alice"))
      }))
      assert.deepStrictEqual(asked, ["create alice", "end: the relay stops"])
    }).pipe(Effect.provide(layerTable()))
  })

  it.effect("that does not answer when the relay stops is waited for, and the log says what it was not told", () => {
    const lines: Array<string> = []
    const logger = Logger.layer([Logger.map(Logger.formatLogFmt, (line) => void lines.push(line))])
    return Effect.gen(function*() {
      const scope = yield* Scope.make()
      const repo = yield* SessionRepo.make({
        create: () => Effect.void,
        end: (_, reason) => reason === "the relay stops" ? Effect.never : Effect.void,
        list: Stream.empty
      })
      const keeper = yield* Scope.provide(Effect.flatMap(tableOf, (table) => makeSessionKeeper(repo, table)), scope)
      for (const id of ["one", "two"]) {
        yield* keeper.create(sessionOf(id))
      }
      const end = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(end)
      assert.lengthOf(lines, 1)
      assert.match(lines[0]!, /"The session repository was not told of every end" sessions=2$/)
    }).pipe(Effect.provide([layerTable(), logger]))
  })

  it.effect.each(
    [
      ["are never closed", () => Stream.ensuring(Stream.never, Effect.sleep("1 hour"))],
      ["cannot be interrupted", () => Stream.fromEffectDrain(Effect.uninterruptible(Effect.sleep("1 hour")))]
    ] as const
  )("whose changes %s does not keep the relay from stopping", ([, changes]) => {
    const lines: Array<string> = []
    const logger = Logger.layer([Logger.map(Logger.formatLogFmt, (line) => void lines.push(line))])
    return Effect.gen(function*() {
      const scope = yield* Scope.make()
      const store = { create: () => Effect.void, end: () => Effect.void, list: Stream.empty }
      const repo = { ...(yield* SessionRepo.make(store)), changes: changes() }
      yield* Scope.provide(Effect.flatMap(tableOf, (table) => makeSessionKeeper(repo, table)), scope)
      const end = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* TestClock.adjust("4 seconds")
      assert.isUndefined(end.pollUnsafe())
      yield* TestClock.adjust("1 second")
      assert.isDefined(end.pollUnsafe())
      assert.lengthOf(lines, 1)
      assert.match(lines[0]!, /"The session repository is broken" method=changes error=TimeoutError$/)
      yield* TestClock.adjust("1 hour")
    }).pipe(Effect.provide([layerTable(), logger]))
  })

  it.effect("is asked sixteen times at once, also when the relay stops", () => {
    let [now, most, told] = [0, 0, 0]
    return Effect.gen(function*() {
      const scope = yield* Scope.make()
      const repo = yield* SessionRepo.make({
        create: () => Effect.void,
        end: () =>
          Effect.sync(() => most = Math.max(most, ++now)).pipe(
            Effect.andThen(Effect.sleep("1 second")),
            Effect.andThen(Effect.sync(() => {
              now--
              told++
            }))
          ),
        list: Stream.empty
      })
      const table = yield* tableOf
      const keeper = yield* Scope.provide(makeSessionKeeper(repo, table), scope)
      for (let i = 0; i < 64; i++) {
        const session = yield* keeper.create(sessionOf(`id${i}`))
        if (i < 24) table.end(session, "expired")
      }
      yield* TestClock.adjust("500 millis")
      assert.strictEqual(now, 16)
      const end = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(end)
      assert.deepStrictEqual([most, told], [16, 64])
    }).pipe(Effect.provide(layerTable()))
  })

  it.live("is told of thousands in many turns of the event loop", () => {
    let [ended, before, most] = [0, 0, 0]
    return Effect.gen(function*() {
      yield* Effect.scoped(Effect.gen(function*() {
        const repo = yield* SessionRepo.make({
          create: () => Effect.void,
          end: () => Effect.sync(() => void ended++),
          list: Stream.empty
        })
        const keeper = yield* makeSessionKeeper(repo, yield* tableOf)
        for (let i = 0; i < 2000; i++) {
          yield* keeper.create(sessionOf(`id${i}`))
        }
        const look = (): void => {
          most = Math.max(most, ended - before)
          before = ended
          if (ended < 2000) setImmediate(look)
        }
        look()
      }))
      assert.strictEqual(ended, 2000)
      assert.isAtMost(Math.max(most, ended - before), 256)
    }).pipe(Effect.provide(layerTable()))
  })
})

/** What the log has said of it since the last time: the method, and what kind of error. */
const broken = ({ errors }: { readonly errors: Array<string> }) =>
  errors.splice(0).map((line) => /is broken"? method=(\w+) error="?([\w ]+)/.exec(line)?.slice(1) ?? line)

/** An AUTH that is right, and what it is answered. */
const attempt = Effect.fnUntraced(function*(world: Parameters<Parameters<typeof scenario>[1]>[0], status: number) {
  const peer = yield* world.connect
  const from = world.party()
  const authorization = world.authorization(yield* world.challenge(peer, from))
  peer.write(request("AUTH", { to: world.uri, from, headers: [authorization] }))
  assert.strictEqual((yield* peer.next).status, status)
})

describe("a repository that is broken", () => {
  const throws = (): never => {
    throw new Error("own bug")
  }
  const dead = noting({ end: throws })
  scenario("costs no end: it is told of once, until it works again", (world) =>
    Effect.gen(function*() {
      const heard = heardIn(world)
      const first = yield* world.login()
      const second = yield* world.login({ username: "carol" })
      yield* first.peer.close
      yield* second.peer.close
      yield* until(() => dead.asked.length === 4, "both ends")
      assert.lengthOf(of(heard, "session ended"), 2)
      assert.deepStrictEqual(broken(world), [["end", "Error"]])
    }), dead.options)

  const silent = noting({ end: () => Effect.uninterruptible(Effect.never) })
  scenario(
    "and one that never answers is not waited for, even if it cannot be interrupted",
    (world) =>
      Effect.gen(function*() {
        for (let i = 0; i < 40; i++) {
          const { peer } = yield* world.login()
          yield* peer.close
        }
        yield* until(() => silent.asked.filter((one) => one.startsWith("end")).length === 16, "as many as at a time")
        yield* TestClock.adjust("30 seconds")
        assert.lengthOf(silent.asked.filter((one) => one.startsWith("end")), 40)
        assert.include(world.errors.join(), "method=end error=TimeoutError")
        world.errors.length = 0
      }),
    silent.options
  )

  let reads = 0
  const deaf = noting({
    changes: Stream.suspend(() => {
      reads++
      return Stream.fail(new SessionRepoUnavailable({ cause: "gone" }))
    })
  })
  scenario("is read again a little later", (world) =>
    Effect.gen(function*() {
      assert.strictEqual(reads, 1)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(reads, 2)
      assert.deepStrictEqual(broken(world), [["changes", "SessionRepoUnavailable"]])
    }), deaf.options)

  class DbError extends Data.TaggedError("DbError")<{ readonly why: string }> {}
  const unavailable = (cause: unknown) => Effect.fail(new SessionRepoUnavailable({ cause }))
  const tagged = new DbError({ why: "s3cret" })
  const coded = Object.assign(new Error("s3cret"), { code: "ENOSPC" })
  const kinds: ReadonlyArray<readonly [string, Partial<SessionRepo["Service"]>, string, string]> = [
    ["create that fails", { create: () => unavailable(tagged) }, "create", "DbError"],
    ["create, by Node", { create: () => unavailable(coded) }, "create", "Error ENOSPC"],
    ["create, by what is no error", { create: () => unavailable({ s3cret: 1 }) }, "create", "object"],
    ["end", { end: () => unavailable(tagged) }, "end", "DbError"],
    ["changes", { changes: Stream.fail(new SessionRepoUnavailable({ cause: coded })) }, "changes", "Error ENOSPC"]
  ]
  for (const [what, over, method, kind] of kinds) {
    scenario(
      `says what kind of error its store has met, and no word of it: ${what}`,
      (world) =>
        Effect.gen(function*() {
          for (let i = 0; i < 2; i++) {
            if (method === "create") yield* attempt(world, 408)
            else yield* (yield* world.login()).peer.close
          }
          yield* world.network!.settled
          assert.deepStrictEqual(broken(world), [[method, kind]])
          assert.notInclude(world.log.join(), "s3cret")
        }),
      noting(over).options
    )
  }

  const failing: ReadonlyArray<readonly [string, () => Effect.Effect<void>, string]> = [
    ["dies", () => Effect.die(coded), "Error ENOSPC"],
    ["throws", throws, "Error"],
    ["fails with what is no error of a repository", () => Effect.fail(coded) as never, "Error ENOSPC"],
    ["does not answer", () => Effect.never, "TimeoutError"]
  ]
  for (const [what, create, kind] of failing) {
    const silentOrDead = noting({ create })
    scenario(
      `is told the truth of a session whose create ${what}, and so is the log`,
      (world) =>
        Effect.gen(function*() {
          const answer = yield* Effect.forkChild(attempt(world, 408))
          yield* world.network!.settled
          yield* TestClock.adjust("30 seconds")
          yield* Fiber.join(answer)
          assert.deepStrictEqual(silentOrDead.asked, ["create alice", "end alice: it was not granted"])
          const [first, ...others] = broken(world)
          assert.deepStrictEqual(first, ["create", kind])
          // Nothing in time is told of each AUTH as well.
          const silent = kind === "TimeoutError" ? ["AUTH could not be decided"] : []
          assert.lengthOf(others, silent.length)
          for (const line of silent) assert.include(others.join(), line)
          if (silent.length > 0) return
          yield* attempt(world, 408)
          assert.deepStrictEqual(broken(world), [])
          assert.notMatch(world.log.join(), /own bug|s3cret/)
        }),
      silentOrDead.options
    )
  }

  let works = false
  const mended = noting({ create: () => works ? Effect.void : unavailable(tagged) })
  scenario("is told of again when it had worked in the meantime", (world) =>
    Effect.gen(function*() {
      for (const now of [false, false, true, false]) {
        works = now
        yield* attempt(world, works ? 200 : 408)
      }
      assert.lengthOf(broken(world), 2)
    }), mended.options)
})
