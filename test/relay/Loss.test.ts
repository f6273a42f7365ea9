/** Why messages do not arrive: what the operator hears of each cause, whether their sender wants to hear of it or not. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { parseUri } from "../../src/protocol/Uri.ts"
import { heardIn, of, onlyOf } from "../support/events.ts"
import { header, request, response, send, until, type World } from "../support/harness.ts"
import { simulated } from "../support/simulated.ts"

const scenario = simulated()

const long = "x".repeat(20_000)

/** As much as an answer may have. */
const LONG_LINES = ["X: ".padEnd(7500, "x"), "Y: ".padEnd(7500, "y")]

/** What is told of the first that was lost. */
const lost = (heard: ReturnType<typeof heardIn>) =>
  Effect.andThen(
    until(() => heard.some(({ message }) => message === "message not delivered"), "the event"),
    Effect.sync(() => {
      const { direction, reason, status } = onlyOf(heard, "message not delivered")
      return [direction, status, reason]
    })
  )

/** With each Failure-Report that a cause is told of. */
const each = (
  title: string,
  failureReports: ReadonlyArray<string>,
  body: (
    world: World,
    failureReport: string,
    heard: ReturnType<typeof heardIn>
  ) => Effect.Effect<void, never, Scope.Scope>,
  options: Parameters<typeof scenario>[2] = {}
): void => {
  for (const failureReport of failureReports) {
    scenario(
      `${title} (Failure-Report ${failureReport})`,
      (world) => Effect.suspend(() => body(world, failureReport, heardIn(world))),
      options
    )
  }
}

const all = ["yes", "partial", "no"]

