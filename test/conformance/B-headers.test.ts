import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { header, headers, nextId, request, summary, until } from "../support/harness.ts"
import { group, pairOf } from "./group.ts"

group("B. Header fields", ({ scenario }) => {
  scenario(
    "R4975-9-24 R4975-7.1.1-02: MIME header fields keep their order, Content-Type last, and none is added",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, toBob } = yield* pairOf(world)
        const mime = ["Content-ID: <1@a>", "Content-Description: d", "Content-Disposition: inline", "Content-X: y"]
        alice.peer.write(toBob({ headers: mime, body: Buffer.from([0, 255, 13, 10, 128]) }))
        const frame = yield* bob.next
        assert.deepStrictEqual(
          frame.headers.map(([name, value]) => `${name}: ${value}`),
          ["Message-ID: msg.1", "Byte-Range: 1-5/5", ...mime, "Content-Type: text/plain"]
        )
      })
  )

  for (const method of ["send", "Auth", "REPORt", "S3ND"]) {
    scenario(
      `R4975-9-29 R4975-9-03: the method ${method} is no method, and the connection ends`,
      (world) =>
        Effect.gen(function*() {
          const peer = yield* world.connect
          peer.write(request(method, { to: world.uri, from: world.party() }))
          yield* peer.ends
        })
    )
  }

  scenario(
    "R4975-9-37 R4975-9-27: scheme and parameter names of Authorization in any letter case",
    (world) =>
      Effect.gen(function*() {
        const peer = yield* world.connect
        const from = world.party()
        const challenge = yield* world.challenge(peer, from)
        const authorization = world.authorization(challenge)
          .replace("Digest", "dIGEST").replace("username=", "UserName=").replace("realm=", "REALM=")
          .replace("Authorization", "AUTHORIZATION")
        assert.strictEqual((yield* world.auth(peer, from, authorization)).status, 200)
      })
  )

  scenario(
    "R4976-7-01 R4976-4.6-01 R4976-5.1-06: intervals are digits, and stand in the answers that they belong to",
    (world) =>
      Effect.gen(function*() {
        const peer = yield* world.connect
        const from = world.party()
        const challenged = yield* world.auth(peer, from)
        const challenge = yield* world.challenge(peer, from)
        const low = yield* world.auth(peer, from, world.authorization(challenge), "Expires: 10")
        const high = yield* world.auth(peer, from, world.authorization(challenge, { nc: 2 }), "Expires: 4000")
        const good = yield* world.auth(peer, from, world.authorization(challenge, { nc: 3 }), "Expires: 100")
        const names = ["Expires", "Min-Expires", "Max-Expires"]
        assert.deepStrictEqual(
          [challenged, low, high, good].map((frame) =>
            [frame.status].concat(names.map((name) => Number(header(frame, name) ?? -1)))
          ),
          [
            [401, -1, -1, -1],
            [423, -1, 60, -1],
            [423, -1, -1, 3600],
            [200, 100, -1, -1]
          ]
        )
      }),
    { authMinExpires: 60, authMaxExpires: 3600 }
  )

  scenario(
    "R4976-6.4-02 R4975-7.1.1-04 R4975-7.1.1-11 R4976-6.4.1-40: every piece of a chunk has all header fields of it",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, toAlice, toBob } = yield* pairOf(world)
        const body = Buffer.alloc(50_000, "y")
        const extra = ["Success-Report: yes", "X-Extension: \xc3\xa4", "Content-Disposition: attachment"]
        const whole = toBob({
          messageId: "split.1",
          failureReport: "partial",
          range: "1-*/50000",
          headers: extra,
          body
        })
        const half = whole.length - 20_000
        alice.peer.write(whole.subarray(0, half))
        yield* until(() => bob.partialBody > 4000, "the first part")
        // Its answer to Bob comes between.
        bob.write(toAlice({ body: "hi" }))
        const between = yield* alice.peer.next
        alice.peer.write(whole.subarray(half))
        alice.peer.answer(between)
        const pieces = []
        let octets = 0
        while (octets < body.length) {
          const frame = yield* bob.next
          if (frame.method !== "SEND") continue
          pieces.push(frame)
          octets += frame.body!.length
        }
        assert.isAtLeast(pieces.length, 2)
        assert.deepStrictEqual(pieces.map(({ flag }) => flag), [...Array(pieces.length - 1).fill("+"), "$"])
        assert.strictEqual(octets, body.length)
        for (const piece of pieces) {
          assert.deepStrictEqual(
            piece.headers.filter(([name]) => name !== "Byte-Range"),
            pieces[0]!.headers.filter(([name]) => name !== "Byte-Range")
          )
          assert.strictEqual(headers(piece, "Byte-Range").length, 1)
        }
      })
  )

  scenario(
    "R4976-6.4-01 R4975-12-01 R4975-9-23 R4975-9-26..28 R4975-9-35 R4975-9-39: passed on as it is, in its order",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, forth } = yield* pairOf(world)
        const lines = [
          "byte-RANGE:  1-1/1",
          "X-Blank: ",
          "x-Unknown:  a  b\t;c=\"d\" ",
          "SUCCESS-report: YES",
          "X-Octets: \xc3\xa4 \xc0\x80 \xfc\x84\x80\x80\x80\x80 \xff",
          "Failure-Report:  Partial ",
          "X!#$%&'*+-.^_`{|}~9: token",
          "message-id:  m.01 ",
          "Content-Type:  text/plain; charset=UTF-8 "
        ]
        alice.peer.write(request("SEND", { ...forth, headers: lines, body: "x" }))
        const frame = yield* bob.next
        assert.deepStrictEqual(frame.octets.toString("latin1").split("\r\n").slice(3, 3 + lines.length), lines)
        yield* alice.peer.quiet
        bob.answer(frame, "400 No")
        assert.strictEqual(header(yield* alice.peer.next, "Message-ID"), "m.01")
        // More than one blank in a path, or one behind it, is not passed on (RFC 4975 §9).
        alice.peer.write(request("SEND", { to: `  ${forth.to.replace(" ", "  ")} `, from: ` ${forth.from} ` }))
        const answer = yield* alice.peer.next
        assert.deepStrictEqual([answer.status, answer.to, answer.from], [200, alice.uri, alice.usePath])
        const spaced = yield* bob.next
        assert.deepStrictEqual([spaced.to, spaced.from], [forth.to.split(" ")[1], `${alice.usePath} ${forth.from}`])
      })
  )

  scenario(
    "R4976-6.4-01 R4975-7.1.2-03: a Message-ID that others make goes through as it is, and into the REPORT",
    (world) =>
      Effect.gen(function*() {
        const { alice, back, bob, toBob } = yield* pairOf(world)
        const uuid = "8d3e4a5c-6c5f-4a3a-9d0e-5a4c1f5b7e21"
        for (const messageId of [uuid, "a", "<{\"x\"}@host/1;2>", "~".repeat(255)]) {
          for (const body of ["hi", "x".repeat(30_000)]) {
            alice.peer.write(toBob({ messageId, body }))
            assert.strictEqual((yield* alice.peer.next).status, 200)
            const frame = yield* bob.next
            assert.strictEqual(header(frame, "Message-ID"), messageId)
            bob.answer(frame, "415 No")
            const report = yield* alice.peer.next
            assert.deepStrictEqual([report.method, header(report, "Message-ID")], ["REPORT", messageId])
          }
          bob.write(
            request("REPORT", {
              ...back,
              headers: [`Message-ID: ${messageId}`, "Byte-Range: 1-2/2", "Status: 000 200 OK"]
            })
          )
          assert.strictEqual(header(yield* alice.peer.next, "Message-ID"), messageId)
        }
      })
  )

  scenario(
    "R4976-6.4-01 R4975-7.1-20: a Content-Type in a SEND without a body does no harm",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, forth } = yield* pairOf(world)
        for (const lines of [["Message-ID: m.01", "Content-Type: text/plain"], ["Content-Type: text/plain", "X: y"]]) {
          alice.peer.write(request("SEND", { ...forth, headers: lines }))
          assert.strictEqual((yield* alice.peer.next).status, 200)
          const frame = yield* bob.next
          assert.deepStrictEqual([frame.body, header(frame, "Content-Type")], [undefined, "text/plain"])
          bob.answer(frame)
        }
        const { usePath, uri } = alice
        alice.peer.write(request("SEND", { to: usePath, from: uri, headers: ["Content-Type: text/plain"] }))
        assert.strictEqual(summary(yield* alice.peer.next), "200 | $")
      })
  )

  scenario(
    "R4975-9-21 R4976-3-01 R4975-9-32 R4975-9-34 R4975-9-36 R4975-9-38 R4975-9-72: malformed, so 400 and no more",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, forth } = yield* pairOf(world)
        const [to, from, id, range] = [
          `To-Path: ${forth.to}`,
          `From-Path: ${forth.from}`,
          "Message-ID: m.01",
          "Byte-Range: 1-1/1"
        ]
        const bad: ReadonlyArray<ReadonlyArray<string>> = [
          [from, to, id, range],
          [to, id, from, range],
          [id, to, from, range],
          [to, from, to, id, range],
          [to, from, from, id, range],
          [to, from, id, range, id],
          [to, from, id, range, range],
          ...["Success-Report: no", "Failure-Report: yes", "Status: 000 200 OK", "Expires: 5"].map((
            one
          ) => [to, from, id, range, one, one.toUpperCase()]),
          [to, from, id, range, "Content-Type: a/b", "Content-Type: a/b"],
          ...[" folded", "\tfolded", "1X: a", "X Y: a", "X\xe4: a", ": a", "X-A : a", "no colon"].map((
            line
          ) => [to, from, id, range, line]),
          ...["\0", "\x08", "\x0b", "\x1f", "\x7f", "\n", "\r"].map((octet) => [to, from, id, range, `X: a${octet}b`]),
          ...["ab cd", "ab\tcd", "\xe4bcd", "a".repeat(256), ""].map((
            value
          ) => [to, from, `Message-ID: ${value}`, range]),
          ...["*-5/5", "1-5", "1 - 5/5", "1-5/5x", "-5/5", ""].map((value) => [to, from, id, `Byte-Range: ${value}`]),
          ...["maybe", "", "yes no"].flatMap((value) =>
            ["Failure", "Success"].map((name) => [to, from, id, range, `${name}-Report: ${value}`])
          )
        ]
        for (const lines of bad) {
          const tid = nextId()
          const section = [`MSRP ${tid} SEND`, ...lines, "Content-Type: text/plain", "", "x", `-------${tid}$`, ""]
          alice.peer.write(section.join("\r\n"))
          const answer = yield* alice.peer.next
          assert.deepStrictEqual([answer.id, summary(answer), answer.to], [tid, "400 | $", alice.uri], lines.join("|"))
        }
        yield* bob.quiet
      })
  )
})
