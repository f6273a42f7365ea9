import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as AtomRef from "effect/reactivity/AtomRef"
import * as Redacted from "effect/Redacted"
import { MaxOpsBeforeYield } from "effect/Scheduler"
import * as TestClock from "effect/testing/TestClock"
import { type AuthDecision, Authenticator, type DigestOptions } from "../src/Authenticator.ts"
import { Credentials, CredentialsUnavailable, passwordUser } from "../src/Credentials.ts"
import { layerCached } from "../src/credentials/Cached.ts"
import type { OptionsError } from "../src/options/Options.ts"
import { type Answer, answerChallenge, verifyRspauth } from "../src/protocol/digest/Answer.ts"
import { parseAuthenticationInfo } from "../src/protocol/digest/AuthenticationInfo.ts"
import { type Challenge, strongestChallenge } from "../src/protocol/digest/Challenge.ts"
import { type DigestAlgorithm, ha1 } from "../src/protocol/digest/Digest.ts"
import { parseDigest } from "../src/protocol/digest/Parameters.ts"
import { parseUri } from "../src/protocol/Uri.ts"
import { logInto } from "./support/log.ts"

const REALM = "intra.example.com"
const URI = "msrps://alice@intra.example.com;tcp"
const PASSWORD = "Wonderland-42"

const users = Credentials.layerMemory([passwordUser("alice", Redacted.make(PASSWORD), REALM)])
const ha1Users = (algorithms: ReadonlyArray<DigestAlgorithm>) =>
  Credentials.layerMemory([{
    username: "alice",
    realm: REALM,
    secret: {
      _tag: "Ha1",
      ha1: Object.fromEntries(
        algorithms.map((one) => [one, Redacted.make(ha1(one, "alice", REALM, PASSWORD).toUpperCase())])
      )
    }
  }])
const digest = (options: DigestOptions = {}, credentials: Layer.Layer<Credentials, OptionsError> = users) =>
  Effect.provide(Authenticator.layerDigest(options).pipe(Layer.provide(credentials)))

const ask = Effect.fnUntraced(function*(
  authorization: string | undefined,
  uri = URI,
  realm = REALM,
  source = "192.0.2.1"
) {
  const authenticator = yield* Authenticator
  const requestUri = parseUri(uri)
  assert.isDefined(requestUri)
  return yield* authenticator.authenticate({ requestUri, authorization, realm, source })
})
const expect = <Tag extends AuthDecision["_tag"]>(decision: AuthDecision, tag: Tag) => {
  assert.strictEqual(decision._tag, tag)
  return decision as Extract<AuthDecision, { readonly _tag: Tag }>
}
const challenged = (decision: AuthDecision, { failed, stale }: { failed: boolean; stale: boolean }) => {
  const challenge = expect(decision, "Challenge")
  assert.deepStrictEqual({ failed: challenge.failed, stale: challenge.stale }, { failed, stale })
  const best = strongestChallenge(challenge.wwwAuthenticate)
  assert.isDefined(best)
  assert.strictEqual(best.stale, stale)
  return best
}
const first = { failed: false, stale: false }
const failed = { failed: true, stale: false }
const stale = { failed: false, stale: true }
const challengeNow = Effect.map(ask(undefined), (decision) => challenged(decision, first))

const right: Answer = { username: "alice", password: PASSWORD, uri: URI, nc: 1, cnonce: "0a4f113bQe" }
const answer = (challenge: Challenge, changes: Partial<Answer> = {}) =>
  ask(answerChallenge(challenge, { ...right, ...changes }))

