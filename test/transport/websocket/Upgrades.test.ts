/** WebSockets over real sockets: who may open one, and what passes on it, with clients that were not written here. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import { once } from "node:events"
import type { ServerResponse } from "node:http"
import * as Net from "node:net"
import { type LocalSocket, type NodeOptions, Transport } from "../../../src/Transport.ts"
import { MAX_HTTP_LINES } from "../../../src/transport/websocket/Upgrades.ts"
import { poll, Recorder, turns } from "../../support/Recorder.ts"

const ws: LocalSocket = { scheme: "msrp", transport: "ws", host: "127.0.0.1", port: 0 }

/** Clients that come at once. */
const CROWD = 200

const KEY = "dGhlIHNhbXBsZSBub25jZQ=="

const LINES = [
  "Upgrade: websocket",
  "Connection: keep-alive, Upgrade",
  "Sec-WebSocket-Version: 13",
  `Sec-WebSocket-Key: ${KEY}`,
  "Sec-WebSocket-Protocol: chat, msrp"
]

const serving = <A, E>(
  options: NodeOptions,
  body: (port: number, recorder: Recorder) => Effect.Effect<A, E, Transport | Scope.Scope>,
  socket = ws
) =>
  Effect.gen(function*() {
    const { listen } = yield* Transport
    const recorder = new Recorder()
    const bound = yield* listen(socket, recorder.accept)
    return yield* body(bound.port, recorder)
  }).pipe(Effect.provide(Transport.layerNode(options)))

/** Sends octets, gives what comes until the other side closes, or a 101 is there. */
const ask = (port: number, text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = Net.connect({ port, host: "127.0.0.1" })
    let answer = ""
    socket.setEncoding("latin1")
    socket.on("data", (data: string) => {
      answer += data
      if (!answer.startsWith("HTTP/1.1 101") || !answer.includes("\r\n\r\n")) return
      socket.destroy()
      resolve(answer)
    })
    socket.on("end", () => resolve(answer))
    socket.on("close", () => resolve(answer))
    socket.on("error", reject)
    socket.write(text)
  })

const request = (lines: ReadonlyArray<string>, { line = "GET / HTTP/1.1", host = "127.0.0.1:2857" } = {}): string =>
  [line, `Host: ${host}`, ...lines, "", ""].join("\r\n")

const without = (name: string): ReadonlyArray<string> => LINES.filter((line) => !line.startsWith(name))

