import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as TestClock from "effect/testing/TestClock"
import { createHash } from "node:crypto"
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { MAX_EVENTS } from "../../src/admin/status/EventQueue.ts"
import { MAX_PAGES } from "../../src/admin/status/OpenPages.ts"
import * as StatusFeed from "../../src/admin/StatusFeed.ts"
import * as StatusPage from "../../src/admin/StatusPage.ts"
import { octetsOf } from "../support/http.ts"
import { FakeRelay, partsOf, serveStatus } from "../support/status.ts"

const HTML = "<!doctype html><style>a{}</style><script>one()</script><p>x</p>"
const bundle = pathToFileURL(join(tmpdir(), `msrp-status-${process.pid}.html`))
writeFileSync(bundle, HTML)

const hash = (text: string) => createHash("sha256").update(text).digest("base64")

const page = (at = bundle) =>
  Effect.gen(function*() {
    const feed = yield* Effect.flatMap(partsOf(new FakeRelay()), StatusFeed.make)
    const { respond } = yield* StatusPage.make(feed, at)
    return { feed, ask: (target: string, method = "GET") => respond(method, target)! }
  })

const json = (response: HttpServerResponse.HttpServerResponse) =>
  Effect.promise(async () => await HttpServerResponse.toWeb(response).json() as Record<string, unknown>)

describe("the place of the status page", () => {
  it.effect("serves it with a policy that names its own script and style, and nothing else", () =>
    Effect.gen(function*() {
      const { ask } = yield* page()
      const { headers, status } = yield* ask("/")
      assert.strictEqual(status, 200)
      assert.strictEqual(
        headers["content-security-policy"],
        `default-src 'none'; script-src 'sha256-${hash("one()")}'; style-src 'sha256-${
          hash("a{}")
        }'; connect-src 'self'; ` +
          "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
      )
      assert.strictEqual(headers["x-content-type-options"], "nosniff")
    }))

  it.effect("has it in memory once, for all who ask and do not read", () =>
    Effect.gen(function*() {
      const { ask } = yield* page()
      const [one, other] = [octetsOf(yield* ask("/")), octetsOf(yield* ask("/"))]
      assert.strictEqual(Buffer.from(one).toString(), HTML)
      assert.strictEqual(one, other)
    }))

  it.effect("says how the page is made where it is missing", () =>
    Effect.gen(function*() {
      const { ask } = yield* page(new URL("file:///nowhere/page.html"))
      const response = yield* ask("/")
      assert.strictEqual(response.status, 503)
      assert.include(yield* Effect.promise(() => HttpServerResponse.toWeb(response).text()), "npm run build")
    }))

  it.effect("answers what the page asks, and is not asked for anything else", () =>
    Effect.gen(function*() {
      const { ask } = yield* page()
      assert.strictEqual((yield* json(yield* ask("/status")))["version"], "1.4.0")
      const user = yield* json(yield* ask(`/status/users?name=${encodeURIComponent("alice")}`))
      assert.strictEqual(user["total"], 1)
      for (const target of ["/status/users", "/status/users?name=", `/status/users?name=${"x".repeat(1025)}`]) {
        assert.strictEqual((yield* ask(target)).status, 400, target)
      }
      const refused = yield* ask("/status", "POST")
      assert.strictEqual(refused.status, 405)
      assert.strictEqual(refused.headers["allow"], "GET, HEAD")
      for (const target of ["/sessions", "/status/", "/toString", "//", ""]) assert.isUndefined(ask(target), target)
    }))

  it.effect("refuses a page too many, and HEAD takes no place", () =>
    Effect.gen(function*() {
      const { ask, feed } = yield* page()
      for (let each = 0; each < 100; each++) {
        assert.strictEqual((yield* ask("/status/events", "HEAD")).status, 200)
      }
      const { headers } = yield* ask("/status/events")
      assert.strictEqual(headers["content-type"], "text/event-stream")
      for (let each = 1; each < MAX_PAGES; each++) yield* feed.open
      const response = yield* ask("/status/events")
      assert.strictEqual(response.status, 503)
      assert.strictEqual(response.headers["content-type"], "application/problem+json")
      assert.match(String((yield* json(response))["detail"]), /32 status pages/)
    }))

  it.effect("closes the connection of a page that does not read, over a real socket, and gives its place back", () =>
    Effect.gen(function*() {
      const relay = new FakeRelay()
      const feed = yield* Effect.flatMap(partsOf(relay), StatusFeed.make)
      const port = yield* serveStatus(feed, { bundle })
      const socket = yield* Effect.acquireRelease(
        Effect.sync(() => connect(port, "127.0.0.1")),
        (socket) => Effect.sync(() => socket.destroy())
      )
      socket.write("GET /status/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
      yield* Effect.promise(() => once(socket, "readable"))
      for (let each = 1; each < MAX_PAGES; each++) (yield* feed.open)!.resume()
      assert.isUndefined(yield* feed.open)
      // What nobody reads fills the sockets of the system, then what the feed keeps.
      for (let place: unknown; place === undefined; place = yield* feed.open) {
        for (let each = 0; each < MAX_EVENTS; each++) {
          relay.happens("login granted", { user: "x".repeat(2000) })
        }
        yield* TestClock.adjust(2000)
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      }
      const closed = once(socket, "close")
      socket.resume()
      yield* Effect.promise(() => closed)
    }))
})
