/** What is kept of frames that have begun is bounded for all connections of a user, or of another relay, together. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { UnfinishedFrame } from "../../../src/relay/inbound/UnfinishedFrame.ts"
import type { Peer } from "../../support/harness.ts"
import { connectFrom, end, grantedThrough, machine, options } from "../../support/relays.ts"
import { simulated } from "../../support/simulated.ts"

const scenario = simulated(options)

const MOST = 200_000

scenario(
  "R4976-9.3-06: frames that have begun share a bound on all connections; what is begun beyond is closed, and nobody else",
  (world) =>
    Effect.gen(function*() {
      const to = `${world.uri.replace(/;/, "/nobody;")} msrp://x.invalid:9/x;tcp`
      const head = `MSRP half SEND\r\nTo-Path: ${to}\r\nFrom-Path: msrp://x.invalid:9/y;tcp\r\nMessage-ID: m1\r\n` +
        Array.from({ length: 13 }, (_, i) => `X-${i}: ${"x".repeat(1000)}\r\n`).join("")
      // A long chunk needs its header section until its end, too.
      const chunk = `${head}Byte-Range: 1-*/*\r\nContent-Type: text/plain\r\n\r\n${"x".repeat(3000)}`
      let links = 0
      const begins = Effect.fnUntraced(function*(text: string, host = "outer.example.net") {
        const link = yield* connectFrom(world, machine(world, host))
        const from = `msrps://${host}:2855/s${++links};tcp msrp://carol.invalid:9/c;tcp`
        end(world, yield* grantedThrough(world, link, from))
        link.write(Buffer.from(text))
        yield* world.network!.settled
        return link
      })
      const open: Array<Peer> = []
      let closed = 0
      while (closed < 5) {
        const link = yield* begins(open.length % 2 === 0 ? head : chunk)
        if (link.isClosed) closed++
        else open.push(link)
        assert.isBelow(open.length, 1.7 * MOST / head.length)
      }
      assert.isAbove(open.length, MOST / head.length)
      assert.strictEqual(world.relay.counters.closed["too many unfinished frames"], 5)
      // What has little is not closed.
      assert.isFalse((yield* begins(head.slice(0, 2000))).isClosed)
      assert.isFalse((yield* begins(head, "inner.example.net")).isClosed)
      // They may take any time, and count until their end.
      yield* TestClock.adjust("3 minutes")
      assert.isTrue(open.every(({ isClosed }) => !isClosed))
      assert.isTrue((yield* begins(head)).isClosed)
      for (const link of open) link.write(Buffer.from("\r\n-------half$\r\n"))
      yield* world.network!.settled
      assert.isFalse((yield* begins(head)).isClosed)
    }),
  { limits: { relay: MOST } }
)

it("R4976-9.3-06: what is dropped when a connection is closed counts no more, and what comes after that neither", () => {
  const kept: Array<number> = []
  const closed: Array<string> = []
  const decoder = { held: 14_000, resume: () => {} }
  const reading = { mayGoOn: true, onGo: () => {} }
  const unfinished: UnfinishedFrame = new UnfinishedFrame({
    outbound: { load: { keeps: (octets: number) => kept.push(octets) > 1 } },
    probation: { keeps: () => {} },
    reading,
    finish: (reason) => {
      closed.push(reason)
      unfinished.stop()
    }
  }, decoder)
  unfinished.read(false)
  reading.onGo()
  unfinished.read(false)
  assert.deepStrictEqual(kept, [14_000, 0])
  assert.deepStrictEqual(closed, ["too many unfinished frames"])
})

it("R4976-6.1-22: what waits for its turn is not held against a connection in probation, only what its sender has not ended", () => {
  const inProbation: Array<number> = []
  const counted: Array<number> = []
  const reading = { mayGoOn: false, onGo: () => {} }
  const unfinished = new UnfinishedFrame({
    outbound: { load: { keeps: (octets: number) => counted.push(octets) > 0 } },
    probation: { keeps: (octets) => void inProbation.push(octets) },
    reading,
    finish: () => {}
  }, { held: 60_000, resume: () => {} })
  unfinished.read(true)
  reading.mayGoOn = true
  unfinished.read(false)
  assert.deepStrictEqual([inProbation, counted], [[60_000], [0, 60_000]])
})
