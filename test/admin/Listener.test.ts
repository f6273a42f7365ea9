/** For how long a client of the admin API may do nothing: Node looks at the clock for it. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { EventEmitter, once } from "node:events"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import type { Server } from "node:http"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { MAX_REQUESTS } from "../../src/admin/Limits.ts"
import { AT_ONCE, layerListener, makeServer } from "../../src/admin/Listener.ts"

const server = (): Server => makeServer({ _tag: "Tcp", host: "127.0.0.1", port: 0 })

/** A socket that only hears for how long it may be silent. */
class FakeSocket extends EventEmitter {
  readonly timeouts: Array<number> = []
  destroyed = false

  setTimeout(millis: number): void {
    this.timeouts.push(millis)
  }

  destroy(): void {
    this.destroyed = true
  }

  push(): boolean {
    return false
  }

  _read(): void {}
}

/** An answer of which so many octets wait to be taken. */
class FakeResponse extends EventEmitter {
  readonly writableLength: number
  readonly socket = new FakeSocket()
  destroyed = false
  timeout: number | undefined
  check: () => void = () => {}

  constructor(writableLength: number) {
    super()
    this.writableLength = writableLength
  }

  setTimeout(millis: number, check: () => void): void {
    this.timeout = millis
    this.check = check
  }

  destroy(): void {
    this.destroyed = true
  }
}

const connects = (path: string) =>
  Effect.callback<boolean>((resume) => {
    const socket = Net.connect(path, () => {
      socket.destroy()
      resume(Effect.succeed(true))
    }).on("error", () => resume(Effect.succeed(false)))
  })

