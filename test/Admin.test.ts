/** The admin API over HTTP on loopback and on a Unix socket: each endpoint, and what it does not take. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { once } from "node:events"
import { statSync, writeFileSync } from "node:fs"
import * as Http from "node:http"
import * as Net from "node:net"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { AdminApi, type AdminParts, AdminToken } from "../src/Admin.ts"
import * as Admin from "../src/Admin.ts"
import { MAX_CONNECTIONS, MAX_HEAD, MAX_REQUESTS } from "../src/admin/Limits.ts"
import { MAX_PAGES } from "../src/admin/status/OpenPages.ts"
import { MAX_TRACES } from "../src/relay/edge/Trace.ts"
import { fakeParts } from "./support/admin.ts"
import { temporaryDirectory } from "./support/directory.ts"
import { type Asking, octetsOf, optionsOf, request, type Where } from "./support/http.ts"
import { listening } from "./support/listening.ts"
import { logInto } from "./support/log.ts"
import { freePort } from "./support/service.ts"

const TOKEN = "correct-horse-battery"

/** The API on a port of 127.0.0.1, in this scope. */
const start = Effect.fnUntraced(function*(
  parts: Partial<AdminParts["Service"]> & { readonly count?: number } = {},
  token: Layer.Layer<AdminToken> = AdminToken.layerNone
) {
  const port = yield* Effect.promise(freePort)
  yield* Layer.build(
    Admin.layer({ _tag: "Tcp", host: "127.0.0.1", port }).pipe(
      Layer.provide([Layer.succeed(Admin.AdminParts, fakeParts(parts)), token])
    )
  )
  return port
})

const ask = (where: Where, path: string, asking?: Asking) => request(where, path, asking)
const statusOf = (where: Where, path: string, asking?: Asking) =>
  Effect.map(request(where, path, asking), ({ status }) => status)

