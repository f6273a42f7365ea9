/** What the metrics say is what happened: to the request and the octet, as those who sent and got it have counted. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { CurrentMetricAttributes, MetricRegistry } from "effect/Metric"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { X509Certificate } from "node:crypto"
import * as Net from "node:net"
import * as Client from "../src/Client.ts"
import { Codec } from "../src/Codec.ts"
import { Metrics } from "../src/Metrics.ts"
import { families } from "../src/metrics/Catalogue.ts"
import { Relay } from "../src/Relay.ts"
import { SLAB } from "../src/relay/Slabs.ts"
import { TestRelay } from "../src/testing.ts"
import { type Connection, Transport } from "../src/Transport.ts"
import { type Page, readPage, valueOf } from "./metrics/page.ts"
import { attemptPromtool, PROMTOOL } from "./metrics/promtool.ts"
import { makeWorld, type Owner, send, until, type WorldOptions } from "./support/harness.ts"
import { ca, localhost } from "./support/pki.ts"

/** The metrics of a world, in a registry of their own. */
const published = Effect.fnUntraced(function*(options: WorldOptions = {}) {
  const world = yield* makeWorld(options)
  const context = yield* Layer.build(Layer.provide(Metrics.layer, Layer.succeed(Relay, world.relay)))
  const { prometheus } = Context.get(context, Metrics)
  return { world, prometheus, page: Effect.map(prometheus, readPage) }
})

const simulated = <A, E>(body: Effect.Effect<A, E, Transport | Codec | Scope.Scope>) =>
  Effect.suspend(() =>
    body.pipe(
      Effect.provide([Transport.layerTest(), Codec.layer]),
      Effect.provideService(MetricRegistry, new Map())
    )
  )

/** Octets that clients wrote, and that they got, each connection by itself. */
class Wiretap {
  readonly #written: Array<Array<Buffer>> = []
  readonly #read: Array<Array<Buffer>> = []

  readonly over = (transport: Transport["Service"]): Transport["Service"] => ({
    ...transport,
    connect: (options, accept) =>
      transport.connect(options, (connection) => {
        const written: Array<Buffer> = []
        const read: Array<Buffer> = []
        this.#written.push(written)
        this.#read.push(read)
        const tapped: Connection = Object.assign(Object.create(connection), {
          write: (octets: Uint8Array, done: () => void) => {
            written.push(Buffer.from(octets))
            connection.write(octets, done)
          }
        })
        const receiver = accept(tapped)
        return {
          bytes: (octets) => {
            read.push(Buffer.from(octets))
            receiver.bytes(octets)
          },
          closed: () => receiver.closed()
        }
      })
  })