describe("a challenge", () => {
  it.effect("R4976-5.1-03 -9.1-14 R7616-3.7-01 offers each algorithm once, strongest first, with one nonce", () =>
    Effect.gen(function*() {
      const { wwwAuthenticate } = expect(yield* ask(undefined), "Challenge")
      const [sha, md5, ...rest] = wwwAuthenticate
      assert.deepStrictEqual(rest, [])
      const form = /^Digest realm="intra.example.com", qop="auth", nonce="([\w.-]+)", opaque="[0-9a-f]{16}", algorithm=/
      assert.match(sha!, form)
      assert.match(sha!, /=SHA-256$/)
      assert.strictEqual(md5, sha!.replace("SHA-256", "MD5"))
      const again = expect(yield* ask(undefined), "Challenge").wwwAuthenticate[0]!
      assert.notStrictEqual(form.exec(again)?.[1], form.exec(sha!)?.[1])
    }).pipe(digest()))

  it.effect("R7616-3.7-02 offers what the settings and the credentials both have, in the order of the settings", () =>
    Effect.gen(function*() {
      const offered = (options: DigestOptions, credentials?: Layer.Layer<Credentials, OptionsError>) =>
        Effect.map(
          ask(undefined),
          (decision) => expect(decision, "Challenge").wwwAuthenticate.map((one) => one.replace(/.*algorithm=/, ""))
        ).pipe(
          digest(options, credentials)
        )
      assert.deepStrictEqual(yield* offered({ algorithms: ["MD5", "SHA-256"] }), ["MD5", "SHA-256"])
      assert.deepStrictEqual(yield* offered({ algorithms: ["MD5"] }), ["MD5"])
      assert.deepStrictEqual(yield* offered({}, ha1Users(["MD5"])), ["MD5"])
      const none = yield* Effect.flip(offered({ algorithms: ["SHA-256"] }, ha1Users(["MD5"])))
      assert.strictEqual(none._tag, "NoCommonAlgorithm")
    }))

  it.effect("R4975-14.5-02 cannot be used to put headers into a message", () =>
    Effect.gen(function*() {
      const quoted = expect(yield* ask(undefined, URI, "a\", nonce=\"x"), "Challenge").wwwAuthenticate[0]!
      const parsed = parseDigest(quoted)
      assert.strictEqual(parsed._tag === "Digest" && parsed.parameters.get("realm"), "a\", nonce=\"x")
      assert.strictEqual(expect(yield* ask(undefined, URI, "a\r\nUse-Path: x"), "Rejected").status, 400)
    }).pipe(digest()))
})