describe("endpoints", () => {
  it.effect("tell sessions and connections in pages, sorted and chosen", () =>
    Effect.gen(function*() {
      const port = yield* start({ count: 50_000 })
      const first = yield* ask(port, "/sessions")
      assert.strictEqual(first.status, 200)
      assert.strictEqual(first.json.total, 50_000)
      assert.strictEqual(first.json.items.length, 100)
      assert.deepStrictEqual(Object.keys(first.json.items[1]), [
        "session",
        "user",
        "realm",
        "connection",
        "remote",
        "transport",
        "listener",
        "since",
        "expires",
        "peer",
        "sent",
        "received",
        "failures"
      ])
      // What is not known is absent.
      assert.notProperty(first.json.items[0], "peer")
      const chosen = yield* ask(
        port,
        "/sessions?user=user8&realm=example.com&address=198.51.100.8&sort=octets&offset=1&limit=2"
      )
      const octets = chosen.json.items.map((one: any) => one.sent.octets + one.received.octets)
      assert.strictEqual(chosen.json.total, 50)
      assert.strictEqual(octets.length, 2)
      assert.isAtLeast(octets[0], octets[1])
      assert.strictEqual((yield* ask(port, "/sessions?limit=1000")).json.items.length, 1000)
      const connections = yield* ask(port, "/connections?address=198.51.100.8&limit=1&offset=3")
      assert.strictEqual(connections.json.total, 250)
      assert.strictEqual(connections.json.items[0].connection, 608)
      assert.deepStrictEqual((yield* ask(port, "/sessions?user=nobody")).json, { total: 0, items: [] })
    }))

  it.effect("end a session, a connection, or all sessions of a user", () =>
    Effect.gen(function*() {
      const port = yield* start({ count: 5000 })
      const end = (path: string) => ask(port, path, { method: "DELETE" })
      assert.deepStrictEqual((yield* end("/sessions/000000000003")).json, { ended: 1 })
      const gone = yield* end("/sessions/000000000003")
      assert.deepStrictEqual([gone.status, gone.json.detail], [404, "There is no session 000000000003"])
      assert.deepStrictEqual((yield* end("/connections/7")).json, { ended: 1 })
      assert.strictEqual((yield* end("/connections/7")).status, 404)
      assert.deepStrictEqual((yield* end("/users/user8?realm=example.org")).json, { ended: 0 })
      assert.deepStrictEqual((yield* end("/users/user8")).json, { ended: 5 })
    }))

  it.effect("end what they have begun to end, and say so, when who asked has gone meanwhile", () =>
    Effect.gen(function*() {
      const lines: Array<string> = []
      const logger = Logger.make<unknown, void>((entry) => void lines.push(Logger.formatLogFmt.log(entry)))
      const begun = yield* Deferred.make<void>()
      const goesOn = yield* Deferred.make<void>()
      const { operator } = fakeParts()
      const endUser = () => Effect.as(Effect.andThen(Deferred.succeed(begun, undefined), Deferred.await(goesOn)), 5)
      const port = yield* start({ operator: { ...operator, inTurns: { ...operator.inTurns, endUser } } }).pipe(
        Effect.provide(Logger.layer([logger]))
      )
      const asking = yield* Effect.forkChild(ask(port, "/users/user8", { method: "DELETE" }))
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(asking)
      // Behind its end.
      for (let i = 0; i < 3; i++) yield* ask(port, "/healthz")
      yield* Deferred.succeed(goesOn, undefined)
      yield* ask(port, "/healthz")
      assert.match(lines.join("\n"), /sessions of a user ended.*sessions=5/)
    }))

  it.effect("tell what happened, with what is known of it", () =>
    Effect.gen(function*() {
      const port = yield* start()
      const { items } = (yield* ask(port, "/users/user7/history")).json
      assert.strictEqual(items.length, 2)
      assert.deepStrictEqual(items[0].fields, {
        session: "000000000007",
        user: "user7",
        realm: "example.com",
        reason: "expired"
      })
      assert.deepStrictEqual((yield* ask(port, "/users/a%2Fb%20c/history")).json, { items: [] })
      assert.strictEqual((yield* ask(port, "/recent")).json.items.length, 3)
    }))

  it.effect("tell version, settings and metrics", () =>
    Effect.gen(function*() {
      const port = yield* start()
      assert.deepStrictEqual((yield* ask(port, "/version")).json, { version: "0.1.0", node: process.versions.node })
      assert.deepStrictEqual((yield* ask(port, "/config")).json.settings, [
        { name: "MSRP_LISTEN", value: "msrp:127.0.0.1:2855", set: true, secret: false },
        { name: "MSRP_USERS", set: true, secret: true }
      ])
      const metrics = yield* ask(port, "/metrics")
      assert.strictEqual(metrics.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8")
      assert.include(metrics.text, "msrp_sessions 10\n")
    }))

  it.effect("tell numbers for a glance, and what there is per second of the last seconds", () =>
    Effect.gen(function*() {
      const counters = {
        framesIn: 0,
        octetsIn: 0,
        forwarded: 0,
        refused: 0,
        authsGranted: 0,
        failedAuths: 0,
        undecidedAuths: 0
      }
      const port = yield* start({ counters })
      counters.framesIn += 100
      yield* TestClock.adjust("5 seconds")
      counters.framesIn += 50
      counters.undecidedAuths += 5
      const { json } = yield* ask(port, "/overview")
      assert.deepStrictEqual([json.rates.framesIn, json.rates.undecidedAuths], [30, 1])
      assert.deepStrictEqual([json.phase, json.sessions, json.connections, json.maxConnections], [
        "serving",
        10,
        10,
        100_000
      ])
      assert.notProperty(json, "maxSessions")
      assert.hasAllKeys(json.memory, ["resident", "heapUsed", "heapReserved", "buffers"])
      for (const octets of Object.values(json.memory)) assert.isAbove(octets as number, 0)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* ask(port, "/overview")).json.rates.framesIn, 0)
    }))

  it.effect("drain and go on, change the log level, read the settings again", () =>
    Effect.gen(function*() {
      const port = yield* start()
      assert.strictEqual((yield* ask(port, "/drain", { method: "POST" })).json.phase, "draining")
      assert.strictEqual((yield* ask(port, "/drain", { method: "DELETE" })).json.phase, "serving")
      const put = (body: string, type = "application/json") =>
        ask(port, "/loglevel", { method: "PUT", body, headers: { "content-type": type } })
      assert.deepStrictEqual((yield* put("{\"level\":\"debug\"}")).json, { level: "debug" })
      assert.deepStrictEqual((yield* ask(port, "/loglevel")).json, { level: "debug" })
      for (const body of ["", "{", "[]", "{\"level\":\"loud\"}", "{\"level\":\"info\",\"more\":1}"]) {
        assert.strictEqual((yield* put(body)).status, 400, body)
      }
      assert.strictEqual((yield* put("level=info", "application/xml")).status, 415)
      assert.deepStrictEqual((yield* ask(port, "/reload", { method: "POST" })).json, {
        changed: ["MSRP_USERS"],
        needsRestart: ["MSRP_LISTEN"],
        problems: [],
        warnings: ["MSRP_LISTEN is odd"]
      })
    }))

  it.effect("do nothing for who sends a body that they do not take", () =>
    Effect.gen(function*() {
      const port = yield* start()
      const send = (method: string, path: string, body: string) =>
        ask(port, path, {
          method,
          body,
          headers: { "content-type": "application/json", "content-length": String(body.length) }
        })
      for (const body of ["{", "{\"after\":60}", "[]", "null", "\"\"", " "]) {
        const { json, status } = yield* send("POST", "/drain", body)
        assert.deepStrictEqual([status, json.detail], [400, "This takes no body, or {}"], body)
        assert.strictEqual((yield* ask(port, "/overview")).json.phase, "serving", body)
        for (const [method, path] of [["POST", "/reload"], ["DELETE", "/drain"], ["DELETE", "/users/alice"]] as const) {
          assert.strictEqual((yield* send(method, path, body)).status, 400, path)
        }
      }
      for (const body of ["{}", ""]) {
        assert.strictEqual((yield* send("POST", "/drain", body)).json.phase, "draining", body)
        assert.strictEqual((yield* send("DELETE", "/drain", body)).json.phase, "serving", body)
      }
    }))

  it.effect("say 501 for a part that is not there", () =>
    Effect.gen(function*() {
      const missing = Effect.fail(Admin.notAvailable("it"))
      const port = yield* start({ metrics: missing, drain: missing, trace: () => missing })
      for (const [method, path] of [["GET", "/metrics"], ["POST", "/drain"], ["GET", "/trace"]] as const) {
        const answer = yield* ask(port, path, { method })
        assert.deepStrictEqual([answer.status, answer.json.detail], [501, "This relay runs without it"])
      }
    }))

  it.effect("refuse queries that make no sense, and say why", () =>
    Effect.gen(function*() {
      const port = yield* start()
      const bad = {
        "/sessions?limit=0": "limit: must be from 1 to 1000",
        "/sessions?limit=1001": "limit: must be from 1 to 1000",
        "/sessions?limit=1.5": "limit: must be a whole number",
        "/sessions?offset=-1": "offset: must be from 0 to 100000000",
        "/sessions?sort=name": "sort: Expected",
        "/sessions?user=": "user: must not be empty",
        "/sessions?usr=alice": "usr: ",
        "/sessions?limit=1&limit=2": "limit: ",
        [`/sessions?user=${"x".repeat(256)}`]: "user: must have at most 255 characters",
        "/connections?limit=x": "limit: ",
        "/trace?seconds=0": "seconds: must be from 1 to 86400",
        [`/users/${"x".repeat(256)}/history`]: "user: must have at most 255 characters"
      }
      for (const [path, detail] of Object.entries(bad)) {
        const answer = yield* ask(port, path)
        assert.strictEqual(answer.status, 400, path)
        assert.strictEqual(answer.headers["content-type"], "application/problem+json")
        assert.include(answer.json.detail, detail)
      }
      for (const path of ["/sessions/12", "/sessions/00000000000G", "/connections/x", "/connections/-1"]) {
        assert.strictEqual(yield* statusOf(port, path, { method: "DELETE" }), 400, path)
      }
    }))
})

