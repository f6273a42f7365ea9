/** Three relays of this kind in a row, over TLS on real sockets, set up as the service is (RFC 4976 §5.1, §6.4). */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as Tls from "node:tls"
import * as Client from "../src/Client.ts"
import { Codec } from "../src/Codec.ts"
import { Relay } from "../src/Relay.ts"
import { makeLive } from "../src/service/LiveSettings.ts"
import { liveRelay, relay } from "../src/service/Service.ts"
import { Settings } from "../src/service/Settings.ts"
import { Transport } from "../src/Transport.ts"
import { until } from "./support/harness.ts"
import { nameServer } from "./support/nameServer.ts"
import { ca, issueFor, type KeyPair, localhost, otherLocalhost, relay as example, selfSigned } from "./support/pki.ts"

const freePort = Effect.scoped(Effect.gen(function*() {
  const transport = yield* Transport
  const receiver = { bytes: () => {}, closed: () => {} }
  return (yield* transport.listen({ scheme: "msrp", host: "localhost", port: 0 }, () => receiver)).port
}))

/** A directory with certificate, key and root; `install` puts others in their place. */
const pemFiles = Effect.fnUntraced(function*(pair: KeyPair = localhost) {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped()
  const install = Effect.fnUntraced(function*({ cert, key }: KeyPair) {
    yield* fs.writeFileString(`${directory}/cert.pem`, cert)
    yield* fs.writeFileString(`${directory}/key.pem`, Redacted.value(key))
  })
  yield* install(pair)
  yield* fs.writeFileString(`${directory}/ca.pem`, ca)
  const env = {
    MSRP_TLS_CERT: `${directory}/cert.pem`,
    MSRP_TLS_KEY: `${directory}/key.pem`,
    MSRP_TLS_CA: `${directory}/ca.pem`
  }
  return { env, install }
})

const start = Effect.fnUntraced(function*(env: Record<string, string>, host = "localhost") {
  const port = yield* freePort
  const uri = `msrps://${host}:${port};tcp`
  // The clock stands still, so nobody waits for sessions to end by themselves.
  const settings = yield* Settings.parse({
    MSRP_URIS: uri,
    MSRP_USERS: "alice:wonderland",
    MSRP_DRAIN_TIMEOUT: "0",
    ...env
  })
  const running = yield* Layer.build(relay(settings))
  return { port, uri, relay: yield* Effect.provide(Relay, running) }
})

const alice = { username: "alice", password: "wonderland" }
const connect = (port: number, host = "localhost") => Client.connect({ scheme: "msrps", host, port })
const portsOf = (path: ReadonlyArray<{ readonly port: number | undefined }>) => path.map(({ port }) => port)

/** Three names that a machine has for itself, so that each relay is somebody else for the others. */
const HOSTS = ["localhost", "127.0.0.2", "127.0.0.3"] as const

const real = Layer.mergeAll(Transport.layerNode({ tls: { ca } }), Codec.layer, NodeFileSystem.layer)

