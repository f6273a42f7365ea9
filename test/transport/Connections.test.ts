import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import { Duplex, duplexPair, PassThrough } from "node:stream"
import { makeDuplexes } from "../../src/Transport.ts"

const facts = { inbound: true } as const

describe("connections of a scope", () => {
  it.effect("those that are made while it closes are closed with it", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { open } = yield* Scope.provide(makeDuplexes, scope)
      const closed: Array<string> = []
      const second = new PassThrough()
      open(new PassThrough(), facts, () => ({
        bytes: () => {},
        closed: () => {
          closed.push("first")
          open(second, facts, () => ({ bytes: () => {}, closed: () => void closed.push("second") }))
        }
      }))
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(closed, ["first", "second"])
      assert.isTrue(second.destroyed)
    }))

  it.effect("it waits until all of them were told, also those that close meanwhile by themselves, or have", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { open } = yield* Scope.provide(makeDuplexes, scope)
      let told = 0
      const streams = Array.from({ length: 100 }, () => new PassThrough())
      for (const stream of streams) open(stream, facts, () => ({ bytes: () => {}, closed: () => void told++ }))
      for (const stream of streams.slice(50)) stream.destroy()
      const before = new PassThrough().destroy()
      yield* Effect.callback<void>((resume) => void before.once("close", () => resume(Effect.void)))
      open(before, facts, () => ({ bytes: () => {}, closed: () => void told++ }))
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(told, 101)
    }))

  it.effect("one whose stream throws when it is written to is closed, as the log says, and the writer hears nothing of it", () =>
    Effect.gen(function*() {
      const { open } = yield* makeDuplexes
      const heard: Array<string> = []
      const broken = new Duplex({
        read: () => {},
        write: () => {
          throw new Error("broken")
        }
      })
      yield* Effect.callback<void>((resume) => {
        const closed = (): void => {
          heard.push("closed")
          resume(Effect.void)
        }
        const connection = open(broken, facts, () => ({ bytes: () => {}, closed }))
        connection.write(Buffer.from("first"), () => void heard.push(`written, lost: ${connection.lost}`))
        connection.write(Buffer.from("second"), () => void heard.push(`written, lost: ${connection.lost}`))
      })
      assert.deepStrictEqual(heard, ["written, lost: true", "written, lost: true", "closed"])
    }).pipe(Effect.provide(Logger.layer([]))))

  it.effect("one over a pair in memory gives its peer nothing inside of a call, nor octets that are changed once written", () =>
    Effect.gen(function*() {
      const { open } = yield* makeDuplexes
      const [here, there] = duplexPair()
      const octets = Buffer.from("hello ")
      const heard = yield* Effect.callback<string>((resume) => {
        let heard = ""
        let calling = false
        const peer = open(there, facts, () => ({
          bytes: (chunk) => {
            assert.isFalse(calling)
            heard += chunk.toString()
          },
          closed: () => resume(Effect.succeed(heard))
        }))
        const call = (run: () => void): void => {
          calling = true
          run()
          calling = false
        }
        const connection = open(here, facts, () => ({ bytes: () => {}, closed: () => {} }))
        setImmediate(() => {
          call(() => connection.write(Buffer.from("first "), () => {}))
          setImmediate(() => {
            peer.pause()
            connection.write(octets, () => {
              octets.fill("!")
              peer.resume()
              call(() => connection.write(Buffer.from("there"), () => {}))
              call(() => connection.end())
            })
          })
        })
      })
      assert.strictEqual(heard, "first hello there")
    }))
})