describe("readiness", () => {
  const many = (connections: number, sessions: number) => ({
    gauges: () => ({ connections, sessions, bufferedOctets: 0 }),
    limits: { connections: 5, sessions: 5 }
  })
  it.effect("is 503 with the reason while the relay drains, or has all that it may have; that it lives is told anyway", () =>
    Effect.gen(function*() {
      const reasons = {
        "the relay is draining": { phase: Effect.succeed({ phase: "draining" as const, since: 0 }) },
        "the relay is stopping": { phase: Effect.succeed({ phase: "stopping" as const, since: 0 }) },
        "there are 5 connections, which is the limit": many(5, 4),
        "there are 5 sessions, which is the limit": many(4, 5),
        "no connection can be accepted: too many open files": { acceptFault: () => "too many open files" }
      }
      for (const [reason, parts] of Object.entries(reasons)) {
        const port = yield* start(parts)
        const answer = yield* ask(port, "/readyz")
        assert.deepStrictEqual([answer.status, answer.json.reasons], [503, [reason]])
        assert.strictEqual(yield* statusOf(port, "/healthz"), 200)
      }
      const port = yield* start({ ...many(4, 4), acceptFault: () => undefined })
      assert.strictEqual(yield* statusOf(port, "/readyz"), 200)
    }))

  it.effect("is told in HTTP/1.0 without a Host as well, which the check of a load balancer may speak", () =>
    Effect.gen(function*() {
      const port = yield* start()
      const answer = yield* Effect.promise(async () => {
        const socket = Net.connect({ host: "127.0.0.1", port })
        socket.write("GET /readyz HTTP/1.0\r\n\r\n")
        return await text(socket)
      })
      assert.match(answer, /^HTTP\/1\.1 200 /)
    }))
})

