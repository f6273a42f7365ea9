import { assert, it } from "@effect/vitest"
import { Decoder } from "../../../src/protocol/Decoder.ts"
import { keepFrame, readAgain } from "../../../src/relay/route/KeptFrame.ts"

const head = "MSRP abcd SEND\r\nTo-Path: msrp://a:1/b;tcp\r\nFrom-Path: msrp://c:2/d;tcp\r\nMessage-ID: msg1\r\n"

it("a kept frame is the frame as it came in, whatever stands before its end-line", () => {
  for (const rest of ["", "\r\n", "Content-Type: a/b\r\n\r\n\r\n", "Content-Type: a/b\r\n\r\nbody\r\n"]) {
    const octets = Buffer.from(`${head}${rest}-------abcd$\r\n`)
    let kept: Buffer = Buffer.alloc(0)
    const decoder = new Decoder({
      frame: (head, _start, end) => {
        kept = keepFrame(head, end)
        return true
      },
      chunkStart: () => assert.fail("a whole frame"),
      chunkBody: () => {},
      chunkEnd: () => {},
      broken: () => assert.fail("framing lost")
    })
    decoder.push(Buffer.concat([octets, octets.subarray(0, 9)]))
    assert.strictEqual(kept.toString(), octets.toString())
    const { bodyStart, hasBody, problem, restEnd } = readAgain(kept)
    assert.deepStrictEqual([hasBody, problem], [rest.includes("Content-Type"), undefined])
    assert.strictEqual(bodyStart, hasBody ? restEnd + 2 : restEnd)
  }
})