it.effect(
  "R4976-9.2-10 R4976-5.1-05 R4976-5.1-07 R4976-6.4.2-09 R4976-9.2-28 R4976-5.1-21 R4976-5.1-22 R4976-4.2-02 R4976-6.3-33: AUTH, SEND, REPORT and failures through three relays",
  () =>
    Effect.gen(function*() {
      const own = Effect.fnUntraced(function*(host: string) {
        // Each has a certificate for itself only: what one may do, another may not.
        const { env } = yield* pemFiles(host === "localhost" ? localhost : yield* Effect.promise(() => issueFor(host)))
        return yield* start(env, host)
      })
      const [first, second, third] = [yield* own(HOSTS[0]), yield* own(HOSTS[1]), yield* own(HOSTS[2])]
      const client = yield* connect(first.port)
      const one = yield* client.auth({ relay: first.uri, ...alice })
      const two = yield* client.auth({ relay: second.uri, via: one.usePath, ...alice })
      const { usePath } = yield* client.auth({ relay: third.uri, via: two.usePath, ...alice })
      assert.deepStrictEqual(portsOf(usePath), [first.port, second.port, third.port])
      assert.deepStrictEqual(usePath.map(({ host }) => host), [...HOSTS])
      assert.strictEqual(usePath[0]!.text, one.usePath[0]!.text)

      const bob = yield* connect(third.port, HOSTS[2])
      const path = usePath.map(({ text }) => text)
      const toAlice = [...path.toReversed(), client.uri].join(" ")
      const toBob = [...path, bob.uri].join(" ")
      yield* bob.send({ toPath: toAlice, body: "from outside", successReport: true })
      const inside = yield* client.messages.take
      assert.deepStrictEqual([inside.body?.toString(), inside.toPath], ["from outside", client.uri])
      assert.strictEqual(inside.fromPath, toBob)
      assert.strictEqual((yield* bob.reports.take).status, 200)

      const large = Buffer.alloc(1_000_000, "0123456789")
      yield* client.send({ toPath: toBob, body: large, chunkSize: Infinity })
      assert.isTrue((yield* bob.messages.take).body?.equals(large))

      // Who is not there is reported along the whole path.
      yield* bob.close
      yield* until(() => third.relay.gauges().connections === 1)
      yield* client.send({ toPath: toBob, body: "too late" }).pipe(Effect.ignore)
      const report = yield* client.reports.take
      assert.strictEqual(report.status, 408)
      assert.strictEqual(report.frame.fromPath, path.join(" "))

      // So is what the far end refuses, which only the last relay hears as a response.
      const carol = yield* Client.connect({
        scheme: "msrps",
        host: HOSTS[2],
        port: third.port,
        respond: false,
        record: true
      })
      yield* carol.send({ toPath: [...path.toReversed(), client.uri] })
      const toCarol = [...path, carol.uri]
      yield* client.send({ toPath: toCarol, body: "no" }).pipe(
        Effect.ignore,
        Effect.forkChild({ startImmediately: true })
      )
      let asked = yield* carol.frames.take
      while (asked.method !== "SEND") asked = yield* carol.frames.take
      yield* carol.respond(asked, 415)
      const refusal = yield* client.reports.take
      assert.deepStrictEqual([refusal.status, refusal.frame.fromPath], [415, path.join(" ")])
    }).pipe(Effect.provide(real))
)

it.effect("R4976-8-10 R4976-8-14 R4976-5.1-20 R2782-01 R2782-03 R2782-04: an AUTH without a port goes where the SRV records of its domain lead", () =>
  Effect.gen(function*() {
    const { env, install } = yield* pemFiles()
    const closed = yield* freePort
    const port = yield* freePort
    const domain = "relay.example.com"
    const dns = yield* nameServer({
      [`_msrps._tcp.${domain}`]: [
        { priority: 2, weight: 0, port, target: "localhost" },
        { priority: 1, weight: 0, port: closed, target: "localhost" }
      ],
      "_msrps._tcp.without.example": [{ priority: 0, weight: 0, port: 0, target: "" }]
    })
    const inner = yield* start({ ...env, MSRP_DNS_SERVERS: dns.address })
    yield* install(example)
    yield* start({ ...env, MSRP_URIS: `msrps://${domain}:${port};tcp`, MSRP_LISTEN: `msrps:localhost:${port}` })
    const client = yield* connect(inner.port)
    const { usePath } = yield* client.auth({ relay: inner.uri, ...alice })
    const grant = yield* client.auth({ relay: `msrps://${domain};tcp`, via: usePath, ...alice })
    assert.deepStrictEqual(grant.usePath.map(({ host }) => host), ["localhost", domain])
    assert.strictEqual(grant.usePath[1]!.port, port)
    const { status } = yield* Effect.flip(client.auth({ relay: "msrps://without.example;tcp", via: usePath, ...alice }))
    assert.strictEqual(status, 408)
  }).pipe(Effect.provide(real)))