describe("right credentials", () => {
  it.effect.each(["SHA-256", "MD5"] as const)(
    "R4976-9.1-02 -13 -22 are granted, and the relay proves itself: %s",
    (algorithm) =>
      Effect.gen(function*() {
        const challenge = { ...(yield* challengeNow), algorithm }
        const granted = expect(yield* answer(challenge), "Granted")
        assert.strictEqual(granted.username, "alice")
        assert.strictEqual(granted.realm, REALM)
        const info = parseAuthenticationInfo(granted.authenticationInfo!)
        assert.isDefined(info)
        assert.strictEqual(info.cnonce, right.cnonce)
        assert.strictEqual(info.nc, "00000001")
        assert.isTrue(verifyRspauth(granted.authenticationInfo!, challenge, right))
      }).pipe(digest())
  )

  it.effect.each(["SHA-256", "MD5"] as const)(
    "R7616-3.6-01 are granted against a stored H(A1): %s",
    (algorithm) =>
      Effect.gen(function*() {
        const challenge = yield* challengeNow
        expect(yield* answer({ ...challenge, algorithm }), "Granted")
      }).pipe(digest({}, ha1Users(["SHA-256", "MD5"])))
  )

  it.effect("R4976-9.1-33 X03 nextnonce starts a new count, and its life at the 200", () =>
    Effect.gen(function*() {
      const challenge = yield* challengeNow
      yield* TestClock.adjust("20 seconds")
      const { authenticationInfo } = expect(yield* answer(challenge), "Granted")
      const nonce = parseAuthenticationInfo(authenticationInfo!)?.nextnonce
      assert.isDefined(nonce)
      yield* TestClock.adjust("20 seconds")
      expect(yield* answer({ ...challenge, nonce }), "Granted")
    }).pipe(digest()))

  it.effect("R4976-9.1-25 hash the URI as the client spells it in the header, if it is the same", () =>
    Effect.gen(function*() {
      const challenge = yield* challengeNow
      const header = (uri: string, nc: number) => answerChallenge(challenge, { ...right, uri, nc, sendUri: true })
      expect(yield* ask(header(URI, 1)), "Granted")
      const spelled = "msrps://INTRA.example.com;TCP"
      expect(yield* ask(header(spelled, 2)), "Granted")
      expect(yield* ask(answerChallenge(challenge, { ...right, nc: 3, uri: spelled })), "Challenge")
      for (const other of ["msrps://extra.example.com;tcp", "msrp://intra.example.com;tcp", "*"]) {
        assert.strictEqual(expect(yield* ask(header(other, 4)), "Rejected").status, 400)
      }
    }).pipe(digest()))

  it.effect("R4976-9.1-37 may come with any opaque or none", () =>
    Effect.gen(function*() {
      const challenge = yield* challengeNow
      expect(yield* answer({ ...challenge, opaque: undefined }), "Granted")
      expect(yield* answer({ ...challenge, opaque: "other" }, { nc: 2 }), "Granted")
    }).pipe(digest()))

  it.effect("R7616-3.4-03 may have letters beyond ASCII, however they are composed", () =>
    Effect.gen(function*() {
      const challenge = yield* challengeNow
      const granted = expect(
        yield* answer(challenge, { username: "Ja\u0308s\u00f8n", password: "pa\u0308ss" }),
        "Granted"
      )
      assert.strictEqual(granted.username, "J\u00e4s\u00f8n")
    }).pipe(digest({}, Credentials.layerMemory([passwordUser("J\u00e4s\u00f8n", Redacted.make("p\u00e4ss"))]))))
})

