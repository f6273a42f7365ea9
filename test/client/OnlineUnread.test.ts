/** What a client that stays online has not taken is bounded over all its connections, not for each of them. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Client from "../../src/Client.ts"
import { Codec } from "../../src/Codec.ts"
import { TestNetwork, Transport } from "../../src/Transport.ts"
import { type Scripted, scripted } from "./Scripted.ts"

const RELAY = "msrp://relay.example.com:2855;tcp"
const GRANT = [["Use-Path", "msrp://relay.example.com:2855/s;tcp"], ["Expires", "1000"]] as const

const test = <E>(
  title: string,
  body: Effect.Effect<void, E, TestNetwork | Transport | Codec | Scope.Scope>
): void =>
  it.effect(
    title,
    () => body.pipe(Effect.scoped, Effect.provide([Transport.layerTest({ window: 10_000 }), Codec.layer]))
  )

const start = Effect.fnUntraced(function*(options: Partial<Client.OnlineOptions> = {}) {
  const relay = yield* scripted({ scheme: "msrp", host: "relay.example.com", port: 2855 })
  const alice = yield* Client.online({
    relay: RELAY,
    username: "alice",
    password: "wonderland",
    rspauth: "optional",
    ...options
  })
  return { relay, alice, settled: (yield* TestNetwork).settled }
})

const BODY = "x".repeat(6000)
let id = 0
/** Sends chunks until no more is taken, or there are so many; gives how many octets were. */
const flood = Effect.fnUntraced(function*(end: Scripted, to: string, { flag = "$", count = 100 } = {}) {
  const { settled } = yield* TestNetwork
  let sent = 0
  while (count-- > 0) {
    const tid = `t${++id}xxxx`
    const first = flag === "$" ? 1 : sent + 1
    const message = flag === "$" ? `m${id}xxxx` : "onlyone"
    const frame = `MSRP ${tid} SEND\r\nTo-Path: ${to}\r\nFrom-Path: msrp://bob.invalid:1/b;tcp\r\n` +
      `Message-ID: ${message}\r\nByte-Range: ${first}-*/*\r\nFailure-Report: no\r\nContent-Type: text/plain\r\n\r\n` +
      `${BODY}\r\n-------${tid}${flag}\r\n`
    end.write(frame)
    yield* settled
    if (end.connection.pending() > 0) break
    sent += BODY.length
  }
  return sent
})

describe("what was not taken", () => {
  test(
    "holds the next connection back before the login is answered, too",
    Effect.gen(function*() {
      const { alice, relay } = yield* start({ maxUnread: 50_000 })
      const end = yield* relay.end
      yield* end.frame
      assert.isAtMost(yield* flood(end, alice.uri), 100_000)
    })
  )

  test(
    "of messages that come counts when their connection is lost",
    Effect.gen(function*() {
      const { alice, relay, settled } = yield* start({ maxUnread: 50_000, collect: "stream" })
      let sum = 0
      for (let connection = 0; connection < 5; connection++) {
        const end = yield* relay.end
        end.answer(yield* end.frame, 200, GRANT)
        yield* settled
        const octets = yield* flood(end, alice.uri, { flag: "+", count: 7 })
        sum += octets
        if (octets < 7 * BODY.length) break
        end.connection.destroy()
        yield* settled
        yield* TestClock.adjust("30 seconds")
        yield* settled
      }
      assert.isAtMost(sum, 100_000)
    })
  )
})
