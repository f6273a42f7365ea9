import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { ADDRESS_BURST } from "../../../src/logging/LineBudget.ts"
import { Journal } from "../../../src/relay/edge/Journal.ts"
import type { RelayEvent } from "../../../src/relay/edge/RelayEvent.ts"
import { Transport } from "../../../src/Transport.ts"
import { makeWorld, until } from "../../support/harness.ts"

/** A clock that stands still. */
const clock = Clock.Clock.defaultValue()

const hop = { number: 7, connection: undefined, party: undefined, end: "closed by its peer", octetsIn: 0, octetsOut: 0 }

describe("Journal", () => {
  it("R4975-14.5-02 a user name is one short line of the log, whatever it is", () => {
    const events: Array<RelayEvent> = []
    const journal = new Journal(clock, (event) => void events.push(event))
    const username = `eve\u0085\u2028\u009b31m\u202e${"x".repeat(2000)}`
    journal.loginFailed(hop, { status: 401, realm: "localhost", username, reason: "wrong credentials" })
    assert.match(String(events[0]?.fields.user), /^eve\ufffd{2}\ufffd31m\ufffdx{50,90}$/)
  })

  it.effect("says which connection the relay closes, and why, in one line", () =>
    Effect.gen(function*() {
      const world = yield* makeWorld()
      const stranger = yield* world.connect
      stranger.write("GET / HTTP/1.1\r\n\r\n")
      yield* until(() => stranger.closed_, "the end of the connection")
      const { host, port } = stranger.connection.local
      yield* until(() => world.log.some((line) => line.includes("connection ended")), "the line")
      const lines = world.log.filter((line) => line.includes("connection ended"))
      assert.strictEqual(lines.length, 1)
      assert.match(
        lines[0]!,
        /message="connection ended" connection=1 remote=\S+ transport=tcp listener=\S+ reason="not MSRP"/
      )
      assert.include(lines[0], `remote=${host}:${port} `)
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
      assert.lengthOf(lines("connection ended\" "), ADDRESS_BURST)
      yield* TestClock.adjust("1 minute")
      assert.match(lines("more of the same").join("\n"), /what="connection ended: not MSRP" lines=30$/)
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(lines("more of the same"), 1)
      yield* world.done
    }).pipe(Effect.provide(Transport.layerTest())))
})