it.effect("R4976-6.3-32 R4976-6.3-34: with MSRP_RELAY_PEERS=none nobody obtains a URI for clients behind it", () =>
  Effect.gen(function*() {
    const { env } = yield* pemFiles()
    const inner = yield* start(env)
    const outer = yield* start({ ...env, MSRP_RELAY_PEERS: "none" })
    const client = yield* connect(inner.port)
    const { usePath } = yield* client.auth({ relay: inner.uri, ...alice })
    const { status } = yield* Effect.flip(client.auth({ relay: outer.uri, via: usePath, ...alice }))
    assert.strictEqual(status, 403)
    assert.strictEqual(outer.relay.gauges().sessions, 0)
  }).pipe(Effect.provide(real)))

it.effect("R4976-6.3-32 R4976-6.1-10: with MSRP_RELAY_LISTEN other relays are known on that listener, and nobody is asked on others", () =>
  Effect.gen(function*() {
    const { env } = yield* pemFiles()
    const inner = yield* start(env)
    const [clients, relays] = [yield* freePort, yield* freePort]
    const uris = [clients, relays].map((port) => `msrps://localhost:${port};tcp`)
    yield* start({
      ...env,
      MSRP_URIS: uris.join(","),
      MSRP_RELAY_LISTEN: `msrps:127.0.0.1:${relays},msrps:[::1]:${relays}`
    })
    const client = yield* connect(inner.port)
    const { usePath } = yield* client.auth({ relay: inner.uri, ...alice })
    const refused = yield* Effect.flip(client.auth({ relay: uris[0]!, via: usePath, ...alice }))
    assert.strictEqual(refused.status, 403)
    const granted = yield* client.auth({ relay: uris[1]!, via: usePath, ...alice })
    assert.lengthOf(granted.usePath, 2)
    // Clients may use either.
    const direct = yield* connect(clients)
    assert.lengthOf((yield* direct.auth({ relay: uris[0]!, ...alice })).usePath, 1)
  }).pipe(Effect.provide(real)))

it.effect("R4976-6.3-32 R4976-9.3-06: with MSRP_RELAY_ADDRESSES other relays are known if they come from there, also after a reload", () =>
  Effect.gen(function*() {
    const [, second] = HOSTS
    const pair = yield* Effect.promise(() => issueFor(second))
    const outerEnv = { ...(yield* pemFiles(pair)).env, MSRP_DRAIN_TIMEOUT: "0", MSRP_USERS: "alice:wonderland" }
    const port = yield* freePort
    const uri = `msrps://${second}:${port};tcp`
    const withAddresses = (addresses: string) =>
      Settings.parse({ ...outerEnv, MSRP_URIS: uri, MSRP_RELAY_ADDRESSES: addresses })
    const live = yield* makeLive(yield* withAddresses("127.0.0.3,::1"))
    yield* Layer.build(liveRelay(live))
    const reload = Effect.fnUntraced(function*(addresses: string) {
      live.relay.set((yield* withAddresses(addresses)).relay)
    })
    const { env } = yield* pemFiles()
    /** Another relay, which connects from 127.0.0.1; what it obtains for its client, again and again. */
    const behind = Effect.gen(function*() {
      const inner = yield* start(env)
      const client = yield* connect(inner.port)
      const { usePath } = yield* client.auth({ relay: inner.uri, ...alice })
      return Effect.match(client.auth({ relay: uri, via: usePath, ...alice }), {
        onFailure: (error) => error.status,
        onSuccess: (grant) => grant.usePath.length
      })
    })
    const stranger = yield* behind
    assert.strictEqual(yield* stranger, 403)
    const direct = yield* connect(port, second)
    assert.lengthOf((yield* direct.auth({ relay: uri, ...alice })).usePath, 1)
    yield* reload("127.0.0.0/24")
    const known = yield* behind
    assert.strictEqual(yield* known, 2)
    yield* reload("127.0.0.3")
    assert.strictEqual(yield* yield* behind, 403)
    // What was connected stays what it was.
    assert.strictEqual(yield* known, 2)
  }).pipe(Effect.provide(real)))

