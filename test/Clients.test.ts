/** What real clients were seen to do, and must be able to do with this relay. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { strongestChallenge } from "../src/protocol/digest/Challenge.ts"
import { Transport } from "../src/Transport.ts"
import { group, pairOf } from "./conformance/group.ts"
import {
  type Frame,
  header,
  headers,
  makeWorld,
  nextId,
  request,
  response,
  send,
  summary,
  until
} from "./support/harness.ts"

group("Clients", ({ scenario, timed }) => {
  scenario(
    "one that splits a challenge at comma and blank, and sends its opaque back",
    (world) =>
      Effect.gen(function*() {
        const peer = yield* world.connect
        const from = world.party()
        const challenged = yield* world.auth(peer, from)
        const last = headers(challenged, "WWW-Authenticate").at(-1)!
        assert.isTrue(last.startsWith("Digest "))
        const parameters = new Map(
          last.slice("Digest ".length).split(", ").map((one) => {
            const equals = one.indexOf("=")
            assert.isAbove(equals, 0, one)
            return [one.slice(0, equals), one.slice(equals + 1).replaceAll("\"", "")] as const
          })
        )
        assert.includeMembers([...parameters.keys()], ["realm", "nonce", "opaque", "algorithm", "qop"])
        assert.strictEqual(parameters.get("algorithm"), "MD5")
        const authorization = world.authorization(strongestChallenge([last])!)
        assert.include(authorization, `opaque="${parameters.get("opaque")}"`)
        const shapes = [
          (text: string) => text,
          (text: string) => text.replace(/, uri="[^"]*"/, ""),
          (text: string) => text.replace("qop=auth", "qop=\"auth\"")
        ]
        for (const shape of shapes) {
          const again = strongestChallenge([headers(yield* world.auth(peer, from), "WWW-Authenticate").at(-1)!])!
          assert.strictEqual((yield* world.auth(peer, from, shape(world.authorization(again)))).status, 200)
        }
      })
  )

  const readers: Readonly<Record<string, (values: ReadonlyArray<string>) => string | undefined>> = {
    "SHA-256 only": (values) => values.find((value) => value.includes("algorithm=SHA-256")),
    "MD5 only, and reads the last challenge": (values) => values.at(-1),
    "MD5 only, and reads the first challenge with MD5": (values) =>
      values.find((value) => value.includes("algorithm=MD5"))
  }
  for (const [who, pick] of Object.entries(readers)) {
    scenario(`one that knows ${who} logs in (R7616-3.7-01)`, (world) =>
      Effect.gen(function*() {
        const peer = yield* world.connect
        const from = world.party()
        const read = strongestChallenge([pick(headers(yield* world.auth(peer, from), "WWW-Authenticate"))!])!
        assert.strictEqual(read.algorithm, who.startsWith("SHA") ? "SHA-256" : "MD5")
        assert.strictEqual((yield* world.auth(peer, from, world.authorization(read))).status, 200)
      }))
  }

  scenario(
    "one with several sessions on a connection: another AUTH leaves the first session alone",
    (world) =>
      Effect.gen(function*() {
        const first = yield* world.login({ uri: "msrps://x1.invalid:2855/a;ws" })
        const second = yield* world.login({ peer: first.peer, uri: "msrps://x1.invalid:2855/b;ws" })
        assert.notStrictEqual(first.usePath, second.usePath)
        for (const owner of [first, second, first]) {
          const { bob } = yield* world.join(owner)
          yield* bob.close
          yield* until(() => world.relay.gauges().connections === 1, "Bob's leave")
        }
      })
  )

  scenario("one that asks for too much, and again for what it is offered", (world) =>
    Effect.gen(function*() {
      const peer = yield* world.connect
      const from = world.party()
      const challenge = yield* world.challenge(peer, from)
      const much = yield* world.auth(peer, from, world.authorization(challenge), "Expires: 86400")
      assert.strictEqual(much.status, 423)
      const offered = `Expires: ${header(much, "Max-Expires")}`
      assert.strictEqual(
        (yield* world.auth(peer, from, world.authorization(challenge, { nc: 2 }), offered)).status,
        200
      )
    }), { authMaxExpires: 3600 })

  timed(
    "one that sends an empty SEND every minute and never a new AUTH, where the operator allows it",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login({ headers: ["Expires: 100"] })
        const { bob, bobUri } = yield* world.join(alice)
        for (let minute = 0; minute < 10; minute++) {
          yield* TestClock.adjust("1 minute")
          alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri }))
          const answer = yield* alice.peer.next
          // It reads only what comes from exactly the URI that it was given.
          assert.deepStrictEqual([answer.status, answer.from], [200, alice.usePath])
          const frame = yield* bob.next
          assert.isUndefined(frame.body)
          bob.answer(frame)
        }
      }),
    { sessions: { extendActive: true } }
  )

  scenario(
    "one that begins a file with FILE_OFFSET, which is no method of the grammar",
    (world) =>
      Effect.gen(function*() {
        const { alice, back, bob, forth } = yield* pairOf(world)
        bob.write(request("FILE_OFFSET", back))
        const asked = yield* alice.peer.next
        assert.deepStrictEqual([asked.method, asked.from], ["FILE_OFFSET", forth.to])
        alice.peer.answer(asked, "200 OK", "whole", "Offset: 4096")
        const answer = yield* bob.next
        assert.deepStrictEqual([answer.status, header(answer, "Offset")], [200, "4096"])
      })
  )

  scenario(
    "one that sends without Byte-Range, a REPORT for each message, and 10,000 chunks in one write",
    (world) =>
      Effect.gen(function*() {
        const { alice, back, bob, forth, toAlice } = yield* pairOf(world)
        bob.write(
          request("SEND", { ...back, headers: ["Message-ID: no.range", "Content-Type: text/plain"], body: "plain" })
        )
        assert.strictEqual((yield* bob.next).status, 200)
        const plain = yield* alice.peer.next
        assert.strictEqual(plain.from, forth.to)
        // Others refuse a SEND without it.
        assert.strictEqual(header(plain, "Byte-Range"), "1-5/5")
        alice.peer.answer(plain)
        const COUNT = 10_000
        let arrived = 0
        alice.peer.onFrame = (frame) => {
          const [, n] = header(frame, "Message-ID")!.split(".")
          if (frame.method === "SEND") {
            assert.strictEqual(Number(n), arrived++)
            alice.peer.answer(frame)
            const about = [`Message-ID: burst.${n}`, "Byte-Range: 1-5/5", "Status: 000 200 OK"]
            alice.peer.write(request("REPORT", { ...forth, headers: about }))
          }
        }
        const burst = []
        for (let n = 0; n < COUNT; n++) {
          burst.push(toAlice({ messageId: `burst.${n}`, range: "1-5/5", body: "chunk" }))
        }
        bob.write(Buffer.concat(burst))
        let answers = 0
        let reports = 0
        bob.onFrame = (frame) => {
          if (frame.method === "REPORT") {
            assert.strictEqual(header(frame, "Message-ID"), `burst.${reports++}`)
            return
          }
          assert.strictEqual(frame.status, 200)
          answers++
        }
        yield* until(() => arrived === COUNT && answers === COUNT && reports === COUNT, "all of them")
      })
  )

  scenario("one that answers a REPORT with 200", (world) =>
    Effect.gen(function*() {
      const { alice, back, bob } = yield* pairOf(world)
      bob.write(
        request("REPORT", { ...back, headers: ["Message-ID: m.01", "Byte-Range: 1-1/1", "Status: 000 200 OK"] })
      )
      alice.peer.answer(yield* alice.peer.next, "200 OK", "whole")
      yield* alice.peer.quiet
      yield* bob.quiet
    }))

  scenario(
    "one that knows of no relays, and answers to the far end of From-Path alone",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri, toBob } = yield* pairOf(world)
        const answer = ({ from, id, to }: Frame, status: string) =>
          bob.write(response(from.split(" ").at(-1)!, to.split(" ").at(-1)!, id, status))
        alice.peer.write(toBob({ messageId: "far.end", body: "hello" }))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        answer(yield* bob.next, "413 enough")
        const report = yield* alice.peer.next
        assert.deepStrictEqual([report.method, header(report, "Status")], ["REPORT", "000 413 enough"])
        alice.peer.write(request("NICKNAME", { to: `${alice.usePath} ${bobUri}`, from: alice.uri }))
        answer(yield* bob.next, "200 OK")
        const named = yield* alice.peer.next
        assert.deepStrictEqual([named.status, named.to], [200, alice.uri])
      })
  )

  scenario("one behind a middlebox that rewrites the addresses in SDP only", (world) =>
    Effect.gen(function*() {
      const alice = yield* world.login({ uri: "msrp://10.1.2.3:7654/alice.session;tcp" })
      const bob = yield* world.connect
      // What the peer reads in SDP is not what she says of herself; the session-id is.
      const seen = "msrp://203.0.113.9:40000/bob.session;tcp"
      const own = "msrp://192.168.7.7:5000/bob.session;tcp"
      bob.write(send({ to: `${alice.usePath} ${alice.uri}`, from: own, body: "hello" }))
      assert.strictEqual((yield* bob.next).status, 200)
      alice.peer.answer(yield* alice.peer.next)
      alice.peer.write(send({ to: `${alice.usePath} ${seen}`, from: alice.uri, body: "hello yourself" }))
      assert.strictEqual((yield* alice.peer.next).status, 200)
      const frame = yield* bob.next
      assert.strictEqual(frame.to, seen)
      bob.answer(frame)
    }))

  scenario(
    "ones that write header names in other letters, two blanks, and quoted semicolons",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* pairOf(world)
        const id = nextId()
        alice.peer.write(
          [
            `MSRP ${id} SEND`,
            `to-path:  ${alice.usePath} ${bobUri}`,
            `FROM-PATH:  ${alice.uri}`,
            "message-ID:  odd.1",
            "byte-range:  1-2/2",
            "Content-Disposition: attachment; filename=\"a;b, c.txt\"; size=2",
            "Content-type: text/plain; charset=utf-8",
            "",
            "hi",
            `-------${id}$`,
            ""
          ].join("\r\n")
        )
        assert.strictEqual(summary(yield* alice.peer.next), "200 | $")
        const frame = yield* bob.next
        assert.strictEqual(header(frame, "Content-Disposition"), "attachment; filename=\"a;b, c.txt\"; size=2")
        assert.strictEqual(frame.to, bobUri)
        bob.answer(frame)
      })
  )

  scenario(
    "one that writes a blank line before each end-line, also where there is no body",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri, toAlice, toBob } = yield* pairOf(world)
        const blank = (octets: Buffer) => octets.toString("latin1").replace("\r\n-------", "\r\n\r\n-------")
        bob.write(blank(toAlice({ messageId: "bind.1", range: "1-0/0" })))
        assert.strictEqual(summary(yield* bob.next), "200 | $")
        const bind = yield* alice.peer.next
        assert.deepStrictEqual([bind.method, header(bind, "Message-ID"), bind.body], ["SEND", "bind.1", undefined])
        alice.peer.answer(bind)

        alice.peer.write(toBob({ messageId: "hi.1", body: "hi", headers: ["Success-Report: yes"] }))
        assert.strictEqual(summary(yield* alice.peer.next), "200 | $")
        const { from, id } = yield* bob.next
        bob.write(
          blank(request("REPORT", { to: from, from: bobUri, headers: ["Message-ID: hi.1", "Status: 000 200 OK"] }))
        )
        assert.strictEqual(header(yield* alice.peer.next, "Status"), "000 200 OK")
        bob.write(blank(response(from.split(" ")[0]!, bobUri, id, "413 too much")))
        assert.strictEqual(header(yield* alice.peer.next, "Status"), "000 413 too much")

        bob.write(blank(request("NICKNAME", { to: `${alice.usePath} ${alice.uri}`, from: bobUri })))
        const asked = yield* alice.peer.next
        alice.peer.write(blank(response(asked.from, asked.to, asked.id, "425 taken")))
        assert.strictEqual((yield* bob.next).status, 425)
      })
  )

  scenario("one that reads 2048 octets at a time, and what is about as long", (world) =>
    Effect.gen(function*() {
      const { alice, bob, toBob } = yield* pairOf(world)
      for (let octets = 1700; octets < 2049; octets += 29) {
        alice.peer.write(toBob({ body: Buffer.alloc(octets, "x") }))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        const frame = yield* bob.next
        assert.strictEqual(frame.body!.length, octets)
        const { from, id, to } = frame
        bob.write(response(from.split(" ")[0]!, to, id, "200 OK"))
      }
      yield* alice.peer.quiet
    }))

  scenario("one that sends 20 MB in one chunk, which others may interrupt", (world) =>
    Effect.gen(function*() {
      const { alice, bob, toAlice } = yield* pairOf(world)
      const OCTETS = 20_000_000
      const sent = Buffer.alloc(OCTETS, "0123456789abcdefghi\n")
      const second = yield* world.login({ peer: alice.peer })
      const carol = yield* world.connect
      let arrived = 0
      let others = 0
      alice.peer.onFrame = (frame) => {
        if (frame.method !== "SEND") return
        alice.peer.answer(frame)
        if (frame.to === second.uri) others = arrived
        else assert.isTrue(frame.body!.equals(sent.subarray(arrived, arrived += frame.body!.length)))
      }
      bob.write(toAlice({ messageId: "large", range: `1-*/${OCTETS}`, body: sent }))
      yield* until(() => bob.connection.pending() < OCTETS / 2, "half of it")
      carol.write(send({ to: `${second.usePath} ${second.uri}`, from: world.party(), body: "me, too" }))
      yield* until(() => arrived === OCTETS, "all of it", () => String(arrived))
      assert.isAbove(others, 0)
      assert.isBelow(others, OCTETS)
      assert.strictEqual((yield* bob.next).status, 200)
    }))

  it.effect("one that cannot read an end-line in two parts is sent each in one write", () =>
    Effect.gen(function*() {
      const inner = yield* Transport
      const writes: Array<Buffer> = []
      const world = yield* makeWorld().pipe(Effect.provideService(Transport, {
        ...inner,
        listen: (socket, accept) =>
          inner.listen(socket, (connection) =>
            accept({
              ...connection,
              write: (bytes, written) => {
                writes.push(Buffer.from(bytes))
                connection.write(bytes, written)
              }
            }))
      }))
      const { alice, bob, toAlice } = yield* pairOf(world)
      let left = 3000
      alice.peer.onFrame = (frame) => {
        if (frame.method === "SEND") alice.peer.answer(frame, "413 enough")
      }
      bob.onFrame = ({ method }) => {
        if (method === "REPORT") left--
      }
      const burst = Array.from({ length: left }, (_, n) =>
        toAlice({ messageId: `many.${n}`, body: Buffer.alloc(1 + n % 97, "x") }))
      bob.write(Buffer.concat(burst))
      yield* until(() =>
        left === 0, "all reports")
      const text = Buffer.concat(writes).toString("latin1")
      const inside = new Set<number>()
      for (const { 0: line, index } of text.matchAll(/-------[^\r\n]+[$+#]\r\n/g)) {
        for (let at = index + 1; at < index + line.length; at++) inside.add(at)
      }
      let at = 0
      assert.isAbove(writes.length, 10)
      for (const { length } of writes) assert.isFalse(inside.has(at += length), `cut at ${at}`)
    }).pipe(Effect.provide(Transport.layerTest())))
})
