import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
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
})
