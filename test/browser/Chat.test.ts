/** What a session takes, before any of it has come. */
import * as Context from "effect/Context"
import { assert, describe, it } from "vitest"
import type { SessionOptions } from "../../src/browser/Api.ts"
import { Chat } from "../../src/browser/Chat.ts"
import type { Frame } from "../../src/client/Frame.ts"

const session = (options: SessionOptions = {}): Chat =>
  new Chat(
    { context: Context.empty(), online: undefined, path: "", left: () => {} },
    "msrps://a.invalid:2855/one;ws",
    options
  )

/** The first chunk of a message of this type, and of this length. */
const first = (contentType: string, total?: number): Frame =>
  ({
    header: (name: string) => name === "Content-Type" ? contentType : undefined,
    byteRange: { start: 1, end: undefined, total }
  }) as unknown as Frame

describe("a session of a page", () => {
  it("takes messages of up to 1 GiB, if nothing else is said", () => {
    const chat = session()
    assert.strictEqual(chat.collect(first("text/plain", 1_073_741_824)), "stream")
    assert.deepStrictEqual(chat.collect(first("text/plain", 1_073_741_825)), { refuse: 413 })
    assert.strictEqual(chat.collect(first("text/plain")), "stream")
    assert.deepStrictEqual(session({ maxSize: 10 }).collect(first("text/plain", 11)), { refuse: 413 })
    assert.strictEqual(session({ maxSize: Infinity }).collect(first("text/plain", 2 ** 40)), "stream")
  })

  it("takes all media types, or those that are wanted", () => {
    const taken = (accept: ReadonlyArray<string> | undefined) =>
      ["text/plain; charset=utf-8", "TEXT/HTML", "image/png", ""].map((type) =>
        session({ accept }).collect(first(type)) === "stream"
      )
    assert.deepStrictEqual(taken(undefined), [true, true, true, true])
    assert.deepStrictEqual(taken(["*"]), [true, true, true, true])
    assert.deepStrictEqual(taken(["text/plain"]), [true, false, false, false])
    assert.deepStrictEqual(taken([" Text/* "]), [true, true, false, false])
    assert.deepStrictEqual(session({ accept: [] }).collect(first("text/plain")), { refuse: 415 })
  })
})
