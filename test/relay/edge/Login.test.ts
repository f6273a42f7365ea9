/** How an AUTH is answered with a custom authenticator, credentials or repository, however these fail. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { inspect } from "node:util"
import { type AuthDecision, type Authenticator } from "../../../src/Authenticator.ts"
import { Credentials, CredentialsUnavailable } from "../../../src/Credentials.ts"
import { ADDRESS_BURST } from "../../../src/logging/LineBudget.ts"
import { request, type World, type WorldOptions } from "../../support/harness.ts"
import { type Body, simulated } from "../../support/simulated.ts"

const played = simulated()
const scenario = (title: string, options: WorldOptions, body: Body): void => played(title, body, options)

/** Is broken as long as `broken.now` says. */
const broken = { now: true }
const throws = (text = "own bug"): never => {
  throw new Error(text)
}
const authenticator = (
  authenticate: (request: Parameters<Authenticator["Service"]["authenticate"]>[0]) => Effect.Effect<AuthDecision>
): WorldOptions => ({
  authenticator: (digest) => ({
    authenticate: (request) =>
      broken.now && request.authorization !== undefined ? authenticate(request) : digest.authenticate(request)
  })
})
const credentials = (lookup: Credentials["Service"]["lookup"]): WorldOptions => ({
  credentials: Layer.effect(
    Credentials,
    Effect.map(Credentials, (users) => Credentials.make((user) => broken.now ? lookup(user) : users.lookup(user)))
  ).pipe(Layer.provide(Layer.orDie(Credentials.layerMemory([]))))
})
const repo = (create: () => Effect.Effect<never>): WorldOptions => ({
  repo: (memory) => ({ ...memory, create: (session) => broken.now ? create() : memory.create(session) })
})

const granted = { _tag: "Granted", username: "alice", realm: "relay.example.com" }
/** What the type of a decision does not allow. */
const unusable: ReadonlyArray<unknown> = [
  undefined,
  "Granted",
  { _tag: "Granted", realm: "relay.example.com" },
  { _tag: "Granted", username: "alice" },
  { ...granted, username: 5 },
  { ...granted, authenticationInfo: 5 },
  { ...granted, maxExpires: "soon" },
  { ...granted, maxExpires: Number.NaN },
  { ...granted, maxExpires: { seconds: Number.NaN } },
  { ...granted, maxExpires: { hours: Number.NaN } },
  { ...granted, maxExpires: [Number.NaN, 0] },
  { ...granted, headers: {} },
  { ...granted, headers: ["X-Name: value"] },
  { ...granted, headers: [["X-Name", 5]] },
  { ...granted, headers: [["X-Name"]] },
  { _tag: "Challenge" },
  { _tag: "Challenge", wwwAuthenticate: "Digest", failed: true, stale: false },
  { _tag: "Challenge", wwwAuthenticate: [5], failed: true, stale: false },
  { _tag: "Challenge", wwwAuthenticate: [], failed: true, stale: false },
  { _tag: "Rejected", status: 200, comment: "Welcome" },
  { _tag: "Rejected", status: "403", comment: "No" },
  { _tag: "Rejected", status: 99, comment: "No" },
  { _tag: "Rejected", status: 403, comment: 5 },
  { _tag: "Rejected", status: 403, comment: "No", attempt: { reason: 5 } },
  { _tag: "Unavailable", attempt: { username: 5 } }
]

/** An AUTH with right credentials on a connection of its own. */
const attempt = Effect.fnUntraced(function*(world: World) {
  const peer = yield* world.connect
  const from = world.party()
  const authorization = world.authorization(yield* world.challenge(peer, from))
  peer.write(request("AUTH", { to: world.uri, from, headers: [authorization] }))
  return peer
})