  get in(): Counted {
    return counted(this.#written)
  }

  get out(): Counted {
    return counted(this.#read)
  }
}

interface Counted {
  /** By method, and by status. */
  readonly frames: Readonly<Record<string, number>>
  /** Of the bodies of SENDs, and in all. */
  readonly body: number
  readonly octets: number
}

const counted = (connections: ReadonlyArray<ReadonlyArray<Buffer>>): Counted => {
  const frames: Record<string, number> = {}
  let body = 0
  let octets = 0
  for (const parts of connections) {
    const all = Buffer.concat(parts)
    octets += all.length
    for (let at = 0; at < all.length;) {
      const [, id, what] = all.toString("latin1", at, all.indexOf("\r\n", at)).split(" ")
      const mark = all.indexOf(`\r\n-------${id}`, at)
      assert.notStrictEqual(mark, -1, "half a frame")
      frames[what!] = (frames[what!] ?? 0) + 1
      const blank = all.indexOf("\r\n\r\n", at)
      if (what === "SEND" && blank !== -1 && blank < mark) body += mark - blank - 4
      at = mark + 2 + 7 + id!.length + 3
    }
  }
  return { frames, body, octets }
}

const methods = ["SEND", "REPORT", "AUTH"]

const assertAgree = (page: Page, direction: "in" | "out", { body, frames, octets }: Counted): void => {
  const value = (series: string) => valueOf(page, series)
  for (const method of methods) {
    assert.strictEqual(
      value(`requests_total{direction="${direction}",method="${method}"}`),
      frames[method] ?? 0,
      method
    )
  }
  const others = Object.keys(frames).filter((what) => !methods.includes(what) && !/^\d/.test(what))
  const count = others.reduce((sum, what) => sum + frames[what]!, 0)
  assert.strictEqual(value(`requests_total{direction="${direction}",method="other"}`), count)
  for (const status of ["200", "400", "401", "403", "404", "408", "413", "423", "481", "501", "506"]) {
    const series = `responses_total{direction="${direction}",status="${status}"}`
    assert.strictEqual(value(series), frames[status] ?? 0, `${direction} ${status}`)
  }
  assert.strictEqual(value(`responses_total{direction="${direction}",status="other"}`), frames["299"] ?? 0)
  assert.strictEqual(value(`body_bytes_total{direction="${direction}"}`), body)
  assert.strictEqual(value(`network_bytes_total{direction="${direction}"}`), octets)
}

/** What a transport has counted that has seen nothing. */
const noFacts = {
  handshakesFailed: { "wrong protocol": 0, "timed out": 0, "too many": 0, failed: 0 },
  proxyHeadersRefused: { malformed: 0, "timed out": 0, "too many": 0 },
  webSocketsRefused: { 400: 0, 403: 0, 404: 0, 405: 0, 426: 0, 505: 0, "timed out": 0, "too many": 0 },
  turnedAway: 0,
  acceptsFailed: 0,
  certificates: () => []
}

describe("metrics", () => {
  it.effect("agree with what clients counted who sent messages of all sizes both ways, reports among them", () =>
    simulated(Effect.gen(function*() {
      const { page, world } = yield* published()
      const tap = new Wiretap()
      const transport = tap.over(world.transport)
      const { host, port, scheme } = world.socket
      const join = Effect.fnUntraced(function*(username: string, password: string) {
        const client = yield* Client.connect({ scheme, host, port })
        const { usePath } = yield* client.auth({ relay: world.uri, username, password })
        return { client, path: [usePath[0]!.text, client.uri] }
      }, Effect.provideService(Transport, transport))
      const alice = yield* join("alice", "wonderland")
      const carol = yield* join("carol", "christmas")
      const parties = [[alice, carol], [carol, alice]] as const
      let [sends, bodies] = [0, 0]
      for (const [from, to] of parties) {
        const toPath = [from.path[0]!, ...to.path]
        // Short ones, a long chunk, and one of many chunks; with and without answers and reports.
        for (const [size, chunkSize] of [[1, 1], [700, 700], [2048, 2048], [90_000, 90_000], [10_000, 1000]] as const) {
          for (const failureReport of ["yes", "partial", "no"] as const) {
            const successReport = size === 700
            yield* from.client.send({ toPath, body: "x".repeat(size), chunkSize, failureReport, successReport })
            sends += size / chunkSize
            bodies += size
            yield* to.client.messages.take
            if (successReport) yield* from.client.reports.take
          }
        }
        yield* Effect.flip(
          from.client.send({ toPath: [`${world.uri.replace(";tcp", "")}/nobody;tcp`, to.path[1]!], body: "lost" })
        )
        yield* from.client.request({ method: "NICKNAME", toPath: world.uri })
      }
      yield* until(() => world.relay.gauges().bufferedOctets === 0, "the last octets")
      yield* world.network!.settled
      const now = yield* page
      assertAgree(now, "in", tap.in)
      assertAgree(now, "out", tap.out)
      // And they are what was to be sent.
      assert.strictEqual(valueOf(now, `body_bytes_total{direction="in"}`), bodies + 2 * "lost".length)
      assert.strictEqual(valueOf(now, `requests_total{direction="in",method="SEND"}`), sends + 2)
      assert.strictEqual(valueOf(now, `body_bytes_total{direction="out"}`), bodies)
      assert.strictEqual(valueOf(now, `requests_total{direction="in",method="REPORT"}`), 6)
      assert.strictEqual(valueOf(now, `requests_refused_total{status="481"}`), 4)
      assert.strictEqual(valueOf(now, `logins_total{result="granted"}`), 2)
      assert.strictEqual(valueOf(now, `logins_total{result="challenged"}`), 2)
      assert.strictEqual(valueOf(now, `credentials_seconds_count{result="answered"}`), 2)
      assert.strictEqual(valueOf(now, "sessions"), 2)
    })))

  it.effect("tell what became of logins, dials, connections and transactions", () =>
    simulated(Effect.gen(function*() {
      const { page, world } = yield* published({ limits: { dials: 1 }, nextHops: { deny: ["10.0.0.0/8"] } })
      const network = world.network!
      const value = (series: string) => Effect.map(page, (now) => valueOf(now, series))
      const alice = yield* world.login()
      const to = ({ uri, usePath }: Owner, next: string, more: Partial<Parameters<typeof send>[0]> = {}) =>
        alice.peer.write(send({ to: `${usePath} ${next}`, from: uri, body: "hi", ...more }))

      const wrong = world.authorization(yield* world.challenge(alice.peer, alice.uri), { password: "wrong" })
      assert.strictEqual((yield* world.auth(alice.peer, alice.uri, wrong)).status, 401)
      assert.strictEqual(yield* value(`logins_total{result="wrong credentials"}`), 1)
      const tooShort = world.authorization(yield* world.challenge(alice.peer, alice.uri))
      assert.strictEqual((yield* world.auth(alice.peer, alice.uri, tooShort, "Expires: soon")).status, 400)
      assert.strictEqual(yield* value(`logins_total{result="refused"}`), 1)

      const bob = yield* world.listen
      to(alice, bob.uri)
      assert.strictEqual((yield* alice.peer.next).status, 200)
      yield* (yield* bob.accepted).next
      assert.strictEqual(yield* value(`dials_total{result="connected"}`), 1)
      assert.strictEqual(yield* value(`dial_seconds_count{result="connected"}`), 1)
      assert.strictEqual(yield* value(`connections_opened_total{direction="out",transport="tcp"}`), 1)
      // Nobody answers.
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* alice.peer.next).method, "REPORT")
      assert.strictEqual(yield* value("transactions_timed_out_total"), 1)
      assert.strictEqual(yield* value("transactions_begun_total"), 1)
      assert.strictEqual(yield* value(`reports_made_total{status="408"}`), 1)

      to(alice, "msrp://10.1.2.3:2855/x;tcp")
      assert.strictEqual((yield* alice.peer.next).status, 403)
      network.answer("silent.example", 2855, "Silence")
      to(alice, "msrp://silent.example:2855/x;tcp")
      to(alice, "msrp://another.example:2855/x;tcp")
      yield* alice.peer.take(2)
      yield* TestClock.adjust("10 seconds")
      yield* alice.peer.next
      assert.strictEqual(yield* value(`dials_total{result="forbidden"}`), 1)
      assert.strictEqual(yield* value(`dials_total{result="over limit"}`), 1)
      assert.strictEqual(yield* value(`dials_total{result="failed"}`), 1)
      assert.strictEqual(yield* value(`dial_seconds_sum{result="failed"}`), 10)
      assert.strictEqual(yield* value(`requests_refused_total{status="403"}`), 1)

      // Refused by a REPORT, since that is all its sender wants to hear of.
      to(alice, alice.uri.replace("alice", "nobody"), { failureReport: "partial" })
      assert.strictEqual((yield* alice.peer.next).method, "REPORT")
      const page1 = yield* page
      assert.strictEqual(valueOf(page1, `requests_total{direction="out",method="REPORT"}`), 3)

      // Nobody is told of what is lost when its sender is gone, and of no request was more refused than came in.
      assert.strictEqual(valueOf(page1, "requests_lost_total"), 2)
      const before = valueOf(page1, `requests_total{direction="in",method="SEND"}`)
      to(alice, bob.uri, { headers: [`X: ${"x".repeat(9000)}`] })
      assert.strictEqual((yield* alice.peer.next).status, 413)
      assert.strictEqual(yield* value(`requests_total{direction="in",method="SEND"}`), before + 1)
      assert.strictEqual(yield* value(`requests_refused_total{status="413"}`), 1)

      const stranger = yield* world.connect
      stranger.write("GET / HTTP/1.1\r\n\r\n")
      yield* stranger.ends
      assert.strictEqual(yield* value(`connections_closed_total{reason="not MSRP"}`), 1)
      yield* (yield* world.connect).close
      yield* network.settled
      assert.strictEqual(yield* value(`connections_closed_total{reason="closed by its peer"}`), 1)
      const now = yield* page
      const opened = [...now].filter(([series]) => series.startsWith("msrp_relay_connections_opened_total"))
      const closed = [...now].filter(([series]) => series.startsWith("msrp_relay_connections_closed_total"))
      const sum = (all: typeof opened) => all.reduce((total, [, count]) => total + count, 0)
      assert.strictEqual(sum(opened) - sum(closed), valueOf(now, "connections"))
    })))

  it.effect("count the times that a slow receiver holds its senders, and what waits for it", () =>
    simulated(Effect.gen(function*() {
      const { page, world } = yield* published()
      const { alice, bob, bobUri } = yield* world.pair()
      alice.peer.connection.pause()
      const body = "x".repeat(2000)
      for (let i = 0; i < 1000; i++) {
        bob.write(
          send({ to: `${alice.usePath} ${alice.uri}`, from: bobUri, body, messageId: `m${i}`, failureReport: "no" })
        )
      }
      yield* world.network!.settled
      const held = yield* page
      assert.strictEqual(valueOf(held, `connections_held_total{reason="slow receiver"}`), 1)
      assert.isAbove(valueOf(held, "parked_bytes"), 100_000)
      assert.isAbove(valueOf(held, "queued_bytes"), 50_000)
      alice.peer.connection.resume()
      yield* until(() => alice.peer.frames.length === 1000, "all of them")
      const after = yield* page
      assert.strictEqual(valueOf(after, "parked_bytes") + valueOf(after, "queued_bytes"), 0)
      // Nobody wanted to hear of them: the one transaction is that of Bob's first request.
      assert.strictEqual(valueOf(after, "transactions_begun_total"), 1)
    })))

  it.effect("are all that the catalogue has, and no more, each with a help text", () =>
    simulated(Effect.gen(function*() {
      const { prometheus } = yield* published()
      const text = yield* prometheus
      const named = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${type} ${name}`)
      // There are no certificates on the simulated network.
      const known = families.filter(({ changes }) => !changes).map(({ name, type }) => `${type} ${name}`)
      assert.sameMembers(named, known)
      for (const { help, name } of families.filter(({ changes }) => !changes)) {
        assert.include(text, `# HELP ${name} ${help}\n`)
      }
      const labels = [...text.matchAll(/([a-z]+)="([^"]*)"/g)].filter(([, label]) => label !== "le")
      const closed = new Set(families.flatMap((family) => Object.values(family.labels)).flat())
      for (const [, label, value] of labels) assert.isTrue(closed.has(value!), `${label} ${value}`)
    })))