describe("a trace", () => {
  /** Its response, once it has begun. */
  const open = (where: Where, path: string) =>
    Effect.callback<Http.IncomingMessage, Error>((resume) => {
      const asked = Http.get({ ...optionsOf(where), path, agent: false })
      asked.once("error", (error) => resume(Effect.fail(error)))
      asked.once("response", (response) => resume(Effect.succeed(response)))
    })

  it.effect("comes line by line while its client stays, begins at once, and ends with him", () =>
    Effect.gen(function*() {
      const [line, ended] = [yield* Deferred.make<Admin.TraceLine>(), yield* Deferred.make<void>()]
      const asked: Array<Admin.TraceQuery> = []
      const port = yield* start({
        trace: (query) =>
          Effect.sync(() => {
            asked.push(query)
            return Stream.concat(Stream.fromEffect(Deferred.await(line)), Stream.never).pipe(
              Stream.ensuring(Deferred.succeed(ended, undefined))
            )
          })
      })
      const response = yield* open(port, "/trace?user=alice&realm=example.com&seconds=60")
      assert.strictEqual(response.headers["content-type"], "application/x-ndjson")
      assert.deepStrictEqual(asked, [{ user: "alice", realm: "example.com", seconds: 60 }])
      const lines: Array<string> = []
      const came = Effect.callback<void>((resume) => {
        response.on("data", (octets: Buffer) => {
          lines.push(...octets.toString().split("\n").filter((one) => one !== ""))
          if (lines.length > 0) resume(Effect.void)
        })
      })
      const reading = yield* Effect.forkChild(came)
      yield* Deferred.succeed(line, { method: "SEND", octets: 5 })
      yield* Fiber.join(reading)
      assert.deepStrictEqual(lines, ["{\"method\":\"SEND\",\"octets\":5}"])
      response.destroy()
      yield* Deferred.await(ended)
    }))

  it.effect("is one of a bounded number", () =>
    Effect.gen(function*() {
      const port = yield* start({ trace: () => Effect.succeed(Stream.never) })
      const all = yield* Effect.forEach(Array.from({ length: MAX_TRACES }), () => open(port, "/trace"))
      const more = yield* ask(port, "/trace")
      assert.deepStrictEqual([more.status, more.json.detail], [
        503,
        `There are ${MAX_TRACES} traces, which is the limit`
      ])
      all[0]!.destroy()
      // One that is gone makes room, when the server has seen it.
      const again = yield* Effect.repeat(open(port, "/trace"), { until: ({ statusCode }) => statusCode === 200 })
      for (const one of [...all, again]) one.destroy()
    }))
})

describe("paths", () => {
  it.effect("that are not there are 404, other methods 405 with those that are, and HEAD is GET without a body", () =>
    Effect.gen(function*() {
      const port = yield* start()
      const unknown = yield* ask(port, "/nothing?x=1")
      assert.deepStrictEqual([unknown.status, unknown.json.status], [404, 404])
      const wrong = yield* ask(port, "/sessions", { method: "PUT" })
      assert.deepStrictEqual([wrong.status, wrong.headers["allow"]], [405, "GET, HEAD, OPTIONS"])
      const options = yield* ask(port, "/drain", { method: "OPTIONS" })
      assert.deepStrictEqual([options.status, options.headers["allow"]], [204, "POST, OPTIONS, DELETE"])
      assert.notProperty(options.headers, "access-control-allow-origin")
      const head = yield* ask(port, "/sessions", { method: "HEAD" })
      assert.deepStrictEqual([head.status, head.text], [200, ""])
      for (const path of ["/%", "/users/%ff/history", "//", "/sessions/"]) {
        assert.oneOf(yield* statusOf(port, path), [200, 400, 404, 405, 501], path)
      }
    }))

  it.effect("of the status page are its own, after the checks", () =>
    Effect.gen(function*() {
      const port = yield* start({
        page: (path) =>
          Effect.succeed(
            path === "/status/none" ? undefined : HttpServerResponse.text(path, { contentType: "text/html" })
          )
      }, AdminToken.layer(Redacted.make(TOKEN)))
      const headers = { authorization: `Bearer ${TOKEN}` }
      for (const path of ["/", "/status", "/status/events/1"]) {
        assert.strictEqual((yield* ask(port, `${path}?x`, { headers })).text, path)
        // The page itself holds nothing, and asks for the token.
        assert.strictEqual(yield* statusOf(port, path), path === "/" ? 200 : 401)
      }
      assert.strictEqual(yield* statusOf(port, "/status/none", { headers }), 404)
    }))

  it.effect("are all in the OpenAPI document, which the page of the API has without help from elsewhere", () =>
    Effect.gen(function*() {
      const port = yield* start()
      const { json } = yield* ask(port, "/openapi.json")
      const documented = Object.entries<object>(json.paths).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`)
      )
      const all = Object.values(AdminApi.groups).flatMap((group) =>
        Object.values(group.endpoints).map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`)
      )
      assert.deepStrictEqual(documented.sort(), all.sort())
      assert.strictEqual(all.length, 19)
      assert.deepStrictEqual(Object.keys(json.components.securitySchemes), ["bearer", "basic"])
      assert.notProperty(json.paths["/healthz"].get.responses, "401")
      assert.property(json.paths["/sessions"].get.responses, "401")
      const docs = yield* ask(port, "/docs")
      assert.include(docs.text, "/users/{user}/history")
      assert.notMatch(docs.text, /<(?:script|link|img)[^>]+(?:src|href)=/)
      assert.include(docs.headers["content-security-policy"]!, "default-src 'none'")
    }))

  it.effect("have their description and its page in memory once, for all who ask and do not read", () =>
    Effect.gen(function*() {
      const answer = yield* HttpRouter.toHttpEffect(
        Admin.routes().pipe(Layer.provide([Layer.succeed(Admin.AdminParts, fakeParts()), AdminToken.layerNone]))
      )
      const ask = (path: string) =>
        Effect.provideService(
          answer,
          HttpServerRequest.HttpServerRequest,
          HttpServerRequest.fromWeb(new Request(`http://localhost${path}`, { headers: { host: "localhost" } }))
        )
      for (const [path, least] of [["/openapi.json", 10_000], ["/docs", 1_000_000]] as const) {
        const [one, other] = [octetsOf(yield* ask(path)), octetsOf(yield* ask(path))]
        assert.isAtLeast(one.length, least)
        assert.strictEqual(one, other, path)
      }
    }))
})

