import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { type Challenge, strongestChallenge } from "../../src/protocol/digest/Challenge.ts"
import { header, headers, request, send, summary } from "../support/harness.ts"
import { group } from "./group.ts"

group("L. AUTH", ({ scenario, timed }) => {
  scenario(
    "R4976-9.1-01 R4976-9.1-40 R4976-9.1-15 R4976-9.1-18: nothing but a Digest that is right is let in",
    (world) =>
      Effect.gen(function*() {
        const peer = yield* world.connect
        const from = world.party()
        const tries = [
          undefined,
          "Basic YWxpY2U6d29uZGVybGFuZA==",
          "Bearer abc",
          "Digest username=\"alice\", realm=\"localhost\", nonce=\"\", uri=\"x\", response=\"\"",
          "Digest username=\"\", realm=\"\", nonce=\"\", uri=\"\", response=\"\", qop=auth, nc=00000001, cnonce=\"\""
        ]
        for (const authorization of tries) {
          const answer = yield* world.auth(
            peer,
            from,
            ...(authorization === undefined ? [] : [`Authorization: ${authorization}`])
          )
          assert.include([400, 401], answer.status)
          assert.isUndefined(header(answer, "Use-Path"))
          for (const value of headers(answer, "WWW-Authenticate")) {
            assert.match(value, /^Digest /)
            assert.notMatch(value, /auth-int|-sess|domain=/i)
            assert.match(value, /qop="auth"/)
          }
        }
        const challenge = yield* world.challenge(peer, from)
        for (
          const [pattern, other] of [["qop=auth", "qop=auth-int"], ["algorithm=SHA-256", "algorithm=MD5-sess"]] as const
        ) {
          const authorization = world.authorization(challenge)
          assert.include(authorization, pattern)
          const answer = yield* world.auth(peer, from, authorization.replace(pattern, other))
          assert.include([400, 401], answer.status)
        }
        assert.strictEqual(world.relay.gauges().sessions, 0)
      }),
    { limits: { unsuccessful: 1000, failedAuths: 1000 } }
  )

  scenario(
    "R4976-9.1-01: of several Authorization header fields the first counts that answers a challenge",
    (world) =>
      Effect.gen(function*() {
        const peer = yield* world.connect
        const from = world.party()
        const values = headers(yield* world.auth(peer, from), "WWW-Authenticate")
        const [sha, md5] = ["SHA-256", "MD5"].map((name) =>
          strongestChallenge(values.filter((value) => value.includes(`algorithm=${name}`)))!
        ) as [Challenge, Challenge]
        let nc = 0
        const right = (challenge: Challenge) => world.authorization(challenge, { nc: ++nc })
        const wrong = (challenge: Challenge) => world.authorization(challenge, { nc: ++nc, password: "guess" })
        const unknown = () => right(sha).replace("algorithm=SHA-256", "algorithm=SHA-512-256")
        const elsewhere = () => wrong({ ...sha, realm: "elsewhere" })
        const letIn = [
          [right(sha), right(md5)],
          [right(md5), right(sha)],
          [right(sha), wrong(md5)],
          [unknown(), right(md5)],
          [elsewhere(), unknown(), right(sha)],
          ["Authorization: Basic YWxpY2U6d29uZGVybGFuZA==", "Authorization: Digest username=\"alice", right(md5)]
        ]
        for (const lines of letIn) assert.strictEqual((yield* world.auth(peer, from, ...lines)).status, 200)
        // One request is one guess.
        assert.strictEqual((yield* world.auth(peer, from, wrong(sha), right(md5))).status, 401)
        assert.strictEqual((yield* world.auth(peer, from, elsewhere(), unknown())).status, 401)
        assert.strictEqual(world.relay.counters.failedAuths, 2)
      })
  )

  scenario(
    "R4976-5.1-08: who asks is the user of the digest, not the one of the URI",
    (world) =>
      Effect.gen(function*() {
        const peer = yield* world.connect
        const from = world.party()
        const to = world.uri.replace("://", "://carol@")
        peer.write(request("AUTH", { to, from }))
        const challenge = strongestChallenge(headers(yield* peer.next, "WWW-Authenticate"))!
        // The text of the URI is hashed as it stands in To-Path, its user part included.
        const wrong = world.authorization(challenge, { username: "alice", uri: world.uri })
        peer.write(request("AUTH", { to, from, headers: [wrong] }))
        assert.strictEqual((yield* peer.next).status, 401)
        const right = world.authorization(challenge, { username: "alice", uri: to, nc: 2 })
        peer.write(request("AUTH", { to, from, headers: [right] }))
        const granted = yield* peer.next
        assert.strictEqual(granted.status, 200)
        const id = /\/([^/;]+);tcp$/.exec(header(granted, "Use-Path")!)![1]!
        assert.strictEqual(world.sessions.findUnsafe(id)?.username, "alice")
      })
  )

  scenario(
    "R4976-6.3-10 R6714-4-01: no name in From-Path is compared with where the connection comes from",
    (world) =>
      Effect.gen(function*() {
        const uris = [
          "msrps://abc.invalid:9/x;ws",
          "msrp://192.0.2.77:7394/2s93i;tcp",
          "msrp://[2001:db8::1]:1/x;tcp",
          "msrps://somebody@elsewhere.example.net:2855/y;dc"
        ]
        for (const uri of uris) {
          const owner = yield* world.login({ uri })
          const { bob } = yield* world.join(owner)
          owner.peer.write(send({ to: owner.usePath, from: uri }))
          assert.strictEqual((yield* owner.peer.next).status, 200)
          yield* bob.close
        }
      })
  )

  timed(
    "R4976-9.4-01 R4976-6.3-23 R4976-5.1-02: no traffic, keep-alive or AUTH for it prolongs a session URI",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login({ headers: ["Expires: 60"] })
        const { bob, bobUri } = yield* world.join(alice)
        for (let i = 0; i < 5; i++) {
          yield* TestClock.adjust("11 seconds")
          alice.peer.write(send({ to: alice.usePath, from: alice.uri }))
          assert.strictEqual((yield* alice.peer.next).status, 200)
          alice.peer.write(request("AUTH", { to: alice.usePath, from: alice.uri }))
          assert.strictEqual((yield* alice.peer.next).status, 403)
          bob.write(send({ to: `${alice.usePath} ${alice.uri}`, from: bobUri, body: "x" }))
          assert.strictEqual((yield* bob.next).status, 200)
          alice.peer.answer(yield* alice.peer.next)
        }
        yield* TestClock.adjust("5 seconds")
        alice.peer.write(send({ to: alice.usePath, from: alice.uri }))
        assert.strictEqual(summary(yield* alice.peer.next), "481 | $")
      })
  )

  timed(
    "R4976-3.1-01: each of a client's session URIs ends at its own time, and takes no other with it",
    (world) =>
      Effect.gen(function*() {
        const first = yield* world.login({ headers: ["Expires: 60"] })
        const { peer, uri } = first
        yield* TestClock.adjust("10 seconds")
        const second = yield* world.login({ peer, uri, headers: ["Expires: 60"] })
        const third = yield* world.login({ peer, uri, headers: ["Expires: 20"] })
        const alive = Effect.fnUntraced(function*() {
          const statuses: Array<number> = []
          for (const { usePath } of [first, second, third]) {
            peer.write(send({ to: usePath, from: uri }))
            statuses.push((yield* peer.next).status)
          }
          return statuses
        })
        assert.deepStrictEqual(yield* alive(), [200, 200, 200])
        yield* TestClock.adjust("20 seconds")
        assert.deepStrictEqual(yield* alive(), [200, 200, 481])
        yield* TestClock.adjust("30 seconds")
        assert.deepStrictEqual(yield* alive(), [481, 200, 481])
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual(yield* alive(), [481, 481, 481])
      })
  )
})
