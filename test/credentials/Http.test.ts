/** How often, and for how long, a service of users is asked that does not answer as it should. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as Http from "node:http"
import * as Https from "node:https"
import * as Net from "node:net"
import { Credentials } from "../../src/Credentials.ts"
import { type HttpOptions, layerHttp } from "../../src/credentials/Http.ts"
import { selfSigned } from "../support/pki.ts"
import { poll } from "../support/Recorder.ts"
import { freePort } from "../support/service.ts"

/** When a service is asked that answers so, in milliseconds, until it counts as down. */
const asked = (answer: Effect.Effect<Response>) =>
  Effect.gen(function*() {
    const times: Array<number> = []
    const client = HttpClient.make((request) =>
      Effect.gen(function*() {
        times.push(yield* Clock.currentTimeMillis)
        return HttpClientResponse.fromWeb(request, yield* answer)
      })
    )
    const layer = layerHttp({ url: "http://users.example.com/" }).pipe(
      Layer.provide(Layer.succeed(HttpClient.HttpClient, client))
    )
    const lookup = Effect.flatMap(Credentials, ({ lookup }) => lookup({ username: "alice", realm: "example.com" }))
    const looking = yield* Effect.forkChild(Effect.flip(Effect.provide(lookup, layer)))
    yield* TestClock.adjust("1 minute")
    assert.isDefined(looking.pollUnsafe(), "it counts as down")
    return times.map((one) => one - times[0]!)
  })

it.effect("one that does not answer within two seconds is asked twice more, and then counts as down", () =>
  Effect.gen(function*() {
    assert.deepStrictEqual(yield* asked(Effect.never), [0, 2100, 4300])
  }))

it.effect("so is one whose answer says nothing, at once", () =>
  Effect.gen(function*() {
    for (const status of [302, 500]) {
      assert.deepStrictEqual(yield* asked(Effect.sync(() => new Response("", { status }))), [0, 100, 300])
    }
  }))

it.effect("R4976-9.3-06: few are asked for at a time, the next ones when those have their answers", () =>
  Effect.gen(function*() {
    let now = 0
    let most = 0
    const client = HttpClient.make((request) =>
      Effect.acquireUseRelease(
        Effect.sync(() => most = Math.max(most, ++now)),
        () =>
          Effect.as(Effect.sleep("500 millis"), HttpClientResponse.fromWeb(request, new Response("", { status: 404 }))),
        () => Effect.sync(() => now--)
      )
    )
    const layer = layerHttp({ url: "http://users.example.com/" }).pipe(
      Layer.provide(Layer.succeed(HttpClient.HttpClient, client))
    )
    const lookups = Effect.flatMap(
      Credentials,
      ({ lookup }) =>
        Effect.forEach(
          Array.from({ length: 640 }, (_, i) => i),
          (i) => lookup({ username: `user${i}`, realm: "example.com" }),
          { concurrency: "unbounded", discard: true }
        )
    )
    const looking = yield* Effect.forkChild(Effect.provide(lookups, layer))
    yield* TestClock.adjust("4 seconds")
    assert.isUndefined(looking.pollUnsafe(), "some wait")
    yield* TestClock.adjust("1 second")
    assert.isDefined(looking.pollUnsafe(), "all have their answers")
    assert.strictEqual(most, 64)
  }))