it.effect("R4976-5.1-21 R4976-6.3-30: a relay of several names is known to others by each, with its certificate", () =>
  Effect.gen(function*() {
    const [, second, third] = HOSTS
    const [one, two] = [yield* pemFiles(), yield* pemFiles(yield* Effect.promise(() => issueFor(second)))]
    const [port, other] = [yield* freePort, yield* freePort]
    const uris = [`msrps://localhost:${port};tcp`, `msrps://${second}:${other};tcp`]
    const inner = yield* start({
      ...one.env,
      MSRP_URIS: uris.join(","),
      MSRP_LISTEN: `msrps:localhost:${port},msrps:${second}:${other}`,
      MSRP_TLS_CERT: `${one.env.MSRP_TLS_CERT},${two.env.MSRP_TLS_CERT}`,
      MSRP_TLS_KEY: `${one.env.MSRP_TLS_KEY},${two.env.MSRP_TLS_KEY}`
    })
    const { env } = yield* pemFiles(yield* Effect.promise(() => issueFor(third)))
    const outer = yield* start(env, third)
    for (const uri of [...uris, ...uris]) {
      const client = yield* connect(port)
      const { usePath } = yield* client.auth({ relay: uri, ...alice })
      const grant = yield* client.auth({ relay: outer.uri, via: usePath, ...alice })
      assert.isTrue(grant.usePath[0]!.text.startsWith(uri.replace(";tcp", "/")))
      // What comes from outside finds the connection that the relay made by that name.
      const bob = yield* connect(outer.port, third)
      yield* bob.send({ toPath: Client.peerPath(grant, client.uri), body: uri })
      assert.strictEqual((yield* client.messages.take).body?.toString(), uri)
    }
    assert.strictEqual(inner.relay.counters.connectionsDialled, 2)
    assert.strictEqual(outer.relay.counters.connectionsDialled, 0)
  }).pipe(Effect.provide(real)))

it.effect("R4976-9.2-25: MSRP_TLS_ALLOW_SELF_SIGNED lets endpoints be reached that sign for themselves, and no relays", () =>
  Effect.gen(function*() {
    const { env } = yield* pemFiles()
    const strict = yield* start(env)
    const lenient = yield* start({ ...env, MSRP_TLS_ALLOW_SELF_SIGNED: "true" })
    const signed = yield* Effect.provide(Transport, Transport.layerNode({ tls: selfSigned }))
    let connections = 0
    const listener = { scheme: "msrps", host: "localhost", port: 0 } as const
    const { port } = yield* signed.listen(listener, () => {
      connections++
      return { bytes: () => {}, closed: () => {} }
    })
    const end = `msrps://localhost:${port}/bob;tcp`
    for (const [relay, reached] of [[strict, 0], [lenient, 1]] as const) {
      const client = yield* connect(relay.port)
      const { usePath } = yield* client.auth({ relay: relay.uri, ...alice })
      const asRelay = { relay: end.replace("/bob", ""), via: usePath, ...alice }
      assert.strictEqual((yield* Effect.flip(client.auth(asRelay))).status, 408)
      const behind = "msrps://far.example.net:2855/c;tcp"
      yield* client.send({ toPath: [...usePath, end, behind], body: "hi" }).pipe(Effect.ignore)
      assert.strictEqual((yield* client.reports.take).status, 408)
      assert.strictEqual(connections, 0)
      yield* client.send({ toPath: [...usePath, end], body: "hi" }).pipe(Effect.ignore)
      if (reached === 0) assert.strictEqual((yield* client.reports.take).status, 408)
      else yield* until(() => connections === 1)
      assert.strictEqual(connections, reached)
    }
  }).pipe(Effect.provide(real)))