describe("a token", () => {
  const routes = [
    ["GET", "/version"],
    ["GET", "/sessions"],
    ["GET", "/metrics"],
    ["GET", "/trace"],
    ["GET", "/openapi.json"],
    ["GET", "/docs"],
    ["GET", "/"],
    ["GET", "/status"],
    ["POST", "/drain"],
    ["PUT", "/loglevel"],
    ["DELETE", "/sessions/000000000001"]
  ] as const

  it.effect("is needed for all but health, as a bearer token or as a password, and the same in all characters", () =>
    Effect.gen(function*() {
      const port = yield* start({}, AdminToken.layer(Redacted.make(TOKEN)))
      for (const [method, path] of routes) {
        if (path === "/") continue
        const answer = yield* ask(port, path, { method })
        assert.strictEqual(answer.status, 401, path)
        assert.include(String(answer.headers["www-authenticate"]), "Bearer")
        assert.notInclude(answer.text, TOKEN)
      }
      for (const path of ["/healthz", "/readyz"]) assert.strictEqual(yield* statusOf(port, path), 200)
      const basic = (password: string) => `Basic ${Buffer.from(`anybody:${password}`).toString("base64")}`
      const authorizations: Record<string, number> = {
        [`Bearer ${TOKEN}`]: 200,
        [`bearer ${TOKEN}`]: 200,
        [basic(TOKEN)]: 200,
        [`Bearer ${TOKEN}x`]: 401,
        [`Bearer ${TOKEN.slice(1)}`]: 401,
        ["Bearer "]: 401,
        [TOKEN]: 401,
        [basic("")]: 401,
        [basic(`${TOKEN}x`)]: 401
      }
      for (const [authorization, status] of Object.entries(authorizations)) {
        assert.strictEqual(yield* statusOf(port, "/version", { headers: { authorization } }), status, authorization)
      }
      assert.strictEqual(yield* statusOf(port, `/version?token=${TOKEN}`), 401)
    }))

  it.effect("is logged where it is wrong, for whatever it is given, without itself; to give none is normal", () => {
    const lines: Array<string> = []
    const logger = logInto(lines)
    return Effect.gen(function*() {
      const port = yield* start({}, AdminToken.layer(Redacted.make(TOKEN)))
      for (const [method, path] of routes) {
        if (path === "/") continue
        lines.length = 0
        yield* ask(port, path, { method })
        assert.deepStrictEqual(lines, [], path)
        for (const authorization of [`Bearer ${TOKEN}x`, `Basic ${btoa(`anybody:${TOKEN}x`)}`]) {
          lines.length = 0
          assert.strictEqual(yield* statusOf(port, path, { method, headers: { authorization } }), 401)
          assert.lengthOf(lines, 1, `${path} ${authorization}`)
          assert.match(lines[0]!, /level=WARN .*message="admin: wrong token" remote=127\.0\.0\.1$/)
        }
      }
    }).pipe(Effect.provide(logger))
  })

  it.effect("makes any name good: who rebinds one does not have it, and a proxy may have its own", () =>
    Effect.gen(function*() {
      const port = yield* start({}, AdminToken.layer(Redacted.make(TOKEN)))
      const host = { host: "relay.example.com" }
      assert.strictEqual(yield* statusOf(port, "/version", { headers: host }), 401)
      const headers = { ...host, authorization: `Bearer ${TOKEN}`, origin: "https://relay.example.com" }
      assert.strictEqual(yield* statusOf(port, "/drain", { method: "POST", headers }), 200)
    }))
})