it.effect("R4976-9.3-06: questions from many addresses do not keep a user at another address waiting for long", () =>
  Effect.gen(function*() {
    const client = HttpClient.make((request) =>
      Effect.as(Effect.sleep("1 second"), HttpClientResponse.fromWeb(request, new Response("", { status: 404 })))
    )
    const layer = layerHttp({ url: "http://users.example.com/" }).pipe(
      Layer.provide(Layer.succeed(HttpClient.HttpClient, client))
    )
    yield* Effect.gen(function*() {
      const { lookup } = yield* Credentials
      const strangers = Array.from({ length: 960 }, (_, i) => `127.0.1.${i % 240}`)
      for (const source of strangers) {
        yield* Effect.forkChild(lookup({ username: "stranger", realm: "example.com", source }))
      }
      yield* TestClock.adjust("500 millis")
      const user = { username: "alice", realm: "example.com", source: "192.0.2.1" }
      const known = yield* Effect.forkChild(lookup({ ...user, known: true }))
      const unknown = yield* Effect.forkChild(lookup(user))
      yield* TestClock.adjust("1500 millis")
      assert.isDefined(known.pollUnsafe(), "one who was there before is asked for next")
      yield* TestClock.adjust("3500 millis")
      assert.isDefined(unknown.pollUnsafe(), "anybody else after one question from each address")
    }).pipe(Effect.provide(layer))
  }))

it.live.each([404, 500])(
  "one that goes on with its answer after %i is left at once",
  (status) =>
    Effect.gen(function*() {
      const open = new Set<Http.ServerResponse>()
      let asked = 0
      const server = yield* Effect.acquireRelease(
        Effect.callback<Http.Server>((resume) => {
          const made = Http.createServer((_request, response) => {
            asked++
            open.add(response)
            response.once("close", () => void open.delete(response))
            response.writeHead(status)
            response.write("x".repeat(200_000))
          })
          made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
        }),
        (made) => Effect.sync(() => made.closeAllConnections())
      )
      const { port } = server.address() as Net.AddressInfo
      const layer = layerHttp({ url: `http://127.0.0.1:${port}/` }).pipe(Layer.provide(FetchHttpClient.layer))
      const lookup = Effect.flatMap(Credentials, ({ lookup }) => lookup({ username: "alice", realm: "example.com" }))
      yield* Effect.exit(Effect.provide(lookup, layer))
      assert.isAbove(asked, 0)
      yield* poll(() => open.size === 0)
    })
)

it.effect("R7616-3.4-04: who is no user is told from the whole answer, as who is one, since an earlier refusal would show it", () =>
  Effect.gen(function*() {
    for (
      const [status, text] of [[200, `{"password":"secret"}`], [404, "Not found"], [404, "x".repeat(70_000)]] as const
    ) {
      let rest: () => void = () => {}
      const body = new ReadableStream<Uint8Array>({
        start: (controller) =>
          void (rest = () => {
            controller.enqueue(new TextEncoder().encode(text))
            controller.close()
          })
      })
      const client = HttpClient.make((request) =>
        Effect.sync(() => HttpClientResponse.fromWeb(request, new Response(body, { status })))
      )
      const layer = layerHttp({ url: "http://users.example.com/" }).pipe(
        Layer.provide(Layer.succeed(HttpClient.HttpClient, client))
      )
      const lookup = Effect.flatMap(Credentials, ({ lookup }) => lookup({ username: "alice", realm: "example.com" }))
      const looking = yield* Effect.forkChild(Effect.provide(lookup, layer))
      yield* TestClock.adjust("1 second")
      assert.isUndefined(looking.pollUnsafe(), `${status}: nothing is known before its end`)
      rest()
      assert.strictEqual(Option.isSome(yield* Fiber.join(looking)), status === 200)
    }
  }))

