import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { once } from "node:events"
import * as Net from "node:net"
import { Worker } from "node:worker_threads"
import { pollEnd } from "../../src/transport/PollEnd.ts"
import { poll } from "../support/Recorder.ts"

/** More connections than Node.js reads at a time, so that it goes on reading as long as all of them bring octets. */
const CONNECTIONS = 1100

/** Connections that bring octets all the time; returns how many reads there are in one turn of the event loop. */
const readsInATurn = (endPoll: () => void) =>
  Effect.gen(function*() {
    const sockets: Array<Net.Socket> = []
    let reads = 0
    const server = yield* Effect.acquireRelease(
      Effect.callback<Net.Server>((resume) => {
        const made = Net.createServer((socket) => {
          sockets.push(socket)
          // As the other side is in this process, each octet comes back after all others have been read.
          socket.on("data", () => {
            reads++
            socket.write("x")
          })
        }).listen(0, "127.0.0.1", 2 * CONNECTIONS, () => resume(Effect.succeed(made)))
      }),
      (made) =>
        Effect.sync(() => {
          for (const socket of sockets) socket.destroy()
          made.close()
        })
    )
    const { port } = server.address() as Net.AddressInfo
    yield* Effect.promise(() =>
      Promise.all(Array.from({ length: CONNECTIONS }, () => {
        const socket = Net.connect(port, "127.0.0.1")
        sockets.push(socket)
        socket.on("data", () => {
          reads++
          socket.write("x")
        })
        return once(socket, "connect")
      }))
    )
    yield* poll(() => sockets.length === 2 * CONNECTIONS)
    return yield* Effect.callback<number>((resume) => {
      setImmediate(() => {
        for (const socket of sockets) socket.write("x")
        endPoll()
        reads = 0
        setImmediate(() => resume(Effect.succeed(reads)))
      })
    })
  }).pipe(Effect.scoped)

describe("pollEnd", () => {
  it.live("lets the event loop go on when it has read each connection about once, not up to 48 times", () =>
    Effect.gen(function*() {
      const endPoll = yield* pollEnd
      assert.isDefined(endPoll)
      const many = yield* readsInATurn(() => {})
      const few = yield* readsInATurn(endPoll)
      assert.isAbove(many, 10 * CONNECTIONS)
      assert.isBelow(few, 5 * CONNECTIONS)
    }).pipe(Effect.scoped))

  it.live("listens to its signal once for all transports, as long as there is one", () =>
    Effect.gen(function*() {
      const before = process.listenerCount("SIGURG")
      yield* Effect.scoped(Effect.gen(function*() {
        yield* pollEnd
        yield* pollEnd
        assert.strictEqual(process.listenerCount("SIGURG"), before + 1)
      }))
      assert.strictEqual(process.listenerCount("SIGURG"), before)
    }))

  it.live("is not there where the system forbids it", () =>
    Effect.gen(function*() {
      const kill = vi.spyOn(process, "kill").mockImplementation(() => {
        throw Object.assign(new Error("kill EPERM"), { code: "EPERM" })
      })
      yield* Effect.addFinalizer(() => Effect.sync(() => kill.mockRestore()))
      assert.isUndefined(yield* pollEnd)
    }).pipe(Effect.scoped))

  it.live("is not there in a worker thread, whose event loop gets no signals", () =>
    Effect.gen(function*() {
      const module = new URL("../../src/transport/PollEnd.ts", import.meta.url).href
      const worker = new Worker(
        `import { parentPort } from "node:worker_threads"
        import * as Effect from "effect/Effect"
        const { pollEnd } = await import(${JSON.stringify(module)})
        parentPort.postMessage(Effect.runSync(Effect.scoped(pollEnd)) === undefined)`,
        { eval: true, execArgv: ["--input-type=module"] }
      )
      const [isMissing] = yield* Effect.promise(() => once(worker, "message"))
      assert.isTrue(isMissing)
    }))
})