  it.effect("tell a relay that drains from one that serves", () =>
    simulated(Effect.gen(function*() {
      const { page, world } = yield* published()
      const draining = Effect.map(page, (now) => valueOf(now, "draining"))
      assert.strictEqual(yield* draining, 0)
      yield* world.pair()
      yield* Effect.forkScoped(world.relay.drain, { startImmediately: true })
      assert.strictEqual(yield* draining, 1)
      yield* world.relay.undrain
      assert.strictEqual(yield* draining, 0)
    })))

  it.effect("follow certificates that come and go", () =>
    simulated(Effect.gen(function*() {
      const world = yield* makeWorld()
      let certificates = [{ name: "a.example.com", expires: 10 }]
      const relay = Relay.of({
        ...world.relay,
        transportFacts: { ...noFacts, certificates: () => certificates }
      })
      const context = yield* Layer.build(Layer.provide(Metrics.layer, Layer.succeed(Relay, relay)))
      const expiries = Effect.map(Context.get(context, Metrics).prometheus, (text) =>
        text.split("\n").filter((line) => line.startsWith("msrp_relay_certificate")))
      const line = (name: string, value: number) =>
        `msrp_relay_certificate_expiry_timestamp_seconds{certificate="${name}"} ${value}`
      assert.deepStrictEqual(yield* expiries, [line("a.example.com", 10)])
      certificates = [{ name: "a.example.com", expires: 20 }, { name: "b\"x", expires: 30 }]
      assert.deepStrictEqual(yield* expiries, [line("a.example.com", 20), line("b\\\"x", 30)])
      // Who reads the registry himself sees it soon, too.
      certificates = []
      yield* TestClock.adjust("10 seconds")
      const ids = [...(yield* MetricRegistry).values()].map(({ id }) =>
        id
      )
      assert.notInclude(ids, "msrp_relay_certificate_expiry_timestamp_seconds")
    })))

