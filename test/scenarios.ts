/** What a relay does where time does not matter: the same on every transport. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { createHash } from "node:crypto"
import { type DigestAlgorithm, strongestChallenge, verifyRspauth } from "../src/protocol/Digest.ts"
import { parseUri } from "../src/protocol/Uri.ts"
import type { LocalSocket, Transport, TransportError } from "../src/Transport.ts"
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
import { pattern } from "./transport/Recorder.ts"

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
  transport: () => Layer.Layer<Transport, TransportError>
): void => {
  const scenario = (
    title: string,
    body: (world: World) => Effect.Effect<void, TransportError, Scope.Scope>,
    options: WorldOptions = {}
  ): void =>
    it.effect(title, () =>
      Effect.gen(function*() {
        const world = yield* makeWorld({ scheme, ...options })
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
      { authMinExpires: 60, authMaxExpires: 600, authExpires: 1800 }
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
        const long = yield* world.auth(peer, from, world.authorization(challenge, { nc: 3 }), "Expires: 99999999999")
        assert.strictEqual(long.status, 200)
        assert.isAtMost(Number(header(long, "Expires")), 99_999_999_999)
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
          assert.strictEqual((yield* world.auth(peer, from, authorization, authorization)).status, 400)
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
      "without TLS is refused by policy: no challenge, then the end (R4976-9.2-01)",
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
      "more session URIs than a connection may have are refused, those that ended do not count",
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
            { method: "SEND", headers: ["Message-ID: content", "Content-Type: text/plain"], body: "no range\r\n" },
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
            ["1-999999999999/999999999999", 10, "+", "1-10/999999999999"]
          ]
          for (const [index, [range, octets, flag, expected]] of cases.entries()) {
            const body = pattern(octets)
            alice.peer.write(send({
              to: `${alice.usePath} ${bobUri}`,
              from: alice.uri,
              messageId: `range${index}`,
              range,
              body,
              flag
            }))
            // a long one may come in pieces
            const pieces: Array<Frame> = []
            do pieces.push(yield* bob.next)
            while (Buffer.concat(pieces.map((piece) => piece.body!)).length < octets)
            assert.isTrue(Buffer.concat(pieces.map((piece) => piece.body!)).equals(body))
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
            ) => [header(frame, "Message-ID"), header(frame, "Byte-Range"), `${frame.body}`, frame.flag]),
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
      "without a body, to the relay itself: alive; with a body: refused (R4975-7.1-20, 7.1-21)",
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
      "answers to other methods come back under the id they had (R4976-6.4.2-03..06, R7701-7.1-02, X19)",
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
  })
}
