import { assert, it } from "@effect/vitest"
import { Frame } from "../../src/client/Frame.ts"
import { Decoder } from "../../src/protocol/Decoder.ts"
import { defaultFrameLimits } from "../../src/protocol/FrameLimits.ts"

it("reads headers in the time that their octets take, also with 200,000 blanks in the middle of one", () => {
  const frames: Array<Frame> = []
  const limits = { ...defaultFrameLimits, headerLine: 2_000_000, headerSection: 2_000_000 }
  const decoder = new Decoder({
    frame: (head) => frames.push(new Frame(head)) > 0,
    chunkStart: () => {},
    chunkBody: () => {},
    chunkEnd: () => {},
    broken: (reason) => assert.fail(reason)
  }, limits)
  const value = `a${" \t".repeat(100_000)}b`
  decoder.push(Buffer.from(
    "MSRP abcd SEND\r\nTo-Path: msrp://a.example:1/a;tcp\r\nFrom-Path: msrp://b.example:1/b;tcp\r\n" +
      `X-Long: \t${value} \t\r\nX-Short:\r\n-------abcd$\r\n`
  ))
  const [frame] = frames
  assert.strictEqual(frame?.header("x-long"), value)
  assert.deepStrictEqual(frame?.headers, [["X-Long", value], ["X-Short", ""]])
})