describe("nonces", () => {
  it.effect("R4976-9.1-29 X04 live until exactly their age, then are stale, and not a failure", () =>
    Effect.gen(function*() {
      const challenge = yield* challengeNow
      yield* TestClock.adjust("29999 millis")
      expect(yield* answer(challenge), "Granted")
      yield* TestClock.adjust("1 millis")
      const fresh = challenged(yield* answer(challenge, { nc: 2 }), stale)
      challenged(yield* answer(challenge, { nc: 3, password: "wrong" }), failed)
      expect(yield* answer(fresh), "Granted")
    }).pipe(digest()))

  it.effect("nonceExpire is how long they live", () =>
    Effect.gen(function*() {
      const challenge = yield* challengeNow
      yield* TestClock.adjust("59999 millis")
      expect(yield* answer(challenge), "Granted")
      yield* TestClock.adjust("1 millis")
      challenged(yield* answer(challenge, { nc: 2 }), stale)
    }).pipe(digest({ nonceExpire: "1 minute" })))

  it.effect("R4976-9.1-29 X04 X05 of another relay are stale with the right password only", () =>
    Effect.gen(function*() {
      const credentials = (response: string, nonce: string, rest: string) =>
        `Digest username="alice", realm="intra.example.com", nonce="${nonce}", qop=auth, ${rest}, response="${response}"`
      challenged(
        yield* ask(credentials(
          "961bcce84a5ffdf565e362da509d559b",
          "8f2c6b0e5d3a49c1b7e0a4d2f6c81350",
          "nc=00000002, cnonce=\"b19c44d0e1\""
        )),
        stale
      )
      challenged(
        yield* ask(credentials(
          "8637af1c6cd6f9b69eb0e58538caa513",
          "1e6b0f93d8a54c27b9f4e2d071c3a586",
          "nc=00000001, cnonce=\"c0ffee1234\""
        )),
        failed
      )
      const { nonce, ...challenge } = yield* challengeNow
      const changed = (at: number) => nonce.slice(0, at) + (nonce[at] === "x" ? "y" : "x") + nonce.slice(at + 1)
      for (
        const forged of [
          "",
          nonce.toUpperCase(),
          `${nonce}=`,
          nonce.slice(1),
          `${nonce}${nonce}`,
          ...Array.from(nonce, (_, at) => changed(at))
        ]
      ) {
        challenged(yield* answer({ ...challenge, nonce: forged }), stale)
      }
      expect(yield* answer({ ...challenge, nonce }), "Granted")
    }).pipe(digest()))

  it.effect("R4976-9.1-31 -32 -34 count up: jumps are taken, what was seen is a replay, never a failure", () =>
    Effect.gen(function*() {
      const challenge = yield* challengeNow
      challenged(yield* answer(challenge, { nc: 0 }), stale)
      expect(yield* answer(challenge, { nc: 9 }), "Granted")
      challenged(yield* answer(challenge, { nc: 9 }), stale)
      challenged(yield* answer(challenge, { nc: 8, cnonce: "other" }), stale)
      expect(yield* answer(challenge, { nc: 10 }), "Granted")
      expect(yield* answer(challenge, { nc: 0xfffffffe }), "Granted")
      yield* TestClock.adjust("29999 millis")
      challenged(yield* answer(challenge, { nc: 0xfffffffe }), stale)
      expect(yield* answer(challenge, { nc: 0xffffffff }), "Granted")
    }).pipe(digest()))

  it.effect("R4976-9.1-31 a wrong digest does not use a count up", () =>
    Effect.gen(function*() {
      const challenge = yield* challengeNow
      challenged(yield* answer(challenge, { nc: 0xffffffff, password: "wrong" }), failed)
      expect(yield* answer(challenge), "Granted")
    }).pipe(digest()))

  it.effect("R4976-9.3-06 no more than maxNonces are kept, and one that was dropped cannot be replayed", () =>
    Effect.gen(function*() {
      const challenges: Array<Challenge> = []
      for (let i = 0; i < 4; i++) {
        challenges.push(yield* challengeNow)
        yield* TestClock.adjust("1 millis")
      }
      const [a, b, c, d] = challenges as [Challenge, Challenge, Challenge, Challenge]
      expect(yield* answer(a), "Granted")
      expect(yield* answer(c), "Granted")
      expect(yield* answer(d), "Granted")
      challenged(yield* answer(a), stale)
      challenged(yield* answer(a, { nc: 2 }), stale)
      // made after the one that was dropped: still good
      expect(yield* answer(b), "Granted")
      expect(yield* answer(d, { nc: 2 }), "Granted")
      challenged(yield* answer(c, { nc: 2 }), stale)
    }).pipe(digest({ maxNonces: 2 })))
})

