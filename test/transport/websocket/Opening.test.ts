/** WebSockets that are opened from here: what they are opened on, and in what words they are not. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { createHash } from "node:crypto"
import type * as Net from "node:net"
import { WebSocketServer } from "ws"
import { type NodeOptions, Transport } from "../../../src/Transport.ts"
import { OpeningFault } from "../../../src/transport/websocket/OpeningFault.ts"
import { ca, localhost, selfSigned } from "../../support/pki.ts"
import { poll, Recorder } from "../../support/Recorder.ts"
import { plainServer, silentServer } from "../plain.ts"

const run = <A, E>(effect: Effect.Effect<A, E, Transport | Scope.Scope>, options: NodeOptions = {}) =>
  Effect.provide(effect, Transport.layerNode(options))

const dial = (port: number, path?: string) =>
  Effect.gen(function*() {
    const { connect } = yield* Transport
    const recorder = new Recorder()
    const to = { scheme: "msrp", transport: "ws", host: "127.0.0.1", port, path } as const
    return { recorder, connection: yield* connect(to, recorder.accept) }
  })

/** A server that gives this answer to the head of a request, made of its key. */
const answering = (answer: (accept: string, head: string) => string | undefined, heads: Array<string> = []) =>
  plainServer((socket: Net.Socket) => {
    let head = ""
    socket.on("error", () => {})
    socket.on("data", (data) => {
      head += data.toString("latin1")
      if (!head.includes("\r\n\r\n") || heads.includes(head)) return
      heads.push(head)
      const key = /^Sec-WebSocket-Key: (.*)\r$/m.exec(head)?.[1] ?? ""
      const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64")
      const text = answer(accept, head)
      if (text === undefined) socket.destroy()
      else socket.write(text, "latin1")
    })
  })

const switching = (accept: string, ...more: Array<string>): string =>
  [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: WebSocket",
    "Connection: upgrade",
    `Sec-WebSocket-Accept: ${accept}`,
    ...more,
    "",
    ""
  ].join("\r\n")

const PROTOCOL = "Sec-WebSocket-Protocol: msrp"

const response = (status: string, body = "", ...more: Array<string>): string =>
  [`HTTP/1.1 ${status}`, `Content-Length: ${body.length}`, ...more, "", body].join("\r\n")

