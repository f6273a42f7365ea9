import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { SLOW } from "../../../src/relay/Loss.ts"
import type { DelayedAnswer } from "../../../src/relay/route/DelayedAnswer.ts"
import { OVERHEAD, type Parked } from "../../../src/relay/route/Parked.ts"
import type { Stream } from "../../../src/relay/route/Stream.ts"
import { undelivered, withoutReports } from "../../../src/relay/route/Undelivered.ts"
import type { Way } from "../../../src/relay/route/Way.ts"
import { collect, header, send, summary } from "../../support/harness.ts"
import { pattern } from "../../support/Recorder.ts"
import { simulated } from "../../support/simulated.ts"

const scenario = simulated({}, { split: 10_000 })

const way = {} as Way

/** Two parts of a chunk and its end, or none where that is still to come. */
const chunk = (name: string, log: Array<string>, ended = true): ReadonlyArray<Parked> => {
  const one = {
    refused: false,
    fail: (_: unknown, octets: number, flag: string) => {
      one.refused = true
      log.push(`${name} ${octets}${flag}`)
    }
  }
  const stream = one as unknown as Stream
  const part = (octets: number): Parked => ({ kind: "part", stream, octets: Buffer.alloc(octets) })
  return [
    part(10),
    part(5),
    ...(ended ? [{ kind: "end", stream, flag: "$", answer: undefined, counted: 0 } as const] : [])
  ]
}

it("fails at once what may be open at the hop, before another sender writes there, and the chunk of which more may come", () => {
  const log: Array<string> = []
  const parked = [...chunk("first", log), ...chunk("second", log), ...chunk("last", log, false)]
  const steps = undelivered(way, parked, 4, SLOW)[Symbol.iterator]()
  // The steps may begin later, and more of the last one may come before.
  assert.deepStrictEqual(log, ["last 15+", "first 11$"])
  while (steps.next().done !== true);
  assert.deepStrictEqual(log, ["last 15+", "first 11$", "second 15$"])
})

it("fails at once the chunk of which more may come, behind parts of one that was refused and has no end", () => {
  const log: Array<string> = []
  const refused = chunk("refused", log, false)
  const [part] = refused
  if (part?.kind === "part") part.stream.refused = true
  undelivered(way, [...chunk("first", log), ...refused, ...chunk("last", log, false)], 0, SLOW)
  assert.deepStrictEqual(log, ["last 15+", "first 15$"])
})

it("fails the others if one of them throws, which is a defect that is thrown later", () => {
  const log: Array<string> = []
  const fail = () => {
    throw new Error("a defect")
  }
  const part: Parked = {
    kind: "part",
    stream: { refused: false, fail } as unknown as Stream,
    octets: Buffer.alloc(10)
  }
  const later: Array<unknown> = []
  const shared = { turn: { throwsLater: (defect: unknown) => void later.push(defect) } }
  const parked = [part, ...chunk("first", log), part]
  const steps = undelivered({ target: { shared } } as unknown as Way, parked, 0, SLOW)[Symbol.iterator]()
  while (steps.next().done !== true);
  assert.deepStrictEqual(log, ["first 15$"])
  assert.strictEqual(String(later[0]), "Error: a defect")
})

for (const failureReport of ["yes", "partial", "no"]) {
  scenario(
    `R4976-6.4.1-13: has one REPORT, and one loss, for what is written and what waits of a chunk whose receiver is lost (${failureReport})`,
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        bob.connection.pause()
        const octets = send({
          to: `${alice.usePath} ${bobUri}`,
          from: alice.uri,
          failureReport,
          range: "1-200000/200000",
          body: "x".repeat(200_000)
        })
        const head = octets.indexOf("\r\n\r\n") + 4
        alice.peer.write(octets.subarray(0, head + 120_000))
        yield* world.network!.settled
        assert.isAbove(world.relay.gauges().parkedOctets, 0)
        world.network!.cut(bob.connection)
        yield* world.network!.settled
        alice.peer.write(octets.subarray(head + 120_000))
        yield* world.network!.settled
        const report = "REPORT | Message-ID: msg.1 | Byte-Range: 1-120000/200000 | Status: 000 408 Request Timeout | $"
        assert.deepStrictEqual(
          alice.peer.frames.splice(0).map(summary),
          failureReport === "yes" ? [report, "200 | $"] : failureReport === "partial" ? [report] : []
        )
        assert.strictEqual(world.relay.counters.lost, 1)
      }),
    { limits: { output: 20_000 } }
  )
}

