import { assert, describe, it, vi } from "@effect/vitest"
import { defaultFrameLimits } from "../../src/protocol/FrameLimits.ts"
import { Head } from "../../src/protocol/Head.ts"
import { Recorder } from "./recorder.ts"

const lines = (count: number, octets: number): string =>
  Array.from({ length: count }, (_, i) => `X-${i}: ${"v".repeat(octets)}\r\n`).join("")

const request = (method: string, headers: string, body?: string): Buffer =>
  Buffer.from(
    `MSRP abcd ${method}\r\nTo-Path: msrp://a.example.com:1/a;tcp\r\nFrom-Path: msrp://b.example.com:2/b;tcp\r\n${headers}` +
      `${body === undefined ? "" : `Content-Type: a/b\r\n\r\n${body}\r\n`}-------abcd$\r\n`,
    "latin1"
  )

/** How often the frame is looked at from its beginning when its octets come one by one. */
const looks = (octets: Buffer): number => {
  const parts = new Recorder()
  const read = vi.spyOn(Head.prototype, "read")
  parts.push(octets, () => 1)
  const count = read.mock.calls.length
  read.mockRestore()
  assert.deepStrictEqual(parts.seen, new Recorder().push(octets).seen)
  assert.lengthOf(parts.frames, 1)
  return count
}

/** Octets of a frame that is so short that it is looked at with each of them. */
const SHORT = 400

describe("a frame that comes octet by octet is not looked at from its beginning with each octet", () => {
  const most = SHORT + 2 * defaultFrameLimits.headers
  it("R4976-9.3-06: a header line as long as it may be", () => {
    assert.isBelow(looks(request("REPORT", lines(1, 8000))), most)
  })
  it("R4976-9.3-06: as many header lines as there may be", () => {
    assert.isBelow(looks(request("REPORT", lines(60, 240))), most)
  })
  it("R4976-9.3-06: a body that is kept until its end-line, of what is nearly one", () => {
    for (const part of ["b", "$\r\n", "\r\n-------abcx$\r\n", "\r\n-------abcd-\r\n", "--------abcd$\r\n"]) {
      const body = part.repeat(Math.floor(9000 / part.length))
      assert.isBelow(looks(request("REPORT", lines(10, 80), body)), most, part)
    }
  })
})
