/** AUTH: challenges, session URIs and their intervals, and what is refused. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { verifyRspauth } from "../../../src/protocol/digest/Answer.ts"
import { strongestChallenge } from "../../../src/protocol/digest/Challenge.ts"
import type { DigestAlgorithm } from "../../../src/protocol/digest/Digest.ts"
import { parseUri } from "../../../src/protocol/Uri.ts"
import { type Frame, header, headers, nextId, request, send, summary, until } from "../harness.ts"
import { ScenarioGroup } from "./ScenarioGroup.ts"

/** The headers of a challenge, but for the nonce, which is new in each. */
const withoutNonce = (frame: Frame) => frame.headers.map(([name, value]) => [name, value.replace(/nonce="[^"]*"/, "")])

export const auth = new ScenarioGroup("AUTH")
const { scenario } = auth

scenario(
  "is challenged, then gives Use-Path, Expires and the relay's proof (R4976-5.1-03, 6.3-04, 9.1-02, R4975-7.2-05)",
  function*(world) {
    for (const algorithm of ["SHA-256", "MD5"] satisfies Array<DigestAlgorithm>) {
      const peer = yield* world.connect
      const from = world.party("alice")
      const to = world.uri.replace("://", "://alice@")
      const id = nextId()
      peer.write(request("AUTH", { id, to, from }))
      const challenged = yield* peer.next
      assert.deepStrictEqual(
        [challenged.id, challenged.status, challenged.to, challenged.from],
        [id, 401, from, to]
      )
      const values = headers(challenged, "WWW-Authenticate")
      assert.deepStrictEqual(values.map((value) => /algorithm="?([\w-]+)/.exec(value)![1]), ["SHA-256", "MD5"])
      for (const value of values) {
        assert.include(value, `realm="localhost"`)
        assert.match(value, /qop="auth"/)
        assert.notMatch(value, /stale=true/i)
      }
      assert.strictEqual(challenged.headers.length, 2)

      const challenge = strongestChallenge(values.filter((value) => value.includes(algorithm)))!
      const answer = { username: "alice", password: "wonderland", nc: 1, cnonce: "0a4f113b", uri: to }
      peer.write(request("AUTH", { to, from, headers: [world.authorization(challenge, answer)] }))
      const granted = yield* peer.next
      assert.deepStrictEqual([granted.status, granted.to, granted.from], [200, from, to])
      const usePath = header(granted, "Use-Path")!
      assert.match(usePath, /^msrps?:\/\/localhost:\d+\/[A-Za-z0-9\-._~+=/]{16,};tcp$/)
      assert.isTrue(usePath.startsWith(world.uri.slice(0, -";tcp".length)))
      assert.strictEqual(header(granted, "Expires"), "1800")
      assert.isTrue(verifyRspauth(header(granted, "Authentication-Info")!, challenge, answer))
      assert.strictEqual(world.relay.counters.failedAuths, 0)
    }
    assert.strictEqual(world.relay.gauges().sessions, 2)
  }
)

scenario(
  "gives another URI each time, also with the next nonce (R4976-3.1-01, X03)",
  function*(world) {
    const { granted, peer, uri, usePath } = yield* world.login()
    const nextNonce = /nextnonce="([^"]+)"/.exec(header(granted, "Authentication-Info")!)![1]!
    const challenge = yield* world.challenge(peer, uri)
    const again = yield* world.auth(peer, uri, world.authorization({ ...challenge, nonce: nextNonce }))
    assert.strictEqual(again.status, 200)
    const second = header(again, "Use-Path")!
    assert.notStrictEqual(second, usePath)
    for (const to of [usePath, second]) {
      peer.write(send({ to, from: uri }))
      assert.strictEqual((yield* peer.next).status, 200)
    }
  }
)

scenario(
  "bounds the interval with 423, which does not use up the nonce (R4976-6.3-03, 6.3-06, 6.3-07, 6.3-09, 7-02)",
  function*(world) {
    const peer = yield* world.connect
    const from = world.party()
    const unknown = yield* world.auth(peer, from, "Expires: 5")
    assert.strictEqual(unknown.status, 401)
    const challenge = strongestChallenge(headers(unknown, "WWW-Authenticate"))!
    let nc = 0
    const ask = (expires?: string) =>
      world.auth(
        peer,
        from,
        world.authorization(challenge, { nc: ++nc }),
        ...(expires === undefined ? [] : [`Expires: ${expires}`])
      )
    for (const low of ["59", "0"]) assert.strictEqual(summary(yield* ask(low)), "423 | Min-Expires: 60 | $")
    for (const high of ["601", "123456789012", "9".repeat(40)]) {
      assert.strictEqual(summary(yield* ask(high)), "423 | Max-Expires: 600 | $")
    }
    for (
      const [asked, given] of [["60", "60"], ["600", "600"], ["0000100", "100"], [undefined, "600"]] as const
    ) {
      const granted = yield* ask(asked)
      assert.deepStrictEqual([granted.status, header(granted, "Expires")], [200, given])
    }
    assert.strictEqual(world.relay.gauges().sessions, 4)
  },
  { authMinExpires: 60, authMaxExpires: 600 }
)

scenario("without bounds refuses only an interval of nothing (R4976-6.3-08)", function*(world) {
  const peer = yield* world.connect
  const from = world.party()
  const challenge = yield* world.challenge(peer, from)
  const none = yield* world.auth(peer, from, world.authorization(challenge), "Expires: 0")
  assert.strictEqual(summary(none), "423 | Min-Expires: 1 | $")
  const one = yield* world.auth(peer, from, world.authorization(challenge, { nc: 2 }), "Expires: 1")
  assert.strictEqual(header(one, "Expires"), "1")
  // "no longer than" what was asked (R4976-5.1-06)
  const year = "31536000"
  for (
    const [nc, asked, given] of [[3, "604800", "604800"], [4, year, year], [5, "999999999999", year]] as const
  ) {
    const long = yield* world.auth(peer, from, world.authorization(challenge, { nc }), `Expires: ${asked}`)
    assert.deepStrictEqual([long.status, header(long, "Expires")], [200, given])
  }
})

scenario(
  "400 for an Expires that is no number, and for a malformed Authorization (R4976-7-02, 6.3-51)",
  function*(world) {
    const peer = yield* world.connect
    const from = world.party()
    const authorization = world.authorization(yield* world.challenge(peer, from))
    for (const expires of ["abc", "-5", "", "1.5", "1e3", "+7"]) {
      const answer = yield* world.auth(peer, from, authorization, `Expires: ${expires}`)
      assert.strictEqual(summary(answer), "400 | $", expires)
    }
    assert.strictEqual((yield* world.auth(peer, from, "Authorization: Digest username=\"alice")).status, 400)
    assert.strictEqual(
      (yield* world.auth(peer, from, "Authorization: Basic YWxpY2U6d29uZGVybGFuZA==")).status,
      401
    )
    // none of them has used the nonce
    assert.strictEqual((yield* world.auth(peer, from, authorization)).status, 200)
  }
)

scenario(
  "403 behind a client, for a session URI, and for the bare name in transit (R4976-6.3-34, 5.1-01, 5.1-02)",
  function*(world) {
    const { peer, uri, usePath } = yield* world.login()
    const before = world.relay.gauges().sessions
    assert.strictEqual((yield* world.auth(peer, `msrp://other.invalid:9/x;tcp ${uri}`)).status, 403)
    peer.write(request("AUTH", { to: usePath, from: uri }))
    assert.strictEqual((yield* peer.next).status, 403)
    peer.write(request("AUTH", { to: `${world.uri} msrps://other.invalid:2855;tcp`, from: uri }))
    assert.strictEqual((yield* peer.next).status, 403)
    assert.strictEqual(world.relay.gauges().sessions, before)
  }
)

scenario(
  "does not tell an unknown user from a wrong password (R4976-10.3-01, X05)",
  function*(world) {
    const peer = yield* world.connect
    const from = world.party()
    const challenge = yield* world.challenge(peer, from)
    const wrong = yield* world.auth(peer, from, world.authorization(challenge, { password: "x" }))
    const nobody = yield* world.auth(
      peer,
      from,
      world.authorization(challenge, { username: "nobody", password: "x", nc: 2 })
    )
    assert.deepStrictEqual([wrong.status, nobody.status], [401, 401])
    assert.deepStrictEqual(withoutNonce(wrong), withoutNonce(nobody))
    assert.notMatch(summary(wrong), /stale=true/i)
    assert.strictEqual(world.relay.counters.failedAuths, 2)
    assert.strictEqual(world.relay.gauges().sessions, 0)
  }
)

scenario("a count seen before is stale, not failed (R4976-5.1-09, 6.3-41)", function*(world) {
  const peer = yield* world.connect
  const from = world.party()
  const challenge = yield* world.challenge(peer, from)
  assert.strictEqual((yield* world.auth(peer, from, world.authorization(challenge, { nc: 2 }))).status, 200)
  for (const nc of [2, 1]) {
    const replayed = yield* world.auth(peer, from, world.authorization(challenge, { nc }))
    assert.strictEqual(replayed.status, 401)
    for (const value of headers(replayed, "WWW-Authenticate")) assert.match(value, /stale=true/i)
  }
  assert.strictEqual((yield* world.auth(peer, from, world.authorization(challenge, { nc: 3 }))).status, 200)
  assert.strictEqual(world.relay.counters.failedAuths, 0)
})

scenario(
  "several failures close the connection, after the last answer (R4976-6.3-40)",
  function*(world) {
    const { peer, uri, usePath } = yield* world.login()
    const other = yield* world.connect
    let challenge = yield* world.challenge(peer, uri)
    for (const _ of [1, 2, 3]) {
      const answer = yield* world.auth(peer, uri, world.authorization(challenge, { password: "wrong" }))
      assert.strictEqual(answer.status, 401)
      challenge = strongestChallenge(headers(answer, "WWW-Authenticate"))!
      if (world.relay.counters.failedAuths < 3) {
        // in between: neither a first challenge nor success starts the count anew or adds to it
        assert.strictEqual((yield* world.auth(peer, uri)).status, 401)
      }
    }
    peer.write(send({ to: usePath, from: uri }))
    yield* peer.ends
    yield* until(() => world.relay.gauges().sessions === 0, "the end of the session")
    yield* other.quiet
  },
  { limits: { failedAuths: 3 } }
)

scenario(
  "takes the realm from the URI that was addressed, which may lack its port (R4976-5.1-10, C-35)",
  function*(world) {
    const peer = yield* world.connect
    const from = world.party()
    for (const to of [`${world.scheme}://a.example.com:2855;tcp`, `${world.scheme}://b.example.com;tcp`]) {
      peer.write(request("AUTH", { to, from }))
      const challenged = yield* peer.next
      const realm = to.includes("b.") ? "b.example.com" : "a.example.com"
      const values = headers(challenged, "WWW-Authenticate")
      assert.deepStrictEqual(values.map((value) => /realm="([^"]*)"/.exec(value)![1]), [realm, realm])
      const authorization = world.authorization(strongestChallenge(values)!, { uri: to })
      peer.write(request("AUTH", { to, from, headers: [authorization] }))
      const granted = yield* peer.next
      assert.strictEqual(granted.status, 200)
      assert.isTrue(header(granted, "Use-Path")!.startsWith(`${world.scheme}://${realm}:2855/`))
    }
  },
  (scheme) => ({
    uris: [parseUri(`${scheme}://a.example.com:2855;tcp`)!, parseUri(`${scheme}://b.example.com:2855;tcp`)!]
  })
)

scenario("takes the realm from the setting (R4976-5.1-04)", function*(world) {
  const peer = yield* world.connect
  const challenged = yield* world.auth(peer, world.party())
  for (const value of headers(challenged, "WWW-Authenticate")) assert.include(value, `realm="our realm"`)
  yield* world.login()
}, { authRealm: "our realm" })

scenario(
  "without TLS is refused by policy: no challenge, then the end (R4976-9.2-01, 9.2-21)",
  function*(world) {
    if (world.scheme === "msrps") return void (yield* world.login())
    const peer = yield* world.connect
    assert.strictEqual(summary(yield* world.auth(peer, world.party())), "403 | $")
    yield* peer.ends
  },
  { plaintextAuth: "never" }
)

scenario("what stands behind it in the same octets is handled after it", function*(world) {
  const { peer, uri, usePath } = yield* world.login()
  const challenge = yield* world.challenge(peer, uri)
  const ids = [nextId(), nextId(), nextId(), nextId()] as const
  const auth = (id: string, nc: number) =>
    request("AUTH", { id, to: world.uri, from: uri, headers: [world.authorization(challenge, { nc })] })
  const keepalive = (id: string) => send({ id, to: usePath, from: uri })
  peer.write(Buffer.concat([auth(ids[0], 1), keepalive(ids[1]), auth(ids[2], 2), keepalive(ids[3])]))
  const answers = yield* peer.take(4)
  assert.deepStrictEqual(answers.map(({ id, status }) => [id, status]), ids.map((id) => [id, 200]))
})

scenario(
  "more session URIs than a connection may have are refused, those that ended do not count (R4976-6.3-02)",
  function*(world) {
    const { peer, uri } = yield* world.login()
    const challenge = yield* world.challenge(peer, uri)
    const ask = (nc: number) => Effect.map(world.auth(peer, uri, world.authorization(challenge, { nc })), summary)
    assert.match(yield* ask(1), /^200/)
    assert.strictEqual(yield* ask(2), "403 | $")
    assert.strictEqual(world.relay.gauges().sessions, 2)
  },
  { limits: { sessionsPerConnection: 2 } }
)

scenario("no session URI when the repository is full", function*(world) {
  yield* world.login()
  const peer = yield* world.connect
  const from = world.party()
  const challenge = yield* world.challenge(peer, from)
  assert.strictEqual(summary(yield* world.auth(peer, from, world.authorization(challenge))), "403 | $")
}, { sessions: { maxSessions: 1 } })