describe("pages of others in a browser on the same machine", () => {
  it.effect("reach nothing by a name of their own (DNS rebinding)", () =>
    Effect.gen(function*() {
      const port = yield* start()
      for (const host of ["evil.example", `evil.example:${port}`, "localhost.evil.example", "192.0.2.1"]) {
        for (const path of ["/healthz", "/sessions", "/openapi.json", "/docs", "/", "/nothing"]) {
          assert.oneOf(yield* statusOf(port, path, { headers: { host } }), [400, 403], `${host} ${path}`)
        }
      }
      for (const host of ["localhost", `localhost:${port}`, "127.0.0.1", `[::1]:${port}`, "LOCALHOST"]) {
        assert.strictEqual(yield* statusOf(port, "/sessions", { headers: { host } }), 200, host)
      }
    }))

  it.effect("do nothing from another origin, be it another port, and see nothing", () =>
    Effect.gen(function*() {
      const port = yield* start()
      const drain = (headers: Record<string, string>) => statusOf(port, "/drain", { method: "POST", headers })
      for (const origin of ["https://evil.example", "http://127.0.0.1:1", "null", `http://localhost:${port}`, "x"]) {
        assert.strictEqual(yield* drain({ origin }), 403, origin)
        assert.strictEqual(yield* statusOf(port, "/sessions", { headers: { origin } }), 403, origin)
      }
      assert.strictEqual(yield* drain({ origin: `http://127.0.0.1:${port}` }), 200)
      for (const site of ["cross-site", "same-site"]) {
        assert.strictEqual(yield* drain({ "sec-fetch-site": site, "sec-fetch-mode": "navigate" }), 403)
        assert.strictEqual(yield* statusOf(port, "/sessions", { headers: { "sec-fetch-site": site } }), 403)
        // To follow a link to a page does nothing, and whoever made the link sees nothing of it.
        const headers = { "sec-fetch-site": site, "sec-fetch-mode": "navigate" }
        assert.strictEqual(yield* statusOf(port, "/version", { headers }), 200)
        for (const dest of ["document", "iframe", "frame", "object", "embed", "image"]) {
          const status = yield* statusOf(port, "/version", { headers: { ...headers, "sec-fetch-dest": dest } })
          assert.strictEqual(status, dest === "document" ? 200 : 403, dest)
        }
      }
      assert.strictEqual(yield* drain({ "sec-fetch-site": "same-origin" }), 200)
    }))

  it.effect("cannot use a form: what forms send is not taken", () =>
    Effect.gen(function*() {
      const port = yield* start()
      const types = [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "TEXT/Plain;x"
      ]
      for (const type of types) {
        const headers = { "content-type": type }
        assert.strictEqual(yield* statusOf(port, "/drain", { method: "POST", headers }), 415, type)
        assert.strictEqual(
          yield* statusOf(port, "/loglevel", { method: "PUT", headers, body: "{\"level\":\"info\"}" }),
          415
        )
      }
      assert.strictEqual((yield* ask(port, "/readyz")).status, 200)
    }))
})

it.effect("what a request says makes no line of the log, and does nothing to a terminal", () =>
  Effect.gen(function*() {
    const lines: Array<unknown> = []
    const logger = Logger.make(({ fiber }) => void lines.push(fiber.getRef(References.CurrentLogAnnotations)))
    yield* Effect.gen(function*() {
      const port = yield* start()
      const name = encodeURIComponent("x\n[12:00] INFO: forged \u001b[2J\u202e\u2028")
      assert.strictEqual(yield* statusOf(port, `/users/${name}?realm=${name}`, { method: "DELETE" }), 200)
    }).pipe(Effect.provide(Logger.layer([logger])))
    const [told] = lines as ReadonlyArray<Record<string, unknown>>
    const shown = "x\ufffd[12:00] INFO: forged \ufffd[2J\ufffd\ufffd"
    assert.deepInclude(told, { user: shown, realm: shown, sessions: 0 })
  }))