/** Alice and Carol write on one connection, which gives up both: Alice's requests fail first, in many turns. */
for (
  const { begun, behind, before, title } of [
    { begun: 200_000, before: 3000, behind: 0, title: "nothing of a long chunk that goes on follows what is missing" },
    {
      begun: Infinity,
      before: 1000,
      behind: 2000,
      title: "a long chunk whose rest is here ends with # before others write there"
    }
  ]
) {
  scenario(
    `${title}, when its connection gives up several sessions at once`,
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri, carol, dave, daveUri } = yield* world.gateway()
        const { peer } = alice
        for (const one of [bob, dave]) one.connection.pause()
        const short = { to: `${alice.usePath} ${bobUri}`, from: alice.uri, messageId: "short", body: "x" }
        const body = pattern(300_000)
        const [first, long] = ["first", "long"].map((messageId) =>
          send({ to: `${carol.usePath} ${daveUri}`, from: carol.uri, messageId, range: `1-*/${body.length}`, body })
        ) as [Buffer, Buffer]
        for (let i = 0; i < before; i++) peer.write(send(short))
        peer.write(first, long.subarray(0, begun))
        for (let i = 0; i < behind; i++) peer.write(send(short))
        yield* world.network!.settled
        const reported: Array<string> = []
        const frames = collect(dave)
        peer.onFrame = (frame) => {
          if (frame.method !== "REPORT") return
          if (reported.length === 0) {
            // Dave reads again, more of the chunk comes in, and he is answered, while others have not failed yet.
            dave.connection.resume()
            peer.write(long.subarray(begun))
            dave.write(send({ to: `${carol.usePath} ${carol.uri}`, from: daveUri, body: "x" }))
          }
          reported.push(header(frame, "Message-ID")!)
        }
        yield* TestClock.adjust("2 seconds")
        yield* world.network!.settled
        assert.strictEqual(world.relay.counters.receiversGivenUp, 2)
        assert.include(reported, "long")
        assert.isAbove(reported.length, reported.indexOf("first") + 1000)
        assert.deepStrictEqual(frames.map(({ status }) => status).slice(-1), [200])
        const pieces = frames.filter(({ method }) => method === "SEND")
        for (const messageId of ["first", "long"]) {
          const octets = Buffer.concat(
            pieces.flatMap((piece) => header(piece, "Message-ID") === messageId ? piece.body! : [])
          )
          assert.isTrue(octets.equals(body.subarray(0, octets.length)), "octets in their place")
        }
        assert.strictEqual(pieces.at(-1)!.flag, "#")
      }),
    { limits: { output: 20_000, hold: 2, session: 10_000_000, connection: 1_650_000 } }
  )
}

it("gives the 200 of a chunk whose end was waiting, also if it has failed already", () => {
  const log: Array<string> = []
  for (const refused of [false, true]) {
    const stream = { refused, fail: () => {} } as unknown as Stream
    const answer = { give: () => log.push(`200, refused: ${refused}`) } as unknown as DelayedAnswer
    const end: Parked = { kind: "end", stream, flag: "$", answer, counted: 0 }
    const steps = undelivered(way, [end], 0, SLOW)[Symbol.iterator]()
    while (steps.next().done !== true);
  }
  assert.deepStrictEqual([...new Set(log)], ["200, refused: false", "200, refused: true"])
})

it("R4976-9.3-06: keeps the first REPORTs up to a number of octets, in which each counts with what it takes besides", () => {
  const octets = Buffer.from(
    "MSRP abcd1234 REPORT\r\nTo-Path: msrps://a.invalid:9/s;tcp\r\nFrom-Path: msrps://b.invalid:9/s;tcp\r\n-------abcd1234$\r\n"
  )
  const report = (): Parked => ({ kind: "frame", octets, bodyEnd: 0, flag: "$", answer: undefined })
  const parked = Array.from({ length: 10 }, report)
  const each = octets.length + OVERHEAD
  for (const [most, kept] of [[3 * each, 3], [3 * each - 1, 2], [0, 0], [100 * each, 10]] as const) {
    const found = withoutReports(parked, most)
    assert.deepStrictEqual([found.kept.length, found.dropped.length, found.octets], [kept, 10 - kept, kept * each])
  }
})