describe("refused", () => {
  it.effect("R7616-3.4-04 X05 an unknown user and a wrong password look the same, and count", () =>
    Effect.gen(function*() {
      const challenge = yield* challengeNow
      const shape = (decision: AuthDecision) => {
        challenged(decision, failed)
        return expect(decision, "Challenge").wwwAuthenticate.map((one) => one.replace(/nonce="[\w.-]+"/, ""))
      }
      const wrong = shape(yield* answer(challenge, { password: "wrong" }))
      assert.deepStrictEqual(shape(yield* answer(challenge, { username: "mallory" })), wrong)
      assert.deepStrictEqual(shape(yield* answer(challenge, { username: "mallory", password: "" })), wrong)
    }).pipe(digest()))

  it.effect("R4976-9.1-17 -40 Basic", () =>
    Effect.gen(function*() {
      challenged(yield* ask("Basic YWxpY2U6V29uZGVybGFuZC00Mg=="), failed)
    }).pipe(digest()))

  it.effect("R4976-9.1-28 another realm, with the right one in the challenge", () =>
    Effect.gen(function*() {
      const challenge = yield* challengeNow
      const again = challenged(yield* answer({ ...challenge, realm: "extra.example.com" }), failed)
      assert.strictEqual(again.realm, REALM)
      const header = answerChallenge(challenge, right)!
      challenged(yield* ask(header.replace(`realm="${REALM}"`, "realm=\"extra.example.com\"")), failed)
    }).pipe(digest()))

  it.effect("R4976-9.1-16 -27 an algorithm that was not offered", () =>
    Effect.gen(function*() {
      const challenge = yield* challengeNow
      const header = answerChallenge({ ...challenge, algorithm: "MD5" }, right)!
      challenged(yield* ask(header), failed)
      challenged(yield* ask(header.replace("algorithm=MD5, ", "")), failed)
      challenged(yield* ask(header.replace("=MD5", "=MD5-sess")), failed)
      expect(yield* answer(challenge), "Granted")
    }).pipe(digest({ algorithms: ["SHA-256"] })))

  it.effect("R7616-3.4-01 an algorithm which the user has no H(A1) for", () =>
    Effect.gen(function*() {
      const challenge = yield* challengeNow
      challenged(yield* answer({ ...challenge, algorithm: "MD5" }), failed)
      expect(yield* answer(challenge), "Granted")
    }).pipe(digest(
      {},
      Layer.effect(
        Credentials,
        Effect.gen(function*() {
          const { lookup } = yield* Credentials
          return Credentials.make(lookup)
        })
      ).pipe(Layer.provide(ha1Users(["SHA-256"])))
    )))

  it.effect("R4976-9.1-19 -26 R7616-3.4-02 what is malformed, with 400", () =>
    Effect.gen(function*() {
      const header = answerChallenge(yield* challengeNow, right)!
      const changes: ReadonlyArray<readonly [string, string]> = [
        ["Digest username=\"alice\"", "Digest realm=\"\\"],
        ["nc=00000001", "nc=1"],
        ["nc=00000001, ", ""],
        ["cnonce=\"0a4f113bQe\", ", ""],
        ["qop=auth, ", ""],
        ["qop=auth", "qop=auth-int"],
        ["nc=00000001", "nc=00000001, nc=00000002"],
        ["username=", "username*=UTF-8''alice, username="],
        ["username=", "userhash=true, username="]
      ]
      for (const [from, to] of changes) {
        assert.include(header, from)
        assert.strictEqual(expect(yield* ask(header.replace(from, to)), "Rejected").status, 400)
      }
      expect(yield* ask(header), "Granted")
    }).pipe(digest()))

  it.effect("R7616-3.4-04 nothing secret is logged", () =>
    Effect.gen(function*() {
      const lines: Array<string> = []
      const logger = Logger.layer([Logger.map(Logger.formatJson, (line) => void lines.push(line))])
      const header = answerChallenge(yield* challengeNow, { ...right, password: "wrong" })!
      const { attempt } = expect(yield* Effect.provide(ask(header), logger), "Challenge")
      assert.deepStrictEqual(attempt, { username: "alice", reason: "wrong credentials" })
      // Who is asked for the log knows on which connection it was.
      assert.deepStrictEqual(lines, [])
    }).pipe(digest()))
})

