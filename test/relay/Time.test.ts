/** What a relay does as time passes, on a simulated network and clock. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { sessionId } from "../../src/protocol/Ident.ts"
import { parseUri } from "../../src/protocol/Uri.ts"
import { WayBack } from "../../src/relay/route/WayBack.ts"
import { broken, defects } from "../support/broken.ts"
import { type Frame, header, headers, nextId, Peer, request, response, send, until } from "../support/harness.ts"
import { recordOf } from "../support/records.ts"
import { simulated } from "../support/simulated.ts"
import { create, layerTable, tableOf } from "../support/table.ts"

const scenario = simulated()

/** `"29999 millis"`, then what is at hand is delivered. */
const pass = (millis: number) => TestClock.adjust(millis)

describe("transactions", () => {
  scenario(
    "R4976-6.4.1-13 R4976-6.4.1-50..52: REPORT 408 at 30 s and not at 29.999; a late answer is dropped",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        alice.peer.write(
          send({
            to: `${alice.usePath} ${bobUri}`,
            from: alice.uri,
            messageId: "m408",
            range: "1-*/*",
            body: "0123456789"
          })
        )
        assert.strictEqual((yield* alice.peer.next).status, 200)
        const arrived = yield* bob.next
        yield* pass(29_999)
        yield* alice.peer.quiet
        yield* pass(1)
        const report = yield* alice.peer.next
        assert.strictEqual(report.method, "REPORT")
        assert.strictEqual(report.to, alice.uri)
        assert.strictEqual(report.from, alice.usePath)
        assert.strictEqual(header(report, "Status")?.slice(0, 7), "000 408")
        assert.strictEqual(header(report, "Message-ID"), "m408")
        assert.strictEqual(header(report, "Byte-Range"), "1-10/10")
        bob.answer(arrived, "415 late")
        yield* alice.peer.quiet
      })
  )

  for (const status of ["200 OK", "415 no", "180 Ringing"]) {
    scenario(
      `R4976-6.4.1-53: an answer at 29.999 s stops the timer, also ${status}`,
      (world) =>
        Effect.gen(function*() {
          const { alice, bob, bobUri } = yield* world.pair()
          alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body: "hi" }))
          yield* alice.peer.next
          const arrived = yield* bob.next
          yield* pass(29_999)
          bob.answer(arrived, status)
          yield* bob.quiet
          if (status !== "200 OK") assert.strictEqual(header(yield* alice.peer.next, "Status"), `000 ${status}`)
          yield* pass(60_000)
          yield* alice.peer.quiet
        })
    )
  }

  for (const failureReport of ["partial", "no"]) {
    scenario(
      `R4976-6.4.1-54: no 200 and no timer for Failure-Report ${failureReport}`,
      (world) =>
        Effect.gen(function*() {
          const { alice, bob, bobUri } = yield* world.pair()
          alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body: "hi", failureReport }))
          yield* bob.next
          yield* pass(120_000)
          yield* alice.peer.quiet
        })
    )
  }

  for (const method of ["REPORT", "NICKNAME", "PING"]) {
    scenario(`R4976-6.4.1-54: nobody hears of a ${method} that is not answered`, (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const headers = ["Message-ID: msg.1", "Status: 000 413 no"]
        alice.peer.write(request(method, { to: `${alice.usePath} ${bobUri}`, from: alice.uri, headers }))
        yield* bob.next
        yield* pass(120_000)
        yield* alice.peer.quiet
      }))
  }

  scenario(
    "R4976-6.4.2-07: a forwarded request without an answer is forgotten after 30 s, and not before",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const paths = { to: `${alice.usePath} ${bobUri}`, from: alice.uri }
        alice.peer.write(request("NICKNAME", paths), request("NICKNAME", paths))
        const [nickname, early] = (yield* bob.take(2)) as [Frame, Frame]
        yield* pass(29_999)
        assert.strictEqual(world.relay.gauges().transactions, 2)
        bob.answer(early, "200 OK", "whole")
        assert.strictEqual((yield* alice.peer.next).status, 200)
        yield* pass(1)
        assert.strictEqual(world.relay.gauges().transactions, 0)
        bob.answer(nickname, "200 OK", "whole")
        yield* alice.peer.quiet
      })
  )

  scenario(
    "R4976-6.4.2-07: a forwarded AUTH without an answer gets 408, and a late answer nothing",
    (world) =>
      Effect.gen(function*() {
        const outer = new Peer(world)
        world.peers.push(outer)
        yield* world.network!.node({ names: ["outer.example.net"], certificate: ["outer.example.net"] }).listen(
          { scheme: "msrps", host: "outer.example.net", port: 2855 },
          outer.accept
        )
        const alice = yield* world.login()
        const id = nextId()
        const to = `${alice.usePath} msrps://outer.example.net:2855;tcp`
        alice.peer.write(request("AUTH", { id, to, from: alice.uri }))
        yield* until(() => outer.frames.length === 1, "the AUTH")
        const asked = yield* outer.next
        yield* pass(29_999)
        yield* alice.peer.quiet
        yield* pass(1)
        const answer = yield* alice.peer.next
        assert.deepStrictEqual([answer.id, answer.status, answer.to, answer.from], [id, 408, alice.uri, alice.usePath])
        outer.answer(asked, "200 OK", "whole")
        yield* alice.peer.quiet
      }),
    {
      scheme: "msrps",
      listen: [{ scheme: "msrps", host: "*", port: 2855 }],
      uris: [parseUri("msrps://relay.example.com:2855;tcp")!],
      nextHops: { allow: ["0.0.0.0/0"] }
    }
  )
})