describe("the listener of the admin API", () => {
  it("tells a directory that is not there from one where nothing may be made", async () => {
    const directory = mkdtempSync(`${tmpdir()}/msrp-`)
    const path = `${directory}/nowhere/admin.sock`
    const error = await Effect.runPromise(
      Effect.flip(Effect.scoped(Layer.build(layerListener({ _tag: "Unix", path }))))
    )
    assert.strictEqual(error.message, `The admin API cannot listen on ${path}: there is no such directory (ENOENT)`)
    rmSync(directory, { recursive: true })
  })

  it.effect("makes its socket again where somebody has removed it, and says why it cannot where that is so", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      const path = `${directory}/run/admin.sock`
      yield* fs.makeDirectory(`${directory}/run`)
      const lines: Array<string> = []
      const logger = Logger.make(({ fiber, message }) => {
        const { reason = "" } = fiber.getRef(References.CurrentLogAnnotations)
        lines.push([message, reason].flat().join(" ").trim())
      })
      yield* Effect.gen(function*() {
        yield* Layer.build(layerListener({ _tag: "Unix", path }))
        const look = TestClock.adjust("1 second")
        const told = (count: number) => Effect.repeat(look, { until: () => lines.length === count })
        yield* look
        yield* fs.remove(path)
        yield* look
        yield* Effect.repeat(connects(path), { until: (does) => does })
        assert.strictEqual((yield* fs.stat(path)).mode & 0o777, 0o600)
        yield* told(1)
        yield* fs.remove(`${directory}/run`, { recursive: true })
        yield* told(2)
        yield* look
        yield* fs.makeDirectory(`${directory}/run`)
        yield* look
        yield* Effect.repeat(connects(path), { until: (does) => does })
        yield* told(3)
        // Of somebody else.
        yield* fs.remove(path)
        yield* fs.writeFileString(path, "")
        yield* told(4)
        yield* look
      }).pipe(Effect.scoped, Effect.provide(Logger.layer([logger])))
      assert.deepStrictEqual(lines, [
        "the socket of the admin API was gone, and is there again",
        "the admin API cannot be reached there is no such directory (ENOENT)",
        "the socket of the admin API was gone, and is there again",
        "the admin API cannot be reached there is a file of that name that is no socket"
      ])
      assert.strictEqual(yield* fs.readFileString(path), "")
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer)))

  it("leaves a socket where it is that another one has made in the place of its own, and takes its own away", async () => {
    const directory = mkdtempSync(`${tmpdir()}/msrp-`)
    const path = `${directory}/admin.sock`
    await Effect.runPromise(Effect.gen(function*() {
      const listening = Effect.fnUntraced(function*() {
        const scope = yield* Scope.make()
        yield* Layer.buildWithScope(layerListener({ _tag: "Unix", path }), scope)
        return Scope.close(scope, Exit.void)
      })
      const endFirst = yield* listening()
      rmSync(path)
      const endSecond = yield* listening()
      yield* endFirst
      assert.isTrue(yield* connects(path))
      assert.deepStrictEqual(readdirSync(directory), ["admin.sock"])
      yield* endSecond
      assert.deepStrictEqual(readdirSync(directory), [])
    }))
    rmSync(directory, { recursive: true })
  })

  it("waits 10 seconds for a request, its head and all of it, and for the next one 5 and Node's one more", () => {
    const { headersTimeout, keepAliveTimeout, keepAliveTimeoutBuffer, requestTimeout } = server()
    assert.deepStrictEqual([headersTimeout, requestTimeout], [10_000, 10_000])
    assert.deepStrictEqual([keepAliveTimeout, keepAliveTimeoutBuffer], [5000, 1000])
    const silent = new FakeSocket()
    // Without the listener of Node's own, for which it is no socket.
    const own = server()
    for (const listener of own.listeners("connection").slice(1)) listener.call(own, silent)
    assert.deepStrictEqual(silent.timeouts, [10_000])
  })

  describe("whoever sends requests without waiting for answers", () => {
    const turns = async (enough: () => boolean): Promise<void> => {
      while (!enough()) await new Promise((resume) => void setImmediate(resume))
    }

    it("has, with others, one dealt with in each turn of the event loop, and none when it has gone", async () => {
      const own = server()
      let turn = 0
      const dealt: Array<number> = []
      own.on("request", () => void (dealt[turn] = (dealt[turn] ?? 0) + 1))
      // Of as many connections.
      const requests = Array.from({ length: 10 }, () => new FakeResponse(0))
      for (const response of requests) own.emit("request", { socket: response.socket }, response)
      requests[0]!.socket.destroy()
      await turns(() => turn++ === 20)
      assert.deepStrictEqual(dealt.filter((count) => count > 0), Array.from({ length: 9 }, () => 1))
    })

    it("has the next one dealt with when the answer before has left", async () => {
      const own = server()
      const asked: Array<string> = []
      const answers: Array<() => void> = []
      own.on("request", (request, response) => {
        asked.push(request.url!)
        answers.push(() => void response.end("."))
      })
      let arrived = 0
      own.on("arrived", () => void arrived++)
      await new Promise<void>((resume) => void own.listen(0, "127.0.0.1", resume))
      const client = Net.connect((own.address() as Net.AddressInfo).port, "127.0.0.1")
      for (let i = 0; i < MAX_REQUESTS; i++) client.write(`GET /${i} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
      await turns(() => arrived === MAX_REQUESTS && asked.length > 0)
      for (let i = 0; i < 20; i++) await new Promise((resume) => void setImmediate(resume))
      assert.deepStrictEqual(asked, ["/0"])
      for (let i = 1; i < MAX_REQUESTS; i++) {
        answers[i - 1]!()
        await turns(() => asked.length > i)
        assert.strictEqual(asked[i], `/${i}`)
      }
      client.destroy()
      await new Promise((resume) => void own.close(resume))
    })
  })

  describe("whoever sends a read full of requests", () => {
    const CROWD = 10
    const GET = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    const turn = () => new Promise((resume) => void setImmediate(resume))

    /** Sends octets on each of some connections at once; the result has the most events in one turn of the event loop. */
    const flood = async (own: Server, octets: string, event: string, until: (count: number) => boolean) => {
      await new Promise<void>((resume) => void own.listen(0, "127.0.0.1", resume))
      const { port } = own.address() as Net.AddressInfo
      const clients = Array.from({ length: CROWD }, () => Net.connect(port, "127.0.0.1").resume())
      const ended = clients.map((one) => once(one, "close"))
      await Promise.all(clients.map((one) => once(one, "connect")))
      let count = 0
      let dropped = 0
      own.on(event, () => void count++).on("dropRequest", () => void dropped++)
      for (const one of clients) one.write(octets)
      let most = 0
      for (let before = 0; !until(count); before = count) {
        await turn()
        most = Math.max(most, count - before)
      }
      await Promise.all(ended)
      assert.strictEqual(dropped, CROWD)
      return { most, close: () => new Promise((resume) => void own.close(resume)) }
    }

    it("has some of them parsed in each turn, and is disconnected after so many", async () => {
      const own = server()
      own.on("request", (_, response) => void response.end())
      const { close, most } = await flood(
        own,
        GET.repeat(1000),
        "arrived",
        (count) => count === CROWD * MAX_REQUESTS
      )
      assert.isAtMost(most, AT_ONCE)
      await close()
    })

    it("has those that Node answers itself parsed like this, too", async () => {
      const own = server()
      const odd = "GET / HTTP/1.1\r\nHost: localhost\r\nExpect: x\r\n\r\n"
      own.on("checkExpectation", (_, response) => void response.writeHead(417).end())
      const { close, most } = await flood(
        own,
        odd.repeat(1000),
        "checkExpectation",
        (count) => count === CROWD * MAX_REQUESTS
      )
      assert.isAtMost(most, AT_ONCE)
      await close()
    })
  })

  it("reads nothing more from who sends too many requests during an answer that lasts, and disconnects after the last one", async () => {
    const own = server()
    const answers: Array<() => void> = []
    own.on("request", (_, response) => void answers.push(() => void response.end()))
    let dropped = 0
    own.on("dropRequest", () => void dropped++)
    await new Promise<void>((resume) => void own.listen(0, "127.0.0.1", resume))
    const client = Net.connect((own.address() as Net.AddressInfo).port, "127.0.0.1").resume()
    const ended = once(client, "close")
    client.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(1000))
    const turn = () => new Promise((resume) => void setImmediate(resume))
    while (dropped === 0) await turn()
    for (let i = 0; i < 100; i++) await turn()
    assert.strictEqual(dropped, 1)
    for (let i = 0; i < MAX_REQUESTS; i++) {
      while (answers.length === i) await turn()
      answers[i]!()
    }
    await ended
    await new Promise((resume) => void own.close(resume))
  })

  it("sees at once that who sent too many requests during an answer that lasts has left", async () => {
    const own = server()
    let hasDropped = false
    let hasEnded = false
    own.on("request", (_, response) => void response.on("close", () => void (hasEnded = true)).write("."))
    own.on("dropRequest", () => void (hasDropped = true))
    await new Promise<void>((resume) => void own.listen(0, "127.0.0.1", resume))
    const client = Net.connect((own.address() as Net.AddressInfo).port, "127.0.0.1")
    client.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(100))
    await once(client, "data")
    const turn = () => new Promise((resume) => void setImmediate(resume))
    while (!hasDropped) await turn()
    client.destroy()
    while (!hasEnded) await turn()
    await new Promise((resume) => void own.close(resume))
  })

  it("drops who does not take an answer for 15 seconds, and waits on where nothing is written", () => {
    const own = server()
    const request = (response: FakeResponse) => {
      own.emit("request", { socket: response.socket }, response)
      assert.strictEqual(response.timeout, 15_000)
      response.check()
      return response
    }
    assert.isTrue(request(new FakeResponse(1)).destroyed)
    const quiet = request(new FakeResponse(0))
    assert.deepStrictEqual([quiet.destroyed, quiet.socket.timeouts], [false, [15_000]])
  })
})
