import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { type Frame, header, request, send, until } from "../support/harness.ts"
import { group, pairOf, reported } from "./group.ts"

group("J. Chunking", ({ scenario, timed }) => {
  scenario(
    "R4976-6.4.1-41..43 R4976-6.4.1-71: neighbouring chunks stay apart, of one message or of several",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, toBob } = yield* pairOf(world)
        const chunks = [
          { messageId: "one.1", range: "1-3/9", body: "abc", flag: "+" },
          { messageId: "one.1", range: "4-6/9", body: "def", flag: "+" },
          { messageId: "two.1", range: "7-9/9", body: "GHI", flag: "$" },
          { messageId: "one.1", range: "7-9/9", body: "ghi", flag: "$" }
        ]
        alice.peer.write(Buffer.concat(chunks.map((chunk) => toBob(chunk))))
        const frames = yield* bob.take(4)
        assert.deepStrictEqual(
          frames.map((frame) => ({
            messageId: header(frame, "Message-ID"),
            range: header(frame, "Byte-Range"),
            body: frame.body!.toString(),
            flag: frame.flag
          })),
          chunks
        )
      })
  )

  scenario(
    "R4976-6.4.1-43 R4976-3-03: nor are chunks of the same Message-ID in two sessions, or that differ in what they say",
    (world) =>
      Effect.gen(function*() {
        const owners = [yield* world.login(), yield* world.login({ username: "carol" })] as const
        const bob = yield* world.listen
        const chunk = (owner: 0 | 1, start: number, body: string, ...headers: ReadonlyArray<string>) => {
          const { peer, uri, usePath } = owners[owner]
          const range = `${start}-${start + body.length - 1}/*`
          peer.write(
            send({ to: `${usePath} ${bob.uri}`, from: uri, messageId: "same.1", range, headers, body, flag: "+" })
          )
          return [owner, range, body, headers[0]] as const
        }
        const sent = [chunk(0, 1, "abc")]
        const peer = yield* bob.accepted
        yield* until(() => peer.frames.length === 1, "the first")
        // Each is there before the next one is sent, so that the order is that of the whole.
        for (
          const next of [
            () => chunk(1, 4, "def"),
            () => chunk(0, 4, "DEF", "Success-Report: yes"),
            () => chunk(0, 7, "GHI", "X-More: 1"),
            () => chunk(0, 13, "MNO", "X-More: 1"),
            () => chunk(0, 10, "JKL", "X-More: 1")
          ]
        ) {
          sent.push(next())
          yield* until(() => peer.frames.length === sent.length, "the next")
        }
        const got = (yield* peer.take(sent.length)).map((frame) => {
          const more = frame.headers.find(([name]) => name === "Success-Report" || name === "X-More")
          return [
            frame.from.startsWith(`${owners[0].usePath} `) ? 0 : 1,
            header(frame, "Byte-Range"),
            frame.body!.toString(),
            more?.join(": ")
          ]
        })
        assert.deepStrictEqual<unknown>(got, sent)
      })
  )

  scenario(
    "R4975-5.1-01: a chunk is ended between any two octets for what is more urgent, and goes on",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, toAlice, toBob } = yield* pairOf(world)
        for (const [index, cut] of [2049, 2050, 3777, 9000].entries()) {
          const messageId = `long.${index}`
          const whole = toBob({ messageId, range: "1-*/10000", body: Buffer.alloc(10_000, "ab") })
          const begin = whole.indexOf("\r\n\r\n") + 4
          alice.peer.write(whole.subarray(0, begin + cut))
          yield* until(() => bob.partialBody === cut, "what was sent")
          bob.write(toAlice({ body: "urgent" }))
          const [first, answer] = yield* bob.take(2)
          assert.deepStrictEqual([first!.body!.length, first!.flag, answer!.status], [cut, "+", 200])
          const urgent = yield* alice.peer.next
          alice.peer.write(whole.subarray(begin + cut))
          alice.peer.answer(urgent)
          const rest = yield* bob.next
          assert.strictEqual(header(rest, "Byte-Range")!.split("-")[0], String(cut + 1))
          assert.strictEqual(rest.flag, "$")
          assert.isTrue(Buffer.concat([first!.body!, rest.body!]).equals(whole.subarray(begin, begin + 10_000)))
          assert.strictEqual((yield* alice.peer.next).status, 200)
          for (const piece of [first!, rest]) bob.answer(piece)
        }
        yield* alice.peer.quiet
      })
  )

  scenario(
    "R4976-6.4.1-40 R4975-7.1-30..32: what ends a chunk that was just interrupted, with an octet where there is one",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, toAlice, toBob } = yield* pairOf(world)
        const body = Buffer.alloc(5000, "f")
        // [range, flag] of the chunk, octets at Bob's before it is interrupted, and what follows
        const cases = [
          // The last octet waits for the end, so that it takes the flag along.
          ["1-*/5000", "$", 4999, ["5000-*/5000 | 1 | $"]],
          ["1-5000/9000", "+", 4999, ["5000-*/9000 | 1 | +"]],
          ["1-*/*", "#", 4999, ["5000-*/* | 1 | #"]],
          ["1-*/4000", "$", 4999, ["5000-*/* | 1 | $"]],
          // The sender stops before the end that he has announced: nothing waits.
          ["1-*/9000", "+", 5000, []],
          ["1-*/9000", "#", 5000, ["5001-*/9000 | 0 | #"]]
        ] as const
        for (const [index, [range, flag, octets, rest]] of cases.entries()) {
          const messageId = `long.${index}`
          const whole = toBob({ messageId, range, flag, body })
          const end = whole.indexOf("\r\n\r\n") + 4 + body.length
          alice.peer.write(whole.subarray(0, end))
          yield* until(() => bob.partialBody === octets, "what may pass")
          bob.write(toAlice({ body: "urgent" }))
          const pieces = yield* bob.take(2)
          assert.deepStrictEqual([pieces[0]!.flag, pieces.pop()!.status], ["+", 200])
          const urgent = yield* alice.peer.next
          alice.peer.write(whole.subarray(end))
          alice.peer.answer(urgent)
          assert.strictEqual((yield* alice.peer.next).status, 200)
          const more = yield* bob.take(rest.length)
          assert.deepStrictEqual(
            more.map((frame) => `${header(frame, "Byte-Range")} | ${frame.body!.length} | ${frame.flag}`),
            [...rest]
          )
          for (const piece of [...pieces, ...more]) bob.answer(piece)
          yield* bob.quiet
        }
        yield* alice.peer.quiet
      })
  )

  timed(
    "R4976-6.4.1-46: a session that expires in the middle of a chunk lets it end, and nothing after it",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login({ headers: ["Expires: 20"] })
        const { bob, bobUri } = yield* world.join(alice)
        const paths = { to: `${alice.usePath} ${bobUri}`, from: alice.uri }
        const body = Buffer.alloc(10_000, "c")
        const whole = send({ ...paths, range: "1-*/10000", body })
        alice.peer.write(whole.subarray(0, 5000))
        yield* until(() => bob.partialBody > 4000, "the first half")
        yield* TestClock.adjust("21 seconds")
        alice.peer.write(whole.subarray(5000))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        const frame = yield* bob.next
        assert.deepStrictEqual([frame.body!.equals(body), frame.flag], [true, "$"])
        bob.answer(frame)
        alice.peer.write(send({ ...paths, body: "next" }))
        assert.strictEqual((yield* alice.peer.next).status, 481)
        bob.write(send({ to: `${alice.usePath} ${alice.uri}`, from: bobUri, body: "back" }))
        assert.strictEqual((yield* bob.next).status, 481)
      })
  )

  scenario(
    "R4975-7.3.2-01: a failure REPORT from further on ends a message in progress, as an answer does",
    (world) =>
      Effect.gen(function*() {
        const { alice, back, bob, toBob } = yield* pairOf(world)
        const whole = toBob({ messageId: "long.1", range: "1-*/100000", body: Buffer.alloc(100_000, "e") })
        alice.peer.write(whole.subarray(0, 50_000))
        yield* until(() => bob.partialBody > 40_000, "half of it")
        const report = (messageId: string, status: string) =>
          request("REPORT", {
            ...back,
            headers: [`Message-ID: ${messageId}`, "Byte-Range: 1-9/100000", `Status: 000 ${status}`]
          })
        // Of another message, or good news: nothing ends.
        bob.write(report("long.2", "413 no"), report("long.1", "200 OK"))
        yield* alice.peer.take(2)
        const before = bob.partialBody
        bob.write(report("long.1", "413 no"))
        assert.strictEqual((yield* alice.peer.next).method, "REPORT")
        const ended = yield* bob.next
        assert.deepStrictEqual([ended.flag, ended.body!.length], ["#", before])
        bob.answer(ended)
        alice.peer.write(whole.subarray(50_000))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        yield* bob.quiet
        yield* alice.peer.quiet
        alice.peer.write(toBob({ messageId: "other.1", body: "next" }))
        assert.strictEqual((yield* bob.next).body!.toString(), "next")
      })
  )

  timed(
    "R4975-5.4-01 R4976-6.4.1-44: a long message that was refused, or not answered, when it was whole is sent anew at once",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, toAlice, toBob } = yield* pairOf(world)
        const body = Buffer.alloc(60_000, "r")
        const message = (failureReport: string, flag: string) =>
          toBob({ failureReport, flag, messageId: "again.1", range: "1-*/60000", body })
        for (const failureReport of ["yes", "partial"]) {
          for (
            const [flag, refused] of [["$", "413 no"], ["#", "413 no"], ["$", "486 busy"], ["$", undefined]] as const
          ) {
            if (refused === undefined && failureReport === "partial") continue
            const whole = message(failureReport, flag)
            alice.peer.write(whole.subarray(0, 30_000))
            yield* until(() => bob.partialBody > 20_000, "half of it")
            bob.write(toAlice({ body: "between" }))
            const [first] = yield* bob.take(2)
            const between = yield* alice.peer.next
            alice.peer.write(whole.subarray(30_000))
            alice.peer.answer(between)
            const second = yield* bob.next
            assert.deepStrictEqual([first!.flag, second.flag], ["+", flag])
            if (failureReport === "yes") assert.strictEqual((yield* alice.peer.next).status, 200)
            if (refused === undefined) yield* TestClock.adjust("30 seconds")
            else for (const piece of [first!, second]) bob.answer(piece, refused)
            const reports = yield* alice.peer.take(2)
            assert.deepStrictEqual(
              reports.map((one) => reported(one).slice(0, 7)),
              Array(2).fill(`000 ${refused?.slice(0, 3) ?? 408}`)
            )

            alice.peer.write(message(failureReport, "$"))
            if (failureReport === "yes") assert.strictEqual((yield* alice.peer.next).status, 200)
            const again = yield* bob.next
            assert.deepStrictEqual([again.flag, again.body!.length], ["$", body.length])
            bob.answer(again)
          }
        }
        yield* alice.peer.quiet
      })
  )

  scenario(
    "R4975-5.4-01 R4976-6.4.1-44: so is one in several chunks whose first was refused when its last had passed",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, toBob } = yield* pairOf(world)
        const part = (failureReport: string, octets: number, range: string, flag: string) =>
          alice.peer.write(
            toBob({ failureReport, flag, messageId: "again.2", range, body: Buffer.alloc(octets, "r") })
          )
        const answers = (failureReport: string, count: number) => alice.peer.take(failureReport === "yes" ? count : 0)
        const isRefused = Effect.fnUntraced(function*(first: Frame) {
          bob.answer(first, "400 no")
          assert.strictEqual(reported(yield* alice.peer.next).slice(0, 7), "000 400")
        })
        for (const failureReport of ["yes", "partial"]) {
          for (const last of [10, 20_000]) {
            part(failureReport, 10, `1-10/${10 + last}`, "+")
            part(failureReport, last, `11-${10 + last}/${10 + last}`, "$")
            yield* answers(failureReport, 2)
            const [first, second] = yield* bob.take(2)
            yield* isRefused(first!)
            bob.answer(second!)
            // Anew, and this time refused before its last chunk.
            part(failureReport, 10, "1-10/20", "+")
            yield* answers(failureReport, 1)
            yield* isRefused(yield* bob.next)
            part(failureReport, 10, "11-20/20", "$")
            const stopped = yield* alice.peer.next
            if (failureReport === "yes") assert.strictEqual(stopped.status, 413)
            else assert.strictEqual(reported(stopped).slice(0, 7), "000 413")
          }
        }
        yield* bob.quiet
      })
  )

  scenario(
    "R5547-8.4-01 R4975-10.5-01: the receiver of a file says 413, and it ends in #",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, toBob } = yield* pairOf(world)
        const whole = toBob({ range: "1-*/200000", flag: "+", body: Buffer.alloc(100_000, "d") })
        alice.peer.write(whole.subarray(0, 50_000))
        yield* until(() => bob.partialBody > 40_000, "half of it")
        const paths = bob.partial.toString("latin1").split("\r\n")
        const [to, from] = [paths[2]!.slice(11).split(" ")[0]!, paths[1]!.slice(9)]
        bob.answer({ id: bob.partialId, from: to, to: from } as never, "413 enough")
        const octets = bob.partialBody
        const ended = yield* bob.next
        assert.deepStrictEqual([ended.flag, ended.body!.length], ["#", octets])
        assert.strictEqual(reported(yield* alice.peer.next), `000 413 | 1-${octets}/200000`)
        alice.peer.write(whole.subarray(50_000))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        yield* bob.quiet
        // Its sender gives up, too, and the next message passes.
        alice.peer.write(toBob({ range: "100001-*/200000", body: Buffer.alloc(5000), flag: "#" }))
        yield* alice.peer.next
        alice.peer.write(toBob({ messageId: "other.1", body: "next" }))
        assert.strictEqual((yield* bob.next).body!.toString(), "next")
      })
  )
})