describe("an AUTH has its answer at once", () => {
  const cases: ReadonlyArray<readonly [string, WorldOptions]> = [
    ["an authenticator that dies", authenticator(() => Effect.die(new Error("own bug")))],
    ["one that throws", authenticator(() => throws())],
    ["one that interrupts itself", authenticator(() => Effect.andThen(Effect.logError("own bug"), Effect.interrupt))],
    ["one that is none", authenticator(() => ({}) as never)],
    ["one whose decision is none", authenticator(() => Effect.succeed({ _tag: "Grant" } as never))],
    ...unusable.map((decision) =>
      [
        `one that decides ${inspect(decision, { breakLength: Infinity })}`,
        authenticator(() => Effect.succeed(decision as never))
      ] as const
    ),
    ["credentials that die", credentials(() => Effect.die(new Error("own bug")))],
    ["credentials that throw", credentials(() => throws())],
    ["a repository that dies", repo(() => Effect.die(new Error("own bug")))],
    ["a repository that throws", repo(() => throws())]
  ]
  for (const [what, options] of cases) {
    scenario(`from a relay with ${what}: 408, and the log says why`, options, (world) =>
      Effect.gen(function*() {
        broken.now = true
        const peer = yield* attempt(world)
        assert.strictEqual((yield* peer.next).status, 408)
        const errors = world.errors.join("\n")
        if (options.repo !== undefined) assert.match(errors, /repository is broken" method=create error=Error$/)
        else {
          assert.match(errors, /AUTH could not be decided|reason="a defect: Error"/)
          // Of interrupts the authenticator of the test itself tells.
          if (!what.includes("interrupts")) assert.notInclude(errors, "own bug")
        }
        assert.strictEqual(world.relay.counters.undecidedAuths, 1)
        assert.strictEqual(world.relay.gauges().sessions, 0)
        world.errors.length = 0
        // What is behind it is read.
        broken.now = false
        if (options.credentials === undefined) yield* world.login({ peer })
        else yield* peer.quiet
      }))
  }

  scenario(
    "R4976-9.4-10: what a defect says, which may quote credentials or the session, is not logged",
    {
      ...authenticator(({ authorization }) => throws(`cannot read ${authorization}`)),
      repo: (memory) => ({
        ...memory,
        create: (session) => Effect.die(new Error(`own bug with ${session.username}`))
      })
    },
    (world) =>
      Effect.gen(function*() {
        broken.now = true
        assert.strictEqual((yield* (yield* attempt(world)).next).status, 408)
        assert.match(world.errors[0]!, /AUTH could not be decided".* cause=Error$/)
        broken.now = false
        assert.strictEqual((yield* (yield* attempt(world)).next).status, 408)
        assert.match(world.errors.at(-1)!, /method=create error=Error$/)
        const response = /response="(\w+)"/
        assert.notMatch(world.log.join("\n"), response)
        world.errors.length = 0
      })
  )
})

describe("an AUTH that is never decided", () => {
  const cases: ReadonlyArray<readonly [string, WorldOptions]> = [
    ["authenticator", authenticator(() => Effect.never)],
    [
      "authenticator that cannot be interrupted",
      authenticator(() => Effect.uninterruptible(Effect.sleep("1 minute")) as never)
    ],
    ["repository", repo(() => Effect.never)]
  ]
  for (const [what, options] of cases) {
    scenario(`is answered 408 when its time is over: ${what}`, options, (world) =>
      Effect.gen(function*() {
        broken.now = true
        const peer = yield* attempt(world)
        yield* world.network!.settled
        yield* TestClock.adjust("24999 millis")
        assert.lengthOf(peer.frames, 0)
        yield* TestClock.adjust(1)
        assert.strictEqual((yield* peer.next).status, 408)
        assert.include(world.errors.join("\n"), "no answer in time")
        world.errors.length = 0
        broken.now = false
        yield* world.login({ peer })
        yield* TestClock.adjust("1 minute")
      }))
  }
})

scenario(
  "credentials that cannot be interrupted delay the answer no longer than their time limit",
  credentials(() => Effect.uninterruptible(Effect.andThen(Effect.sleep("1 minute"), Effect.succeedNone))),
  (world) =>
    Effect.gen(function*() {
      broken.now = true
      const peer = yield* attempt(world)
      yield* world.network!.settled
      yield* TestClock.adjust("9999 millis")
      assert.lengthOf(peer.frames, 0)
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* peer.next).status, 408)
      assert.include(world.errors.join("\n"), "no answer in time")
      world.errors.length = 0
      yield* TestClock.adjust("1 minute")
    })
)