describe("limits", () => {
  it.effect("of a body and of a head", () =>
    Effect.gen(function*() {
      const port = yield* start()
      const put = (body: string, headers: Record<string, string> = {}) =>
        statusOf(port, "/loglevel", {
          method: "PUT",
          body,
          headers: { "content-type": "application/json", ...headers }
        })
      assert.strictEqual(yield* put(`{"level":"info"}${" ".repeat(1008)}`), 200)
      assert.strictEqual(yield* put(`{"level":"info"}${" ".repeat(1009)}`), 413)
      assert.strictEqual(yield* put("{\"level\":\"info\"}", { "transfer-encoding": "chunked" }), 411)
      const head = (size: number) => statusOf(port, "/healthz", { headers: { "x-much": "x".repeat(size) } })
      assert.strictEqual(yield* head(MAX_HEAD / 2), 200)
      assert.strictEqual(yield* head(MAX_HEAD), 431)
    }))

  /** Opens so many connections, one after the other, and writes this on each. */
  const connections = (where: Where, count: number, text = "") =>
    Effect.acquireRelease(
      Effect.promise(async () => {
        const all: Array<Net.Socket> = []
        for (let i = 0; i < count; i++) {
          const socket = Net.connect(typeof where === "number" ? { host: "127.0.0.1", port: where } : { path: where })
          socket.on("error", () => {})
          await once(socket, "connect")
          if (text !== "") socket.write(text)
          all.push(socket)
        }
        return all
      }),
      (all) => Effect.sync(() => all.forEach((socket) => socket.destroy()))
    )

  it.effect("of the time for a request, head and body", () =>
    Effect.gen(function*() {
      const serverAt = yield* listening
      const port = yield* start()
      const server = serverAt(port) as Http.Server
      assert.deepStrictEqual([server.headersTimeout, server.requestTimeout], [10_000, 10_000])
      // As if they were over.
      server.headersTimeout = server.requestTimeout = 1
      for (
        const text of [
          "GET /healthz HTTP/1.1\r\nX: ",
          "PUT /loglevel HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{"
        ]
      ) {
        const [socket] = yield* connections(port, 1, text)
        yield* Effect.promise(() => once(socket!.resume(), "close"))
      }
    }))

  it.effect("of connections: those without a whole request make room, the oldest first", () =>
    Effect.gen(function*() {
      const port = yield* start()
      const [first, second] = yield* connections(port, MAX_CONNECTIONS, "GET /healthz HTTP/1.1\r\nX: ")
      const closed = once(first!, "close")
      assert.strictEqual(yield* statusOf(port, "/healthz"), 200)
      yield* Effect.promise(() => closed)
      // The others go on.
      second!.write("1\r\nHost: localhost\r\n\r\n")
      const [answer] = yield* Effect.promise(() => once(second!, "data"))
      assert.include(String(answer), "200 OK")
      // Who opens very many keeps nobody out.
      yield* connections(port, 4 * MAX_CONNECTIONS)
      assert.strictEqual(yield* statusOf(port, "/healthz"), 200)
    }))

  it.effect("of status pages and traces: all that may be open leave connections for health checks", () =>
    Effect.gen(function*() {
      const all = yield* Deferred.make<void>()
      let open = 0
      const page = Effect.suspend(() => {
        if (++open === MAX_PAGES + MAX_TRACES) Deferred.doneUnsafe(all, Effect.void)
        return Effect.never
      })
      const port = yield* start({ page: () => page })
      const asking = "GET /status/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
      yield* connections(port, MAX_PAGES + MAX_TRACES, asking)
      yield* Deferred.await(all)
      assert.strictEqual(yield* statusOf(port, "/healthz"), 200)
    }))

  it.effect("of connections: when all have a request, the new one is closed, and they go on", () =>
    Effect.gen(function*() {
      const all = yield* Deferred.make<void>()
      const answer = yield* Deferred.make<string>()
      let asked = 0
      const metrics = Effect.suspend(() => {
        if (++asked === MAX_CONNECTIONS) Deferred.doneUnsafe(all, Effect.void)
        return Deferred.await(answer)
      })
      const port = yield* start({ metrics })
      const [first] = yield* connections(port, MAX_CONNECTIONS, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
      yield* Deferred.await(all)
      yield* Effect.flip(ask(port, "/healthz"))
      const data = once(first!, "data")
      yield* Deferred.succeed(answer, "# metrics\n")
      assert.include(String((yield* Effect.promise(() => data))[0]), "200 OK")
      // Now they are idle again, and make room.
      assert.strictEqual(yield* statusOf(port, "/healthz"), 200)
    }))

  it.effect("of connections: those that leave a page unread make room, the oldest first, and those that wait do not", () =>
    Effect.gen(function*() {
      const path = join(yield* temporaryDirectory, "admin.sock")
      const asked = yield* Deferred.make<void>()
      const answer = yield* Deferred.make<string>()
      const parts = fakeParts({
        // More than a system keeps for a socket.
        page: () => Effect.succeed(HttpServerResponse.text("x".repeat(2 ** 20))),
        metrics: Effect.andThen(Deferred.succeed(asked, undefined), Deferred.await(answer))
      })
      yield* Layer.build(
        Admin.layer({ _tag: "Unix", path }).pipe(
          Layer.provide([Layer.succeed(Admin.AdminParts, parts), AdminToken.layer(Redacted.make(TOKEN))])
        )
      )
      const headers = { authorization: `Bearer ${TOKEN}` }
      const waiting = yield* Effect.forkChild(ask(path, "/metrics", { headers }))
      yield* Deferred.await(asked)
      const unread = yield* connections(path, MAX_CONNECTIONS - 1, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
      const begun = unread.map((socket) => once(socket, "readable"))
      yield* Effect.promise(() => Promise.all(begun))
      assert.strictEqual(yield* statusOf(path, "/healthz"), 200)
      yield* Effect.promise(() => once(unread[0]!.resume(), "close"))
      yield* Deferred.succeed(answer, "# metrics\n")
      assert.strictEqual((yield* Fiber.join(waiting)).status, 200)
      assert.isFalse(unread[1]!.destroyed)
    }))

  it.effect("of requests on a connection, also when they come all at once", () =>
    Effect.gen(function*() {
      let asked = 0
      const port = yield* start({ metrics: Effect.sync(() => `asked ${++asked}`) })
      const text = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(2 * MAX_REQUESTS)
      const [socket] = yield* connections(port, 1, text)
      yield* Effect.promise(() => once(socket!.resume(), "close"))
      assert.strictEqual(asked, MAX_REQUESTS)
      assert.isAtMost(asked, 100)
    }))

  it.effect("of the time for an answer", () =>
    Effect.gen(function*() {
      const reached = yield* Deferred.make<void>()
      const metrics = Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)
      const port = yield* start({ metrics })
      const waiting = yield* Effect.forkChild(ask(port, "/metrics"))
      yield* Deferred.await(reached)
      yield* TestClock.adjust("30 seconds")
      const answer = yield* Fiber.join(waiting)
      assert.deepStrictEqual([answer.status, answer.json.detail], [503, "There was no answer in time"])
    }))
})

describe("a Unix socket", () => {
  const layerAt = (path: string) =>
    Admin.layer({ _tag: "Unix", path }).pipe(
      Layer.provide([Layer.succeed(Admin.AdminParts, fakeParts()), AdminToken.layerNone])
    )
  it.effect("is its owner's alone, and gone afterwards", () =>
    Effect.gen(function*() {
      const path = join(yield* temporaryDirectory, "admin.sock")
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Layer.build(layerAt(path))
        assert.strictEqual(statSync(path).mode & 0o777, 0o600)
        assert.strictEqual((yield* ask(path, "/sessions")).json.total, 10)
        // No browser gets here, and a proxy has a name of its own.
        assert.strictEqual(yield* statusOf(path, "/sessions", { headers: { host: "relay.example.com" } }), 200)
      }))
      assert.isUndefined(statSync(path, { throwIfNoEntry: false }))
    }))

  it.effect("of a dead process is replaced, and one of a live process or another file is not", () =>
    Effect.gen(function*() {
      const path = join(yield* temporaryDirectory, "admin.sock")
      yield* Effect.promise(async () => {
        // A listener whose file stays behind, as after a crash.
        const server = Net.createServer().listen(path)
        await once(server, "listening")
        const { renameSync } = await import("node:fs")
        renameSync(path, `${path}.old`)
        server.close()
        await once(server, "close")
        renameSync(`${path}.old`, path)
      })
      assert.isTrue(statSync(path).isSocket())
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Layer.build(layerAt(path))
        assert.strictEqual(yield* statusOf(path, "/healthz"), 200)
        const error = yield* Effect.flip(Effect.scoped(Layer.build(Layer.fresh(layerAt(path)))))
        assert.strictEqual(error.message, `The admin API cannot listen on ${path}: another process listens on it`)
        assert.strictEqual(yield* statusOf(path, "/healthz"), 200)
      }))
      writeFileSync(path, "mine")
      const error = yield* Effect.flip(Effect.scoped(Layer.build(Layer.fresh(layerAt(path)))))
      assert.include(error.message, "no socket")
      const nowhere = yield* Effect.flip(Effect.scoped(Layer.build(layerAt(join(path, "admin.sock")))))
      assert.include(nowhere.message, "cannot listen")
    }))
})