describe("opening", () => {
  it.effect("asks for msrp at the path, by HTTP/1.1, with another key each time", () =>
    run(Effect.gen(function*() {
      const heads: Array<string> = []
      const port = yield* answering((accept) => switching(accept, PROTOCOL), heads)
      yield* dial(port)
      yield* dial(port, "/msrp?room=1")
      const lines = heads.map((head) => head.split("\r\n"))
      assert.deepStrictEqual(lines.map(([line]) => line), ["GET / HTTP/1.1", "GET /msrp?room=1 HTTP/1.1"])
      for (
        const line of [
          `Host: 127.0.0.1:${port}`,
          "Upgrade: websocket",
          "Connection: Upgrade",
          "Sec-WebSocket-Version: 13",
          PROTOCOL
        ]
      ) assert.include(lines[0]!, line)
      const keys = heads.map((head) => /^Sec-WebSocket-Key: (.*)\r$/m.exec(head)![1]!)
      assert.notStrictEqual(keys[0], keys[1])
      assert.strictEqual(Buffer.from(keys[0]!, "base64").length, 16)
      assert.notMatch(heads[0]!, /^(Origin|Sec-WebSocket-Extensions):/mi)
    })))

  it.effect("R6455-5.1-01: masks what it sends, with keys that differ, and takes what follows the answer at once", () =>
    run(Effect.gen(function*() {
      const got: Array<Buffer> = []
      const server = new WebSocketServer({ host: "127.0.0.1", port: 0, handleProtocols: () => "msrp" })
      const masks: Array<string> = []
      server.on("connection", (socket, { socket: raw }) => {
        raw.on("data", (data: Buffer) => masks.push(data.subarray(2, 6).toString("hex")))
        // The library fails frames that are not masked.
        socket.on("message", (data: Buffer) => got.push(data))
        socket.send("first")
      })
      yield* Effect.addFinalizer(() => Effect.sync(() => server.close()))
      yield* poll(() => server.address() !== null)
      const { connection, recorder } = yield* dial((server.address() as Net.AddressInfo).port)
      yield* recorder.untilLength(5)
      for (const text of ["one", "two"]) {
        connection.write(Buffer.from(text), () => {}, [3])
        yield* poll(() => got.at(-1)?.toString() === text)
      }
      assert.lengthOf(new Set(masks), 2)
      connection.end()
      yield* recorder.untilClosed
    })))

  it.effect("takes frames that came with the answer", () =>
    run(Effect.gen(function*() {
      const port = yield* answering((accept) => `${switching(accept, PROTOCOL)}\x82\x02hi`)
      const { recorder } = yield* dial(port)
      yield* recorder.untilLength(2)
      assert.strictEqual(recorder.received.toString(), "hi")
    })))

  const refusals: ReadonlyArray<
    readonly [what: string, answer: (accept: string) => string | undefined, words: string, status?: number]
  > = [
    [
      "a page of another origin",
      () => response("403 Forbidden", "pages of this origin may not connect\n"),
      "the WebSocket is refused with 403 Forbidden: pages of this origin may not connect",
      403
    ],
    [
      "another version",
      () => response("426 Upgrade Required", "", "Sec-WebSocket-Version: 14"),
      "the WebSocket is refused with 426 Upgrade Required",
      426
    ],
    [
      "a page of HTML",
      () => response("404 Not Found", "<html><title>nginx</title>"),
      "the WebSocket is refused with 404 Not Found",
      404
    ],
    ["a page", () => response("200 OK", "welcome"), "the WebSocket is refused with 200 OK: welcome", 200],
    [
      "a redirection",
      () => response("301 Moved Permanently", "", "Location: http://other.example/"),
      "the WebSocket is refused with 301 Moved Permanently",
      301
    ],
    [
      "what no terminal should be given",
      () => `HTTP/1.1 500 \x1b[31mno\r\nContent-Length: 4\r\n\r\n\x1b[1m`,
      "the WebSocket is refused with 500 \u{fffd}[31mno",
      500
    ],
    [
      "a long body",
      () => `HTTP/1.1 500 No\r\nContent-Length: 99999\r\n\r\n${"x".repeat(2000)}`,
      `the WebSocket is refused with 500 No: ${"x".repeat(120)}`,
      500
    ],
    [
      "an answer to another key",
      () => switching("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", PROTOCOL),
      "the answer is not to the request for a WebSocket"
    ],
    ["no subprotocol", (accept) => switching(accept), "the WebSocket is not for msrp"],
    [
      "another subprotocol",
      (accept) => switching(accept, "Sec-WebSocket-Protocol: sip"),
      "the WebSocket is not for msrp"
    ],
    [
      "an extension",
      (accept) => switching(accept, PROTOCOL, "Sec-WebSocket-Extensions: permessage-deflate"),
      "the WebSocket has an extension that nobody asked for"
    ],
    [
      "another upgrade",
      (accept) => switching(accept, PROTOCOL).replace("WebSocket", "h2c"),
      "the answer does not open a WebSocket"
    ],
    ["no HTTP", () => "MSRP abcd 400 Bad\r\n-------abcd$\r\n", "the answer is not HTTP"],
    ["a head without end", () => `HTTP/1.1 101 x\r\nX: ${"y".repeat(20_000)}`, "the answer is not HTTP"],
    ["the end", () => undefined, "the other side has cut the connection (ECONNRESET)"]
  ]
  for (const [what, answer, words, status] of refusals) {
    it.effect(`R7977-4.1-01: is told of ${what}`, () =>
      run(Effect.gen(function*() {
        const port = yield* answering(answer)
        const error = yield* Effect.flip(dial(port, "/msrp"))
        assert.strictEqual(error.message, `connect ws://127.0.0.1:${port}/msrp: ${words}`)
        assert.strictEqual(error.reason, words.endsWith("(ECONNRESET)") ? "Other" : "WebSocket")
        if (status !== undefined) assert.strictEqual((error.cause as OpeningFault).status, status)
      })))
  }

  it.effect("takes only a path that a request can have", () =>
    run(Effect.gen(function*() {
      const port = yield* answering((accept) => switching(accept, PROTOCOL))
      for (const path of ["", "msrp", "/a b", "/a\r\nX: y"]) {
        const error = yield* Effect.flip(dial(port, path))
        assert.instanceOf(error.cause, OpeningFault)
      }
    })))

  it.effect("waits for an answer no longer than for any other connection, and leaves no socket behind", () =>
    run(
      Effect.gen(function*() {
        const { counts, port } = yield* silentServer
        const fiber = yield* Effect.forkChild(Effect.flip(dial(port)), { startImmediately: true })
        yield* poll(() => counts.opened === 1)
        yield* TestClock.adjust(2999)
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust(1)
        assert.strictEqual((yield* Fiber.join(fiber)).reason, "Timeout")
        yield* poll(() => counts.closed === 1)
      }),
      { connectTimeout: 3 }
    ))

  it.effect("over TLS it looks at the certificate before it asks for anything", () =>
    run(
      Effect.gen(function*() {
        const { connect, listen } = yield* Transport
        const accepted = new Recorder()
        const socket = { scheme: "msrps", transport: "ws", host: "127.0.0.1", port: 0, path: "/msrp" } as const
        const bound = yield* listen(socket, accepted.accept)
        const own = new Recorder()
        const connection = yield* connect(bound, own.accept)
        assert.deepStrictEqual([connection.secure, connection.transport], [true, "ws"])
        const others = yield* Effect.provide(Transport, Transport.layerNode({ tls: selfSigned }))
        const wrong = yield* others.listen(socket, new Recorder().accept)
        const error = yield* Effect.flip(connect(wrong, new Recorder().accept))
        assert.strictEqual(error.reason, "Certificate")
        assert.match(error.message, /^connect wss:\/\/127\.0\.0\.1:\d+\/msrp: the certificate is self-signed/)
      }),
      { tls: { ...localhost, ca } }
    ))
})