describe("at the start", () => {
  /** What it is asked, with its token, and what is logged. */
  const starting = (answer: Effect.Effect<Response>, options: Partial<HttpOptions> = {}) =>
    Effect.gen(function*() {
      const asked: Array<string> = []
      const log: Array<string> = []
      const logger = Logger.make<unknown, void>((entry) => void log.push(Logger.formatLogFmt.log(entry)))
      const client = HttpClient.make((request) => {
        asked.push(request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : request.body._tag)
        return Effect.map(answer, (response) => HttpClientResponse.fromWeb(request, response))
      })
      const layer = layerHttp({ url: "http://users.example.com/", realm: "example.com", ...options }).pipe(
        Layer.provide([Layer.succeed(HttpClient.HttpClient, client), Logger.layer([logger])])
      )
      const building = yield* Effect.forkChild(Effect.scoped(Layer.build(layer)))
      yield* TestClock.adjust("2 seconds")
      assert.isDefined(building.pollUnsafe(), "it has started")
      return { asked, log: log.join("\n") }
    })
  const of = (status: number) => Effect.sync(() => new Response("", { status }))

  it.effect("it is asked once for somebody whom there is not", () =>
    Effect.gen(function*() {
      const { asked, log } = yield* starting(of(404))
      assert.deepStrictEqual(asked.map((text) => JSON.parse(text)), [
        { username: "msrp-relay-check", realm: "example.com", method: "AUTH" }
      ])
      assert.strictEqual(log, "")
      assert.deepStrictEqual((yield* starting(of(404), { realm: undefined })).asked, [])
    }))

  it.effect.each(
    [
      [
        "a token that is refused",
        of(401),
        { token: Redacted.make("hidden") },
        "the answer was 401: it refuses the token"
      ],
      ["a token that it wants", of(403), {}, "the answer was 403: it wants a token"],
      ["another answer", of(503), {}, "the answer was 503: neither 200 nor 404"],
      ["no answer", Effect.never, {}, "no answer"]
    ] as const
  )("%s is a warning", ([, answer, options, reason]) =>
    Effect.gen(function*() {
      const { asked, log } = yield* starting(answer, options)
      assert.lengthOf(asked, 1)
      assert.match(log, /level=WARN.*nobody can log in before they can/)
      assert.include(log, `reason="${reason}"`)
      assert.notInclude(log, "hidden")
    }))
})

describe("why one cannot be queried is told in words", () => {
  const reasonAt = (url: string) =>
    Effect.flatMap(Credentials, ({ lookup }) => lookup({ username: "alice", realm: "example.com" })).pipe(
      Effect.flip,
      Effect.map(({ message }) => message.replace("the http credentials cannot be read: ", "")),
      Effect.provide(layerHttp({ url }).pipe(Layer.provide(FetchHttpClient.layer)))
    )
  /** The port of loopback where this listens. */
  const listening = (server: Net.Server) =>
    Effect.acquireRelease(
      Effect.promise(async () => {
        await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve))
        return (server.address() as Net.AddressInfo).port
      }),
      () => Effect.sync(() => server.close())
    )
  const cut = Net.createServer((socket) => void socket.on("error", () => {}).once("data", () => socket.destroy()))
  const garbage = Net.createServer((socket) => void socket.on("error", () => {}).end("\0\0hello"))
  const plain = Net.createServer((socket) => void socket.on("error", () => {}).end("HTTP/1.1 400 Bad Request\r\n\r\n"))
  const secure = Https.createServer({ cert: selfSigned.cert, key: Redacted.value(selfSigned.key) })

  it.live.each(
    [
      ["nobody listens", "http", undefined, "no connection: nobody listens there (ECONNREFUSED)"],
      [
        "TLS where there is none",
        "https",
        plain,
        "no connection: the other side does not speak TLS (ERR_SSL_WRONG_VERSION_NUMBER)"
      ],
      [
        "a certificate of nobody",
        "https",
        secure,
        "no connection: its certificate is self-signed (DEPTH_ZERO_SELF_SIGNED_CERT)"
      ],
      ["no HTTP", "http", garbage, "no connection: the answer is not HTTP"],
      ["cut", "http", cut, "no connection: the other side has cut the connection (UND_ERR_SOCKET)"]
    ] as const
  )("%s", ([, scheme, server, reason]) =>
    Effect.gen(function*() {
      const port = server === undefined ? yield* Effect.promise(freePort) : yield* listening(server)
      assert.strictEqual(yield* reasonAt(`${scheme}://127.0.0.1:${port}/`), reason)
    }).pipe(Effect.scoped))

  it.live("a port that HTTP is never spoken to", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* reasonAt("http://127.0.0.1:5060/"), "no connection: this port is blocked for HTTP")
    }))
})