describe("nonces", () => {
  for (
    const [nonceExpire, millis, stale] of [["30 seconds", 29_999, false], ["30 seconds", 30_000, true], [
      "5 seconds",
      5000,
      true
    ]] as const
  ) {
    scenario(
      `R4976-9.1-29: with nonce_expire ${nonceExpire} a nonce is ${stale ? "stale" : "good"} after ${millis} ms`,
      (world) =>
        Effect.gen(function*() {
          const { alice } = yield* world.pair()
          const challenge = yield* world.challenge(alice.peer, alice.uri)
          yield* pass(millis)
          const answer = yield* world.auth(alice.peer, alice.uri, world.authorization(challenge))
          assert.strictEqual(answer.status, stale ? 401 : 200)
          assert.strictEqual(
            headers(answer, "WWW-Authenticate").every((value) => value.includes("stale=true")),
            stale || answer.status === 200
          )
        }),
      { digest: { nonceExpire } }
    )
  }
})

describe("sessions", () => {
  scenario("R4976-6.3-01: a session URI is invalid from its expiry on, on use", (world) =>
    Effect.gen(function*() {
      const alice = yield* world.login({ headers: ["Expires: 600"] })
      assert.strictEqual(header(alice.granted, "Expires"), "600")
      yield* pass(599_999)
      const { bob, bobUri } = yield* world.join(alice)
      yield* pass(1)
      bob.write(send({ to: `${alice.usePath} ${alice.uri}`, from: bobUri, body: "late" }))
      assert.strictEqual((yield* bob.next).status, 481)
      alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body: "late" }))
      assert.strictEqual((yield* alice.peer.next).status, 481)
    }), { sessions: { cleanupInterval: "100000 seconds" } })

  scenario(
    "with extendActive, what passes through a session prolongs it, and what is refused does not",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login({ headers: ["Expires: 600"] })
        const { bob, bobUri } = yield* world.join(alice)
        const toAlice = `${alice.usePath} ${alice.uri}`
        const deliver = Effect.gen(function*() {
          bob.write(send({ to: toAlice, from: bobUri, body: "still here", failureReport: "no" }))
          assert.strictEqual((yield* alice.peer.next).body?.toString(), "still here")
        })
        yield* pass(400_000)
        yield* deliver
        yield* pass(599_999)
        yield* deliver
        yield* pass(400_000)
        const stranger = yield* world.connect
        stranger.write(send({ to: toAlice, from: "msrp://stranger.invalid:9/s;tcp", body: "let me in" }))
        assert.strictEqual((yield* stranger.next).status, 506)
        yield* pass(200_000)
        bob.write(send({ to: toAlice, from: bobUri, body: "late" }))
        assert.strictEqual((yield* bob.next).status, 481)
      }),
    { sessions: { extendActive: true, cleanupInterval: "100000 seconds" } }
  )

  for (const extendActive of [true, false]) {
    scenario(
      `an empty SEND of the owner to the relay ${extendActive ? "prolongs" : "does not prolong"} its session`,
      (world) =>
        Effect.gen(function*() {
          const alice = yield* world.login({ headers: ["Expires: 100"] })
          const keepAlive = send({ to: alice.usePath, from: alice.uri })
          yield* pass(60_000)
          alice.peer.write(keepAlive)
          assert.strictEqual((yield* alice.peer.next).status, 200)
          // What is refused does not keep it alive, nor what comes from others.
          yield* pass(30_000)
          const other = yield* world.connect
          for (const peer of [other, alice.peer]) {
            peer.write(send({ to: alice.usePath, from: alice.uri, body: "to the relay" }))
            assert.strictEqual((yield* peer.next).status, 403)
          }
          yield* pass(69_999)
          alice.peer.write(keepAlive)
          assert.strictEqual((yield* alice.peer.next).status, extendActive ? 200 : 481)
          yield* pass(100_000)
          alice.peer.write(keepAlive)
          assert.strictEqual((yield* alice.peer.next).status, 481)
        }),
      { sessions: { extendActive, cleanupInterval: "100000 seconds" } }
    )
  }

  scenario("the default validity is auth_expires", (world) =>
    Effect.gen(function*() {
      const alice = yield* world.login()
      assert.strictEqual(header(alice.granted, "Expires"), "77")
    }), { authExpires: 77 })

  scenario(
    "hash_size and cleanup_interval: one bucket after the other, all within one interval",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.connect
        for (let i = 0; i < 40; i++) yield* world.login({ peer: alice, headers: ["Expires: 1"] })
        assert.strictEqual(world.sessions.size(), 40)
        // Two buckets, one every five seconds: the first sweep leaves what is in the other one.
        yield* pass(5000)
        const left = world.sessions.size()
        assert.isTrue(left > 0 && left < 40, `${left} of 40`)
        yield* pass(4999)
        assert.strictEqual(world.sessions.size(), left)
        yield* pass(1)
        assert.strictEqual(world.sessions.size(), 0)
      }),
    { sessions: { hashSize: 1, cleanupInterval: "10 seconds" } }
  )

  // On the machine's clock: its timers have whole milliseconds, of which one for each bucket would be a quarter of an hour.
  it.live("hash_size and cleanup_interval: one interval is enough for the largest table, too", () =>
    Effect.gen(function*() {
      const sessions = yield* tableOf
      const ids = Array.from({ length: 20 }, sessionId)
      for (const [i, id] of ids.entries()) {
        yield* create({
          id,
          uri: parseUri(`msrp://localhost:2855/${id};tcp`)!,
          username: "alice",
          realm: "localhost",
          owner: sessions,
          expires: i === 0 ? 60 : 0.001,
          ownerAuthority: "party.invalid:9",
          record: recordOf("id")
        })
      }
      assert.strictEqual(sessions.size(), 20)
      yield* Effect.repeat(Effect.sleep("20 millis"), { while: () => sessions.size() > 1 })
      assert.isDefined(sessions.findUnsafe(ids[0]!))
    }).pipe(Effect.provide(layerTable({ hashSize: 20, cleanupInterval: 300 }))))
})