it.effect("an address that is taken is an error that names it", () =>
  Effect.gen(function*() {
    const port = yield* start()
    const again = Admin.layer({ _tag: "Tcp", host: "127.0.0.1", port }).pipe(
      Layer.provide([Layer.succeed(Admin.AdminParts, fakeParts()), AdminToken.layerNone])
    )
    const error = yield* Effect.flip(Effect.scoped(Layer.build(Layer.fresh(again))))
    assert.strictEqual(
      error.message,
      `The admin API cannot listen on 127.0.0.1:${port}: another program holds the address and port (EADDRINUSE)`
    )
  }))

it.live("in a router of the program, below a path of its own, beside other routes", () =>
  Effect.gen(function*() {
    const parts = {
      ...fakeParts(),
      page: (path: string) => Effect.succeed(HttpServerResponse.text(`the page at ${path}`))
    }
    const below = Layer.effect(
      HttpRouter.HttpRouter,
      Effect.map(HttpRouter.HttpRouter, (router) => router.prefixed("/relay"))
    )
    const { dispose, handler } = HttpRouter.toWebHandler(
      Layer.mergeAll(
        HttpRouter.use((router) => router.add("GET", "/version", HttpServerResponse.text("own"))),
        Admin.routes().pipe(
          Layer.provide(below),
          Layer.provide([Layer.succeed(Admin.AdminParts, parts), AdminToken.layerNone])
        )
      ),
      { disableLogger: true }
    )
    const ask = (path: string) =>
      Effect.promise(() => handler(new Request(`http://localhost${path}`, { headers: { host: "localhost" } }))).pipe(
        Effect.flatMap((answer) => Effect.promise(() => answer.text()))
      )
    assert.strictEqual(yield* ask("/version"), "own")
    assert.match(yield* ask("/relay/version"), /"version":/)
    assert.match(yield* ask("/relay/openapi.json"), /^\{"openapi"/)
    assert.strictEqual(yield* ask("/relay"), "the page at /")
    assert.match(yield* ask("/relay/docs"), /^\s*<!doctype html>/)
    assert.strictEqual(yield* ask("/relay/status/events"), "the page at /status/events")
    yield* Effect.promise(dispose)
  }))

it.live("the end does not wait for those who follow a trace", () =>
  Effect.gen(function*() {
    const response = yield* Effect.scoped(Effect.gen(function*() {
      const port = yield* start({ trace: () => Effect.succeed(Stream.never) })
      return yield* Effect.callback<Http.IncomingMessage>((resume) => {
        Http.get({ host: "127.0.0.1", port, path: "/trace", agent: false }, (one) => resume(Effect.succeed(one)))
      })
    }))
    const [error] = yield* Effect.promise(() => once(response.resume(), "error"))
    assert.strictEqual(error.code, "ECONNRESET")
  }))
