import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { Decoder } from "../../src/protocol/Decoder.ts"
import { defaultFrameLimits } from "../../src/protocol/FrameLimits.ts"
import type { HopFacts } from "../../src/relay/Observer.ts"
import { HopTrace, type HopTraceOptions, type Watcher } from "../../src/trace/HopTrace.ts"
import type { TraceFrame } from "../../src/trace/TraceFrame.ts"
import { response, send } from "../support/harness.ts"

const hop: HopFacts = {
  number: 7,
  since: 0,
  connection: undefined,
  lastSession: undefined,
  end: "",
  octetsIn: 0,
  octetsOut: 0
}

const options = (more: Partial<HopTraceOptions> = {}): HopTraceOptions => ({
  hop,
  limits: defaultFrameLimits,
  now: () => 1000,
  failed: (_, error) => {
    throw error
  },
  gone: () => {},
  ...more
})

const watcher = (offer: Watcher["offer"]): Watcher => ({
  wants: () => true,
  knows: (id) => id === "known",
  offer
})

const RELAY = "msrp://relay.example:2855"

const frame = send({
  to: `${RELAY}/known;tcp msrp://bob.example:9/b;tcp`,
  from: "msrp://a.example:9/a;tcp",
  body: "hidden"
})

describe("the trace of a connection", () => {
  it("whose watcher throws ends, and nobody else hears of it", () => {
    const failures: Array<unknown> = []
    const trace = new HopTrace(options({ failed: (_, error) => failures.push(error) }))
    trace.watchedBy(watcher(() => assert.fail("own bug")), false)
    const decoder = new Decoder(trace.incoming)
    decoder.push(frame)
    trace.outgoing(frame)
    assert.strictEqual(failures.length, 2)
  })

  it("that is made before the connection is there knows no address", () => {
    const frames: Array<TraceFrame> = []
    const trace = new HopTrace(options())
    trace.watchedBy(watcher((one) => frames.push(one)), false)
    trace.outgoing(frame)
    assert.strictEqual(frames[0]!.remote, "?:0")
    assert.strictEqual(frames[0]!.octets, 6)
  })

  it("has the responses to the latest AUTHs of a user, and forgets earlier ones that were not answered", () => {
    const told: Array<string> = []
    const trace = new HopTrace(options())
    trace.watchedBy(watcher(({ direction, startLine }) => told.push(`${direction} ${startLine}`)), false)
    const decoder = new Decoder(trace.incoming)
    const client = "msrp://a.example:9/a;tcp"
    const idOf = (n: number): string => `auth${String(n).padStart(4, "0")}`
    for (let n = 0; n <= 64; n++) {
      decoder.push(
        Buffer.from(
          `MSRP ${idOf(n)} AUTH\r\nTo-Path: ${RELAY};tcp\r\nFrom-Path: ${client}\r\n` +
            `Authorization: Digest username="alice", realm="r", nonce="n", response="0"\r\n-------${idOf(n)}$\r\n`
        )
      )
    }
    assert.lengthOf(told.splice(0), 65)
    for (const n of [0, 1, 64]) trace.outgoing(response(client, `${RELAY};tcp`, idOf(n), "401 Unauthorized"))
    assert.deepStrictEqual(told, [1, 64].map((n) => `out MSRP ${idOf(n)} 401 Unauthorized`))
  })

  it("goes frame by frame, however the octets come, and tells none that is nobody's", () => {
    const other = response("msrp://x.example:9/x;tcp", `${RELAY}/other;tcp`, "abcd1234", "200 OK")
    const all = Buffer.concat([frame, other, frame, frame.subarray(0, 40)])
    fc.assert(fc.property(fc.array(fc.nat(all.length), { maxLength: 20 }), (cuts) => {
      const frames: Array<TraceFrame> = []
      const trace = new HopTrace(options())
      trace.watchedBy(watcher((one) => frames.push(one)), false)
      let from = 0
      for (const to of [...cuts.sort((a, b) => a - b), all.length]) {
        trace.outgoing(all.subarray(from, to))
        from = to
      }
      assert.deepStrictEqual(frames.map(({ octets, part }) => [part, octets]), [["frame", 6], ["frame", 6]])
    }))
  })

  it("R4976-9.4-10: does not show a session-id that stands by itself, in whichever part of a frame", () => {
    const id = "bobs-own-session-id"
    const from = `msrp://bob.example:9/${id};tcp`
    const frames: Array<TraceFrame> = []
    const trace = new HopTrace(options())
    trace.watchedBy(watcher((one) => frames.push(one)), true)
    const headers = [`X-Session: ${id}`]
    const all = [
      response(`${RELAY}/known;tcp`, from, "abcd1234", `481 no session ${id}`),
      send({ to: `${RELAY}/known;tcp`, from, headers, body: "x" }),
      send({ to: `${RELAY}/known;tcp`, from, headers, body: "x".repeat(10_000) })
    ]
    for (const octets of all) {
      const decoder = new Decoder(trace.incoming)
      for (const some of [octets.subarray(0, 5000), octets.subarray(5000)]) {
        decoder.push(some)
        trace.outgoing(some)
      }
    }
    assert.deepStrictEqual([...new Set(frames.map(({ part }) => part))], ["frame", "begin", "end"])
    assert.notInclude(JSON.stringify(frames), id)
  })

  it("takes any octets, and shows neither body nor session-id", () => {
    // Where the blank line is gone, the body is a header.
    const mutations = fc.array(fc.tuple(fc.nat(frame.indexOf("\r\n\r\n") - 1), fc.nat(255)), { maxLength: 2 })
    fc.assert(
      fc.property(mutations, fc.boolean(), (changes, alone) => {
        const octets = Buffer.concat([frame, frame])
        for (const [at, octet] of changes) octets[frame.length + at] = octet
        const frames: Array<TraceFrame> = []
        const trace = new HopTrace(options())
        trace.watchedBy(watcher((one) => frames.push(one)), alone)
        new Decoder(trace.incoming).push(octets)
        trace.outgoing(octets)
        assert.isAtLeast(frames.length, 2)
        const text = JSON.stringify(frames)
        assert.notInclude(text, "hidden")
        assert.notInclude(text, "/known;")
      }),
      { numRuns: 2000 }
    )
  })
})