describe("a message that does not arrive", () => {
  each("its receiver refuses it", ["yes", "partial"], (world, failureReport, heard) =>
    Effect.gen(function*() {
      const { alice, bob, bobUri } = yield* Effect.orDie(world.pair())
      alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body: "hi", failureReport }))
      bob.answer(yield* bob.next, "413 Too large")
      assert.deepStrictEqual(yield* lost(heard), ["sent", 413, "its receiver refused it"])
      assert.strictEqual(world.relay.counters.reports, 1)
    }))

  each("its receiver stops a long one", all, (world, failureReport, heard) =>
    Effect.gen(function*() {
      const { alice, bob, bobUri } = yield* Effect.orDie(world.pair())
      const to = `${alice.usePath} ${bobUri}`
      const octets = send({ to, from: alice.uri, range: "1-20000/20000", body: long, failureReport })
      alice.peer.write(octets.subarray(0, 8000))
      yield* until(() => bob.partialBody > 0, "its beginning")
      bob.write(response(alice.usePath, bobUri, bob.partialId, "413 Stop"))
      assert.deepStrictEqual(yield* lost(heard), ["sent", 413, "its receiver refused it"])
      assert.strictEqual(world.relay.counters.reports, failureReport === "no" ? 0 : 1)
    }))

  each("nobody answers", ["yes"], (world, failureReport, heard) =>
    Effect.gen(function*() {
      const { alice, bob, bobUri } = yield* Effect.orDie(world.pair())
      alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body: "hi", failureReport }))
      yield* bob.next
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(yield* lost(heard), ["sent", 408, "no answer in time"])
    }))

  each("its receiver takes nothing", all, (world, failureReport, heard) =>
    Effect.gen(function*() {
      const { alice, bob, bobUri } = yield* Effect.orDie(world.pair())
      bob.connection.pause()
      for (let i = 0; i < 12; i++) {
        const to = `${alice.usePath} ${bobUri}`
        alice.peer.write(send({ to, from: alice.uri, messageId: `stuck${i}`, body: long, failureReport }))
      }
      yield* world.network!.settled
      yield* TestClock.adjust("31 seconds")
      yield* until(() => heard.some(({ message }) => message === "message not delivered"), "the event")
      const told = of(heard, "message not delivered").map(({ fields: { direction, reason } }) =>
        `${direction} ${reason}`
      )
      assert.include(told, "sent its receiver takes nothing")
      // Twelve messages are no twelve lines.
      assert.strictEqual(new Set(told).size, told.length)
    }), { limits: { output: 20_000 } })

  // What was handed to the connection is not followed where nobody wants to hear of it.
  each(
    "the connection to its receiver closes",
    ["yes", "partial"],
    (world, failureReport, heard) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* Effect.orDie(world.pair())
        bob.connection.pause()
        for (let i = 0; i < 12; i++) {
          const to = `${alice.usePath} ${bobUri}`
          alice.peer.write(send({ to, from: alice.uri, messageId: `lost${i}`, body: long, failureReport }))
        }
        yield* world.network!.settled
        world.network!.cut(bob.connection)
        assert.deepStrictEqual(yield* lost(heard), ["sent", 408, "the connection to its receiver closed"])
      }),
    { limits: { output: 20_000 } }
  )

  each("its next hop cannot be reached", all, (world, failureReport, heard) =>
    Effect.gen(function*() {
      const alice = yield* Effect.orDie(world.login())
      const to = `${alice.usePath} msrp://localhost:7/bob;tcp`
      for (const body of ["hi", long]) alice.peer.write(send({ to, from: alice.uri, body, failureReport }))
      assert.deepStrictEqual(yield* lost(heard), ["sent", 408, "its next hop cannot be reached"])
      const { reason, target } = onlyOf(heard, "dial failed")
      assert.deepStrictEqual([target, reason], ["msrp://localhost:7", "nobody listens there"])
    }))

  each(
    "its next hop may not be reached",
    all,
    (world, failureReport, heard) =>
      Effect.gen(function*() {
        const alice = yield* Effect.orDie(world.login())
        yield* Effect.orDie(world.transport.listen({ scheme: "msrp", host: "127.0.0.1", port: 7000 }, () => ({
          bytes: () => {},
          closed: () => {}
        })))
        const to = `${alice.usePath} msrp://localhost:7000/bob;tcp`
        alice.peer.write(send({ to, from: alice.uri, body: "hi", failureReport }))
        assert.deepStrictEqual(yield* lost(heard), ["sent", 403, "its next hop may not be reached"])
        assert.include(String(onlyOf(heard, "dial failed")["reason"]), "connections to it are forbidden")
      }),
    { listen: [{ scheme: "msrp", host: "203.0.113.5", port: 2855 }], plaintextAuth: "always" }
  )

  each("its session ends while it comes", all, (world, failureReport, heard) =>
    Effect.gen(function*() {
      const { alice, bob, bobUri } = yield* Effect.orDie(world.pair())
      const octets = send({
        to: `${alice.usePath} ${bobUri}`,
        from: alice.uri,
        range: "1-20000/20000",
        body: long,
        failureReport
      })
      alice.peer.write(octets.subarray(0, 8000))
      yield* until(() => bob.partialBody > 0, "its beginning")
      world.sessions.end(world.sessions.findUnsafe(parseUri(alice.usePath)!.sessionId!)!)
      alice.peer.write(octets.subarray(8000, 9000))
      yield* world.network!.settled
      yield* TestClock.adjust("2 minutes")
      alice.peer.write(octets.subarray(9000))
      assert.deepStrictEqual(yield* lost(heard), ["sent", 481, "its session has ended"])
    }), { limits: { overtime: 60 } })

  each("the relay stops", ["yes"], (world, failureReport, heard) =>
    Effect.gen(function*() {
      const { alice, bob, bobUri } = yield* Effect.orDie(world.pair())
      alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body: "hi", failureReport }))
      yield* bob.next
      yield* Effect.forkChild(world.relay.close, { startImmediately: true })
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* lost(heard), ["sent", 408, "the relay stops"])
    }))

  scenario("a slow receiver that others do not have to wait for", (world) =>
    Effect.gen(function*() {
      const heard = heardIn(world)
      const { alice, bob, bobUri } = yield* world.pair()
      const carol = yield* world.login({ username: "carol" })
      // Both send by the connection of a gateway, and one of their receivers is slow.
      const second = yield* world.login({ peer: alice.peer })
      const { bob: dave, bobUri: daveUri } = yield* world.join(second)
      bob.connection.pause()
      const hello = send({ to: `${second.usePath} ${daveUri}`, from: second.uri, body: "hello" })
      alice.peer.write(hello)
      for (let i = 0; i < 40; i++) {
        const to = `${alice.usePath} ${bobUri}`
        alice.peer.write(send({ to, from: alice.uri, messageId: `slow${i}`, body: long, failureReport: "no" }), hello)
      }
      yield* world.network!.settled
      yield* TestClock.adjust("20 seconds")
      yield* until(() => heard.some(({ message }) => message === "message not delivered"), "the event")
      assert.strictEqual(
        onlyOf(heard, "message not delivered")["reason"],
        "its receiver is too slow, and others wait for what is behind it"
      )
      assert.strictEqual((yield* dave.next).method, "SEND")
      assert.isFalse(carol.peer.isClosed)
    }), { limits: { session: 50_000, output: 20_000, stall: 60 } })

  scenario("is an event of both when both are users here, with each other's names", (world) =>
    Effect.gen(function*() {
      const heard = heardIn(world)
      const alice = yield* world.login()
      const carol = yield* world.login({ username: "carol" })
      alice.peer.write(send({ to: `${alice.usePath} ${carol.usePath} ${carol.uri}`, from: alice.uri, body: "hi" }))
      carol.peer.answer(yield* carol.peer.next, "415 No")
      yield* alice.peer.take(2)
      assert.deepStrictEqual(
        of(heard, "message not delivered").map((
          { fields: { direction, peerUser, user } }
        ) => [user, direction, peerUser]),
        [["alice", "sent", "carol"], ["carol", "received", "alice"]]
      )
    }))

  scenario("is cut off where its sender vanishes, which is told of both", (world) =>
    Effect.gen(function*() {
      const heard = heardIn(world)
      const alice = yield* world.login()
      const carol = yield* world.login({ username: "carol" })
      const octets = send({ to: `${alice.usePath} ${carol.usePath} ${carol.uri}`, from: alice.uri, body: long })
      alice.peer.write(octets.subarray(0, 8000))
      yield* until(() => carol.peer.partialBody > 0, "its beginning")
      world.network!.cut(alice.peer.connection)
      yield* until(() => heard.some(({ message }) => message === "connection ended"), "the end")
      const cut = of(heard, "message cut off").map((
        { fields: { direction, reason, user } }
      ) => [user, direction, reason])
      assert.deepStrictEqual(cut.map(([user, direction]) => [user, direction]), [["alice", "sent"], [
        "carol",
        "received"
      ]])
      for (const [, , reason] of cut) assert.match(String(reason), /^the connection of its sender: failed: /)
    }))

  scenario("is cut off no more where it had failed before: its sender gives up", (world) =>
    Effect.gen(function*() {
      const heard = heardIn(world)
      const { alice, bob, bobUri } = yield* world.pair()
      const octets = send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body: long })
      alice.peer.write(octets.subarray(0, 8000))
      yield* until(() => bob.partialBody > 0, "its beginning")
      bob.write(response(alice.usePath, bobUri, bob.partialId, "413 Stop"))
      assert.strictEqual((yield* alice.peer.next).method, "REPORT")
      yield* alice.peer.close
      yield* until(() => heard.some(({ message }) => message === "session ended"), "the end")
      assert.strictEqual(onlyOf(heard, "message not delivered")["status"], 413)
      assert.isEmpty(of(heard, "message cut off"))
      assert.strictEqual(onlyOf(heard, "session ended")["failures"], 1 + 1, "with the request of the pair")
    }))

  for (const failureReport of all) {
    scenario(
      `is told of its receiver when its sender is long gone (Failure-Report ${failureReport})`,
      (world) =>
        Effect.gen(function*() {
          const heard = heardIn(world)
          const alice = yield* world.login()
          const carol = yield* world.login({ username: "carol" })
          const { port } = alice.peer.connection.local
          world.network!.configure({ window: 1000 })
          carol.peer.connection.pause()
          const to = `${alice.usePath} ${carol.usePath} ${carol.uri}`
          for (let i = 0; i < 8; i++) {
            alice.peer.write(send({ to, from: alice.uri, messageId: `gone${i}`, body: long, failureReport }))
          }
          yield* world.network!.settled
          world.network!.cut(alice.peer.connection)
          yield* until(() => of(heard, "connection ended").length === 1, "the end of the sender")
          world.network!.cut(carol.peer.connection)
          yield* until(() => of(heard, "connection ended").length === 2, "the end of the receiver")
          const { counters } = world.relay
          assert.isAbove(counters.lost, 5)
          assert.strictEqual(counters.reports, 0)
          const received = of(heard, "message not delivered").filter(({ fields }) => fields["direction"] === "received")
          assert.deepStrictEqual(
            received.map(({ fields: { peer, peerUser, reason, user } }) => [user, peerUser, peer, reason]),
            [["carol", "alice", `127.0.0.1:${port}`, "the connection to its receiver closed"]]
          )
          const end = of(heard, "session ended").find(({ fields }) => fields["user"] === "carol")!
          assert.strictEqual(end.fields["failures"], counters.lost)
        }),
      { limits: { output: 20_000 } }
    )
  }

  for (const failureReport of all) {
    scenario(
      `R4976-6.4.1-13: is told of also where the system would have taken it next (Failure-Report ${failureReport})`,
      (world) =>
        Effect.gen(function*() {
          const { alice, bob, bobUri } = yield* world.pair()
          world.network!.configure({ window: 1000 })
          bob.connection.pause()
          const count = 40
          for (let i = 0; i < count; i++) {
            const to = `${alice.usePath} ${bobUri}`
            alice.peer.write(
              send({ to, from: alice.uri, messageId: `next${i}`, body: "x".repeat(1000), failureReport })
            )
          }
          yield* world.network!.settled
          const { counters } = world.relay
          const { octetsOut } = counters
          assert.isAbove(world.relay.gauges().parkedOctets, 10_000)
          world.network!.cut(bob.connection)
          yield* world.network!.settled
          // What nobody wants to hear of is not followed when it was handed over.
          if (failureReport === "no") {
            assert.isAbove(counters.lost, 15)
            assert.strictEqual(counters.octetsOut, octetsOut)
            return
          }
          const frames = yield* alice.peer.take(failureReport === "yes" ? 2 * count : count)
          const reported = frames.filter(({ method }) => method === "REPORT").map((one) => header(one, "Message-ID"))
          assert.sameMembers(reported, Array.from({ length: count }, (_, i) => `next${i}`))
          assert.strictEqual(counters.lost, count)
        }),
      { limits: { output: 20_000 } }
    )
  }

  scenario(
    "or a receipt, a login or another request that does not, is told with its method",
    (world) =>
      Effect.gen(function*() {
        const told: Array<unknown> = []
        world.relay.operator.listen(({ fields: { method, reason, status }, message }) => {
          if (message === "message not delivered") told.push([method, status, reason])
        })
        const alice = yield* world.login()
        for (const method of ["REPORT", "NICKNAME"]) {
          const headers = method === "REPORT" ? ["Message-ID: m123", "Byte-Range: 1-1/1", "Status: 000 200"] : []
          alice.peer.write(
            request(method, { to: `${alice.usePath} msrp://localhost:7/x;tcp`, from: alice.uri, headers })
          )
        }
        assert.strictEqual((yield* alice.peer.next).status, 408)
        alice.peer.write(request("AUTH", { to: `${alice.usePath} msrps://localhost:7;tcp`, from: alice.uri }))
        assert.strictEqual((yield* alice.peer.next).status, 408)
        const why = "its next hop cannot be reached"
        assert.deepStrictEqual(told, [["REPORT", 408, why], ["another", 408, why], ["AUTH", 408, why]])
        assert.strictEqual(world.relay.counters.lost, 3)
        // And one that goes out, and is not answered.
        const bob = yield* world.listen
        alice.peer.write(request("NICKNAME", { to: `${alice.usePath} ${bob.uri}`, from: alice.uri }))
        const accepted = yield* bob.accepted
        yield* accepted.next
        yield* accepted.close
        assert.strictEqual((yield* alice.peer.next).status, 408)
        assert.deepStrictEqual(told.slice(3), [["another", 408, "the connection to its receiver closed"]])
      })
  )

  const answers: ReadonlyArray<
    readonly [title: string, answer: (to: string, from: string, id: string) => Buffer | string]
  > = [
    ["for somebody else", (_, from, id) => response("msrp://elsewhere.example:2855/x;tcp", from, id, "200 OK")],
    ["without From-Path", (to, _, id) => `MSRP ${id} 200 OK\r\nTo-Path: ${to}\r\n-------${id}$\r\n`]
  ]
  for (const [title, answer] of answers) {
    scenario(
      `R4976-6.4.3: whose receiver answers ${title} is not told as one that was not answered`,
      (world) =>
        Effect.gen(function*() {
          const heard = heardIn(world)
          const { alice, bob, bobUri } = yield* world.pair()
          alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body: "hi" }))
          bob.write(answer(alice.usePath, bobUri, (yield* bob.next).id))
          yield* world.network!.settled
          yield* TestClock.adjust("30 seconds")
          assert.deepStrictEqual(yield* lost(heard), [
            "sent",
            408,
            "its receiver's answer is malformed, or for somebody else"
          ])
          assert.strictEqual(world.relay.counters.reports, 1)
        })
    )
  }

  scenario(
    "R4976-9.3-06: the answers of its receiver, however long, are not kept for a sender that does not read",
    (world) =>
      Effect.gen(function*() {
        const told: Array<unknown> = []
        world.relay.operator.listen(({ fields: { method, reason, status } }) => told.push([method, status, reason]))
        const { alice, bob, bobUri } = yield* world.pair()
        const asked = { to: `${alice.usePath} ${bobUri}`, from: alice.uri }
        for (let i = 0; i < 198; i++) alice.peer.write(request("NICKNAME", asked))
        // In the place of an answer to these, the relay writes none.
        for (let i = 0; i < 2; i++) alice.peer.write(request("NICKNAME", { ...asked, headers: ["Failure-Report: no"] }))
        const requests = yield* bob.take(200)
        alice.peer.connection.pause()
        for (const frame of requests) bob.answer(frame, "200 OK", "whole", ...LONG_LINES)
        yield* world.network!.settled
        assert.isBelow(world.relay.gauges().bufferedOctets, 250_000)
        assert.deepStrictEqual(told.at(-1), ["another", 408, "its sender does not read its answers"])
        alice.peer.connection.resume()
        yield* world.network!.settled
        const { length } = alice.peer.frames.filter(({ status }) => status === 200)
        assert.isAbove(length, 3)
        assert.lengthOf(alice.peer.frames.filter(({ status }) => status === 408), 198 - length)
        assert.strictEqual(world.relay.counters.lost, 200 - length)
        // Once it has read them, it gets the next ones.
        alice.peer.frames.length = 0
        alice.peer.write(request("NICKNAME", asked))
        bob.answer(yield* bob.next, "200 OK", "whole", ...LONG_LINES)
        assert.strictEqual((yield* alice.peer.next).status, 200)
      }),
    { limits: { responses: 65_536 } }
  )

  scenario("another cause with the same status is told as well, and each once", (world) =>
    Effect.gen(function*() {
      const heard = heardIn(world)
      const { alice, bob, bobUri } = yield* world.pair()
      for (let i = 0; i < 3; i++) {
        alice.peer.write(send({ to: `${alice.usePath} msrp://localhost:7/x;tcp`, from: alice.uri, body: "hi" }))
        yield* alice.peer.take(2)
        alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body: "hi" }))
        yield* alice.peer.next
        yield* bob.next
        yield* TestClock.adjust("30 seconds")
        yield* alice.peer.next
      }
      assert.deepStrictEqual(
        of(heard, "message not delivered").map(({ fields }) => fields["reason"]),
        ["its next hop cannot be reached", "no answer in time"]
      )
      const [session] = world.relay.operator.sessions().items
      assert.strictEqual(session?.failures, 7, "with the request of the pair")
    }))

  scenario("one that nobody asked for is none", (world) =>
    Effect.gen(function*() {
      const heard = heardIn(world)
      const { alice, bob, bobUri } = yield* world.pair()
      // No answer is wanted, and none comes.
      alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body: "hi", failureReport: "no" }))
      alice.peer.write(
        send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body: "hi", failureReport: "partial" })
      )
      yield* bob.take(2)
      bob.write(
        request("REPORT", {
          to: `${alice.usePath} ${alice.uri}`,
          from: bobUri,
          headers: ["Message-ID: m", "Status: 000 200"]
        })
      )
      yield* TestClock.adjust("40 seconds")
      yield* bob.close
      yield* world.network!.settled
      assert.deepStrictEqual(of(heard, "message not delivered"), [])
    }))
})