it.effect("R4976-9.2-30: a renewed certificate is shown to new connections, and sessions go on", () =>
  Effect.gen(function*() {
    const { env, install } = yield* pemFiles()
    const { port, uri } = yield* start(env)
    const client = yield* connect(port)
    const { usePath } = yield* client.auth({ relay: uri, ...alice })
    const shown = Effect.callback<string>((resume) => {
      const socket = Tls.connect({ port, host: "localhost", servername: "localhost", ca }, () => {
        resume(Effect.succeed(socket.getPeerX509Certificate()!.fingerprint256))
        socket.destroy()
      })
    })
    const old = yield* shown
    yield* install(otherLocalhost)
    let now = old
    while (now === old) {
      yield* TestClock.adjust("5 seconds")
      now = yield* shown
    }
    const bob = yield* connect(port)
    yield* bob.send({ toPath: `${usePath[0]!.text} ${client.uri}`, body: "still there?" })
    assert.strictEqual((yield* client.messages.take).body?.toString(), "still there?")
  }).pipe(Effect.provide(real)))

it.effect("R4976-6.3-37 R4976-9.3-08: who guesses passwords at a relay further on delays nobody between the two relays", () =>
  Effect.gen(function*() {
    const [, second] = HOSTS
    const inner = yield* start((yield* pemFiles()).env)
    const { env } = yield* pemFiles(yield* Effect.promise(() => issueFor(second)))
    const outer = yield* start({ ...env, MSRP_AUTH_FREE_FAILURES: "1" }, second)
    const client = yield* connect(inner.port)
    const { usePath: [one] } = yield* client.auth({ relay: inner.uri, ...alice })
    const grant = yield* client.auth({ relay: outer.uri, via: [one!], ...alice })

    const mallory = yield* connect(inner.port)
    const { usePath: via } = yield* mallory.auth({ relay: inner.uri, ...alice })
    for (let i = 0; i < 3; i++) {
      yield* mallory.auth({ relay: outer.uri, via, username: "nobody", password: "guess" }).pipe(
        Effect.ignore,
        Effect.forkChild({ startImmediately: true })
      )
    }
    // The clock stands: the answer to the second one never comes.
    yield* until(() => outer.relay.counters.framesIn >= 8)
    const bob = yield* connect(outer.port, second)
    yield* bob.send({ toPath: Client.peerPath(grant, client.uri), body: "from outside" })
    assert.strictEqual((yield* client.messages.take).body?.toString(), "from outside")
    yield* client.send({ toPath: [...grant.usePath.map(({ text }) => text), bob.uri], body: "from inside" })
    assert.strictEqual((yield* bob.messages.take).body?.toString(), "from inside")
  }).pipe(Effect.provide(real)))

it.effect("R4976-6.4.2-08: two clients reach a relay that has a connection for each session, each its own", () =>
  Effect.gen(function*() {
    const [, , third] = HOSTS
    const inner = yield* start((yield* pemFiles()).env)
    const pair = yield* Effect.promise(() => issueFor(third))
    const far = yield* Effect.provide(Transport, Transport.layerNode({ tls: { ...pair, ca } }))
    const got: Array<Array<string>> = []
    const socket = { scheme: "msrps", host: third, port: 0 } as const
    const { port } = yield* far.listen(socket, (connection) => {
      const mine: Array<string> = []
      got.push(mine)
      let text = ""
      let bound: string | undefined
      const frame = /^MSRP (\S+) SEND\r\nTo-Path: (\S+).*\r\nFrom-Path: (\S+)[^]*?\r\n\r\n([^]*?)\r\n-------\1\$\r\n/
      const bytes = (octets: Buffer): void => {
        text += octets.toString("latin1")
        for (let found = frame.exec(text); found !== null; found = frame.exec(text)) {
          const [all, id, to, from, body] = found
          text = text.slice(all.length)
          bound ??= to
          if (to === bound) mine.push(body!)
          const status = to === bound ? "200 OK" : "481 No session"
          const answer = [`MSRP ${id} ${status}`, `To-Path: ${from}`, `From-Path: ${to}`, `-------${id}$`, ""].join(
            "\r\n"
          )
          connection.write(Buffer.from(answer, "latin1"), () => {})
        }
      }
      return { bytes, closed: () => {} }
    })
    const bodies = ["one", "two", "three"]
    for (const body of bodies) {
      const client = yield* connect(inner.port)
      const { usePath } = yield* client.auth({ relay: inner.uri, ...alice })
      const toPath = [usePath[0]!.text, `msrps://${third}:${port}/${body};tcp`, "msrp://bob.invalid:9/b;tcp"]
      yield* client.send({ toPath, body })
      yield* until(() => got.flat().includes(body))
      yield* until(() => inner.relay.gauges().transactions === 0)
      assert.strictEqual(inner.relay.counters.reports, 0)
    }
    assert.deepStrictEqual(got, bodies.map((body) => [body]))
  }).pipe(Effect.provide(real)))

