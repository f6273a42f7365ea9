/** A transport that wraps another one, as a program may have it: it counts octets, and keeps the contract. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Client from "../../src/Client.ts"
import { Codec } from "../../src/Codec.ts"
import { transportContract } from "../../src/testing.ts"
import { type Accept, Transport, wrapConnection, wrapReceiver, wrapTransport } from "../../src/Transport.ts"
import { makeWorld } from "../support/harness.ts"

class Counts {
  written = 0
  read = 0
  closed = 0

  readonly accept = (accept: Accept): Accept => (connection) => {
    const receiver = accept(wrapConnection(connection, {
      pause: undefined,
      write: (bytes, written, ends) => {
        this.written += bytes.length
        connection.write(bytes, written, ends)
      }
    }))
    return wrapReceiver(receiver, {
      bytes: (chunk, last) => {
        this.read += chunk.length
        receiver.bytes(chunk, last)
      },
      closed: (failure) => {
        this.closed++
        receiver.closed(failure)
      }
    })
  }

  readonly layer = Layer.effect(
    Transport,
    Effect.map(Transport, (inner) => wrapTransport(inner, this.accept))
  ).pipe(Layer.provide(Transport.layerNode()))
}

it("wraps a receiver that cannot be changed, such as a frozen one", () => {
  const heard: Array<string> = []
  const receiver = Object.freeze({ bytes: () => void heard.push("bytes"), closed: () => void heard.push("closed") })
  const wrapped = wrapReceiver(receiver, {
    bytes: () => void heard.push("wrapped"),
    leaving: () => void heard.push("leaving")
  })
  wrapped.bytes(Buffer.alloc(0))
  wrapped.leaving?.()
  wrapped.broken?.("")
  wrapped.closed()
  assert.deepStrictEqual(heard, ["wrapped", "leaving", "closed"])
})

for (const transport of ["tcp", "ws"] as const) {
  describe(`a wrapped transport, ${transport}`, () => {
    for (const { run, title } of transportContract({ scheme: "msrp", transport, host: "127.0.0.1", port: 0 })) {
      it.live(title, () => Effect.provide(run, new Counts().layer))
    }

    it.live("serves a relay and its clients, and has seen all octets", () => {
      const counts = new Counts()
      return Effect.gen(function*() {
        const world = yield* makeWorld({ by: transport })
        const socket = world.relay.sockets.find((one) => (one.transport ?? "tcp") === transport)!
        const relay = `msrp://localhost:${socket.port};${transport}`
        const alice = yield* Client.connect(relay)
        const bob = yield* Client.connect(relay)
        const grant = yield* alice.auth({ relay, username: "alice", password: "wonderland" })
        yield* bob.send({ toPath: Client.peerPath(grant, alice.uri), body: "x".repeat(1_000_000) })
        assert.strictEqual((yield* alice.messages.take).length, 1_000_000)
      }).pipe(
        Effect.scoped,
        Effect.provide([counts.layer, Codec.layer]),
        Effect.andThen(Effect.sync(() => {
          assert.isAbove(counts.written, 2_000_000)
          assert.isAbove(counts.read, 2_000_000)
          assert.strictEqual(counts.closed, 4)
        }))
      )
    })
  })
}
