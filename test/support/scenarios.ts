/** What a relay does where time does not matter: the same on every transport. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { createHash } from "node:crypto"
import { verifyRspauth } from "../../src/protocol/digest/Answer.ts"
import { strongestChallenge } from "../../src/protocol/digest/Challenge.ts"
import type { DigestAlgorithm } from "../../src/protocol/digest/Digest.ts"
import { parseUri } from "../../src/protocol/Uri.ts"
import type { OptionsError } from "../../src/Relay.ts"
import type { LocalSocket, Transport, TransportError } from "../../src/Transport.ts"
import {
  type Frame,
  header,
  headers,
  makeWorld,
  nextId,
  type Peer,
  request,
  response,
  send,
  summary,
  until,
  type World,
  type WorldOptions
} from "./harness.ts"
import { pattern } from "./Recorder.ts"

/** The values of Failure-Report; absent means yes. */
const failureReports = [undefined, "yes", "partial", "no"] as const
const wantsAnswer = (failureReport: string | undefined) => failureReport === undefined || failureReport === "yes"

/** A challenge without what is new in each. */
const withoutNonce = (frame: Frame) => frame.headers.map(([name, value]) => [name, value.replace(/nonce="[^"]*"/, "")])

const sha256 = (octets: Buffer) => createHash("sha256").update(octets).digest("hex")

/** Answers all SENDs that want it; puts the body together by Byte-Range. */
const collect = (peer: Peer) => {
  const pieces: Array<
    { readonly start: number; readonly range: string; readonly flag: string; readonly body: Buffer }
  > = []
  const state = { pieces, octets: 0, others: [] as Array<Frame> }
  peer.onFrame = (frame) => {
    if (frame.method !== "SEND") return void state.others.push(frame)
    const range = header(frame, "Byte-Range")!
    pieces.push({ start: Number.parseInt(range), range, flag: frame.flag, body: frame.body! })
    state.octets += frame.body!.length
    if (wantsAnswer(header(frame, "Failure-Report"))) peer.answer(frame)
  }
  return state
}

export const scenarios = (
  name: string,
  scheme: LocalSocket["scheme"],
  transport: () => Layer.Layer<Transport, TransportError | OptionsError>,
  by: "tcp" | "ws" = "tcp"
): void => {
  const scenario = (
    title: string,
    body: (world: World) => Effect.Effect<void, TransportError, Scope.Scope>,
    options: WorldOptions = {}
  ): void =>
    it.effect(title, () =>
      Effect.gen(function*() {
        const world = yield* makeWorld({ scheme, by, ...options })
        yield* body(world)
        yield* world.done
      }).pipe(Effect.provide(transport())))

  describe(`${name}: AUTH`, () => {
    scenario(
      "is challenged, then gives Use-Path, Expires and the relay's proof (R4976-5.1-03, 6.3-04, 9.1-02, R4975-7.2-05)",
      (world) =>
        Effect.gen(function*() {
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
        })
    )

    scenario(
      "gives another URI each time, also with the next nonce (R4976-3.1-01, X03)",
      (world) =>
        Effect.gen(function*() {
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
        })
    )

    scenario(
      "bounds the interval with 423, which does not use up the nonce (R4976-6.3-03, 6.3-06, 6.3-07, 6.3-09, 7-02)",
      (world) =>
        Effect.gen(function*() {
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
        }),
      { authMinExpires: 60, authMaxExpires: 600 }
    )

    scenario("without bounds refuses only an interval of nothing (R4976-6.3-08)", (world) =>
      Effect.gen(function*() {
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
      }))

    scenario(
      "400 for an Expires that is no number, and for a malformed Authorization (R4976-7-02, 6.3-51)",
      (world) =>
        Effect.gen(function*() {
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
        })
    )

    scenario(
      "403 behind a client, for a session URI, and for the bare name in transit (R4976-6.3-34, 5.1-01, 5.1-02)",
      (world) =>
        Effect.gen(function*() {
          const { peer, uri, usePath } = yield* world.login()
          const before = world.relay.gauges().sessions
          assert.strictEqual((yield* world.auth(peer, `msrp://other.invalid:9/x;tcp ${uri}`)).status, 403)
          peer.write(request("AUTH", { to: usePath, from: uri }))
          assert.strictEqual((yield* peer.next).status, 403)
          peer.write(request("AUTH", { to: `${world.uri} msrps://other.invalid:2855;tcp`, from: uri }))
          assert.strictEqual((yield* peer.next).status, 403)
          assert.strictEqual(world.relay.gauges().sessions, before)
        })
    )

    scenario(
      "does not tell an unknown user from a wrong password (R4976-10.3-01, X05)",
      (world) =>
        Effect.gen(function*() {
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
        })
    )

    scenario("a count seen before is stale, not failed (R4976-5.1-09, 6.3-41)", (world) =>
      Effect.gen(function*() {
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
      }))

    scenario(
      "several failures close the connection, after the last answer (R4976-6.3-40)",
      (world) =>
        Effect.gen(function*() {
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
        }),
      { limits: { failedAuths: 3 } }
    )

    scenario(
      "takes the realm from the URI that was addressed, which may lack its port (R4976-5.1-10, C-35)",
      (world) =>
        Effect.gen(function*() {
          const peer = yield* world.connect
          const from = world.party()
          for (const to of [`${scheme}://a.example.com:2855;tcp`, `${scheme}://b.example.com;tcp`]) {
            peer.write(request("AUTH", { to, from }))
            const challenged = yield* peer.next
            const realm = to.includes("b.") ? "b.example.com" : "a.example.com"
            const values = headers(challenged, "WWW-Authenticate")
            assert.deepStrictEqual(values.map((value) => /realm="([^"]*)"/.exec(value)![1]), [realm, realm])
            const authorization = world.authorization(strongestChallenge(values)!, { uri: to })
            peer.write(request("AUTH", { to, from, headers: [authorization] }))
            const granted = yield* peer.next
            assert.strictEqual(granted.status, 200)
            assert.isTrue(header(granted, "Use-Path")!.startsWith(`${scheme}://${realm}:2855/`))
          }
        }),
      {
        uris: [parseUri(`${scheme}://a.example.com:2855;tcp`)!, parseUri(`${scheme}://b.example.com:2855;tcp`)!]
      }
    )

    scenario("takes the realm from the setting (R4976-5.1-04)", (world) =>
      Effect.gen(function*() {
        const peer = yield* world.connect
        const challenged = yield* world.auth(peer, world.party())
        for (const value of headers(challenged, "WWW-Authenticate")) assert.include(value, `realm="our realm"`)
        yield* world.login()
      }), { authRealm: "our realm" })

    scenario(
      "without TLS is refused by policy: no challenge, then the end (R4976-9.2-01, 9.2-21)",
      (world) =>
        Effect.gen(function*() {
          if (scheme === "msrps") return void (yield* world.login())
          const peer = yield* world.connect
          assert.strictEqual(summary(yield* world.auth(peer, world.party())), "403 | $")
          yield* peer.ends
        }),
      { plaintextAuth: "never" }
    )

    scenario("what stands behind it in the same octets is handled after it", (world) =>
      Effect.gen(function*() {
        const { peer, uri, usePath } = yield* world.login()
        const challenge = yield* world.challenge(peer, uri)
        const ids = [nextId(), nextId(), nextId(), nextId()] as const
        const auth = (id: string, nc: number) =>
          request("AUTH", { id, to: world.uri, from: uri, headers: [world.authorization(challenge, { nc })] })
        const keepalive = (id: string) => send({ id, to: usePath, from: uri })
        peer.write(Buffer.concat([auth(ids[0], 1), keepalive(ids[1]), auth(ids[2], 2), keepalive(ids[3])]))
        const answers = yield* peer.take(4)
        assert.deepStrictEqual(answers.map(({ id, status }) => [id, status]), ids.map((id) => [id, 200]))
      }))

    scenario(
      "more session URIs than a connection may have are refused, those that ended do not count (R4976-6.3-02)",
      (world) =>
        Effect.gen(function*() {
          const { peer, uri } = yield* world.login()
          const challenge = yield* world.challenge(peer, uri)
          const ask = (nc: number) => Effect.map(world.auth(peer, uri, world.authorization(challenge, { nc })), summary)
          assert.match(yield* ask(1), /^200/)
          assert.strictEqual(yield* ask(2), "403 | $")
          assert.strictEqual(world.relay.gauges().sessions, 2)
        }),
      { limits: { sessionsPerConnection: 2 } }
    )

    scenario("no session URI when the repository is full", (world) =>
      Effect.gen(function*() {
        yield* world.login()
        const peer = yield* world.connect
        const from = world.party()
        const challenge = yield* world.challenge(peer, from)
        assert.strictEqual(summary(yield* world.auth(peer, from, world.authorization(challenge))), "403 | $")
      }), { sessions: { maxSessions: 1 } })
  })

  describe(`${name}: SEND`, () => {
    scenario(
      "goes both ways; a peer that connected in is never dialled (R4976-6.4.1-01..03, 6.4-14, 6.4-22)",
      (world) =>
        Effect.gen(function*() {
          const { alice, bob, bobUri } = yield* world.pair()
          const parties = [
            { at: bob, to: `${alice.usePath} ${alice.uri}`, from: bobUri, other: alice.peer, expected: alice.uri },
            { at: alice.peer, to: `${alice.usePath} ${bobUri}`, from: alice.uri, other: bob, expected: bobUri }
          ]
          for (const { at, expected, from, other, to } of [...parties, ...parties]) {
            const id = nextId()
            at.write(send({ id, to, from, body: "hello" }))
            const answer = yield* at.next
            assert.deepStrictEqual(
              [answer.id, answer.to, answer.from, summary(answer)],
              [id, from, alice.usePath, "200 | $"]
            )
            const frame = yield* other.next
            assert.notStrictEqual(frame.id, id)
            assert.deepStrictEqual([frame.to, frame.from], [expected, `${alice.usePath} ${from}`])
            assert.strictEqual(
              summary(frame),
              "SEND | Message-ID: msg.1 | Byte-Range: 1-5/5 | Content-Type: text/plain | [5] | $"
            )
            assert.strictEqual(frame.body!.toString(), "hello")
            other.answer(frame)
            yield* at.quiet
          }
          assert.strictEqual(world.relay.counters.connectionsDialled, 0)
        })
    )

    scenario(
      "dials the peer once, and keeps the connection (R4976-6.4.2-11, R4975-5.4-21, R4976-3-11)",
      (world) =>
        Effect.gen(function*() {
          const alice = yield* world.login()
          const carol = yield* world.login({ username: "carol" })
          const bob = yield* world.listen
          for (const [body, { peer, uri, usePath }] of [["1", alice], ["2", alice], ["3", carol]] as const) {
            peer.write(send({ to: `${usePath} ${bob.uri}`, from: uri, messageId: `msg.${body}`, body }))
          }
          assert.deepStrictEqual((yield* alice.peer.take(2)).map(summary), ["200 | $", "200 | $"])
          assert.deepStrictEqual((yield* carol.peer.next).status, 200)
          const bobPeer = yield* bob.accepted
          const frames = yield* bobPeer.take(3)
          assert.deepStrictEqual(frames.map(({ body }) => body!.toString()).sort(), ["1", "2", "3"])
          for (const frame of frames) bobPeer.answer(frame)
          const [first] = frames
          // what Bob sends goes back to her over the same connection
          bobPeer.write(send({ to: first!.from, from: bob.uri, body: "back" }))
          assert.strictEqual((yield* bobPeer.next).status, 200)
          const owner = first!.from.includes(alice.usePath) ? alice : carol
          assert.strictEqual((yield* owner.peer.next).body!.toString(), "back")
          assert.strictEqual(bob.peers.length, 1)
        })
    )

    scenario(
      "is copied octet for octet, unknown headers included (R4976-1-02, R4975-9-09, R4975-7.1-08)",
      (world) =>
        Effect.gen(function*() {
          const { alice, bob, bobUri } = yield* world.pair()
          const every = Buffer.from(Array.from({ length: 256 }, (_, octet) => octet))
          const odd = [
            "message-id: odd.1",
            "X-Odd:   blanks in \t front",
            "BYTE-RANGE: 1-256/256",
            "X-UTF-8: \xc3\xa4\xe2\x82\xac \xff\x80 octets",
            "X-Empty: ",
            "X-Twice: 1",
            "X-Twice: 2",
            "success-report: YES",
            "Content-Disposition: attachment; filename=\"a;b\"",
            "content-TYPE: message/cpim;charset=\"utf-8\""
          ]
          const parts = [
            { method: "SEND", headers: odd, body: every },
            {
              method: "SEND",
              headers: ["Message-ID: empty", "Byte-Range: 1-0/0", "Content-Type: text/plain"],
              body: ""
            },
            { method: "SEND", headers: ["Message-ID: none", "Byte-Range: 1-0/0"] },
            {
              method: "SEND",
              headers: ["Message-ID: content", "Byte-Range: 1-10/10", "Content-Type: text/plain"],
              body: "in range\r\n"
            },
            {
              method: "REPORT",
              headers: ["Message-ID: report", "Byte-Range: 7-9/99", "X-Odd: \xff", "Status: 000 200 OK"]
            },
            { method: "NICKNAME", headers: ["Use-Nickname: \"\xc3\xa4\" "] },
            { method: "X", headers: ["X-Y:z", "Content-Type: a/b"], body: every }
          ]
          for (const { method, ...rest } of parts) {
            alice.peer.write(request(method, { ...rest, to: `${alice.usePath} ${bobUri}`, from: alice.uri }))
            const frame = yield* bob.next
            const expected = request(method, {
              ...rest,
              id: frame.id,
              to: bobUri,
              from: `${alice.usePath} ${alice.uri}`
            })
            assert.strictEqual(frame.octets.toString("latin1"), expected.toString("latin1"))
          }
        })
    )

    scenario(
      "has a Byte-Range that is true for what leaves (R4975-7.1.1-13..15, 7.3.1-02, 7.3.1-03, R4976-6.4.1-30)",
      (world) =>
        Effect.gen(function*() {
          const { alice, bob, bobUri } = yield* world.pair()
          const cases: ReadonlyArray<readonly [range: string, octets: number, flag: string, expected: string]> = [
            ["1-*/*", 13, "$", "1-13/13"],
            ["1-*/*", 13, "+", "1-13/*"],
            ["14-*/20", 7, "$", "14-20/20"],
            ["5-99/200", 3, "+", "5-7/200"],
            ["5-6/200", 9, "+", "5-13/200"],
            ["1-2048/2048", 2048, "$", "1-2048/2048"],
            ["1-*/2048", 2048, "$", "1-2048/2048"],
            ["1-2049/2049", 2049, "$", "1-*/2049"],
            ["1-*/*", 2049, "$", "1-*/2049"],
            ["1-999999999999/999999999999", 10, "+", "1-10/999999999999"],
            // a total that the octets go beyond is none; where the message ends is told by its end
            ["1-5/5", 13, "$", "1-13/13"],
            ["1-5/5", 13, "+", "1-13/*"],
            ["3-*/5", 2049, "$", "3-*/2051"],
            // no octets in a body, and no body
            ["5-9/9", 0, "#", "5-4/9"],
            ["1-10/10", -1, "$", "1-0/10"],
            ["1-0/0", -1, "$", "1-0/0"]
          ]
          for (const [index, [range, octets, flag, expected]] of cases.entries()) {
            const body = pattern(Math.max(0, octets))
            alice.peer.write(send({
              to: `${alice.usePath} ${bobUri}`,
              from: alice.uri,
              messageId: `range${index}`,
              range,
              ...(octets < 0 ? {} : { body }),
              flag
            }))
            // a long one may come in pieces
            const pieces: Array<Frame> = []
            const passed = () => Buffer.concat(pieces.map((piece) => piece.body ?? Buffer.alloc(0)))
            do pieces.push(yield* bob.next)
            while (passed().length < octets)
            assert.isTrue(passed().equals(body))
            if (pieces.length === 1) assert.strictEqual(header(pieces[0]!, "Byte-Range"), expected, range)
            assert.strictEqual(pieces.at(-1)!.flag, flag)
          }
        })
    )

    scenario(
      "in several chunks: each is answered, + $ and # stay (R4975-7.1-30..32, 7.3.1-04, X16)",
      (world) =>
        Effect.gen(function*() {
          const { alice, bob, bobUri } = yield* world.pair()
          const chunks = [
            ["one.", "1-4/12", "abcd", "+"],
            ["two.", "1-4/8", "ABCD", "+"],
            ["one.", "9-12/12", "ijkl", "$"],
            ["one.", "5-8/12", "efgh", "+"],
            ["two.", "5-*/8", "EF", "#"]
          ] as const
          for (const [messageId, range, body, flag] of chunks) {
            alice.peer.write(
              send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, messageId, range, body, flag })
            )
          }
          assert.deepStrictEqual((yield* alice.peer.take(5)).map(({ status }) => status), [200, 200, 200, 200, 200])
          const frames = yield* bob.take(5)
          assert.deepStrictEqual(
            frames.map((
              frame
            ) => [header(frame, "Message-ID"), header(frame, "Byte-Range"), frame.body?.toString(), frame.flag]),
            chunks.map(([id, range, body, flag]) => [id, range.replace("*", "6"), body, flag])
          )
          assert.strictEqual(new Set(frames.map(({ id }) => id)).size, 5)
        })
    )

    for (const way of ["to the owner", "from the owner"]) {
      scenario(
        `10 MB in one chunk ${way}: one 200, every octet, one $ (R4975-7.1-33, 7.1.1-12, 7.1-30)`,
        (world) =>
          Effect.gen(function*() {
            const { alice, bob, bobUri } = yield* world.pair()
            const [source, target, to, from] = way === "from the owner"
              ? [alice.peer, bob, `${alice.usePath} ${bobUri}`, alice.uri]
              : [bob, alice.peer, `${alice.usePath} ${alice.uri}`, bobUri]
            const body = pattern(10_000_000, 7)
            const got = collect(target)
            const id = nextId()
            source.write(send({ id, to, from, range: "1-*/10000000", body }))
            const answer = yield* source.next
            assert.deepStrictEqual([answer.id, answer.status], [id, 200])
            yield* until(() => got.octets >= body.length, "the message")
            let next = 1
            for (const { body, range, start } of got.pieces) {
              assert.strictEqual(start, next)
              assert.strictEqual(range, body.length > 2048 ? `${start}-*/10000000` : range)
              next += body.length
            }
            assert.strictEqual(sha256(Buffer.concat(got.pieces.map((piece) => piece.body))), sha256(body))
            assert.deepStrictEqual(
              got.pieces.map(({ flag }) => flag),
              [...Array(got.pieces.length - 1).fill("+"), "$"]
            )
            yield* source.quiet
          })
      )
    }

    scenario(
      "end-lines of other ids, and the relay's own choice of ids (R4975-7.1-09, 7.1-11, 7.1-12, X20)",
      (world) =>
        Effect.gen(function*() {
          const { alice, bob, bobUri } = yield* world.pair()
          const paths = { to: `${alice.usePath} ${bobUri}`, from: alice.uri }
          const decoys =
            "-------trXcky$\r\n-------tr.ckyX$\r\n-------TR.CKY$\r\n------tr.cky$\r\n-------tr.cky\r\nend\r\n"
          alice.peer.write(send({ ...paths, id: "tr.cky", body: decoys }))
          assert.strictEqual((yield* bob.next).body!.toString(), decoys)
          alice.peer.write(send({ ...paths, id: "abc+", range: "1-*/4", body: "ab", flag: "+" }))
          const frame = yield* bob.next
          assert.deepStrictEqual([frame.body!.toString(), frame.flag], ["ab", "+"])
          assert.deepStrictEqual((yield* alice.peer.take(2)).map(({ id }) => id), ["tr.cky", "abc+"])
        })
    )

    scenario(
      "without a body, to the relay itself: alive; with a body: refused (R4975-7.1-21)",
      (world) =>
        Effect.gen(function*() {
          const { peer, uri, usePath } = yield* world.login()
          const stranger = yield* world.connect
          for (const [failureReport, expected] of [["yes", "200 | $"], ["partial", ""], ["no", ""]] as const) {
            peer.write(send({ to: usePath, from: uri, failureReport }))
            if (expected !== "") assert.strictEqual(summary(yield* peer.next), expected)
            yield* peer.quiet
          }
          peer.write(send({ to: usePath, from: uri, body: "for you" }))
          assert.strictEqual(summary(yield* peer.next), "403 | $")
          stranger.write(send({ to: usePath, from: world.party() }))
          assert.strictEqual(summary(yield* stranger.next), "403 | $")
        })
    )

    scenario("both parties are clients of this relay (R4976-6.4-18, X22)", (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const carol = yield* world.login({ username: "carol" })
        const pairs = [[alice, carol], [carol, alice], [alice, carol]] as const
        for (const [one, other] of pairs) {
          one.peer.write(send({ to: `${one.usePath} ${other.usePath} ${other.uri}`, from: one.uri, body: "hi" }))
          const answer = yield* one.peer.next
          assert.deepStrictEqual([answer.status, answer.to, answer.from], [200, one.uri, one.usePath])
          const frame = yield* other.peer.next
          assert.deepStrictEqual([frame.to, frame.from], [other.uri, `${other.usePath} ${one.usePath} ${one.uri}`])
          // the answer ends here; an error goes back as a REPORT from the first of the relay's URIs
          other.peer.answer(frame, "415")
          const report = yield* one.peer.next
          assert.deepStrictEqual([report.method, report.to, report.from], ["REPORT", one.uri, one.usePath])
          assert.strictEqual(header(report, "Status")!.slice(0, 7), "000 415")
          // and an end-to-end REPORT takes the way back over both
          const { from, to } = frame
          other.peer.write(
            request("REPORT", { to: from, from: to, headers: ["Message-ID: msg.1", "Status: 000 200 OK"] })
          )
          const success = yield* one.peer.next
          assert.deepStrictEqual(
            [success.method, success.to, success.from],
            ["REPORT", one.uri, `${one.usePath} ${other.usePath} ${other.uri}`]
          )
        }
        yield* alice.peer.quiet
        yield* carol.peer.quiet
        // a third client cannot come between them
        const third = yield* world.login()
        third.peer.write(send({ to: `${third.usePath} ${carol.usePath} ${carol.uri}`, from: third.uri, body: "x" }))
        assert.strictEqual((yield* third.peer.next).status, 506)
        yield* carol.peer.quiet
      }))

    scenario(
      "both parties on one connection, and a way that leads back to oneself (X22, R4976-6.4-19)",
      (world) =>
        Effect.gen(function*() {
          const one = yield* world.login()
          const other = yield* world.login({ peer: one.peer })
          const { peer } = one
          const body = pattern(200_000).toString("latin1")
          peer.write(send({ to: `${one.usePath} ${other.usePath} ${other.uri}`, from: one.uri, body: "hi" }))
          assert.deepStrictEqual((yield* peer.take(2)).map(({ method, status }) => `${method}${status}`), [
            "200",
            "SEND0"
          ])
          const got = collect(peer)
          peer.write(
            send({ to: `${one.usePath} ${other.usePath} ${other.uri}`, from: one.uri, messageId: "long", body })
          )
          yield* until(() => got.octets === body.length && got.others.length === 1, "the long message and its answer")
          assert.strictEqual(Buffer.concat(got.pieces.map((piece) => piece.body)).toString("latin1"), body)
          peer.onFrame = undefined
          peer.write(send({ to: `${one.usePath} ${one.usePath} ${one.uri}`, from: one.uri, body: "round" }))
          assert.strictEqual(summary(yield* peer.next), "403 | $")
          peer.write(
            send({ to: `${one.usePath} ${other.usePath} ${one.usePath} ${one.uri}`, from: one.uri, body: "r" })
          )
          assert.strictEqual(summary(yield* peer.next), "403 | $")
        })
    )
  })

  describe(`${name}: REPORT and other methods`, () => {
    scenario(
      "a REPORT is forwarded, and never answered or reported (R4975-7.1.2-01, 7.1.2-02, 7.1.2-10, 7.1.1-07)",
      (world) =>
        Effect.gen(function*() {
          const { alice, bob, bobUri } = yield* world.pair()
          const lines = ["Message-ID: msg.9", "Byte-Range: 3-5/5", "Status: 000 200 OK", "Failure-Report: yes"]
          bob.write(request("REPORT", { to: `${alice.usePath} ${alice.uri}`, from: bobUri, headers: lines }))
          const frame = yield* alice.peer.next
          assert.deepStrictEqual([frame.to, frame.from], [alice.uri, `${alice.usePath} ${bobUri}`])
          assert.strictEqual(summary(frame), ["REPORT", ...lines, "$"].join(" | "))
          yield* bob.quiet
          // an error answer to it is nobody's
          alice.peer.answer(frame, "481 No")
          const dead = world.uri.replace(";tcp", "/dead0000dead0000;tcp")
          for (
            const to of [alice.usePath, `${alice.usePath} msrp://x.invalid:9/y;tcp`, `${dead} ${alice.uri}`, world.uri]
          ) {
            bob.write(request("REPORT", { to, from: bobUri, headers: lines }))
          }
          bob.write(request("REPORT", { to: `${alice.usePath} ${alice.uri}`, from: bobUri, headers: lines, flag: "+" }))
          const big = [...lines, "Content-Type: a/b"]
          for (const octets of [10_241, 200_000]) {
            bob.write(
              request("REPORT", {
                to: `${alice.usePath} ${alice.uri}`,
                from: bobUri,
                headers: big,
                body: "x".repeat(octets)
              })
            )
          }
          yield* bob.quiet
          yield* alice.peer.quiet
          bob.write(
            request("REPORT", {
              to: `${alice.usePath} ${alice.uri}`,
              from: bobUri,
              headers: big,
              body: "x".repeat(10_240)
            })
          )
          assert.strictEqual((yield* alice.peer.next).body!.length, 10_240)
          // nobody is at home where the owner's REPORT goes
          alice.peer.write(
            request("REPORT", { to: `${alice.usePath} ${scheme}://localhost:1/x;tcp`, from: alice.uri, headers: lines })
          )
          yield* until(() => world.relay.counters.dialsFailed === 1, "the failed dial")
          yield* alice.peer.quiet
        })
    )

    scenario(
      "answers to other methods come back under the id they had (R4976-6.4.2-03, 6.4.2-04, 6.4.2-06, R7701-7.1-02, X19)",
      (world) =>
        Effect.gen(function*() {
          const { alice, bob, bobUri } = yield* world.pair()
          const stranger = yield* world.connect
          const paths = { to: `${alice.usePath} ${bobUri}`, from: alice.uri }
          for (const method of ["NICKNAME", "FOO"]) {
            const id = nextId()
            alice.peer.write(request(method, { ...paths, id, headers: ["Use-Nickname: \"Alice the great\""] }))
            const frame = yield* bob.next
            assert.deepStrictEqual([frame.method, frame.to], [method, bobUri])
            yield* alice.peer.quiet
            // forged on another connection; of an unknown id; with a body; for another relay; not for the original sender
            stranger.write(response(frame.from, bobUri, frame.id, "200"))
            bob.write(response(frame.from, bobUri, "unknown01", "200"))
            bob.write(response(`${scheme}://other.example.com:2855/x;tcp ${alice.uri}`, bobUri, frame.id, "200"))
            bob.write(
              `MSRP ${frame.id} 200\r\nTo-Path: ${frame.from}\r\nFrom-Path: ${bobUri}\r\nContent-Type: a/b\r\n\r\n` +
                `x\r\n-------${frame.id}$\r\n`
            )
            yield* stranger.quiet
            yield* bob.quiet
            yield* alice.peer.quiet
            bob.answer(frame, "425 Nickname reserved or already in use", "whole", "X-More: \xff")
            const answer = yield* alice.peer.next
            assert.deepStrictEqual(
              [answer.id, answer.status, answer.comment, answer.to, answer.from],
              [id, 425, "Nickname reserved or already in use", alice.uri, `${alice.usePath} ${bobUri}`]
            )
            assert.deepStrictEqual(answer.headers, [["X-More", "\xff"]])
            // a second answer is dropped
            bob.answer(frame, "200 OK", "whole")
            yield* bob.quiet
            yield* alice.peer.quiet
          }
          assert.strictEqual(world.relay.gauges().transactions, 0)
        })
    )

    scenario(
      "501 where the path ends, 400 in pieces, 413 when too large (R4975-12-03, 7.1-15, 7.1-16)",
      (world) =>
        Effect.gen(function*() {
          const { alice, bobUri } = yield* world.pair()
          const { peer, uri, usePath } = alice
          peer.write(request("NICKNAME", { to: usePath, from: uri }))
          const answer = yield* peer.next
          assert.deepStrictEqual([answer.status, answer.to, answer.from], [501, uri, usePath])
          const paths = { to: `${usePath} ${bobUri}`, from: uri }
          for (const flag of ["+", "#"]) {
            peer.write(request("NICKNAME", { ...paths, flag }))
            assert.strictEqual((yield* peer.next).status, 400)
          }
          for (const octets of [10_241, 100_000]) {
            peer.write(request("NICKNAME", { ...paths, headers: ["Content-Type: a/b"], body: "x".repeat(octets) }))
            assert.strictEqual((yield* peer.next).status, 413)
          }
        })
    )
  })

  describe(`${name}: failures`, () => {
    scenario(
      "no answer but 200 at once for what is acceptable (R4976-6.4.1-10, 6.4.1-16, 6.4.1-20)",
      (world) =>
        Effect.gen(function*() {
          const { alice, bob, bobUri } = yield* world.pair()
          for (const failureReport of failureReports) {
            for (const body of ["short", pattern(90_000)]) {
              const got = collect(bob)
              alice.peer.write(
                send({
                  to: `${alice.usePath} ${bobUri}`,
                  from: alice.uri,
                  failureReport,
                  body,
                  headers: ["Success-Report: yes"]
                })
              )
              if (wantsAnswer(failureReport)) assert.strictEqual(summary(yield* alice.peer.next), "200 | $")
              yield* until(() => got.octets === body.length, "the body")
              yield* alice.peer.quiet
            }
          }
          bob.onFrame = undefined
          yield* bob.quiet
        })
    )

    for (const [what, code] of [["malformed", 400], ["of a dead session", 481], ["not to the owner", 403]] as const) {
      scenario(
        `refused at once when ${what}: one signal, or none (R4976-6.4.1-11, 6.4.1-17, 6.4.1-20, R4975-10.2-01, X18)`,
        (world) =>
          Effect.gen(function*() {
            const { alice, bob, bobUri } = yield* world.pair()
            const dead = world.uri.replace(";tcp", "/NeverIssued00000;tcp")
            const first = code === 481 ? dead : alice.usePath
            const to = `${first} ${code === 403 ? "msrp://victim.invalid:9/v;tcp" : alice.uri}`
            const more = code === 400 ? { headers: ["Success-Report: maybe"] } : {}
            for (const failureReport of failureReports) {
              for (const body of ["hello", "x".repeat(150_000)]) {
                const id = nextId()
                bob.write(
                  send({ id, to, from: bobUri, body, failureReport, messageId: "bad.1", range: "1-*/*", ...more })
                )
                if (wantsAnswer(failureReport)) {
                  const answer = yield* bob.next
                  assert.deepStrictEqual(
                    [answer.id, answer.to, answer.from, summary(answer)],
                    [id, bobUri, first, `${code} | $`]
                  )
                } else if (failureReport === "partial") {
                  const report = yield* bob.next
                  assert.deepStrictEqual([report.method, report.to, report.from], ["REPORT", bobUri, first])
                  assert.strictEqual(header(report, "Message-ID"), "bad.1")
                  assert.strictEqual(header(report, "Status")!.slice(0, 7), `000 ${code}`)
                  assert.strictEqual(header(report, "Byte-Range"), `1-${body.length}/${body.length}`)
                }
                yield* bob.quiet
              }
            }
            for (const [method, answered] of [["REPORT", false], ["NICKNAME", true]] as const) {
              if (code === 400) continue
              bob.write(request(method, { to, from: bobUri, headers: ["Message-ID: bad.1", "Status: 000 200 OK"] }))
              if (answered) assert.strictEqual((yield* bob.next).status, code)
              yield* bob.quiet
            }
            yield* alice.peer.quiet
            assert.strictEqual(world.relay.counters.connectionsDialled + world.relay.counters.dialsFailed, 0)
          })
      )
    }

    scenario(
      "malformed requests whose end is clear: 400, the connection stays (R4975-10.2-01, 9-60, 9-72, 9-73, 9-71)",
      (world) =>
        Effect.gen(function*() {
          const { alice, bobUri } = yield* world.pair()
          const { peer, uri, usePath } = alice
          const to = `${usePath} ${bobUri}`
          const good = ["Message-ID: bad.2", "Byte-Range: 1-2/2"]
          const bad: ReadonlyArray<ReadonlyArray<string>> = [
            [...good, "Message-ID: bad.3"],
            ["Message-ID: x y", "Byte-Range: 1-2/2"],
            ["Byte-Range: 1-2/2"],
            ["Message-ID: bad.2", "Byte-Range: 0-2/2"],
            ["Message-ID: bad.2", "Byte-Range: 5-2/9"],
            ["Message-ID: bad.2", "Byte-Range: 1-99999999999999999999/*"],
            [...good, "Failure-Report: perhaps"],
            [...good, "no colon"],
            [...good, "Nul: \0"]
          ]
          for (const lines of bad) {
            peer.write(request("SEND", { to, from: uri, headers: [...lines, "Content-Type: text/plain"], body: "hi" }))
            assert.strictEqual(summary(yield* peer.next), "400 | $", lines.join())
          }
          peer.write(request("SEND", { to, from: uri, headers: good, body: "no type" }))
          assert.strictEqual(summary(yield* peer.next), "400 | $")
          for (const path of [`${usePath} nonsense`, `${usePath} msrp://x y/z;tcp`, `${to}#fragment`]) {
            peer.write(send({ to: path, from: uri }))
            assert.strictEqual(summary(yield* peer.next), "400 | $", path)
          }
          // nobody can be answered
          peer.write(`MSRP nofrom02 SEND\r\nTo-Path: ${to}\r\nFrom-Path: \r\n-------nofrom02$\r\n`)
          yield* peer.quiet
          peer.write(`MSRP nofrom01 SEND\r\nTo-Path: ${to}\r\n-------nofrom01$\r\n`)
          yield* peer.quiet
        })
    )

    scenario(
      "an error answer becomes a REPORT with its code (R4976-6.4.1-12, 6.4.1-18, 6.4.1-23, 6.4.1-09, 6.4.3-11, X12, X14)",
      (world) =>
        Effect.gen(function*() {
          const { alice, bob, bobUri } = yield* world.pair()
          for (const failureReport of failureReports) {
            for (const code of ["415 MIME-not-understood", "403", "302 Elsewhere", "180 Ringing", "999 Odd"]) {
              alice.peer.write(send({
                to: `${alice.usePath} ${bobUri}`,
                from: alice.uri,
                messageId: "pdf.0001",
                range: "1-*/*",
                body: "%PDF-1.7 demo",
                headers: ["Success-Report: yes"],
                failureReport
              }))
              const frame = yield* bob.next
              assert.strictEqual(header(frame, "Failure-Report"), failureReport)
              if (wantsAnswer(failureReport)) assert.strictEqual(summary(yield* alice.peer.next), "200 | $")
              bob.answer(frame, code)
              bob.answer(frame, "200 OK")
              bob.answer(frame, "413 Again")
              yield* bob.quiet
              if (failureReport !== "no") {
                const report = yield* alice.peer.next
                assert.deepStrictEqual([report.method, report.to, report.from], ["REPORT", alice.uri, alice.usePath])
                assert.deepStrictEqual(
                  report.headers.slice(0, 2),
                  [["Message-ID", "pdf.0001"], ["Byte-Range", "1-13/13"]]
                )
                assert.strictEqual(report.headers[2]![0], "Status")
                assert.isTrue(report.headers[2]![1].startsWith(`000 ${code}`))
                assert.strictEqual(report.headers.length, 3)
              }
              yield* alice.peer.quiet
            }
          }
          for (const code of ["200 OK", "200", "299 Fine"]) {
            alice.peer.write(
              send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, failureReport: "partial", body: "x" })
            )
            bob.answer(yield* bob.next, code)
            yield* bob.quiet
            yield* alice.peer.quiet
          }
          assert.strictEqual(world.relay.gauges().transactions, 0)
        })
    )

    scenario(
      "answers that are none do not end the transaction (R4976-6.4.3-02, 6.4.3-03, 6.4.3-06, R4975-7.2-02)",
      (world) =>
        Effect.gen(function*() {
          const { alice, bob, bobUri } = yield* world.pair()
          alice.peer.write(
            send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, failureReport: "partial", body: "x" })
          )
          const { id } = yield* bob.next
          const stranger = yield* world.connect
          stranger.write(response(alice.usePath, bobUri, id, "403"))
          yield* stranger.quiet
          bob.write(response(world.uri.replace(";tcp", "/x;tcp"), bobUri, id, "403"))
          bob.write(response(alice.usePath, bobUri, id.toUpperCase() + "X", "403"))
          bob.write(response(alice.usePath, bobUri, id, "403", "no colon"))
          bob.write(response(alice.usePath, bobUri, id, "403").toString("latin1").replace("$\r\n", "+\r\n"))
          yield* bob.quiet
          yield* alice.peer.quiet
          assert.strictEqual(world.relay.gauges().transactions, 1)
          // one with the whole path ends it, and goes no further (R4976-6.4.3-10)
          bob.write(response(`${alice.usePath} ${alice.uri}`, bobUri, id, "403"))
          assert.strictEqual((yield* alice.peer.next).method, "REPORT")
          yield* alice.peer.quiet
        })
    )

    scenario(
      "a next hop that cannot be reached: REPORT 408, also for partial (R4976-6.4.1-14, 6.4.1-19)",
      (world) =>
        Effect.gen(function*() {
          const alice = yield* world.login()
          const to = `${alice.usePath} ${scheme}://localhost:1/nobody;tcp`
          for (const failureReport of failureReports) {
            for (const octets of [5, 2000, 100_000]) {
              alice.peer.write(send({
                to,
                from: alice.uri,
                messageId: `lost.${octets}`,
                range: "1-*/*",
                body: pattern(octets),
                failureReport
              }))
              const expected = (wantsAnswer(failureReport) ? 1 : 0) + (failureReport === "no" ? 0 : 1)
              const frames = yield* alice.peer.take(expected)
              const report = frames.find(({ method }) => method === "REPORT")
              assert.strictEqual(report !== undefined, failureReport !== "no")
              if (report !== undefined) {
                assert.strictEqual(header(report, "Message-ID"), `lost.${octets}`)
                assert.strictEqual(header(report, "Status")!.slice(0, 7), "000 408")
                const [, end, total] = /^1-(\d+)\/(\d+|\*)$/.exec(header(report, "Byte-Range")!)!
                // of a long one, what was there when it failed
                if (octets < 100_000) assert.deepStrictEqual([end, total], [`${octets}`, `${octets}`])
                else assert.isTrue(Number(end) > 2048 && Number(end) <= octets, end)
              }
              yield* until(() => world.relay.gauges().connections === 1, "the end of the dial")
              yield* alice.peer.quiet
            }
          }
        })
    )

    scenario(
      "a next hop that is lost before its answer (R4976-6.4.1-15, 6.4.1-19, R4975-5.4-23)",
      (world) =>
        Effect.gen(function*() {
          const alice = yield* world.login()
          for (const failureReport of failureReports) {
            const { bob, bobUri } = yield* world.join(alice)
            alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body: "hi", failureReport }))
            yield* bob.next
            if (wantsAnswer(failureReport)) assert.strictEqual((yield* alice.peer.next).status, 200)
            yield* bob.close
            if (wantsAnswer(failureReport)) {
              const report = yield* alice.peer.next
              assert.deepStrictEqual(
                [report.method, header(report, "Byte-Range"), header(report, "Status")!.slice(0, 7)],
                ["REPORT", "1-2/2", "000 408"]
              )
            } else yield* until(() => world.relay.gauges().connections === 1, "the loss")
            yield* alice.peer.quiet
          }
        })
    )

    scenario(
      "the owner is lost: the peer hears of it, then the session is dead (R4976-6.3-20, R4975-5.4-23)",
      (world) =>
        Effect.gen(function*() {
          const { alice, bob, bobUri } = yield* world.pair()
          const hello = { to: `${alice.usePath} ${alice.uri}`, from: bobUri, body: "hello" }
          bob.write(send(hello))
          assert.strictEqual((yield* bob.next).status, 200)
          yield* alice.peer.next
          yield* alice.peer.close
          assert.strictEqual(header(yield* bob.next, "Status")!.slice(0, 7), "000 408")
          assert.strictEqual(world.relay.gauges().sessions, 0)
          bob.write(send(hello))
          assert.strictEqual(summary(yield* bob.next), "481 | $")
        })
    )
  })

  describe(`${name}: who may send what where`, () => {
    scenario(
      "a session ends with its connection, also for the same client back again (R4976-6.3-20, 6.3-21, 6.3-60)",
      (world) =>
        Effect.gen(function*() {
          const before = yield* world.login()
          const sameUser = yield* world.login()
          // another connection of the same user is not the owner
          sameUser.peer.write(send({ to: before.usePath, from: before.uri }))
          assert.strictEqual((yield* sameUser.peer.next).status, 403)
          yield* before.peer.close
          yield* until(() => world.relay.gauges().sessions === 1, "the end of the session")
          const after = yield* world.login({ uri: before.uri })
          assert.notStrictEqual(after.usePath, before.usePath)
          after.peer.write(send({ to: before.usePath, from: before.uri }))
          assert.strictEqual((yield* after.peer.next).status, 481)
          const bob = yield* world.connect
          bob.write(send({ to: `${before.usePath} ${before.uri}`, from: world.party(), body: "hi" }))
          assert.strictEqual((yield* bob.next).status, 481)
          yield* after.peer.quiet
        })
    )

    scenario(
      "nobody but the owner sends anywhere through a session (R4976-6.4-10..13, 6.4-15, 6.4-16, 9.3-01, 9.4-11)",
      (world) =>
        Effect.gen(function*() {
          const alice = yield* world.login()
          const carol = yield* world.login({ username: "carol" })
          const victim = yield* world.listen
          const stranger = yield* world.connect
          const other = yield* world.join(carol)
          const deep = `${alice.usePath} ${alice.uri} ${victim.uri}`
          const over = `${alice.usePath} ${carol.usePath} ${carol.uri}`
          for (
            const [peer, from] of [[stranger, alice.uri], [stranger, world.party()], [carol.peer, alice.uri]] as const
          ) {
            for (const [to, code] of [[`${alice.usePath} ${victim.uri}`, 403], [deep, 403], [over, 403]] as const) {
              for (const method of ["SEND", "NICKNAME", "AUTH"]) {
                peer.write(request(method, { to, from }))
                assert.strictEqual((yield* peer.next).status, code, `${method} ${to}`)
              }
              peer.write(request("REPORT", { to, from, headers: ["Message-ID: msg.1", "Status: 000 200 OK"] }))
              peer.write(send({ to, from, failureReport: "no", body: "hi" }))
              yield* peer.quiet
            }
          }
          for (const to of [world.uri, `${world.uri} ${victim.uri}`]) {
            stranger.write(send({ to, from: alice.uri, body: "hi" }))
            assert.strictEqual((yield* stranger.next).status, 481)
          }
          // a session-id is only good with the whole URI that was handed out
          const wrong = alice.usePath.replace(scheme, scheme === "msrp" ? "msrps" : "msrp")
          stranger.write(send({ to: `${wrong} ${alice.uri}`, from: alice.uri, body: "hi" }))
          assert.strictEqual((yield* stranger.next).status, 481)
          yield* alice.peer.quiet
          yield* carol.peer.quiet
          yield* other.bob.quiet
          // now the owner does, and that is all the victim sees
          alice.peer.write(send({ to: `${alice.usePath} ${victim.uri}`, from: alice.uri, body: "from the owner" }))
          const peer = yield* victim.accepted
          assert.strictEqual((yield* peer.next).body!.toString(), "from the owner")
          yield* peer.quiet
          assert.deepStrictEqual([victim.peers.length, world.relay.counters.connectionsDialled], [1, 1])
        }),
      { limits: { unsuccessful: 1000 } }
    )

    scenario(
      "the owner's URI may change its session-id, not its host or port (R4976-6.4-16, 6.4-20)",
      (world) =>
        Effect.gen(function*() {
          const alice = yield* world.login({ uri: "msrp://alice.invalid:7394/auth;tcp" })
          const bob = yield* world.connect
          const bobUri = world.party("bob")
          const attempt = Effect.fnUntraced(function*(uri: string) {
            bob.write(send({ to: `${alice.usePath} ${uri}`, from: bobUri }))
            return (yield* bob.next).status
          })
          assert.strictEqual(yield* attempt("msrp://alice.invalid:7394/other;tcp"), 200)
          assert.strictEqual((yield* alice.peer.next).to, "msrp://alice.invalid:7394/other;tcp")
          assert.strictEqual(yield* attempt("msrp://alice.invalid:7395/auth;tcp"), 403)
          assert.strictEqual(yield* attempt("msrp://elsewhere.invalid:7394/auth;tcp"), 403)
          // what she shows in a request of her own is hers
          alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: "msrp://elsewhere.invalid:7394/now;tcp" }))
          yield* bob.next
          assert.strictEqual((yield* alice.peer.next).status, 200)
          assert.strictEqual(yield* attempt("msrp://elsewhere.invalid:7394/auth;tcp"), 200)
        })
    )

    scenario(
      "a second stranger meets 506 while the first is there (R4975-5.4-10, 10-09, R4976-3.1-03)",
      (world) =>
        Effect.gen(function*() {
          const { alice, bob, bobUri } = yield* world.pair()
          const second = yield* world.connect
          const to = `${alice.usePath} ${alice.uri}`
          for (const failureReport of failureReports) {
            second.write(send({ to, from: bobUri, body: "hi", failureReport }))
            if (wantsAnswer(failureReport)) assert.strictEqual(summary(yield* second.next), "506 | $")
            else if (failureReport === "partial") {
              assert.strictEqual(header(yield* second.next, "Status")!.slice(0, 7), "000 506")
            }
            yield* second.quiet
          }
          second.write(request("REPORT", { to, from: bobUri, headers: ["Message-ID: msg.1", "Status: 000 200 OK"] }))
          yield* second.quiet
          yield* alice.peer.quiet
          // what she sends goes to the first still
          alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body: "to the first" }))
          assert.strictEqual((yield* bob.next).body!.toString(), "to the first")
          assert.strictEqual((yield* alice.peer.next).status, 200)
          yield* bob.close
          assert.strictEqual((yield* alice.peer.next).method, "REPORT")
          second.write(send({ to, from: bobUri, body: "now" }))
          assert.strictEqual(summary(yield* second.next), "200 | $")
          assert.strictEqual((yield* alice.peer.next).body!.toString(), "now")
        }),
      { limits: { unsuccessful: 100 } }
    )

    scenario("a REPORT alone binds nobody to a session (R4975-5.4-10)", (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const first = yield* world.connect
        const to = `${alice.usePath} ${alice.uri}`
        const report = ["Message-ID: msg.1", "Status: 000 200 OK"]
        first.write(request("REPORT", { to, from: "msrp://x.invalid:9/x;tcp", headers: report }))
        assert.strictEqual((yield* alice.peer.next).method, "REPORT")
        yield* world.join(alice)
        first.write(send({ to, from: "msrp://x.invalid:9/x;tcp", body: "hi" }))
        assert.strictEqual((yield* first.next).status, 506)
      }))

    scenario(
      "a request for another relay ends the connection, and goes nowhere (R4976-6.2-11)",
      (world) =>
        Effect.gen(function*() {
          const victim = yield* world.listen
          for (
            const to of [
              victim.uri,
              `${victim.uri} ${world.uri}`,
              `${scheme}://relay.example.com:2855/x;tcp ${victim.uri}`
            ]
          ) {
            for (const body of ["short", "x".repeat(100_000)]) {
              const alice = yield* world.login()
              alice.peer.write(send({ to, from: alice.uri, body }))
              yield* alice.peer.ends
              yield* until(() => world.relay.gauges().sessions === 0, "the end of the session")
            }
          }
          const stranger = yield* world.connect
          stranger.write(request("AUTH", { to: `${scheme}://relay.example.com:2855;tcp`, from: world.party() }))
          yield* stranger.ends
          assert.strictEqual(victim.peers.length, 0)
          assert.strictEqual(world.relay.counters.connectionsDialled + world.relay.counters.dialsFailed, 0)
        })
    )

    scenario(
      "a session of this relay behind one's own is looked up, never dialled (R4976-6.4-30)",
      (world) =>
        Effect.gen(function*() {
          const alice = yield* world.login()
          for (const next of [`${world.uri.replace(";tcp", "/unknown;tcp")} msrp://x.invalid:9/x;tcp`, world.uri]) {
            alice.peer.write(send({ to: `${alice.usePath} ${next}`, from: alice.uri, body: "x" }))
            assert.strictEqual((yield* alice.peer.next).status, 481)
          }
          // only relays stand in the middle of a path, and they speak TLS (R4976-9.2-11)
          alice.peer.write(
            send({ to: `${alice.usePath} msrp://r.invalid:9/r;tcp ${alice.uri}`, from: alice.uri, body: "x" })
          )
          assert.strictEqual((yield* alice.peer.next).status, 403)
          // a transport that cannot be dialled, and nobody who has connected in
          alice.peer.write(send({ to: `${alice.usePath} msrps://w.invalid:9/w;ws`, from: alice.uri, body: "x" }))
          assert.strictEqual((yield* alice.peer.next).status, 481)
          assert.strictEqual(world.relay.counters.connectionsDialled + world.relay.counters.dialsFailed, 0)
        })
    )

    scenario(
      "what is not MSRP ends the connection without an answer (R4975-9-01..05, 9-70, 9-74, R4976-9.3-07)",
      (world) =>
        Effect.gen(function*() {
          const { alice, bob } = yield* world.pair()
          const garbage = [
            "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            "SSH-2.0-OpenSSH_9.6\r\n",
            Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]),
            "msrp abcd SEND\r\n",
            "MSRP abc SEND\r\n",
            "MSRP ab_cd SEND\r\n",
            "MSRP  abcd SEND\r\n",
            "MSRP abcd send\r\n",
            "MSRP abcd 2000\r\n",
            `MSRP ${"a".repeat(33)} SEND\r\n`,
            `MSRP abcd ${"X".repeat(20_000)}`,
            `MSRP abcd SEND\r\nTo-Path: ${"x".repeat(100_000)}`,
            `MSRP abcd SEND\r\n${"X-Y: z\r\n".repeat(10_000)}`
          ]
          for (const octets of garbage) {
            const peer = yield* world.connect
            peer.write(octets)
            yield* peer.ends
          }
          yield* alice.peer.quiet
          yield* bob.quiet
        })
    )

    scenario(
      "several requests without success end the probation, after the last answer (R4976-6.1-22)",
      (world) =>
        Effect.gen(function*() {
          const attempt = send({ to: world.uri, from: "msrp://x.invalid:9/x;tcp" })
          const stranger = yield* world.connect
          stranger.write(attempt, attempt, attempt, attempt)
          assert.deepStrictEqual((yield* stranger.take(3)).map(({ status }) => status), [481, 481, 481])
          yield* stranger.ends
          assert.strictEqual(world.relay.counters.probationsFailed, 1)
          // one that had success is not on probation any more
          const { peer } = yield* world.login()
          peer.write(attempt, attempt, attempt, attempt, attempt)
          assert.strictEqual((yield* peer.take(5)).length, 5)
          yield* peer.quiet
        }),
      { limits: { unsuccessful: 3 } }
    )

    scenario(
      "a request that is cut off by the end of the connection comes to nothing (R4975-9-75)",
      (world) =>
        Effect.gen(function*() {
          const { alice, bob, bobUri } = yield* world.pair()
          const whole = send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body: "hello" })
          alice.peer.write(whole.subarray(0, -1))
          yield* alice.peer.close
          yield* until(() => world.relay.gauges().sessions === 0, "the end")
          yield* bob.quiet
        })
    )
  })

  describe(`${name}: long chunks`, () => {
    /** A SEND in two parts: all but its end, and the end. */
    const long = (
      to: string,
      from: string,
      body: Buffer,
      options: {
        readonly flag?: string
        readonly failureReport?: string
        readonly id?: string
        readonly messageId?: string
      } = {}
    ) => {
      const whole = send({ to, from, body, messageId: "long.1", range: `1-*/${body.length}`, ...options })
      const header = whole.indexOf("\r\n\r\n") + 4
      return {
        head: (octets: number) => whole.subarray(0, header + octets),
        tail: (octets: number) => whole.subarray(header + octets)
      }
    }

    scenario(
      "are interrupted for what else is to be sent, and go on (R4975-7.1.1-21, 7.1.1-24, 7.1-33, X15)",
      (world) =>
        Effect.gen(function*() {
          const { alice, bob, bobUri } = yield* world.pair()
          const carol = yield* world.login({ username: "carol" })
          const second = yield* world.join(carol, bob)
          const body = pattern(120_000)
          const id = nextId()
          const chunk = long(`${alice.usePath} ${bobUri}`, alice.uri, body, { id })
          alice.peer.write(chunk.head(80_000))
          // all but the last octet, which is kept back for the end
          yield* until(() => bob.partialBody >= 79_000, "the first part")
          const pieceId = bob.partialId
          const report = ["Message-ID: zz.1234", "Byte-Range: 1-5/5", "Status: 000 200 OK"]
          carol.peer.write(
            request("REPORT", { to: `${carol.usePath} ${second.bobUri}`, from: carol.uri, headers: report })
          )
          const [first, other] = yield* bob.take(2)
          assert.deepStrictEqual([first!.id, first!.flag, header(first!, "Byte-Range")], [pieceId, "+", "1-*/120000"])
          assert.strictEqual(summary(other!), ["REPORT", ...report, "$"].join(" | "))
          alice.peer.write(chunk.tail(80_000))
          const next = yield* bob.next
          const at = first!.body!.length
          assert.deepStrictEqual([next.flag, header(next, "Byte-Range")], ["$", `${at + 1}-*/120000`])
          assert.notStrictEqual(next.id, pieceId)
          assert.deepStrictEqual([next.to, next.from, header(next, "Message-ID")], [first!.to, first!.from, "long.1"])
          assert.isTrue(Buffer.concat([first!.body!, next.body!]).equals(body))
          const answer = yield* alice.peer.next
          assert.deepStrictEqual([answer.id, summary(answer)], [id, "200 | $"])
          bob.answer(first!)
          bob.answer(next, "415")
          const failed = yield* alice.peer.next
          assert.deepStrictEqual(
            [failed.method, header(failed, "Byte-Range")],
            ["REPORT", `${at + 1}-120000/120000`]
          )
          yield* alice.peer.quiet
        })
    )

    scenario(
      "end in # when their sender is gone, before anything else (R4976-6.4.1-45)",
      (world) =>
        Effect.gen(function*() {
          for (const failureReport of ["yes", "partial", "no"]) {
            const { alice, bob, bobUri } = yield* world.pair()
            const body = pattern(90_000)
            const chunk = long(`${alice.usePath} ${bobUri}`, alice.uri, body, { failureReport })
            alice.peer.write(chunk.head(60_000))
            yield* until(() => bob.partialBody >= 59_000, "the first part")
            alice.peer.connection.end()
            const piece = yield* bob.next
            assert.strictEqual(piece.flag, "#")
            assert.isTrue(piece.body!.equals(body.subarray(0, 60_000)))
            bob.answer(piece)
            yield* bob.quiet
          }
        })
    )

    scenario("keep the # of their sender (R4975-7.1-31, X16)", (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const chunk = long(`${alice.usePath} ${bobUri}`, alice.uri, pattern(90_000), { flag: "#" })
        const got = collect(bob)
        alice.peer.write(chunk.head(60_000))
        yield* until(() => bob.partialBody >= 59_000, "the first part")
        alice.peer.write(chunk.tail(60_000))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        yield* until(() => got.octets === 90_000, "the rest")
        assert.strictEqual(got.pieces.at(-1)!.flag, "#")
      }))

    for (const failureReport of ["yes", "partial", "no"]) {
      scenario(
        `stop when their receiver says so, ${failureReport} (R4975-10.5-01, R4976-6.4.1-44, R4975-10-05, X17)`,
        (world) =>
          Effect.gen(function*() {
            const { alice, bob, bobUri } = yield* world.pair()
            const to = `${alice.usePath} ${bobUri}`
            const body = pattern(150_000)
            const chunk = long(to, alice.uri, body, { failureReport })
            alice.peer.write(chunk.head(100_000))
            yield* until(() => bob.partialBody >= 99_000, "the first part")
            const id = bob.partialId
            bob.write(response(alice.usePath, bobUri, id, "413 Stop-sending-message"))
            const piece = yield* bob.next
            assert.deepStrictEqual([piece.id, piece.flag], [id, "#"])
            if (failureReport !== "no") {
              assert.strictEqual(
                summary(yield* alice.peer.next),
                `REPORT | Message-ID: long.1 | Byte-Range: 1-${piece.body!.length}/150000 | ` +
                  "Status: 000 413 Stop-sending-message | $"
              )
            }
            alice.peer.write(chunk.tail(100_000).toString("latin1").replace(/\$\r\n$/, "+\r\n"))
            if (failureReport === "yes") assert.include([200, 413], (yield* alice.peer.next).status)
            yield* alice.peer.quiet
            // more of the message, short and long, is refused, up to its end
            for (const [octets, flag] of [[5, "+"], [100_000, "+"], [100_000, "$"]] as const) {
              alice.peer.write(
                send({
                  to,
                  from: alice.uri,
                  messageId: "long.1",
                  range: "150001-*/*",
                  body: pattern(octets),
                  flag,
                  failureReport
                })
              )
              if (failureReport === "no") {
                yield* alice.peer.quiet
                continue
              }
              const answer = yield* alice.peer.next
              if (failureReport === "yes") assert.strictEqual(answer.status, 413)
              else assert.strictEqual(header(answer, "Status")!.slice(0, 7), "000 413")
            }
            yield* bob.quiet
            // other messages go on, and a new attempt with the same id does
            for (const messageId of ["long.2", "long.1"]) {
              alice.peer.write(send({ to, from: alice.uri, messageId, body: "again" }))
              assert.strictEqual((yield* alice.peer.next).status, 200)
              assert.strictEqual((yield* bob.next).body!.toString(), "again")
            }
          })
      )
    }

    scenario("a message in short chunks stops, too (R4975-10-05, 7.3.2-01)", (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const chunk = (range: string, flag: string) =>
          send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, messageId: "parts.1", range, body: "abcd", flag })
        alice.peer.write(chunk("1-4/12", "+"))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        bob.answer(yield* bob.next, "413 Stop")
        assert.strictEqual((yield* alice.peer.next).method, "REPORT")
        for (const [range, flag] of [["5-8/12", "+"], ["9-12/12", "$"]] as const) {
          alice.peer.write(chunk(range, flag))
          assert.strictEqual(summary(yield* alice.peer.next), "413 | $")
        }
        yield* bob.quiet
        alice.peer.write(chunk("1-4/4", "$"))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        // a message that was whole is over: its failure stops nothing
        bob.answer(yield* bob.next, "413 Stop")
        assert.strictEqual((yield* alice.peer.next).method, "REPORT")
        alice.peer.write(chunk("1-4/4", "$"))
        assert.strictEqual((yield* alice.peer.next).status, 200)
      }))

    for (const failureReport of ["yes", "partial", "no"]) {
      scenario(
        `are reported with 408 when their receiver is gone, ${failureReport} (R4976-6.4.1-15, 6.4.1-19)`,
        (world) =>
          Effect.gen(function*() {
            const { alice, bob, bobUri } = yield* world.pair()
            const chunk = long(`${alice.usePath} ${bobUri}`, alice.uri, pattern(150_000), { failureReport })
            alice.peer.write(chunk.head(100_000))
            yield* until(() => bob.partialBody >= 99_000, "the first part")
            yield* bob.close
            if (failureReport !== "no") {
              const report = yield* alice.peer.next
              assert.deepStrictEqual([report.method, header(report, "Message-ID")], ["REPORT", "long.1"])
              assert.strictEqual(header(report, "Status")!.slice(0, 7), "000 408")
              assert.match(header(report, "Byte-Range")!, /^1-(99\d{3}|100000)\/150000$/)
            } else yield* until(() => world.relay.gauges().connections === 1, "the loss")
            alice.peer.write(chunk.tail(100_000))
            if (failureReport === "yes") assert.include([200, 408, 413], (yield* alice.peer.next).status)
            yield* alice.peer.quiet
          })
      )
    }

    scenario(
      "a slow receiver slows its sender, and memory stays in bounds (R4976-9.3-04, R5547-8.7-01)",
      (world) =>
        Effect.gen(function*() {
          const { alice, bob, bobUri } = yield* world.pair()
          const [output, session] = [32_768, 65_536]
          const count = 100
          const body = pattern(250_000)
          bob.connection.pause()
          const got = collect(bob)
          let answers = 0
          alice.peer.onFrame = ({ status }) => void (answers += status === 200 ? 1 : 1_000_000)
          for (let i = 0; i < count; i++) {
            alice.peer.write(send({
              to: `${alice.usePath} ${bobUri}`,
              from: alice.uri,
              messageId: `slow.${i}`,
              range: "1-*/250000",
              body
            }))
          }
          let most = 0
          const watch = () => {
            most = Math.max(most, world.relay.gauges().bufferedOctets)
          }
          let read = 0
          let still = 0
          yield* until(() => {
            watch()
            const { octetsIn } = world.relay.counters
            still = octetsIn === read && most > session ? still + 1 : 0
            read = octetsIn
            return still > 300
          }, "back-pressure")
          assert.isBelow(world.relay.counters.octetsIn, count * body.length)
          bob.connection.resume()
          yield* until(
            () => {
              watch()
              return got.octets >= count * body.length
            },
            "all of it",
            () => `${got.octets}`
          )
          // what was read in one go may come on top of each bound, and a slab of output
          assert.isBelow(most, output + session + 2 * 262_144 + 131_072)
          assert.isTrue(
            Buffer.concat(got.pieces.slice(0, 8).map((piece) => piece.body)).subarray(0, body.length).equals(body)
          )
          yield* until(() => answers === count, "the answers", () => `${answers}`)
        }),
      { limits: { output: 32_768, session: 65_536 } }
    )

    scenario(
      "one stalled receiver does not stop the others of the same sender (R4976-9.3-05)",
      (world) =>
        Effect.gen(function*() {
          const { alice, bob, bobUri } = yield* world.pair()
          const second = yield* world.login({ peer: alice.peer })
          const other = yield* world.join(second)
          bob.connection.pause()
          let answers = 0
          alice.peer.onFrame = () => void answers++
          // more than the systems take, less than the session's bound on top of it
          const body = pattern(1_000_000)
          let sent = 0
          while (world.relay.gauges().bufferedOctets < 300_000) {
            assert.isBelow(sent, 60)
            alice.peer.write(
              send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, messageId: `block.${sent++}`, body })
            )
            yield* until(() => answers === sent, "the answer")
          }
          alice.peer.onFrame = undefined
          for (let i = 0; i < 5; i++) {
            alice.peer.write(send({ to: `${second.usePath} ${other.bobUri}`, from: second.uri, body: "flows" }))
            assert.strictEqual((yield* other.bob.next).body!.toString(), "flows")
            assert.strictEqual((yield* alice.peer.next).status, 200)
          }
          yield* alice.peer.quiet
        }),
      { limits: { session: 8_000_000, connection: 16_000_000 } }
    )
  })
}