describe("handshake", () => {
  it.live("those of a crowd are done some in each turn of the event loop, however many have come by then", () =>
    Effect.gen(function*() {
      const { listen } = yield* Transport
      let turn = 0
      const opened: Array<number> = []
      const next = (): void => {
        turn++
        if (opened.length < CROWD) setImmediate(next)
      }
      const { port } = yield* listen(ws, (connection) => {
        opened[turn] = (opened[turn] ?? 0) + 1
        return new Recorder().accept(connection)
      })
      const clients = Array.from({ length: CROWD }, () => Net.connect({ port, host: "127.0.0.1" }))
      yield* Effect.promise(() => Promise.all(clients.map((client) => once(client, "connect"))))
      // Until all of them are waited for.
      yield* turns(CROWD)
      next()
      for (const client of clients) client.write(request(LINES))
      yield* Effect.promise(() => Promise.all(clients.map((client) => once(client, "data"))))
      for (const client of clients) client.destroy()
      const perTurn = opened.filter((count) => count > 0)
      assert.strictEqual(perTurn.reduce((sum, count) => sum + count, 0), CROWD)
      assert.isAtMost(Math.max(...perTurn), 16)
    }).pipe(Effect.provide(Transport.layerNode())))

  it.live("of those that ask for none the oldest goes for a new one", () =>
    serving({ maxHandshakes: 2, setupTimeout: 3600 }, (port) =>
      Effect.gen(function*() {
        const { facts } = yield* Transport
        const closed: Array<number> = []
        for (let i = 0; i < 5; i++) {
          const client = Net.connect({ port, host: "127.0.0.1" })
          client.on("close", () => closed.push(i))
          yield* Effect.promise(() => once(client, "connect"))
          // It has been taken in before the next one comes.
          yield* turns(20)
        }
        yield* poll(() => facts!.webSocketsRefused["too many"] === 3 && closed.length === 3)
        assert.deepStrictEqual(closed, [0, 1, 2])
      })))

  it.live("no WebSocket is opened behind a request that is still to be answered", () =>
    serving({}, (port) =>
      Effect.gen(function*() {
        const both = ["GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1", "Host: localhost", ...LINES, "", ""]
        assert.notInclude(yield* Effect.promise(() => ask(port, both.join("\r\n"))), "101 Switching")
      })))

  it.live("R4976-9.3-06: of requests that nobody waits for the answers of, no more than the first is looked at", () =>
    serving({}, (port) =>
      Effect.gen(function*() {
        const { facts } = yield* Transport
        const answers = [[], ["Expect: another answer"]].map((lines) =>
          ask(port, request(lines).repeat(100)).catch(() => "")
        )
        yield* Effect.promise(() => Promise.all(answers))
        assert.strictEqual(facts!.webSocketsRefused[426], 2)
        assert.include(yield* Effect.promise(() => ask(port, request([]))), "426 Upgrade Required")
      })))

  it.live("R4976-9.3-06: Node gets the first request only, in however many parts it comes", () =>
    serving({}, (port) =>
      Effect.gen(function*() {
        let requests = 0
        const count = (): void => void requests++
        subscribe("http.server.request.start", count)
        yield* Effect.addFinalizer(() => Effect.sync(() => unsubscribe("http.server.request.start", count)))
        const one = request([])
        const rest = one.repeat(500)
        for (const [i, parts] of [[one + rest], [one.slice(0, 5), one.slice(5) + rest]].entries()) {
          const socket = Net.connect({ port, host: "127.0.0.1" }).setNoDelay(true).resume().on("error", () => {})
          for (const part of parts) {
            socket.write(part)
            yield* turns(20)
          }
          yield* poll(() => socket.closed)
          assert.strictEqual(requests, i + 1)
        }
      })))

  it.live("a WebSocket is opened for a head in several parts, with what has come behind it", () =>
    serving({}, (port, recorder) =>
      Effect.gen(function*() {
        const socket = Net.connect({ port, host: "127.0.0.1" }).setNoDelay(true)
        const head = request(LINES)
        for (const part of [head.slice(0, 5), head.slice(5, -3)]) {
          socket.write(part)
          yield* turns(20)
        }
        // A binary frame with a masking key of zeros.
        socket.write(Buffer.concat([Buffer.from(head.slice(-3)), Buffer.from([0x82, 0x82, 0, 0, 0, 0, 104, 105])]))
        yield* recorder.untilLength(2)
        socket.destroy()
      })))

  it.live("pages are served one after the other on a connection, and to nobody who sends requests ahead", () => {
    let served = 0
    const serve = () => (_: unknown, response: ServerResponse) => {
      if (++served < 3) response.end("page")
    }
    return serving({ webSocket: { serve } }, (port) =>
      Effect.gen(function*() {
        const socket = Net.connect({ port, host: "127.0.0.1" }).setEncoding("latin1")
        const gone = once(socket.on("error", () => {}), "close")
        for (let i = 0; i < 2; i++) {
          socket.write(request([]))
          yield* Effect.promise(() => once(socket, "data"))
        }
        assert.strictEqual(served, 2)
        socket.write(request([]).repeat(3))
        yield* Effect.promise(() => gone)
        assert.strictEqual(served, 3)
      }))
  })

  it.live("R7977-4.1-01 R6455-4.2-02: msrp among the subprotocols, in any place, is granted as the only one", () =>
    serving({}, (port) =>
      Effect.gen(function*() {
        const answer = yield* Effect.promise(() => ask(port, request(LINES)))
        assert.match(answer, /^HTTP\/1\.1 101 Switching Protocols\r\n/)
        assert.include(answer, "\r\nSec-WebSocket-Protocol: msrp\r\n")
        // The example of RFC 6455 §1.3.
        assert.include(answer, "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n")
        assert.notInclude(answer, "Extensions")
      })))

  const refusals: ReadonlyArray<readonly [string, string, RegExp]> = [
    [
      "R7977-4.1-02: no msrp among the subprotocols",
      request([...without("Sec-WebSocket-Protocol"), "Sec-WebSocket-Protocol: sip"]),
      /^HTTP\/1\.1 400 /
    ],
    ["R7977-4.1-02: no subprotocol", request(without("Sec-WebSocket-Protocol")), /^HTTP\/1\.1 400 /],
    [
      "another version",
      request([...without("Sec-WebSocket-Version"), "Sec-WebSocket-Version: 8"]),
      /^HTTP\/1\.1 426 [^]*Sec-WebSocket-Version: 13/
    ],
    [
      "a key that is too short",
      request([...without("Sec-WebSocket-Key"), "Sec-WebSocket-Key: abcd"]),
      /^HTTP\/1\.1 400 /
    ],
    ["another path", request(LINES, { line: "GET /other HTTP/1.1" }), /^HTTP\/1\.1 404 /],
    ["R6455-4.2-01: another method", request(LINES, { line: "POST / HTTP/1.1" }), /^HTTP\/1\.1 405 [^]*Allow: GET/],
    ["another protocol", request(["Upgrade: h2c", "Connection: Upgrade"]), /^HTTP\/1\.1 426 /],
    ["R6455-4.2-01: no upgrade", request([]), /^HTTP\/1\.1 426 [^]*Upgrade: websocket/],
    ["R7977-7-01: a page of another origin", request([...LINES, "Origin: https://evil.example"]), /^HTTP\/1\.1 403 /],
    ["an origin that is none", request([...LINES, "Origin: null"]), /^HTTP\/1\.1 403 /],
    ["no HTTP", "MSRP abcd SEND\r\n\r\n", /^HTTP\/1\.1 400 /],
    ["a head without end", request([`X: ${"x".repeat(20_000)}`]), /^(HTTP\/1\.1 4\d\d |$)/]
  ]
  for (const [what, text, answer] of refusals) {
    it.live(`refuses ${what}`, () =>
      serving({}, (port, recorder) =>
        Effect.gen(function*() {
          assert.match(yield* Effect.promise(() => ask(port, text)), answer)
          assert.isUndefined(recorder.connection)
        })))
  }

  it.live("a head has 100 lines at most, and 16 KiB: none of a longer one counts", () => {
    const head = (lines: number, octets = 0) => {
      const more = Array.from({ length: lines - 1 - LINES.length }, (_, i) => `X${i}: y`)
      const text = (fill: string) => request([...more.slice(1), `X: ${fill}`, ...LINES])
      return text("y".repeat(Math.max(1, octets - text("").length)))
    }
    return serving({}, (port, recorder) =>
      Effect.gen(function*() {
        const statusOf = (text: string) => Effect.promise(async () => (await ask(port, text)).slice(0, 12))
        assert.strictEqual(yield* statusOf(head(101)), "HTTP/1.1 400")
        assert.strictEqual(yield* statusOf(head(20, 16_500)), "HTTP/1.1 400")
        assert.isUndefined(recorder.connection)
        assert.strictEqual(yield* statusOf(head(100)), "HTTP/1.1 101")
        assert.strictEqual(yield* statusOf(head(20, 16_000)), "HTTP/1.1 101")
      }))
  })

  it.live("counts and tells what is refused before anything asks for a WebSocket", () => {
    const said: Array<string> = []
    const logger = Logger.map(
      Logger.formatLogFmt,
      (line) => void said.push(/ remote=127\.0\.0\.1:\d+ reason=(.*)$/.exec(line)![1]!)
    )
    return serving({}, (port) =>
      Effect.gen(function*() {
        const { facts } = yield* Transport
        const [noHttp, tooLong] = ["not HTTP/1.1, or malformed", "its head is too long"]
        const noPages = "Nothing but WebSockets is served here."
        const asked: ReadonlyArray<readonly [string, string]> = [
          ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", noHttp],
          ["MSRP d93kswow SEND\r\nTo-Path: msrp://a.example.org:2855/s;tcp\r\n", noHttp],
          [request([...LINES, "Content-Length: 1", "Transfer-Encoding: chunked"]), noHttp],
          [request([`X: ${"x".repeat(20_000)}`]), tooLong],
          [request([]), noPages]
        ]
        for (const [text, why] of asked) {
          assert.include(yield* Effect.promise(() => ask(port, text)), `\r\n${why}\n`)
        }
        assert.deepStrictEqual([facts!.webSocketsRefused[400], facts!.webSocketsRefused[426]], [4, 1])
        yield* poll(() => said.length === asked.length)
        assert.deepStrictEqual(said, asked.map(([, why]) => JSON.stringify(why)))
      })).pipe(
        Effect.provide(Logger.layer([logger])),
        Effect.provideService(References.MinimumLogLevel, "Debug")
      )
  })

  it.effect("a socket that was refused and stays open is not counted again when its time is up", () =>
    serving({ setupTimeout: 5 }, (port) =>
      Effect.gen(function*() {
        const { webSocketsRefused } = (yield* Transport).facts!
        const socket = Net.connect({ port, host: "127.0.0.1", allowHalfOpen: true })
        socket.write("no HTTP\r\n\r\n")
        socket.resume()
        yield* poll(() => webSocketsRefused[400] === 1)
        yield* TestClock.adjust("5 seconds")
        yield* turns(20)
        socket.destroy()
        assert.strictEqual(webSocketsRefused["timed out"], 0)
      })))

  it.live("R7977-7-03: an origin that is admitted comes back", () =>
    serving(
      { webSocket: { admitsOrigin: (origin) => origin === "https://chat.example" } },
      (port) =>
        Effect.gen(function*() {
          const answer = yield* Effect.promise(() => ask(port, request([...LINES, "Origin: https://chat.example"])))
          assert.match(answer, /^HTTP\/1\.1 101 /)
          assert.include(answer, "\r\nAccess-Control-Allow-Origin: https://chat.example\r\nVary: Origin\r\n")
        })
    ))

  it.live("a head has so many lines: what a proxy says behind more than that is refused, and not left out", () =>
    serving({ proxies: { trusts: (address) => address === "127.0.0.1" } }, (port, recorder) =>
      Effect.gen(function*() {
        const lines = (more: number) => [
          ...LINES,
          "X-Forwarded-For: 198.51.100.66",
          "X-Forwarded-Proto: https",
          ...Array.from({ length: more }, () => "X: y"),
          "X-Forwarded-For: 203.0.113.9"
        ]
        // With Host, and these.
        const room = MAX_HTTP_LINES - 1 - lines(0).length
        for (const more of [room + 1, 120, 1000]) {
          assert.match(yield* Effect.promise(() => ask(port, request(lines(more)))), /^HTTP\/1\.1 400 /, `${more} more`)
          assert.isUndefined(recorder.connection)
        }
        assert.match(yield* Effect.promise(() => ask(port, request(lines(room)))), /^HTTP\/1\.1 101 /)
        assert.strictEqual(recorder.connection.remote.host, "203.0.113.9")
      })))

  it.live("who the client is, a trusted proxy tells, and nobody else", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const lines = [...LINES, "X-Forwarded-For: 203.0.113.9, 192.0.2.7", "X-Forwarded-Proto: https"]
      for (const trusts of [() => false, (address: string) => address === "127.0.0.1"]) {
        yield* serving({ proxies: { trusts } }, (port, recorder) =>
          Effect.gen(function*() {
            yield* Effect.promise(() => ask(port, request(lines)))
            yield* recorder.untilClosed
            seen.push(`${recorder.connection.remote.host} ${recorder.connection.secure}`)
          }))
      }
      assert.deepStrictEqual(seen, ["127.0.0.1 false", "192.0.2.7 true"])
    }))
})

