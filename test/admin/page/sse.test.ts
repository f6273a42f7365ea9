import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { eventReader, EventTooLong } from "../../../src/admin/page/sse.ts"

describe("server-sent events, read by the page", () => {
  it("are the same, however the octets are cut", () => {
    const text =
      "event: snapshot\ndata: {\"a\":1}\n\n: comment\n\nevent: event\r\ndata: one\r\ndata: two\r\n\r\ndata:x\n\n"
    const whole = [
      { event: "snapshot", data: "{\"a\":1}" },
      { event: "event", data: "one\ntwo" },
      { event: "message", data: "x" }
    ]
    assert.deepStrictEqual(eventReader()(text), whole)
    fc.assert(fc.property(fc.array(fc.nat(text.length), { maxLength: 8 }), (cuts) => {
      const read = eventReader()
      const places = [0, ...cuts.toSorted((a, b) => a - b), text.length]
      const parts = places.slice(1).map((end, at) => text.slice(places[at], end))
      assert.deepStrictEqual(parts.flatMap((part) => read(part)), whole)
    }))
  })

  it("have a bound", () => {
    const read = eventReader()
    assert.throws(() => {
      for (let each = 0; each < 6; each++) read("x".repeat(1_000_000))
    }, EventTooLong)
  })
})