  it.effect("tell WebSocket from TCP, and what was refused before there was MSRP", () =>
    simulated(Effect.gen(function*() {
      const world = yield* makeWorld({ by: "ws" })
      yield* world.login()
      const relay = Relay.of({
        ...world.relay,
        transportFacts: {
          ...noFacts,
          proxyHeadersRefused: { malformed: 1, "timed out": 2, "too many": 3 },
          webSocketsRefused: { 400: 1, 403: 2, 404: 3, 405: 4, 426: 5, 505: 6, "timed out": 7, "too many": 8 }
        }
      })
      const context = yield* Layer.build(Layer.provide(Metrics.layer, Layer.succeed(Relay, relay)))
      const page = readPage(yield* Context.get(context, Metrics).prometheus)
      const opened = ["tcp", "tls", "ws", "wss"].map((transport) =>
        valueOf(page, `connections_opened_total{direction="in",transport="${transport}"}`)
      )
      assert.deepStrictEqual(opened, [0, 0, 1, 0])
      for (
        const [name, counts] of [["proxy_headers", relay.transportFacts!.proxyHeadersRefused], [
          "websockets",
          relay.transportFacts!.webSocketsRefused
        ]] as const
      ) {
        for (const [reason, count] of Object.entries(counts)) {
          assert.strictEqual(valueOf(page, `${name}_refused_total{reason="${reason}"}`), count, reason)
        }
      }
    })))