describe("a backend of one's own", () => {
  const backend = (lookup: Credentials["Service"]["lookup"]) => Layer.succeed(Credentials, Credentials.make(lookup))

  it.effect("is asked for the user and realm, and told where the client is, and whether it was there before", () => {
    const asked: Array<unknown> = []
    return Effect.gen(function*() {
      expect(yield* answer(yield* challengeNow), "Granted")
      expect(yield* answer(yield* challengeNow), "Granted")
      const user = { username: "alice", realm: REALM, source: "192.0.2.1", relay: undefined }
      assert.deepStrictEqual(asked, [{ ...user, known: false }, { ...user, known: true }])
    }).pipe(digest(
      {},
      backend((user) => {
        asked.push(user)
        return Effect.succeed(Option.some({ _tag: "Password", password: Redacted.make(PASSWORD) }))
      })
    ))
  })

  it.effect("that has the user's H(A1) of another algorithm only: the reason says so, and the answer does not", () =>
    Effect.gen(function*() {
      const challenge = yield* challengeNow
      const known = expect(yield* answer(challenge), "Challenge")
      assert.deepStrictEqual(known.attempt, { username: "alice", reason: "stored for another algorithm" })
      const unknown = expect(yield* answer(challenge, { username: "eve" }), "Challenge")
      assert.deepStrictEqual(unknown.attempt, { username: "eve", reason: "wrong credentials" })
      assert.deepStrictEqual([known.failed, known.stale], [unknown.failed, unknown.stale])
    }).pipe(digest(
      {},
      backend(({ username }) =>
        Effect.succeed(
          username === "alice"
            ? Option.some({ _tag: "Ha1", ha1: { MD5: Redacted.make(ha1("MD5", "alice", REALM, PASSWORD)) } })
            : Option.none()
        )
      )
    )))

  it.effect.each(
    [
      [
        "fails",
        Effect.fail(new CredentialsUnavailable({ backend: "sql", cause: "ECONNREFUSED" })),
        /looked up" reason="the sql credentials cannot be read: ECONNREFUSED"$/
      ],
      [
        "has the user twice",
        Effect.fail(new CredentialsUnavailable({ backend: "sql", cause: "twice", onlyThisUser: true })),
        /looked up" user=alice realm=\S+ reason="the sql credentials of this user cannot be used: twice"$/
      ],
      ["is broken", Effect.die(new Error("bug")), /looked up" reason="a defect: Error"$/]
    ] as const
  )("that %s is unavailable, which is no failure of the user, and one line says why", ([, result, line]) => {
    const lines: Array<string> = []
    const logger = logInto(lines)
    return Effect.gen(function*() {
      expect(yield* answer(yield* challengeNow), "Unavailable")
      assert.lengthOf(lines, 1)
      assert.match(lines[0]!, line)
    }).pipe(digest({}, backend(() => result)), Effect.provide(logger))
  })

  it.effect.each(
    [
      [10_000, {}],
      [3000, { lookupTimeout: "3 seconds" }]
    ] as const
  )("that hangs is unavailable after %d ms", ([millis, options]) =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(answer(yield* challengeNow), { startImmediately: true })
      yield* TestClock.adjust(millis - 1)
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust(1)
      expect(yield* Fiber.join(fiber), "Unavailable")
    }).pipe(digest(options, backend(() => Effect.never)), Effect.provide(Logger.layer([]))))

  it.effect("that remembers is asked once more before credentials count as wrong: a new password is right at once", () => {
    const state = { password: PASSWORD, asked: 0 }
    const remembering = layerCached(backend(() =>
      Effect.sync(() => {
        state.asked++
        return Option.some({ _tag: "Password", password: Redacted.make(state.password) })
      })
    ))
    return Effect.gen(function*() {
      const challenge = yield* challengeNow
      let nc = 0
      const tries = (password: string) => answer(challenge, { password, nc: ++nc })
      expect(yield* tries(PASSWORD), "Granted")
      state.password = "Looking-Glass"
      for (let i = 0; i < 5; i++) expect(yield* tries("Looking-Glass"), "Granted")
      assert.strictEqual(state.asked, 2)
      // No guess is free, and the backend is not asked for each.
      challenged(yield* tries("one"), failed)
      challenged(yield* tries("two"), failed)
      assert.strictEqual(state.asked, 2)
      const third = yield* Effect.forkChild(tries("three"), { startImmediately: true })
      assert.isUndefined(third.pollUnsafe())
      yield* TestClock.adjust("1 seconds")
      challenged(yield* Fiber.join(third), failed)
    }).pipe(digest({ freePerUser: 2 }, remembering))
  })

  it.effect.each(
    [
      ["nothing is remembered", false, 0],
      ["it remembers the user", true, 0],
      ["it remembers an older password", true, 1]
    ] as const
  )("R4976-9.3-08 that is slow lets no more guesses pass that come at once: %s", ([, remembers, changes]) => {
    let password = changes === 1 ? "Looking-Glass" : PASSWORD
    const slow = backend(() =>
      Effect.as(
        Effect.sleep("1 second"),
        Option.some({ _tag: "Password", password: Redacted.make(password) } as const)
      )
    )
    return Effect.gen(function*() {
      const tries = (passwords: ReadonlyArray<string>, source: string) =>
        Effect.gen(function*() {
          const challenge = yield* challengeNow
          const all = passwords.map((password, i) =>
            ask(answerChallenge(challenge, { ...right, password, nc: i + 1 }), URI, REALM, source)
          )
          const fiber = yield* Effect.forkChild(Effect.all(all, { concurrency: "unbounded" }))
          yield* TestClock.adjust("1 minute")
          return (yield* Fiber.join(fiber)).map(({ _tag }) => _tag)
        })
      if (remembers) assert.deepStrictEqual(yield* tries([password], "192.0.2.9"), ["Granted"])
      password = PASSWORD
      const guesses = [...Array.from({ length: 50 }, (_, i) => `guess ${i}`), PASSWORD]
      const outcome = yield* tries(guesses, "192.0.2.1")
      // Two are free, the third is the first that is answered late, and beside it four may be under way.
      assert.deepStrictEqual(outcome, [...Array(7).fill("Challenge"), ...Array(44).fill("Unavailable")])
      // Those who are right wait for nothing, as many as they are; a new password is right for each.
      assert.deepStrictEqual(yield* tries(Array(50).fill(PASSWORD), "192.0.2.2"), Array(50).fill("Granted"))
    }).pipe(digest({ freePerUser: 2 }, remembers ? layerCached(slow, { timeToLive: "1 hour" }) : slow))
  })

  it.effect("R4976-5.1-09 two AUTHs at once with one count: one of them is stale", () =>
    Effect.gen(function*() {
      const challenge = yield* challengeNow
      const both = yield* Effect.all([answer(challenge), answer(challenge)], { concurrency: 2 })
      assert.deepStrictEqual(both.map((one) => one._tag).sort(), ["Challenge", "Granted"])
      for (const one of both) if (one._tag === "Challenge") challenged(one, stale)
    }).pipe(digest(
      {},
      backend(() =>
        Effect.as(Effect.yieldNow, Option.some({ _tag: "Password", password: Redacted.make(PASSWORD) } as const))
      )
    )))
})