describe("more of a message of which a part was lost", () => {
  const refused = (heard: ReturnType<typeof heardIn>): ReadonlyArray<unknown> =>
    of(heard, "request refused").map(({ fields: { reason, status } }) => [status, reason])

  const begun = (world: World) =>
    Effect.gen(function*() {
      const heard = heardIn(world)
      const pair = yield* Effect.orDie(world.pair())
      const { alice, bob, bobUri } = pair
      const chunk = (range: string) =>
        send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, messageId: "file", range, body: long, flag: "+" })
      const first = chunk("1-*/60000")
      alice.peer.write(first.subarray(0, 8000))
      yield* until(() => bob.partialBody > 0, "its beginning")
      return { ...pair, heard, chunk, rest: first.subarray(8000) }
    })

  scenario("R4975-10.5-01: is refused in the words of the receiver that refused it", (world) =>
    Effect.gen(function*() {
      const { alice, bob, bobUri, chunk, heard, rest } = yield* begun(world)
      bob.write(response(alice.usePath, bobUri, bob.partialId, "413 Stop"))
      yield* world.network!.settled
      alice.peer.write(rest, chunk("20001-*/60000"))
      yield* world.network!.settled
      assert.deepStrictEqual(refused(heard), [[413, "its receiver wants no more of it"]])
    }))

  scenario("is not reported as refused by a receiver that has not answered", (world) =>
    Effect.gen(function*() {
      const { alice, chunk, heard, rest } = yield* begun(world)
      alice.peer.write(rest)
      yield* world.network!.settled
      yield* TestClock.adjust("30 seconds")
      alice.peer.write(chunk("20001-*/60000"))
      yield* world.network!.settled
      assert.deepStrictEqual(refused(heard), [[413, "a part of it did not arrive"]])
    }))
})