  it.effect("tell the memory that is used again", () =>
    simulated(Effect.gen(function*() {
      const world = yield* makeWorld()
      yield* world.login()
      assert.deepStrictEqual(world.relay.memory(), { output: SLAB, freeBlocks: 0 })
      const relay = Relay.of({ ...world.relay, memory: () => ({ output: 7, freeBlocks: 5 }) })
      const context = yield* Layer.build(Layer.provide(Metrics.layer, Layer.succeed(Relay, relay)))
      const page = readPage(yield* Context.get(context, Metrics).prometheus)
      const kept = ["output", "free blocks"].map((kind) => valueOf(page, `kept_memory_bytes{kind="${kind}"}`))
      assert.deepStrictEqual(kept, [7, 5])
    })))

  it.effect("are not there any more when the layer is closed", () =>
    simulated(Effect.gen(function*() {
      yield* Effect.scoped(published())
      const left = [...(yield* MetricRegistry).values()].filter(({ type }) => type !== "Histogram")
      assert.deepStrictEqual(left.map(({ id }) => id), [])
    })))

  it.live("of a relay with TLS: certificates, handshakes, the process; Prometheus' own tool finds nothing wrong", (context) =>
    Effect.gen(function*() {
      const { page, prometheus, world } = yield* published({ scheme: "msrps" })
      const { page: port } = { page: world.socket.port }
      yield* world.login()
      const ended = (octets: string) =>
        Effect.callback<void>((resume) => {
          const socket = Net.connect(port, "127.0.0.1", () => octets === "" ? socket.end() : socket.write(octets))
          socket.on("error", () => {})
          socket.resume().once("close", () => resume(Effect.void))
        })
      yield* ended("GET / HTTP/1.1\r\n\r\n")
      yield* ended("MSRP abcd SEND\r\nTo-Path: x\r\n")
      yield* ended("")
      const failed = world.relay.transportFacts!.handshakesFailed
      yield* until(
        () => failed["wrong protocol"] === 2 && failed.failed === 1,
        "the failures",
        () => JSON.stringify(failed)
      )
      const now = yield* page
      assert.strictEqual(valueOf(now, `tls_handshakes_failed_total{reason="wrong protocol"}`), 2)
      assert.strictEqual(valueOf(now, `connections_opened_total{direction="in",transport="tls"}`), 1)
      const expiry = new X509Certificate(localhost.cert).validToDate.getTime() / 1000
      const certificates = [...now].filter(([series]) => series.includes("certificate_expiry"))
      assert.deepStrictEqual(certificates.map(([, value]) => value), [expiry])
      assert.match(certificates[0]![0], /\{certificate="localhost"\}$/)
      const start = new X509Certificate(localhost.cert).validFromDate.getTime() / 1000
      assert.strictEqual(valueOf(now, `certificate_start_timestamp_seconds{certificate="localhost"}`), start)
      for (
        const series of ["descriptors", "descriptors_allowed", `memory_bytes{kind="resident"}`, "cpu_seconds_total"]
      ) {
        assert.isAbove(valueOf(now, series), 0, series)
      }
      const text = yield* prometheus
      if (PROMTOOL === undefined) {
        return context.skip("promtool is not on this machine (Debian: apt-get install prometheus)")
      }
      assert.deepStrictEqual(attemptPromtool(["check", "metrics"], text), { code: 0, output: "" })
    }).pipe(
      Effect.provide(Transport.layerNode({ tls: { ...localhost, ca } })),
      Effect.provideService(MetricRegistry, new Map())
    ))
})

