/** The body of a message, as a page reads it. */
import * as Effect from "effect/Effect"
import { assert, describe, it } from "vitest"
import { MsrpError } from "../../src/browser/MsrpError.ts"
import { nameOf, ReceivedMessage } from "../../src/browser/ReceivedMessage.ts"
import type { Incoming } from "../../src/client/Incoming.ts"

const MIB = 1_048_576

/** A message of these parts, and with what it was refused. */
const message = (...parts: ReadonlyArray<number>) => {
  const left = parts.map((length) => new Uint8Array(length).fill(120))
  const refused: Array<number> = []
  const incoming = {
    next: Effect.sync(() => left.shift()),
    refuse: (status = 413) => Effect.sync(() => void refused.push(status)),
    received: () => 0
  } as unknown as Incoming
  return { message: new ReceivedMessage(incoming), refused }
}

describe("a message that is read", () => {
  it("is a text up to 16 MiB; a longer one is dropped, and refused", async () => {
    const whole = message(...Array<number>(16).fill(MIB))
    assert.lengthOf(await whole.message.text(), 16 * MIB)
    assert.deepStrictEqual(whole.refused, [])
    const long = message(...Array<number>(16).fill(MIB), 1)
    const error = await long.message.text().catch((error: unknown) => error)
    assert.instanceOf(error, MsrpError)
    assert.deepStrictEqual([error.reason, long.refused], ["Dropped", [413]])
  })

  it("is a blob of any length", async () => {
    const { message: long, refused } = message(...Array<number>(20).fill(MIB), 1)
    assert.strictEqual((await long.blob()).size, 20 * MIB + 1)
    assert.deepStrictEqual(refused, [])
  })
})

describe("the name of a file", () => {
  it("is without folders and control characters", () => {
    assert.strictEqual(nameOf("../../etc/pass\u0000wd\u202e"), "passwd")
    assert.strictEqual(nameOf("C:\\Temp\\Grüße.txt"), "Grüße.txt")
  })

  it("has 255 characters at most, the last ones, which say of what kind it is", () => {
    assert.strictEqual(nameOf(`${"x".repeat(300)}.txt`), `${"x".repeat(251)}.txt`)
  })

  it("is `file` where there is none", () => {
    for (const none of [undefined, "", "/", "..", "\u0000"]) assert.strictEqual(nameOf(none), "file")
  })
})
