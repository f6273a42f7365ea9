import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { type Challenge, strongestChallenge } from "../../src/protocol/digest/Challenge.ts"
import { parseUri } from "../../src/protocol/Uri.ts"
import { type Frame, header, headers, request, type WorldOptions } from "../support/harness.ts"
import { group } from "./group.ts"

/** Of the 401s, who reads one WWW-Authenticate only: the first, or the last. */
const challengeAt = (frame: Frame, index: number): Challenge =>
  strongestChallenge([headers(frame, "WWW-Authenticate").at(index)!])!

/** The same words of Authorization, with the value of one parameter changed. */
const change = (authorization: string, name: string, value: string): string =>
  authorization.replace(new RegExp(`(\\b${name}=)("[^"]*"|[^,]*)`), `$1${value}`)

const isStale = (frame: Frame): boolean => /stale=true/i.test(headers(frame, "WWW-Authenticate").join())

group("M. Digest", ({ scenario, timed }) => {
  scenario(
    "R4976-9.1-20 R4976-9.1-22: qop and nc unquoted; Authentication-Info repeats cnonce and nc",
    (world) =>
      Effect.gen(function*() {
        const peer = yield* world.connect
        const from = world.party()
        const challenge = yield* world.challenge(peer, from)
        const plain = world.authorization(challenge, { cnonce: "Ab,c=1", nc: 10 })
        assert.match(plain, /qop=auth\b.*nc=0000000a|nc=0000000a.*qop=auth\b/)
        const granted = yield* world.auth(peer, from, plain)
        assert.strictEqual(granted.status, 200)
        const info = header(granted, "Authentication-Info")!
        assert.match(info, /cnonce="Ab,c=1"/)
        assert.match(info, /\bnc=0000000a\b/)
        assert.match(info, /\bqop=auth\b/)
        const quoted = world.authorization(challenge, { nc: 11 }).replace("qop=auth", "qop=\"auth\"")
        assert.strictEqual((yield* world.auth(peer, from, quoted)).status, 200)
      })
  )

  scenario(
    "R4976-9.1-27: no algorithm is MD5; one that was not offered is not taken",
    (world) =>
      Effect.gen(function*() {
        const peer = yield* world.connect
        const from = world.party()
        const challenged = yield* world.auth(peer, from)
        const md5 = world.authorization(challengeAt(challenged, -1))
        assert.include(md5, "algorithm=MD5")
        assert.strictEqual((yield* world.auth(peer, from, md5.replace(/,? ?algorithm=MD5/, ""))).status, 200)
        const sha = world.authorization(challengeAt(challenged, 0), { nc: 2 })
        assert.strictEqual((yield* world.auth(peer, from, sha.replace(/,? ?algorithm=SHA-256/, ""))).status, 401)
        for (const algorithm of ["SHA-512-256", "MD5-sess", "none"]) {
          const other = sha.replace("SHA-256", algorithm)
          assert.include([400, 401], (yield* world.auth(peer, from, other)).status)
        }
      })
  )

  scenario(
    "R4976-9.1-32: the count may jump forward, is hexadecimal, and has eight digits",
    (world) =>
      Effect.gen(function*() {
        const peer = yield* world.connect
        const from = world.party()
        const challenge = yield* world.challenge(peer, from)
        const statuses = []
        for (const nc of [9, 10, 0xff, 0x100, 0xfffffff, 0x100]) {
          statuses.push((yield* world.auth(peer, from, world.authorization(challenge, { nc }))).status)
        }
        assert.deepStrictEqual(statuses, [200, 200, 200, 200, 200, 401])
        for (const nc of ["1", "000000010", "0000000g", "\"\"", "-0000001"]) {
          const answer = yield* world.auth(peer, from, change(world.authorization(challenge, { nc: 1 }), "nc", nc))
          assert.strictEqual(answer.status, 400, nc)
        }
      }),
    { limits: { unsuccessful: 1000, failedAuths: 1 } }
  )

  scenario("R4976-9.1-34: nextnonce is an offer; the nonce of before goes on", (world) =>
    Effect.gen(function*() {
      const peer = yield* world.connect
      const from = world.party()
      const challenge = yield* world.challenge(peer, from)
      for (let nc = 1; nc <= 4; nc++) {
        const answer = yield* world.auth(peer, from, world.authorization(challenge, { nc }))
        assert.isTrue(answer.status === 200 || (answer.status === 401 && isStale(answer)))
      }
      assert.strictEqual(world.relay.counters.failedAuths, 0)
    }))

  scenario(
    "R4976-9.1-35 R4976-9.1-36: each 401 has a nonce of its own, good on any connection and for any address",
    (world) =>
      Effect.gen(function*() {
        const nonces = new Set<string>()
        const one = yield* world.connect
        const from = world.party()
        for (let i = 0; i < 20; i++) {
          const challenged = yield* world.auth(one, from)
          for (const value of headers(challenged, "WWW-Authenticate")) nonces.add(/nonce="([^"]+)"/.exec(value)![1]!)
        }
        assert.isAtLeast(nonces.size, 20)
        const beginnings = new Set([...nonces].map((nonce) => nonce.slice(-8)))
        assert.strictEqual(beginnings.size, nonces.size)
        const challenge = yield* world.challenge(one, from)
        yield* one.close
        const other = yield* world.connect
        assert.strictEqual((yield* world.auth(other, from, world.authorization(challenge))).status, 200)
      }),
    { limits: { unsuccessful: 1000 } }
  )

  const clients = [
    ["takes the strongest", (frame: Frame) => strongestChallenge(headers(frame, "WWW-Authenticate"))!],
    ["reads the last header only and knows MD5", (frame: Frame) => challengeAt(frame, -1)],
    ["reads the first header only", (frame: Frame) => challengeAt(frame, 0)],
    [
      "takes the first MD5 one",
      (frame: Frame) =>
        strongestChallenge([headers(frame, "WWW-Authenticate").find((value) => value.includes("MD5"))!])!
    ]
  ] as const
  for (const [what, choose] of clients) {
    scenario(`R7616-3.7-03: two challenges, and a client that ${what}`, (world) =>
      Effect.gen(function*() {
        const peer = yield* world.connect
        const from = world.party()
        const challenge = choose(yield* world.auth(peer, from))
        assert.strictEqual((yield* world.auth(peer, from, world.authorization(challenge))).status, 200)
      }))
  }

  scenario("R7616-3.4-01: a realm can be without MD5", (world) =>
    Effect.gen(function*() {
      const peer = yield* world.connect
      const from = world.party()
      const challenged = yield* world.auth(peer, from)
      assert.lengthOf(headers(challenged, "WWW-Authenticate"), 1)
      const sha = challengeAt(challenged, 0)
      assert.strictEqual(sha.algorithm, "SHA-256")
      const md5 = world.authorization({ ...sha, algorithm: "MD5" })
      assert.strictEqual((yield* world.auth(peer, from, md5)).status, 401)
      assert.strictEqual((yield* world.auth(peer, from, world.authorization(sha, { nc: 2 }))).status, 200)
    }), { digest: { realmsWithoutMd5: ["LocalHost"] } })

  const spelled: ReadonlyArray<readonly [string, RegExp, ReadonlyArray<string>, WorldOptions]> = [
    ["a name", /localhost/, ["%6cocalhost", "LOCALHOST", "%4Cocal%68ost"], {}],
    ["an address", /\[.*\]/, ["[2001:db8::1]", "[2001:0DB8:0::0:1]", "[2001:db8::0.0.0.1]"], {
      uris: [parseUri("msrp://[2001:DB8:0:0::1]:2855;tcp")!],
      digest: { realmsWithoutMd5: ["2001:db8::1"] }
    }]
  ]
  for (const [what, host, spellings, options] of spelled) {
    scenario(
      `R4976-5.1-04 R4975-6.1-04 R4975-6.1-05: the realm is the host that is configured, however a client spells it: ${what}`,
      (world) =>
        Effect.gen(function*() {
          const realm = options.uris === undefined ? "localhost" : "2001:db8::1"
          for (const spelling of spellings) {
            const peer = yield* world.connect
            const from = world.party()
            const uri = world.uri.replace(host, spelling)
            peer.write(request("AUTH", { to: uri, from }))
            const challenges = headers(yield* peer.next, "WWW-Authenticate")
            // MD5 is not offered there, either.
            assert.lengthOf(challenges, 1)
            const challenge = strongestChallenge(challenges)!
            assert.strictEqual(challenge.realm, realm)
            peer.write(request("AUTH", { to: uri, from, headers: [world.authorization(challenge, { uri })] }))
            const granted = yield* peer.next
            assert.strictEqual(granted.status, 200)
            const id = /\/([^/;]+);tcp$/.exec(header(granted, "Use-Path")!)![1]!
            assert.strictEqual(world.sessions.findUnsafe(id)?.realm, realm)
          }
          // All of them are one user's.
          const last = yield* world.connect
          assert.strictEqual((yield* world.auth(last, world.party())).status, 401)
          assert.strictEqual((yield* Effect.exit(world.login({ peer: last })))._tag, "Failure")
        }),
      {
        ...options,
        sessions: { maxSessionsPerUser: spellings.length },
        digest: { realmsWithoutMd5: ["localhost"], ...options.digest }
      }
    )
  }

  scenario("R7616-3.7-03: an operator can offer MD5 alone", (world) =>
    Effect.gen(function*() {
      const peer = yield* world.connect
      const challenged = yield* world.auth(peer, world.party())
      assert.strictEqual(headers(challenged, "WWW-Authenticate").length, 1)
      assert.include(header(challenged, "WWW-Authenticate"), "MD5")
      yield* world.login()
    }), { digest: { algorithms: ["MD5"] } })

  timed("R4976-9.1-35: a nonce ends with its time, however it is used", (world) =>
    Effect.gen(function*() {
      const peer = yield* world.connect
      const from = world.party()
      const challenge = yield* world.challenge(peer, from)
      assert.strictEqual((yield* world.auth(peer, from, world.authorization(challenge))).status, 200)
      yield* TestClock.adjust("1 hour")
      const late = yield* world.auth(peer, from, world.authorization(challenge, { nc: 2 }))
      assert.deepStrictEqual([late.status, isStale(late)], [401, true])
    }))
})