it.effect("R4976-9.3-05: nine sessions go on over the link of two relays while the receiver of the tenth reads nothing", () =>
  Effect.gen(function*() {
    const [, second] = HOSTS
    const inner = yield* start((yield* pemFiles()).env)
    const outer = yield* start((yield* pemFiles(yield* Effect.promise(() => issueFor(second)))).env, second)
    const owner = Effect.gen(function*() {
      const client = yield* connect(inner.port)
      const { usePath } = yield* client.auth({ relay: inner.uri, ...alice })
      return { client, grant: yield* client.auth({ relay: outer.uri, via: usePath, ...alice }) }
    })

    // His peer says a word, by which the relay knows him, and reads no further than its answer.
    const tenth = yield* owner
    const frozen = yield* Effect.acquireRelease(
      Effect.sync(() => Tls.connect({ port: outer.port, host: second, ca })),
      (socket) => Effect.sync(() => void socket.destroy())
    )
    let octets = 0
    let text = ""
    frozen.on("error", () => {}).on("data", (data: Buffer) => {
      octets += data.length
      if (text.length < 100) text += data.toString("latin1")
    })
    const uri = "msrps://frozen.invalid:9/tenth;tcp"
    const toOwner = Client.peerPath(tenth.grant, tenth.client.uri).join(" ")
    frozen.write(
      `MSRP tenth SEND\r\nTo-Path: ${toOwner}\r\nFrom-Path: ${uri}\r\nMessage-ID: word\r\nByte-Range: 1-2/2\r\n` +
        "Content-Type: text/plain\r\n\r\nhi\r\n-------tenth$\r\n"
    )
    yield* until(() => text.includes("200 OK"))
    frozen.pause()
    const large = Buffer.alloc(16_777_216, "never read ")
    const sending = yield* Effect.forkChild(
      tenth.client.send({ toPath: [...tenth.grant.usePath.map(({ text }) => text), uri], body: large }),
      { startImmediately: true }
    )
    yield* until(() => outer.relay.gauges().parkedOctets > 0 || inner.relay.gauges().parkedOctets > 0)

    yield* Effect.forEach(Array.from({ length: 9 }), () =>
      Effect.gen(function*() {
        const { client, grant } = yield* owner
        const bob = yield* connect(outer.port, second)
        yield* bob.send({ toPath: Client.peerPath(grant, client.uri), body: "hi" })
        yield* client.messages.take
        for (let i = 0; i < 20; i++) {
          const body = `${i} ${"x".repeat(8192)}`
          yield* client.send({ toPath: [...grant.usePath.map(({ text }) => text), bob.uri], body })
          assert.strictEqual((yield* bob.messages.take).body?.toString(), body)
        }
      }), { concurrency: "unbounded", discard: true })
    assert.isUndefined(sending.pollUnsafe())
    assert.isBelow(octets, 10_000)

    frozen.resume()
    yield* until(() => octets > 100_000, "what waited for him")
  }).pipe(Effect.provide(real)))