describe("options that change", () => {
  it.effect("count from then on, also while the layer is still being built", () =>
    Effect.gen(function*() {
      /** Replaces the options this many turns after the layer began to follow them. */
      const replacedAfter = (turns: number) =>
        Effect.gen(function*() {
          const options = AtomRef.make<DigestOptions>({})
          let isFollowed = false
          const live: AtomRef.ReadonlyRef<DigestOptions> = Object.assign(Object.create(options), {
            subscribe: (listener: (options: DigestOptions) => void) => {
              isFollowed = true
              return options.subscribe(listener)
            }
          })
          const building = yield* Authenticator.layerDigest(live).pipe(
            Layer.provide(users),
            Layer.build,
            // The fiber that builds the layer yields every few steps.
            Effect.provideService(MaxOpsBeforeYield, 3),
            Effect.forkChild({ startImmediately: true })
          )
          while (!isFollowed) yield* Effect.yieldNow
          for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow
          const isBuilt = building.pollUnsafe() !== undefined
          options.set({ realmsWithoutMd5: [REALM] })
          const decision = yield* Effect.provideContext(ask(undefined), yield* Fiber.join(building))
          assert.lengthOf(expect(decision, "Challenge").wwwAuthenticate, 1, `replaced after ${turns} turns`)
          return isBuilt
        }).pipe(Effect.scoped)
      let turns = 0
      while (!(yield* replacedAfter(turns))) turns++
      assert.isAbove(turns, 5)
    }))
})