describe("what each login meets", () => {
  const unavailable = new CredentialsUnavailable({ backend: "own", cause: "gone" })
  const cases: ReadonlyArray<readonly [string, WorldOptions, string]> = [
    ["a repository that never answers", repo(() => Effect.never), "AUTH could not be decided: no answer in time"],
    ["an authenticator that dies", authenticator(() => throws()), "AUTH could not be decided: Error"],
    [
      "credentials that are not there",
      credentials(() => Effect.fail(unavailable)),
      "The credentials cannot be looked up: CredentialsUnavailable"
    ]
  ]
  for (const [what, options, kind] of cases) {
    scenario(
      `is logged as often as a stranger may cause lines, and how often more: ${what}`,
      options,
      (world) =>
        Effect.gen(function*() {
          broken.now = true
          const peers = yield* Effect.replicateEffect(attempt(world), ADDRESS_BURST + 5)
          yield* world.network!.settled
          yield* TestClock.adjust("25 seconds")
          for (const peer of peers) assert.strictEqual((yield* peer.next).status, 408)
          const [message] = kind.split(": ")
          assert.lengthOf(world.errors.filter((line) => line.includes(`"${message!}"`)), ADDRESS_BURST)
          world.errors.length = 0
          yield* TestClock.adjust("1 minute")
          const held = world.log.filter((line) => line.includes("more of the same was not logged"))
          assert.include(held.join("\n"), `what="${kind}" lines=5`)
        })
    )
  }
})

describe("R4975-9-06: the comment of an answer is what the authenticator says", () => {
  const cases: ReadonlyArray<readonly [string, string, string]> = [
    ["words", "Come back on Monday", "Come back on Monday"],
    ["letters beyond ASCII", "M\u00fcde", "M\u00fcde"],
    ["lines, which cannot be", "no\r\nUse-Path: x\u2028\u0007", "no Use-Path: x"],
    ["half a character", "a\ud800b", "a\ufffdb"],
    ["none", "", ""],
    ["a book", "x".repeat(5000), "x".repeat(200)]
  ]
  for (const [what, comment, heard] of cases) {
    scenario(
      what,
      authenticator(() => Effect.succeed({ _tag: "Rejected", status: 403, comment })),
      (world) =>
        Effect.gen(function*() {
          broken.now = true
          const answer = yield* (yield* attempt(world)).next
          assert.strictEqual(answer.status, 403)
          assert.strictEqual(Buffer.from(answer.comment, "latin1").toString("utf8"), heard)
        })
    )
  }
})

describe("R4976-6.1-22: answers that are no success end a connection in probation", () => {
  const decisions: ReadonlyArray<AuthDecision> = [
    { _tag: "Unavailable" },
    { _tag: "Rejected", status: 400, comment: "no" },
    { _tag: "Rejected", status: 403, comment: "no" }
  ]
  for (const decision of decisions) {
    scenario(
      JSON.stringify(decision),
      authenticator(() => Effect.succeed(decision)),
      (world) =>
        Effect.gen(function*() {
          broken.now = true
          const peer = yield* world.connect
          const from = world.party()
          const authorization = world.authorization(yield* world.challenge(peer, from))
          for (let i = 0; i < 10; i++) yield* world.auth(peer, from, authorization)
          yield* peer.ends
        })
    )
  }

  scenario(
    "R4976-6.3-40: too many guesses at once count as wrong credentials, at any time",
    authenticator(() => Effect.succeed({ _tag: "Unavailable", failed: true })),
    (world) =>
      Effect.gen(function*() {
        broken.now = false
        const { peer, uri } = yield* world.login()
        broken.now = true
        const authorization = world.authorization(yield* world.challenge(peer, uri))
        for (let i = 0; i < 5; i++) assert.strictEqual((yield* world.auth(peer, uri, authorization)).status, 408)
        yield* peer.ends
      })
  )
})
