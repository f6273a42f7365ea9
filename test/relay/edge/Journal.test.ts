import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { ADDRESS_BURST } from "../../../src/logging/LineBudget.ts"
import { Transport } from "../../../src/Transport.ts"
import { makeWorld, until } from "../../support/harness.ts"

describe("Journal", () => {
  it.effect("says which connection the relay closes, and why, in one line", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld()
      const stranger = yield* world.connect
      stranger.write("GET / HTTP/1.1\r\n\r\n")
      yield* until(() => stranger.closed_, "the end of the connection")
      const { host, port } = stranger.connection.local
      const lines = world.log.filter((line) => line.includes("closing connection"))
      assert.strictEqual(lines.length, 1)
      assert.include(lines[0], `message="closing connection: not MSRP" remote=${host}:${port}`)
      assert.match(lines[0]!, /level=info/i)
      yield* world.done
    }).pipe(Effect.provide(Transport.layerTest())))

  it.effect("logs some of the connections that a stranger has closed, and how many more there were", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld()
      const count = ADDRESS_BURST + 30
      for (let i = 0; i < count; i++) {
        const stranger = yield* world.connect
        stranger.write("GET / HTTP/1.1\r\n\r\n")
        yield* until(() => stranger.closed_, "the end of the connection")
      }
      const lines = (text: string) => world.log.filter((line) => line.includes(text))
      assert.lengthOf(lines("closing connection"), ADDRESS_BURST)
      yield* TestClock.adjust("1 minute")
      assert.match(lines("more connections were closed").join("\n"), /reason="not MSRP" connections=30$/)
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(lines("more connections were closed"), 1)
      yield* world.done
    }).pipe(Effect.provide(Transport.layerTest())))
})
