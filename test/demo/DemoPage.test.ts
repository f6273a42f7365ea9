/** The demo page as it is served: over real sockets, by a transport that listens for WebSockets. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import * as Http from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { afterAll } from "vitest"
import { serveDemo } from "../../src/demo/DemoPage.ts"
import { parseUri } from "../../src/protocol/Uri.ts"
import { type LocalSocket, Transport } from "../../src/Transport.ts"

const folder = mkdtempSync(join(tmpdir(), "msrp-demo-"))
afterAll(() => rmSync(folder, { recursive: true }))

const PAGE = "<html><style>p { color: red }</style><body><p>Hello</p><script>alert(1)</script></body></html>"
const bundle = pathToFileURL(join(folder, "page.html"))
writeFileSync(bundle, PAGE)
const relay = parseUri("msrp://localhost:2855;tcp")!

interface Answer {
  readonly status: number
  readonly headers: Http.IncomingHttpHeaders
  readonly body: string
}

const ask = (port: number, options: Http.RequestOptions = {}): Effect.Effect<Answer, unknown> =>
  Effect.callback<Answer, unknown>((resume) => {
    const request = Http.request({ host: "127.0.0.1", port, agent: false, ...options }, (response) => {
      let body = ""
      response.on("data", (octets: Buffer) => body += octets.toString())
      response.on(
        "end",
        () => resume(Effect.succeed({ status: response.statusCode!, headers: response.headers, body }))
      )
    })
    request.on("error", (error) => resume(Effect.fail(error)))
    request.end()
  })

/** The port of a listener that serves the page if it may. */
const serving = (listener: Partial<LocalSocket> = {}, page = bundle) =>
  Effect.gen(function*() {
    const { listen } = yield* Transport
    const socket = { scheme: "msrp", transport: "ws", host: "127.0.0.1", port: 0, ...listener } as const
    const { port } = yield* listen(socket, () => ({ bytes: () => {}, closed: () => {} }))
    return port
  }).pipe(Effect.provide(Transport.layerNode({ webSocket: { serve: serveDemo([relay], page) } })))

const host = (name: string) => ({ headers: { host: name } })

describe("the demo page", () => {
  it.effect("comes with what it is told of the relay, and may do nothing but what is in it", () =>
    Effect.gen(function*() {
      const port = yield* serving({ path: "/a\"b<" })
      const { body, headers, status } = yield* ask(port, host(`LocalHost:${port}`))
      assert.strictEqual(status, 200)
      assert.strictEqual(
        body,
        PAGE.replace("<body>", `<body data-relay="msrp://localhost:2855;tcp" data-path="/a&#34;b&#60;">`)
      )
      const { "content-security-policy": policy, date, ...others } = headers
      assert.isString(date)
      assert.deepStrictEqual(others, {
        "cache-control": "no-store",
        "connection": "close",
        "content-length": String(body.length),
        "content-type": "text/html; charset=utf-8",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff"
      })
      assert.deepStrictEqual(policy?.toString().split("; "), [
        "default-src 'none'",
        "script-src 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='",
        "style-src 'sha256-ngewhhP73WDIbgwseeu52VAAJgKdGUsu1IUQQsAm8m4='",
        `connect-src 'self' ws://localhost:${port}`,
        "img-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'"
      ])
    }).pipe(Effect.scoped))

  it.effect("is for names of this machine as seen from itself, whatever port they have", () =>
    Effect.gen(function*() {
      const port = yield* serving()
      const status = (name: string) => Effect.map(ask(port, host(name)), (answer) => answer.status)
      for (const name of ["localhost", "127.0.0.1:9", "[::1]:2857", "relay.localhost:1"]) {
        assert.strictEqual(yield* status(name), 200, name)
      }
      for (
        const name of [
          "evil.example",
          "localhost.evil.example",
          "127.0.0.1.evil.example",
          "user@localhost",
          "localhost:99999",
          "localhost;x",
          "localhost 'unsafe-inline'",
          "[::2]"
        ]
      ) assert.strictEqual(yield* status(name), 421, name)
      // An IPv6 address cannot stand in a policy.
      const { headers } = yield* ask(port, host("[::1]:2857"))
      assert.include(headers["content-security-policy"], "connect-src 'self';")
    }).pipe(Effect.scoped))

  it.effect("has an icon, and is nothing else", () =>
    Effect.gen(function*() {
      const port = yield* serving()
      const asked = (method: string, path: string) =>
        Effect.map(
          ask(port, { method, path, ...host("localhost") }),
          ({ body, headers, status }) => [status, headers["content-type"], headers.allow, body.length > 0]
        )
      const text = "text/plain; charset=utf-8"
      assert.deepStrictEqual(yield* asked("GET", "/favicon.svg"), [200, "image/svg+xml", undefined, true])
      assert.deepStrictEqual(yield* asked("HEAD", "/?a"), [200, "text/html; charset=utf-8", undefined, false])
      assert.deepStrictEqual(yield* asked("GET", "/favicon.ico"), [404, text, undefined, true])
      assert.deepStrictEqual(yield* asked("GET", "/page.html"), [404, text, undefined, true])
      assert.deepStrictEqual(yield* asked("GET", "//../etc/passwd"), [404, text, undefined, true])
      assert.deepStrictEqual(yield* asked("POST", "/"), [405, text, "GET, HEAD", true])
      assert.deepStrictEqual(yield* asked("OPTIONS", "/"), [405, text, "GET, HEAD", true])
      assert.deepStrictEqual(yield* asked("DELETE", "/x"), [404, text, undefined, true])
    }).pipe(Effect.scoped))

  it.effect("is served on loopback only, whoever asks", () =>
    Effect.gen(function*() {
      const port = yield* serving({ host: "0.0.0.0" })
      assert.strictEqual((yield* ask(port, host("localhost"))).status, 426)
    }).pipe(Effect.scoped))

  it.effect("says how it is made where it was not, and is there when it is", () =>
    Effect.gen(function*() {
      const later = pathToFileURL(join(folder, "later.html"))
      const port = yield* serving({}, later)
      const before = yield* ask(port, host("localhost"))
      assert.deepStrictEqual([before.status, before.body], [
        503,
        "The demo page is not built. Make it with: npm run build\n"
      ])
      writeFileSync(later, PAGE)
      assert.strictEqual((yield* ask(port, host("localhost"))).status, 200)
    }).pipe(Effect.scoped))
})