describe("probation", () => {
  scenario("R4976-6.1-20: a connection without a request is closed after 30 s", (world) =>
    Effect.gen(function*() {
      const bob = yield* world.connect
      yield* pass(29_999)
      assert.isFalse(bob.isClosed)
      yield* pass(1)
      yield* bob.ends
      assert.strictEqual(world.relay.counters.probationsFailed, 1)
    }))

  scenario("R4976-6.1-21 R4976-6.1-23: challenges alone are no success", (world) =>
    Effect.gen(function*() {
      const bob = yield* world.connect
      yield* world.auth(bob, world.party())
      yield* pass(30_000)
      yield* bob.ends
    }))

  scenario("R4976-6.1-27: a request that trickles in does not prolong it", (world) =>
    Effect.gen(function*() {
      const bob = yield* world.connect
      for (const octet of "MSRP abcd SEND\r\nTo-Path: m") {
        bob.write(octet)
        yield* pass(1100)
      }
      yield* pass(3000)
      yield* bob.ends
    }))

  scenario("R4976-6.1-24 R4976-6.5-01: after a success an idle connection is kept", (world) =>
    Effect.gen(function*() {
      const { alice, bob } = yield* world.pair()
      yield* pass(3_000_000)
      assert.isFalse(alice.peer.isClosed || bob.isClosed)
    }), { authExpires: 86_400 })
})

