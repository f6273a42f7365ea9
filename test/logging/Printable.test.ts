/** What is shown of a text that a stranger wrote. */
import { assert, it } from "vitest"
import { MAX_PRINTED, printable } from "../../src/logging/Printable.ts"

it("leaves out what a terminal could take for commands, and ends of lines", () => {
  assert.strictEqual(
    printable("a\u{1b}[31mb\r\nc\u{85}d\u{2028}e\u{202e}f"),
    "a\u{fffd}[31mb\u{fffd}\u{fffd}c\u{fffd}d\u{fffd}e\u{fffd}f"
  )
  assert.strictEqual(printable("J\u{e4}s\u{f8}n \u{1f600}"), "J\u{e4}s\u{f8}n \u{1f600}")
})

it("cuts a long text off", () => {
  assert.strictEqual(printable("x".repeat(MAX_PRINTED + 1)), "x".repeat(MAX_PRINTED))
  assert.strictEqual(printable("abc", 2), "ab")
})
