import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type LocalSocket, type NodeOptions, Transport } from "../../src/Transport.ts"
import { pattern, poll, Recorder } from "../support/Recorder.ts"
import { plainClient } from "./plain.ts"

const run = <A, E>(options: NodeOptions, effect: Effect.Effect<A, E, Transport | Scope.Scope>) =>
  Effect.provide(effect, Transport.layerNode(options))

const loopback: LocalSocket = { scheme: "msrp", host: "127.0.0.1", port: 0 }

describe("layerNode", () => {
  it.effect("a reset by the peer is a close like any other", () =>
    run(
      {},
      Effect.gen(function*() {
        const { listen } = yield* Transport
        const accepting = new Recorder()
        const bound = yield* listen(loopback, accepting.accept)
        const { socket } = yield* plainClient(bound.port)
        yield* poll(() => accepting.connection !== undefined)
        socket.pause()
        let written = 0
        accepting.connection.write(pattern(32 * 1_048_576), () => written++)
        accepting.connection.write(pattern(10), () => written++)
        socket.resetAndDestroy()
        yield* accepting.untilClosed
        assert.deepStrictEqual([written, accepting.closures, accepting.connection.pending()], [2, 1, 0])
      })
    ))
})
