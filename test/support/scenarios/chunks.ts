/** Chunks that are longer than what the relay keeps of one: they are forwarded while they arrive. */
import { assert } from "@effect/vitest"
import { header, nextId, request, response, send, summary, until } from "../harness.ts"
import { pattern } from "../Recorder.ts"
import { collectBody } from "./Body.ts"
import { ScenarioGroup } from "./ScenarioGroup.ts"

export const chunks = new ScenarioGroup("long chunks")
const { scenario } = chunks

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
  function*(world) {
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
  }
)

scenario(
  "end in # when their sender is gone, before anything else (R4976-6.4.1-45)",
  function*(world) {
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
  }
)

scenario("keep the # of their sender (R4975-7.1-31, X16)", function*(world) {
  const { alice, bob, bobUri } = yield* world.pair()
  const chunk = long(`${alice.usePath} ${bobUri}`, alice.uri, pattern(90_000), { flag: "#" })
  const got = collectBody(bob)
  alice.peer.write(chunk.head(60_000))
  yield* until(() => bob.partialBody >= 59_000, "the first part")
  alice.peer.write(chunk.tail(60_000))
  assert.strictEqual((yield* alice.peer.next).status, 200)
  yield* until(() => got.octets === 90_000, "the rest")
  assert.strictEqual(got.pieces.at(-1)!.flag, "#")
})

for (const failureReport of ["yes", "partial", "no"]) {
  scenario(
    `stop when their receiver says so, ${failureReport} (R4975-10.5-01, R4976-6.4.1-44, R4975-10-05, X17)`,
    function*(world) {
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
    }
  )
}

scenario("a message in short chunks stops, too (R4975-10-05, 7.3.2-01)", function*(world) {
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
})

for (const failureReport of ["yes", "partial", "no"]) {
  scenario(
    `are reported with 408 when their receiver is gone, ${failureReport} (R4976-6.4.1-15, 6.4.1-19)`,
    function*(world) {
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
    }
  )
}

scenario(
  "a slow receiver slows its sender, and memory stays in bounds (R4976-9.3-04, R5547-8.7-01)",
  function*(world) {
    const { alice, bob, bobUri } = yield* world.pair()
    const [output, session] = [32_768, 65_536]
    const count = 100
    const body = pattern(250_000)
    bob.connection.pause()
    const got = collectBody(bob)
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
  },
  { limits: { output: 32_768, session: 65_536 } }
)

scenario(
  "one stalled receiver does not stop the others of the same sender (R4976-9.3-05)",
  function*(world) {
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
  },
  { limits: { session: 8_000_000, connection: 16_000_000 } }
)
