import { isUtf8 } from "node:buffer"
import { assert, it } from "vitest"
import { closePayload, MAX_CONTROL } from "../../../src/protocol/websocket/FrameHead.ts"

it("R6455-5.5-01: a reason to close is cut to what a control frame holds, at the end of a character", () => {
  for (const reason of ["short", "x".repeat(123), "x".repeat(124), "\u00e4".repeat(100), "x\u{1f600}".repeat(50)]) {
    const payload = closePayload(1000, reason)
    assert.strictEqual(payload.readUInt16BE(0), 1000)
    const text = payload.subarray(2)
    assert.isTrue(isUtf8(text) && reason.startsWith(text.toString()))
    assert.isAtMost(payload.length, MAX_CONTROL)
    if (Buffer.byteLength(reason) > MAX_CONTROL - 2) assert.isAbove(payload.length, MAX_CONTROL - 4)
    else assert.strictEqual(text.toString(), reason)
  }
})
