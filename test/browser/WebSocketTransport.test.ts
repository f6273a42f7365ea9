/** How a page connects where nothing answers: the platform's WebSocket is one that never opens. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { fromTransport } from "../../src/browser/Failures.ts"
import { layerWebSocket } from "../../src/browser/WebSocketTransport.ts"
import { Transport } from "../../src/Transport.ts"

const opened: Array<SilentSocket> = []

class SilentSocket extends EventTarget {
  readonly url: string
  readonly subprotocol: string
  isClosed = false

  constructor(url: string, subprotocol: string) {
    super()
    this.url = url
    this.subprotocol = subprotocol
    opened.push(this)
  }

  close(): void {
    this.isClosed = true
  }
}

const silent = Effect.acquireRelease(
  Effect.sync(() => {
    const { WebSocket } = globalThis
    Object.assign(globalThis, { WebSocket: SilentSocket })
    return WebSocket
  }),
  (WebSocket) => Effect.sync(() => Object.assign(globalThis, { WebSocket }))
)

it.effect("gives up after 15 seconds a WebSocket that does not open", () =>
  Effect.gen(function*() {
    yield* silent
    const { connect } = yield* Transport
    const options = { scheme: "msrps", host: "relay.example.com", port: 443, path: "/msrp?token=secret" } as const
    const connecting = yield* Effect.forkChild(
      Effect.flip(connect(options, () => ({ bytes: () => {}, closed: () => {} }))),
      { startImmediately: true }
    )
    const [socket] = opened
    assert.deepStrictEqual(
      [socket?.url, socket?.subprotocol],
      ["wss://relay.example.com:443/msrp?token=secret", "msrp"]
    )
    yield* TestClock.adjust("14999 millis")
    assert.isUndefined(connecting.pollUnsafe())
    yield* TestClock.adjust("1 millis")
    const error = yield* Fiber.join(connecting)
    assert.deepStrictEqual([error.reason, socket?.isClosed], ["Timeout", true])
    const { message, reason } = fromTransport(error)
    assert.strictEqual(reason, "Unreachable")
    assert.notInclude(message, "secret")
  }).pipe(Effect.scoped, Effect.provide(layerWebSocket)))