it.effect("relays with attributes of their own are beside each other in one registry, until each ends", () =>
  Effect.gen(function*() {
    const build = (relay: string) =>
      Layer.build(
        Metrics.layer.pipe(
          Layer.provideMerge(TestRelay.layer()),
          Layer.provide(Layer.succeed(CurrentMetricAttributes, { relay }))
        )
      )
    const one = yield* build("one")
    const scope = yield* Scope.make()
    const two = yield* Scope.provide(build("two"), scope)
    yield* Effect.provide(Effect.flatMap(TestRelay, ({ login }) => login("alice")), two)
    const page = Effect.map(Context.get(one, Metrics).prometheus, readPage)
    const now = yield* page
    assert.deepStrictEqual(
      ["one", "two"].flatMap((relay) => [
        valueOf(now, `sessions{relay="${relay}"}`),
        valueOf(now, `credentials_seconds_count{relay="${relay}",result="answered"}`)
      ]),
      [0, 0, 1, 1]
    )
    yield* Scope.close(scope, Exit.void)
    const later = yield* page
    assert.strictEqual(valueOf(later, `sessions{relay="one"}`), 0)
    assert.isFalse([...later.keys()].some((series) => series.startsWith(`msrp_relay_sessions{relay="two"`)))
  }).pipe(Effect.scoped, Effect.provideService(MetricRegistry, new Map())))
