import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { nextId, request, response, send, until } from "../support/harness.ts"
import { group, pairOf, reported } from "./group.ts"

group("G. Other methods, and the way back of responses", ({ scenario, timed }) => {
  scenario(
    "R7701-7.1-01 R4976-6.4.2-09 R4976-6.4.3-07: a NICKNAME and its answer arrive with every header field as it was",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri, forth } = yield* pairOf(world)
        for (const nickname of ["\"\"", "\"Alice the great\"", "\"\xc3\xa4\\\"\"", "no quotes at all", "  "]) {
          const id = nextId()
          alice.peer.write(request("NICKNAME", { ...forth, id, headers: [`Use-Nickname: ${nickname}`] }))
          const frame = yield* bob.next
          assert.deepStrictEqual([frame.to, frame.from], [bobUri, `${alice.usePath} ${alice.uri}`])
          const expected = request("NICKNAME", {
            id: frame.id,
            to: frame.to,
            from: frame.from,
            headers: [`Use-Nickname: ${nickname}`]
          })
          assert.strictEqual(frame.octets.toString("latin1"), expected.toString("latin1"))
          const more = ["WWW-Authenticate: Digest a=1", "X-B: 2", "WWW-Authenticate: Digest a=2", "Expires: 007"]
          bob.write(response(frame.from, bobUri, frame.id, "425 Reserved", ...more))
          const answer = yield* alice.peer.next
          assert.strictEqual(
            answer.octets.toString("latin1"),
            response(alice.uri, `${alice.usePath} ${bobUri}`, id, "425 Reserved", ...more).toString("latin1")
          )
        }
      })
  )

  scenario(
    "R4975-7.2-06 R4975-7.2-05: what is no SEND, and can go no further, is answered by the relay",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, forth } = yield* pairOf(world)
        const nowhere = world.network === undefined ? "127.0.0.1:1" : "nowhere.example:1"
        const far = { to: `${alice.usePath} msrp://${nowhere}/x;tcp`, from: alice.uri }
        for (const method of ["NICKNAME", "DANCE", "REPORT"]) {
          const id = nextId()
          alice.peer.write(request(method, { ...far, id, headers: ["Message-ID: m.01", "Status: 000 200 OK"] }))
          if (method === "REPORT") continue
          const answer = yield* alice.peer.next
          assert.deepStrictEqual([answer.id, answer.status, answer.to, answer.from], [
            id,
            408,
            alice.uri,
            alice.usePath
          ])
        }
        // It was there, and the answer will not come.
        const id = nextId()
        alice.peer.write(request("NICKNAME", { ...forth, id }))
        yield* bob.next
        yield* bob.close
        const answer = yield* alice.peer.next
        assert.deepStrictEqual([answer.id, answer.status, answer.to, answer.from], [id, 408, alice.uri, alice.usePath])
        yield* alice.peer.quiet
      })
  )

  timed(
    "R4975-7.1.4-01 R4975-7.2-06: with Failure-Report no it hears what its receiver answers, and nothing of the relay's own",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, forth } = yield* pairOf(world)
        const far = { to: `${alice.usePath} msrp://nowhere.example:1/x;tcp`, from: alice.uri }
        const headers = ["Failure-Report: no"]
        for (const method of ["NICKNAME", "DANCE"]) {
          alice.peer.write(request(method, { ...far, headers }))
          yield* TestClock.adjust("30 seconds")
          yield* alice.peer.quiet
          alice.peer.write(request(method, { ...forth, headers }))
          bob.answer(yield* bob.next, "425 taken", "whole")
          assert.strictEqual((yield* alice.peer.next).status, 425)
        }
        alice.peer.write(request("NICKNAME", { ...forth, headers }))
        yield* bob.next
        yield* bob.close
        yield* until(() => world.relay.gauges().transactions === 0, "the end of the transaction")
        yield* alice.peer.quiet
      })
  )

  scenario(
    "R4975-7.2-06: a method that ends here is answered, whatever it is, unless it is REPORT",
    (world) =>
      Effect.gen(function*() {
        const { peer, uri, usePath } = yield* world.login()
        for (const method of ["PING", "NICKNAME", "X"]) {
          peer.write(request(method, { to: usePath, from: uri }))
          assert.strictEqual((yield* peer.next).status, 501)
          for (const failureReport of ["yes", "partial", "no"]) {
            peer.write(request(method, { to: usePath, from: uri, headers: [`Failure-Report: ${failureReport}`] }))
            if (failureReport === "no") yield* peer.quiet
            else assert.strictEqual((yield* peer.next).status, 501)
          }
        }
        assert.strictEqual((yield* world.auth(peer, uri)).status, 401)
        peer.write(request("REPORT", { to: usePath, from: uri, headers: ["Message-ID: m.01", "Status: 000 200 OK"] }))
        yield* peer.quiet
      })
  )

  scenario(
    "R4976-6.4.3-04 R4976-6.4.3-11 R4976-6.4.1-21: the first answer ends a transaction, others come to nothing",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, forth, toBob } = yield* pairOf(world)
        alice.peer.write(toBob({ body: "hi" }))
        yield* alice.peer.next
        const frame = yield* bob.next
        assert.strictEqual(world.relay.gauges().transactions, 1)
        bob.answer(frame)
        bob.answer(frame, "413 no")
        yield* alice.peer.quiet
        assert.deepStrictEqual([world.relay.gauges().transactions, world.relay.gauges().timers], [0, 0])

        for (const failureReport of ["partial", "no"]) {
          alice.peer.write(toBob({ failureReport, body: "hi" }))
          const { from, id, to } = yield* bob.next
          bob.write(response(from.split(" ")[0]!, to, id, "200 needless"))
          yield* bob.quiet
          yield* alice.peer.quiet
        }

        alice.peer.write(request("NICKNAME", { ...forth, headers: ["Use-Nickname: \"x\""] }))
        const nickname = yield* bob.next
        bob.answer(nickname, "200 OK", "whole")
        bob.answer(nickname, "403 no", "whole")
        assert.strictEqual((yield* alice.peer.next).status, 200)
        yield* alice.peer.quiet
      })
  )

  scenario(
    "R4976-6.4.3-05 R4976-9.3-10: an answer to nothing goes nowhere, however much path it has",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri, toBob } = yield* pairOf(world)
        for (const to of [`${alice.usePath} ${alice.uri}`, alice.usePath, alice.uri, "msrp://localhost:1/x;tcp"]) {
          bob.write(response(to, bobUri, nextId(), "200 OK"))
          bob.write(response(to, bobUri, nextId(), "413 no"))
          yield* bob.quiet
          yield* alice.peer.quiet
        }
        alice.peer.write(toBob({ body: "hi" }))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        assert.strictEqual(world.relay.counters.connectionsDialled, 0)
      })
  )

  scenario(
    "R4976-6.4.3-08 R4976-6.4.3-30: nothing is opened to bring an answer back",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const bob = yield* world.listen
        // Alice could be reached at the URI that she shows.
        const reachable = yield* world.listen
        const paths = { to: `${alice.usePath} ${bob.uri}`, from: reachable.uri }
        alice.peer.write(
          request("NICKNAME", { ...paths, headers: ["Use-Nickname: \"x\""] }),
          send({ ...paths, body: "x" })
        )
        const peer = yield* bob.accepted
        const frames = yield* peer.take(2)
        yield* alice.peer.close
        yield* until(() => world.relay.gauges().sessions === 0, "the end of the session")
        for (const frame of frames) peer.answer(frame, "413 no", "whole")
        yield* peer.quiet
        assert.deepStrictEqual([world.relay.counters.connectionsDialled, reachable.peers.length], [1, 0])
      })
  )

  timed(
    "R4976-6.4.3-09: an answer still comes back when the session URI of its request has expired",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login({ headers: ["Expires: 20"] })
        const { bob, bobUri } = yield* world.join(alice)
        const paths = { to: `${alice.usePath} ${bobUri}`, from: alice.uri }
        alice.peer.write(
          request("NICKNAME", { ...paths, headers: ["Use-Nickname: \"x\""] }),
          send({ ...paths, body: "x" })
        )
        assert.strictEqual((yield* alice.peer.next).status, 200)
        const [nickname, message] = yield* bob.take(2)
        yield* TestClock.adjust("21 seconds")
        bob.answer(nickname!, "200 OK", "whole")
        bob.answer(message!, "413 no")
        assert.strictEqual((yield* alice.peer.next).status, 200)
        assert.strictEqual((yield* alice.peer.next).method, "REPORT")
        alice.peer.write(send({ ...paths, body: "too late" }))
        assert.strictEqual((yield* alice.peer.next).status, 481)
      })
  )

  scenario(
    "R4976-6.4.2-08: a connection that is there is used for every request of every session",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const carol = yield* world.login({ username: "carol" })
        const bob = yield* world.listen
        for (const { peer, uri, usePath } of [alice, carol, alice]) {
          peer.write(request("NICKNAME", { to: `${usePath} ${bob.uri}`, from: uri, headers: ["Use-Nickname: \"x\""] }))
          peer.write(send({ to: `${usePath} ${bob.uri}`, from: uri, failureReport: "no", body: "x" }))
        }
        yield* (yield* bob.accepted).take(6)
        assert.deepStrictEqual([bob.peers.length, world.relay.counters.connectionsDialled], [1, 1])
      })
  )

  scenario(
    "R4976-6.4.3-04 R4976-6.4.3-07 R4976-6.4.3-02: whose URI an answer has is not a matter of its spelling",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const carol = yield* world.login({ username: "carol" })
        const paths = { to: `${alice.usePath} ${carol.usePath} ${carol.uri}`, from: alice.uri }
        const spellings: ReadonlyArray<(path: string) => string> = [
          (path) => path.replaceAll("localhost", "LocalHost"),
          (path) => path.replaceAll("msrp://", "MSRP://"),
          (path) => path.replaceAll("msrp://", "msrp://carol@"),
          (path) => path.replaceAll(";tcp", ";TCP;more=1"),
          (path) => path.replaceAll(" ", "  ")
        ]
        for (const spelt of spellings) {
          alice.peer.write(send({ ...paths, body: "hi" }))
          assert.strictEqual((yield* alice.peer.next).status, 200)
          const frame = yield* carol.peer.next
          // Another session is another URI, however it is spelt.
          carol.peer.write(response(spelt(alice.usePath), carol.uri, frame.id, "481 no"))
          carol.peer.write(response(spelt(carol.usePath), carol.uri, frame.id, "415 no"))
          assert.strictEqual(reported(yield* alice.peer.next), "000 415 | 1-2/2")

          const id = nextId()
          alice.peer.write(request("NICKNAME", { ...paths, id, headers: ["Use-Nickname: \"x\""] }))
          const nickname = yield* carol.peer.next
          carol.peer.write(response(spelt(nickname.from), carol.uri, nickname.id, "200 OK"))
          const answer = yield* alice.peer.next
          assert.deepStrictEqual([answer.id, answer.status], [id, 200])
          assert.deepStrictEqual(
            [answer.to.toLowerCase().replace("carol@", "").replace(";more=1", ""), answer.from],
            [alice.uri, `${alice.usePath} ${carol.usePath} ${carol.uri}`]
          )
        }
        assert.strictEqual(world.relay.gauges().transactions, 0)
      })
  )
})