describe("messages", () => {
  it.live("R7977-5.1-02 R7977-4.2-01 R7977-4.2-02: Node's own WebSocket gets and sends whole messages, text or binary", () =>
    serving({}, (port, recorder) =>
      Effect.gen(function*() {
        const client = new WebSocket(`ws://127.0.0.1:${port}/`, ["msrp"])
        client.binaryType = "arraybuffer"
        const got: Array<Buffer> = []
        const opened = once(client, "open")
        client.addEventListener("message", ({ data }) => {
          got.push(Buffer.from(data as ArrayBuffer))
          recorder.changed()
        })
        yield* Effect.promise(() => opened)
        assert.strictEqual(client.protocol, "msrp")
        client.send("text")
        client.send(new Uint8Array(200_000).fill(7))
        yield* recorder.untilLength(200_004)
        const { connection } = recorder
        connection.write(Buffer.from("onetwo, and thr"), () => {}, [3, 6])
        connection.write(Buffer.from("ee"), () => {}, [2])
        yield* recorder.until(() => got.length === 3)
        assert.deepStrictEqual(got.map(String), ["one", "two", ", and three"])
        const closed = once(client, "close")
        connection.end("going away")
        const [event] = yield* Effect.promise(() => closed)
        assert.strictEqual((event as CloseEvent).code, 1001)
        yield* recorder.untilClosed
      })))
})
