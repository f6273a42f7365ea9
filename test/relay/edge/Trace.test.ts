/** What a trace of a user tells, from login to the end, and what it does not. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { sessionLabel } from "../../../src/protocol/Ident.ts"
import { parseUri } from "../../../src/protocol/Uri.ts"
import { MAX_TRACES, MAX_WAITING } from "../../../src/relay/edge/Trace.ts"
import { header, request, send, until } from "../../support/harness.ts"
import { connectFrom, end, grantedThrough, machine, options } from "../../support/relays.ts"
import { simulated } from "../../support/simulated.ts"
import { briefly, settled, traced } from "../../support/traced.ts"

const scenario = simulated()

const idOf = (uri: string): string => parseUri(uri)!.sessionId!

describe("a trace of a user", () => {
  scenario(
    "has a user's login, what the user and the peer send each other, and the answers",
    (world) =>
      Effect.gen(function*() {
        const { frames } = yield* traced(world, { users: ["alice"] })
        const { alice, bob, bobUri } = yield* world.pair()
        alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body: "to bob" }))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        bob.answer(yield* bob.next)
        yield* settled(world)
        // Of the AUTH without credentials nobody knows whose it is.
        assert.deepStrictEqual(frames.map(briefly), [
          "1 > AUTH $",
          "1 < 200 OK $",
          "2 > SEND $",
          "2 < 200 OK $",
          "1 < SEND $",
          "1 > 200 OK $",
          "1 > PING $",
          "1 < 481 Session Does Not Exist $",
          "1 > SEND [6] $",
          "1 < 200 OK $",
          "2 < SEND [6] $",
          "2 > 200 OK $"
        ])
        const label = sessionLabel(idOf(alice.usePath))
        const [auth, granted, sent] = [frames[0]!, frames[1]!, frames[8]!]
        assert.isUndefined(auth.session)
        for (const frame of frames.slice(1)) {
          if (!frame.startLine.includes("PING") && !frame.startLine.includes("481")) {
            assert.strictEqual(frame.session, label)
          }
        }
        assert.match(
          auth.headers[2]!,
          /^Authorization: Digest username="alice", realm="localhost", nonce="\*\*\*", algorithm=SHA-256, .*response="\*\*\*"/
        )
        assert.include(granted.headers, `Use-Path: ${alice.usePath.replace(/\/[^/;]+;/, `/~${label};`)}`)
        assert.deepStrictEqual(sent.headers, [
          `To-Path: ${alice.usePath.replace(/\/[^/;]+;/, `/~${label};`)} ${
            bobUri.replace(/\/[^/;]+;/, `/~${sessionLabel(idOf(bobUri))};`)
          }`,
          `From-Path: ${alice.uri.replace(/\/[^/;]+;/, `/~${sessionLabel(idOf(alice.uri))};`)}`,
          "Message-ID: msg.1",
          "Byte-Range: 1-6/6",
          "Content-Type: text/plain"
        ])
        const { local, remote } = alice.peer.connection
        assert.strictEqual(sent.remote, `${local.host}:${local.port}`)
        assert.strictEqual(sent.local, `${remote.host}:${remote.port}`)
        assert.strictEqual(sent.transport, "tcp")
      })
  )

  scenario("says of a frame by WebSocket that it is one", (world) =>
    Effect.gen(function*() {
      const { frames } = yield* traced(world, { users: ["alice"] })
      yield* world.login()
      yield* settled(world)
      assert.isNotEmpty(frames)
      for (const { transport } of frames) assert.strictEqual(transport, "ws")
    }), { by: "ws" })

  scenario("has what a session does that was there before", (world) =>
    Effect.gen(function*() {
      const { alice, bob, bobUri } = yield* world.pair()
      const { frames } = yield* traced(world, { users: ["alice"], realm: "localhost" })
      bob.write(send({ to: `${alice.usePath} ${alice.uri}`, from: bobUri, body: "hello" }))
      alice.peer.answer(yield* alice.peer.next)
      yield* bob.next
      yield* settled(world)
      assert.deepStrictEqual(frames.map((one) => briefly(one).slice(2)), [
        "> SEND [5] $",
        "< 200 OK $",
        "< SEND [5] $",
        "> 200 OK $"
      ])
    }))

  scenario(
    "has nothing of other users, nor of others' sessions on a connection that several use",
    (world) =>
      Effect.gen(function*() {
        const told = yield* traced(world, { users: ["alice"] })
        const elsewhere = yield* traced(world, { users: ["alice"], realm: "elsewhere" })
        const carol = yield* world.login({ username: "carol" })
        const { bob } = yield* world.join(carol)
        yield* settled(world)
        assert.deepStrictEqual(told.frames, [])
        // Alice joins her on the same connection, and Bob writes to both on his.
        const alice = yield* world.login({ peer: carol.peer })
        yield* world.join(alice, bob)
        yield* world.join(carol, bob)
        yield* settled(world)
        const label = sessionLabel(idOf(alice.usePath))
        assert.isAbove(told.frames.length, 5)
        for (const { headers, session, startLine } of told.frames) {
          const isAuth = startLine.endsWith("AUTH")
          assert.isTrue(isAuth || session === label, startLine)
          assert.isTrue(isAuth || headers.some((line) => line.includes(label)))
        }
        assert.deepStrictEqual(elsewhere.frames, [])
      })
  )

  scenario("has AUTHs that fail, with their answers, on whatever connection", (world) =>
    Effect.gen(function*() {
      const { frames } = yield* traced(world, { users: ["alice"] })
      const peer = yield* world.connect
      const from = world.party()
      const challenge = yield* world.challenge(peer, from)
      yield* world.auth(peer, from, world.authorization(challenge, { password: "looking-glass" }))
      yield* world.auth(peer, from, world.authorization(challenge, { username: "carol", password: "guess" }))
      yield* settled(world)
      assert.deepStrictEqual(frames.map(briefly), ["1 > AUTH $", "1 < 401 Unauthorized $"])
      assert.match(frames[1]!.headers[2]!, /^WWW-Authenticate: Digest realm="localhost", .*nonce="\*\*\*"/)
      assert.notInclude(JSON.stringify(frames), challenge.nonce)
    }))

  scenario(
    "has the beginning of a long chunk, its pieces as they leave, and its end",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const { frames } = yield* traced(world, { users: ["alice"] })
        const body = Buffer.alloc(100_000, "x")
        alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body }))
        bob.onFrame = (frame) => bob.answer(frame)
        assert.strictEqual((yield* alice.peer.next).status, 200)
        yield* settled(world)
        const incoming = frames.filter(({ direction, startLine }) => direction === "in" && startLine.endsWith("SEND"))
        assert.deepStrictEqual(incoming.map((one) => briefly(one).slice(2)), ["> begin SEND", "> end SEND [100000] $"])
        const ends = frames.filter(({ direction, part }) => direction === "out" && part === "end")
        assert.strictEqual(ends.reduce((sum, { octets }) => sum + octets!, 0), body.length)
        assert.strictEqual(ends.at(-1)!.flag, "$")
        assert.notInclude(JSON.stringify(frames), "xxxx")
      })
  )

  scenario(
    "begins in the middle of a long chunk: its piece ends with +, the next one is told whole",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const whole = send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body: Buffer.alloc(60_000, "y") })
        alice.peer.write(whole.subarray(0, 30_000))
        yield* until(() => bob.partialBody > 10_000)
        const scope = yield* Scope.make()
        const { frames } = yield* Scope.provide(traced(world, { users: ["alice"] }), scope)
        const first = yield* bob.next
        assert.strictEqual(first.flag, "+")
        bob.answer(first)
        alice.peer.write(whole.subarray(30_000))
        const second = yield* bob.next
        bob.answer(second)
        assert.strictEqual(second.flag, "$")
        assert.strictEqual(first.body!.length + second.body!.length, 60_000)
        assert.strictEqual(header(second, "Byte-Range"), `${first.body!.length + 1}-*/60000`)
        yield* alice.peer.next
        yield* settled(world)
        const out = frames.filter(({ direction, startLine }) => direction === "out" && startLine.endsWith("SEND"))
        assert.deepStrictEqual(out.map((one) => [one.part, one.octets, one.flag, one.startLine.split(" ")[1]]), [
          ["frame", second.body!.length, "$", second.id]
        ])
        // And ends in the middle of another one, which goes on as if nothing had been.
        alice.peer.write(whole.subarray(0, 40_000))
        yield* until(() => bob.partialBody > 10_000)
        yield* Scope.close(scope, Exit.void)
        yield* settled(world)
        const told = frames.length
        alice.peer.write(whole.subarray(40_000))
        bob.answer(yield* bob.next)
        yield* settled(world)
        assert.strictEqual(frames.length, told)
        // Nothing is left of it: another one finds no boundary, and has to make one.
        alice.peer.write(whole.subarray(0, 40_000))
        yield* until(() => bob.partialBody > 10_000)
        yield* traced(world, { users: ["alice"] })
        assert.strictEqual((yield* bob.next).flag, "+")
      })
  )

  scenario("tells what is malformed, and why a connection is closed", (world) =>
    Effect.gen(function*() {
      const { frames } = yield* traced(world, { users: ["alice"] })
      const alice = yield* world.login()
      alice.peer.write(request("SEND", {
        to: `${alice.usePath} msrp:/bob.invalid:9/${idOf(alice.uri)};tcp`,
        from: alice.uri,
        headers: ["what the body should have been", "Message-ID: a b"]
      }))
      assert.strictEqual((yield* alice.peer.next).status, 400)
      alice.peer.write("GET / HTTP/1.1\r\n\r\n")
      yield* alice.peer.ends
      yield* settled(world)
      const [bad, answer, broken] = frames.slice(2)
      assert.strictEqual(bad!.problem, "malformed header line")
      assert.deepStrictEqual(bad!.headers.slice(2), ["(a malformed line of 30 octets)", "Message-ID: a b"])
      assert.notInclude(JSON.stringify(bad), idOf(alice.uri))
      assert.include(answer!.startLine, "400")
      assert.strictEqual(broken!.part, "broken")
      assert.strictEqual(broken!.problem, "not MSRP")
    }))
})

describe("R4976-9.4-10: what is secret is in no frame of a trace", () => {
  scenario("of all that users and their peers send", (world) =>
    Effect.gen(function*() {
      const { frames } = yield* traced(world, { users: "*" })
      const { alice, bob, bobUri } = yield* world.pair()
      const listening = yield* world.listen
      const body = "between you and me, and nobody else"
      const secrets = new Set([body, "0a4f113b", idOf(listening.uri), "looking-glass"])
      for (const to of [bobUri, listening.uri]) {
        alice.peer.write(send({ to: `${alice.usePath} ${to}`, from: alice.uri, body }))
        alice.peer.write(send({ to: `${alice.usePath} ${to}`, from: alice.uri, body: body.repeat(3000) }))
      }
      const carol = yield* world.connect
      for (const password of ["looking-glass", "christmas"]) {
        const challenge = yield* world.challenge(carol, world.party())
        secrets.add(challenge.nonce).add(challenge.opaque ?? challenge.nonce)
        yield* world.auth(carol, world.party(), world.authorization(challenge, { username: "carol", password }))
      }
      const info = header(alice.granted, "Authentication-Info")!
      for (const [, value] of info.matchAll(/(?:rspauth|nextnonce|cnonce)="?([^",]+)/g)) secrets.add(value!)
      bob.onFrame = (frame) => bob.answer(frame)
      const there = yield* listening.accepted
      there.onFrame = (frame) => there.answer(frame)
      yield* alice.peer.take(4)
      yield* settled(world)
      const text = JSON.stringify(frames)
      assert.isAbove(frames.length, 25)
      for (const secret of [...secrets, ...world.secrets]) assert.notInclude(text, secret)
      for (const { headers } of frames) assert.notMatch(headers.join("\n"), /msrps?:\/\/[^/\s]*\/(?!~[0-9a-f]{12};tcp)/)
    }))
})

describe("traces", () => {
  scenario("of everybody are one trace", (world) =>
    Effect.gen(function*() {
      const { frames } = yield* traced(world, { users: "*" })
      const alice = yield* world.login()
      const carol = yield* world.login({ username: "carol" })
      yield* world.join(carol)
      yield* settled(world)
      const sessions = new Set(frames.map(({ session }) => session))
      for (const { usePath } of [alice, carol]) assert.isTrue(sessions.has(sessionLabel(idOf(usePath))))
    }))

  scenario(
    "end when their time is over, and when the reader goes; then nothing is traced",
    (world) =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const timed = yield* traced(world, { users: ["alice"], duration: "1 minute" })
        const read = yield* Scope.provide(traced(world, { users: ["alice"] }), scope)
        const alice = yield* world.login()
        yield* settled(world)
        assert.lengthOf(timed.frames, 2)
        yield* TestClock.adjust("1 minute")
        yield* until(() => timed.over)
        yield* alice.peer.quiet
        yield* settled(world)
        assert.lengthOf(timed.frames, 2)
        assert.lengthOf(read.frames, 4)
        yield* Scope.close(scope, Exit.void)
        yield* settled(world)
        yield* alice.peer.quiet
        yield* settled(world)
        assert.lengthOf(read.frames, 4)
      })
  )

  scenario("are 16 at most, and there is room again when one has ended", (world) =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      for (let i = 0; i < MAX_TRACES; i++) yield* Scope.provide(traced(world, { users: [`user${i}`] }), scope)
      const message = yield* Stream.runDrain(world.relay.trace({ users: ["alice"] })).pipe(
        Effect.match({ onFailure: (error) => error.message, onSuccess: () => "none" })
      )
      assert.strictEqual(message, "there are 16 traces already; end one first")
      yield* Scope.close(scope, Exit.void)
      yield* traced(world, { users: ["alice"] })
    }))

  scenario(
    "drop what their reader does not take, say how much, and the relay goes on",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        let hold = true
        const seen: Array<{ readonly dropped?: number }> = []
        yield* world.relay.trace({ users: ["alice"] }).pipe(
          Stream.runForEach((frame) =>
            Effect.andThen(
              Effect.sync(() => seen.push(frame)),
              Effect.suspend(() => hold ? until(() => !hold, "the reader") : Effect.void)
            )
          ),
          Effect.orDie,
          Effect.forkScoped
        )
        yield* settled(world)
        const count = MAX_WAITING
        bob.onFrame = (frame) => bob.answer(frame)
        alice.peer.onFrame = () => {}
        for (let i = 0; i < count; i++) {
          alice.peer.write(
            send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, messageId: `m.${i}xx`, body: "hello" })
          )
        }
        yield* until(() => world.relay.counters.forwarded > count)
        yield* settled(world)
        hold = false
        yield* settled(world)
        const dropped = seen.reduce((sum, one) => sum + (one.dropped ?? 0), 0)
        assert.isAbove(dropped, count)
        assert.strictEqual(seen.length + dropped, 4 * count)
        const told = seen.length
        alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, messageId: "last", body: "hello" }))
        yield* until(() => seen.length === told + 4, "the frames of one more")
        for (const frame of seen.slice(told)) assert.isUndefined(frame.dropped)
      })
  )
})

describe("a trace of a user behind another relay", () => {
  const there = simulated(options)

  there(
    "has the frames of one user on a shared connection, from before and after it began, and no others",
    (world) =>
      Effect.gen(function*() {
        const link = yield* connectFrom(world, machine(world, "b.example.com"))
        const from = (user: string): string =>
          `msrps://b.example.com:2855/${user}-on-b;tcp msrps://${user}.invalid:9/${user};tcp`
        const alice = yield* grantedThrough(world, link, from("alice"))
        const { frames } = yield* traced(world, { users: ["alice"] })
        const carol = yield* grantedThrough(world, link, from("carol"), "carol")
        for (const [user, usePath] of [["alice", alice], ["carol", carol]] as const) {
          const bob = yield* connectFrom(world, machine(world, `bob-of-${user}.example.com`))
          bob.write(
            send({ to: `${usePath} ${from(user)}`, from: `msrps://bob.invalid:9/${user}-bob;tcp`, body: "hello" })
          )
          link.answer(yield* link.next)
          assert.strictEqual((yield* bob.next).status, 200)
        }
        const again = yield* grantedThrough(world, link, from("alice"))
        yield* settled(world)
        assert.deepStrictEqual(frames.map((one) => briefly(one)), [
          "2 > SEND [5] $",
          "2 < 200 OK $",
          "1 < SEND [5] $",
          "1 > 200 OK $",
          "1 > AUTH $",
          "1 < 200 OK $"
        ])
        for (const frame of frames.slice(0, 4)) assert.strictEqual(frame.session, sessionLabel(idOf(alice)))
        assert.strictEqual(frames[5]!.session, sessionLabel(idOf(again)))
        for (const { transport } of frames) assert.strictEqual(transport, "tls")
        end(world, alice, carol, again)
      })
  )
})