describe("slow receivers", () => {
  scenario(
    "R4976-6.4.1-56: one that takes nothing for the stall limit is failed with 408, others flow on",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const carol = yield* world.login({ username: "carol" })
        const { bob: dave, bobUri: daveUri } = yield* world.join(carol)
        bob.connection.pause()
        const body = "x".repeat(20_000)
        for (let i = 0; i < 12; i++) {
          alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, messageId: `stuck${i}`, body }))
        }
        const acknowledged = yield* alice.peer.take(12)
        assert.isTrue(acknowledged.every(({ status }) => status === 200))
        yield* pass(29_000)
        carol.peer.write(send({ to: `${carol.usePath} ${daveUri}`, from: carol.uri, body: "hello" }))
        assert.strictEqual((yield* carol.peer.next).status, 200)
        dave.answer(yield* dave.next)
        yield* alice.peer.quiet
        // What it took was not answered within 30 s; the rest fails with the connection.
        yield* pass(2000)
        const reports = yield* alice.peer.take(12)
        assert.deepStrictEqual(
          new Set(reports.map((one) => `${header(one, "Message-ID")} ${header(one, "Status")?.slice(0, 7)}`)),
          new Set(acknowledged.map((_, i) => `stuck${i} 000 408`))
        )
        yield* until(() => world.relay.gauges().bufferedOctets === 0, "empty buffers")
        assert.strictEqual(world.relay.counters.receiversStalled, 1)
      })
  )

  scenario(
    "R4976-9.3-04: memory is bounded and the sender is slowed; nothing is lost when the receiver goes on",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        bob.connection.pause()
        const parts = 60
        const body = "y".repeat(50_000)
        for (let i = 0; i < parts; i++) {
          alice.peer.write(
            send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, messageId: `big${i}`, body, failureReport: "no" })
          )
        }
        for (let i = 0; i < 50; i++) yield* pass(1)
        assert.isAbove(alice.peer.connection.pending(), 0)
        const held = world.relay.gauges().bufferedOctets
        assert.isAbove(held, 100_000)
        assert.isAtMost(held, 131_072 + 262_144 + 3 * 65_536)
        bob.connection.resume()
        const frames = yield* bob.take(parts)
        assert.deepStrictEqual(frames.map((one) => header(one, "Message-ID")), frames.map((_, i) => `big${i}`))
        assert.isTrue(frames.every((one) => one.body?.toString() === body))
      })
  )
})

describe("the end of a connection", () => {
  scenario("R4976-6.3-40: after several failed AUTHs, which are answered", (world) =>
    Effect.gen(function*() {
      const alice = yield* world.connect
      const uri = world.party()
      let challenge = yield* world.challenge(alice, uri)
      for (let i = 0; i < 3; i++) {
        const answer = yield* world.auth(alice, uri, world.authorization(challenge, { password: "wrong" }))
        assert.strictEqual(answer.status, 401)
        challenge = i === 2 ? challenge : yield* world.challenge(alice, uri)
      }
      yield* alice.ends
    }), { limits: { failedAuths: 3 } })

  scenario("a connection that is ended, and that its peer does not close, is cut", (world) =>
    Effect.gen(function*() {
      const stuck = yield* world.connect
      stuck.connection.pause()
      for (let i = 0; i < 10; i++) {
        stuck.write(response("msrp://a.invalid:1/a;tcp", "msrp://b.invalid:1/b;tcp", "abcd", "200"))
        stuck.write(
          request("SEND", {
            to: `${world.uri.replace(";tcp", "/nobody;tcp")} msrp://x:1/x;tcp`,
            from: "msrp://b.invalid:9/b;tcp"
          })
        )
      }
      yield* pass(100)
      yield* pass(5000)
      yield* until(() => world.relay.gauges().connections === 0, "the cut")
    }))
})

scenario(
  "a defect at one time limit is an error, and the limits of others are kept",
  (world) =>
    Effect.gen(function*() {
      const { alice, bobUri } = yield* world.pair()
      const carol = yield* world.login({ username: "carol" })
      const { bobUri: daveUri } = yield* world.join(carol)
      for (const [owner, to] of [[alice, bobUri], [carol, daveUri]] as const) {
        owner.peer.write(send({ to: `${owner.usePath} ${to}`, from: owner.uri, messageId: "unanswered", body: "x" }))
        assert.strictEqual((yield* owner.peer.next).status, 200)
      }
      let reports = 0
      yield* broken(WayBack.prototype, "report", () => ++reports === 1)
      yield* pass(30_000)
      assert.strictEqual((yield* carol.peer.next).method, "REPORT")
      assert.deepStrictEqual(defects(world), ["Error: a defect"])
    })
)
