/** Each event with exactly its fields. Why messages do not arrive is in `Loss.test.ts`. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { Credentials, CredentialsUnavailable } from "../../../src/Credentials.ts"
import { sessionLabel } from "../../../src/protocol/Ident.ts"
import { Kind } from "../../../src/protocol/StartLine.ts"
import { parseUri } from "../../../src/protocol/Uri.ts"
import { eventMessages, type RelayEvent } from "../../../src/Relay.ts"
import { Journal, KINDS_LISTED } from "../../../src/relay/edge/Journal.ts"
import { MAX_KINDS } from "../../../src/relay/SessionRecord.ts"
import { assertFields, heardIn, of, onlyOf } from "../../support/events.ts"
import { type Owner, type Peer, request, send, until, type World } from "../../support/harness.ts"
import { recordOf } from "../../support/records.ts"
import { connectFrom, end, grantedThrough, listenAs, machine, options, RELAY } from "../../support/relays.ts"
import { simulated } from "../../support/simulated.ts"

/** A clock that stands still. */
const clock = Clock.Clock.defaultValue()

const hop = {
  number: 7,
  connection: undefined,
  lastSession: undefined,
  since: 0,
  end: "closed by its peer",
  octetsIn: 0,
  octetsOut: 0
}

const scenario = simulated()

const labelOf = ({ usePath }: Owner): string => sessionLabel(parseUri(usePath)!.sessionId!)

const remoteOf = ({ connection: { local: { host, port } } }: Peer): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`

const listenerOf = ({ socket: { port } }: World): string => `msrp://localhost:${port}`

/** What names a session and its connection. */
const named = (world: World, owner: Owner, user = "alice", connection = 1) => ({
  connection,
  session: labelOf(owner),
  user,
  realm: "localhost",
  remote: remoteOf(owner.peer),
  transport: "tcp" as const,
  listener: listenerOf(world)
})

const tried = Effect.fnUntraced(function*(world: World, answer: Parameters<World["authorization"]>[1] = {}) {
  const peer = yield* world.connect
  const from = world.party()
  const frame = yield* world.auth(peer, from, world.authorization(yield* world.challenge(peer, from), answer))
  return { peer, status: frame.status }
})

describe("Journal: logins", () => {
  scenario("a login that was granted, with the seconds until it ends", (world) =>
    Effect.gen(function*() {
      const heard = heardIn(world)
      const alice = yield* world.login({ headers: ["Expires: 600"] })
      assert.deepStrictEqual(onlyOf(heard, "login granted"), { ...named(world, alice), expires: 600 })
      assert.deepStrictEqual(heard.map(({ level }) => level), ["Info"])
    }))

  for (const [scheme, transport] of [["msrp", "ws"], ["msrps", "wss"]] as const) {
    scenario(`one by ${transport} says so everywhere: log, operator, counters`, (world) =>
      Effect.gen(function*() {
        const heard = heardIn(world)
        yield* world.login()
        const { fields } = of(heard, "login granted")[0]!
        assert.strictEqual(fields.transport, transport)
        assert.strictEqual(fields.listener, `${transport}://localhost:${world.socket.port}`)
        const { counters, operator } = world.relay
        assert.deepStrictEqual(operator.sessions().items.map((one) => one.transport), [transport])
        assert.deepStrictEqual(operator.connections().items.map((one) => one.transport), [transport])
        assert.deepStrictEqual(counters.acceptedBy, { tcp: 0, tls: 0, ws: 0, wss: 0, [transport]: 1 })
      }), { by: "ws", scheme, plaintextAuth: "always" })
  }

  scenario("a login that failed: wrong password, unknown user", (world) =>
    Effect.gen(function*() {
      const heard = heardIn(world)
      for (const answer of [{ password: "wrong" }, { username: "mallory", password: "wrong" }]) {
        const { peer, status } = yield* tried(world, answer)
        assert.strictEqual(status, 401)
        const { fields } = of(heard, "login failed").at(-1)!
        assert.deepStrictEqual(fields, {
          connection: world.peers.length,
          user: "username" in answer ? answer.username : "alice",
          realm: "localhost",
          remote: remoteOf(peer),
          transport: "tcp",
          listener: listenerOf(world),
          status: 401,
          reason: "wrong credentials"
        })
      }
      assert.lengthOf(of(heard, "login failed"), 2, "a challenge alone is no failure")
    }))

  const failing = (
    title: string,
    expected: { readonly status: number; readonly reason: string; readonly user?: string },
    options: Parameters<typeof scenario>[2],
    body: (world: World) => Effect.Effect<unknown>
  ): void =>
    scenario(title, (world) =>
      Effect.gen(function*() {
        const heard = heardIn(world)
        yield* body(world)
        const { reason, status, user } = onlyOf(heard, "login failed")
        assert.deepStrictEqual({ reason, status, user }, { user: undefined, ...expected })
        world.errors.length = 0
      }), options)

  failing(
    "too many sessions",
    { status: 403, reason: "too many sessions", user: "alice" },
    { sessions: { maxSessionsPerUser: 1 } },
    (world) => Effect.orDie(Effect.andThen(world.login(), tried(world)))
  )

  failing(
    "a backend that is down",
    { status: 408, reason: "the credentials cannot be looked up", user: "alice" },
    {
      credentials: Layer.effect(
        Credentials,
        Effect.map(
          Credentials,
          () => Credentials.make(() => Effect.fail(new CredentialsUnavailable({ backend: "own", cause: "it is down" })))
        )
      ).pipe(Layer.provide(Layer.orDie(Credentials.layerMemory([]))))
    },
    (world) => Effect.orDie(tried(world))
  )

  failing(
    "an AUTH without TLS, with the user name that it claims",
    { status: 403, reason: "AUTH without TLS", user: "alice" },
    { plaintextAuth: "never" },
    (world) =>
      Effect.orDie(Effect.gen(function*() {
        const peer = yield* world.connect
        const challenge = { realm: "localhost", nonce: "n0nce", algorithm: "MD5", stale: false, opaque: undefined }
        const headers = [world.authorization(challenge as never)]
        peer.write(request("AUTH", { to: world.uri, from: world.party(), headers }))
        assert.strictEqual((yield* peer.next).status, 403)
      }))
  )

  failing(
    "an Expires that is none",
    { status: 400, reason: "Expires is no number" },
    {},
    (world) =>
      Effect.orDie(Effect.gen(function*() {
        const peer = yield* world.connect
        assert.strictEqual((yield* world.auth(peer, world.party(), "Expires: soon")).status, 400)
      }))
  )

  failing(
    "a digest about another URI",
    { status: 400, reason: "Not the URI of To-Path", user: "alice" },
    {},
    (world) =>
      Effect.orDie(Effect.gen(function*() {
        const peer = yield* world.connect
        const from = world.party()
        const authorization = world.authorization(yield* world.challenge(peer, from))
        const answer = yield* world.auth(peer, from, `${authorization}, uri="msrps://elsewhere.example.com:2855;tcp"`)
        assert.strictEqual(answer.status, 400)
      }))
  )

  it("R4975-14.5-02 a user name is one short line of the log, whatever it is", () => {
    const events: Array<RelayEvent> = []
    const journal = new Journal({ clock, hear: (event) => void events.push(event), isDetailed: () => true })
    const username = `eve\u0085\u2028\u009b31m\u202e${"x".repeat(2000)}`
    journal.loginFailed(hop, { status: 401, realm: "localhost", username, reason: "wrong credentials" })
    assert.match(String(events[0]?.fields["user"]), /^eve\ufffd{2}\ufffd31m\ufffdx{50,90}$/)
  })
})

describe("Journal: requests", () => {
  scenario("a peer that is bound, with its address", (world) =>
    Effect.gen(function*() {
      const heard = heardIn(world)
      const { alice, bob, bobUri } = yield* world.pair()
      const expected = { ...named(world, alice), peer: remoteOf(bob), peerConnection: 2 }
      assert.deepStrictEqual(onlyOf(heard, "peer bound"), expected)
      bob.write(send({ to: `${alice.usePath} ${alice.uri}`, from: bobUri, body: "again" }))
      yield* bob.next
      assert.lengthOf(of(heard, "peer bound"), 1)
    }))

  scenario(
    "a request that was refused: the first of a kind, later ones at debug level, those of strangers too",
    (world) =>
      Effect.gen(function*() {
        const heard = heardIn(world)
        const { alice, bobUri } = yield* world.pair()
        const second = yield* world.connect
        for (let i = 0; i < 3; i++) {
          second.write(send({ to: `${alice.usePath} ${alice.uri}`, from: world.party("eve"), body: "me too" }))
          assert.strictEqual((yield* second.next).status, 506)
        }
        // For alice, because the session is hers.
        assert.deepStrictEqual(onlyOf(heard, "request refused"), {
          ...named(world, alice),
          direction: "received",
          peer: remoteOf(second),
          peerConnection: 3,
          method: "SEND",
          status: 506,
          reason: "the session has a peer on another connection"
        })
        // Hers, which she makes by the URI of nobody.
        alice.peer.write(
          send({ to: `${world.uri.replace(";tcp", "/nobody;tcp")} ${bobUri}`, from: alice.uri, body: "hi" })
        )
        assert.strictEqual((yield* alice.peer.next).status, 481)
        assert.deepStrictEqual(of(heard, "request refused").at(-1)?.fields, {
          ...named(world, alice),
          direction: "sent",
          method: "SEND",
          status: 481,
          reason: "there is no such session, or it is over"
        })
        const stranger = yield* world.connect
        stranger.write(
          send({ to: `${world.uri.replace(";tcp", "/nobody;tcp")} ${bobUri}`, from: alice.uri, body: "hi" })
        )
        assert.strictEqual((yield* stranger.next).status, 481)
        assert.lengthOf(of(heard, "request refused"), 2)
        const details = world.log.filter((line) => /level=debug/i.test(line) && line.includes("request refused"))
        assert.lengthOf(details.filter((line) => line.includes("user=alice") && line.includes("status=506")), 2)
        assert.lengthOf(details.filter((line) => !line.includes("user=")), 1)
      })
  )

  scenario("a request between two users is an event of either", (world) =>
    Effect.gen(function*() {
      const heard = heardIn(world)
      const alice = yield* world.login()
      const carol = yield* world.login({ username: "carol" })
      // Somebody else has written to carol before.
      yield* world.join(carol)
      alice.peer.write(send({ to: `${alice.usePath} ${carol.usePath} ${carol.uri}`, from: alice.uri, body: "hi" }))
      assert.strictEqual((yield* alice.peer.next).status, 506)
      const why = { method: "SEND", status: 506, reason: "the session has a peer on another connection" }
      assert.deepStrictEqual(of(heard, "request refused").map(({ fields }) => fields), [
        { ...named(world, alice), direction: "sent", peerUser: "carol", peerSession: labelOf(carol), ...why },
        {
          ...named(world, carol, "carol", 2),
          direction: "received",
          peer: remoteOf(alice.peer),
          peerConnection: 1,
          peerUser: "alice",
          peerSession: labelOf(alice),
          ...why
        }
      ])
    }))

  scenario(
    "a connection of several users names none of them for what is known of no session",
    (world) =>
      Effect.gen(function*() {
        const heard = heardIn(world)
        const gateway = yield* world.connect
        const alice = yield* world.login({ peer: gateway })
        yield* world.login({ peer: gateway, username: "carol" })
        gateway.write(
          send({ to: `${world.uri.replace(";tcp", "/nobody;tcp")} ${alice.uri}`, from: alice.uri, body: "hi" })
        )
        assert.strictEqual((yield* gateway.next).status, 481)
        assert.deepStrictEqual(of(heard, "request refused"), [])
        // And so does a peer that writes to several.
        const [one, two] = [yield* world.login(), yield* world.login({ username: "carol" })]
        const { bob } = yield* world.join(one)
        yield* world.join(two, bob)
        yield* bob.close
        yield* until(() => world.log.some((line) => line.includes("\"connection ended\" connection=4")), "the line")
        assert.deepStrictEqual(of(heard, "connection ended"), [])
      })
  )

  scenario(
    "a next hop that policy forbids is named",
    (world) =>
      Effect.gen(function*() {
        const heard = heardIn(world)
        const alice = yield* world.login()
        alice.peer.write(send({ to: `${alice.usePath} msrp://10.0.0.1:7000/b0b;tcp`, from: alice.uri, body: "hi" }))
        assert.strictEqual((yield* alice.peer.next).status, 403)
        const { reason, target } = onlyOf(heard, "request refused")
        assert.deepStrictEqual({ reason, target }, {
          reason: "connections to the next hop are forbidden",
          target: "msrp://10.0.0.1:7000"
        })
      }),
    { listen: [{ scheme: "msrp", host: "203.0.113.5", port: 2855 }], plaintextAuth: "always" }
  )
})

describe("Journal: dials", () => {
  scenario(
    "one that succeeded, and one that failed: user, target, reason and time",
    (world) =>
      Effect.gen(function*() {
        const heard = heardIn(world)
        const alice = yield* world.login()
        const bob = yield* world.listen
        alice.peer.write(send({ to: `${alice.usePath} ${bob.uri}`, from: alice.uri, body: "hi" }))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        const there = yield* bob.accepted
        there.answer(yield* there.next)
        assert.deepStrictEqual(onlyOf(heard, "dial succeeded"), {
          ...named(world, alice),
          target: `msrp://localhost:${bob.socket.port}`,
          dialled: 2,
          seconds: 0
        })
        world.network!.answer("localhost", 7, "Silence")
        alice.peer.write(send({ to: `${alice.usePath} msrp://localhost:7/b0b;tcp`, from: alice.uri, body: "hi" }))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual((yield* alice.peer.next).method, "REPORT")
        assert.deepStrictEqual(onlyOf(heard, "dial failed"), {
          ...named(world, alice),
          target: "msrp://localhost:7",
          reason: "no answer in time",
          seconds: 10
        })
      })
  )
})

describe("Journal: durations", () => {
  it("are seconds to the millisecond", () => {
    const heard: Array<RelayEvent> = []
    const journal = new Journal({ clock, hear: (event) => heard.push(event), isDetailed: () => true })
    const dial = { uri: parseUri("msrp://localhost:7/b0b;tcp")!, session: recordOf("id") }
    journal.undialled(dial as never, "no", 45.740_141_000_59)
    journal.dialled(dial as never, hop, 1045.4)
    journal.closed({ ...hop, connection: { remote: { host: "127.0.0.1", port: 7 } } as never, since: -0.123_4 })
    assert.deepStrictEqual(heard.slice(0, 2).map(({ fields }) => fields["seconds"]), [0.046, 1.045])
    assert.match(String(heard[2]!.fields["seconds"]), /^\d+(\.\d{1,3})?$/)
  })
})

describe("Journal: ends", () => {
  /** Why sessions ended, in order. */
  const ends = (heard: ReadonlyArray<RelayEvent>) => of(heard, "session ended").map(({ fields }) => fields["reason"])

  scenario("of a session: what passed, what failed, and why its connection closed", (world) =>
    Effect.gen(function*() {
      const heard = heardIn(world)
      const { alice, bob, bobUri } = yield* world.pair()
      yield* TestClock.adjust("2500 millis")
      alice.peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body: "12345" }))
      bob.answer(yield* bob.next, "413 Too large")
      yield* alice.peer.take(2)
      yield* alice.peer.close
      yield* until(() => heard.some(({ message }) => message === "connection ended"), "the end")
      assert.deepStrictEqual(onlyOf(heard, "session ended"), {
        ...named(world, alice),
        reason: "its connection closed",
        connectionEnd: "closed by its peer",
        seconds: 2.5,
        sent: 1,
        octetsSent: 5,
        received: 1,
        octetsReceived: 0,
        failures: 2,
        kinds: "sent another 481 no session-id in its To-Path: 1, sent 413 its receiver refused it: 1"
      })
      const { octetsIn, octetsOut, ...rest } = onlyOf(heard, "connection ended")
      assert.deepStrictEqual(rest, {
        ...named(world, alice),
        party: "owner",
        reason: "closed by its peer",
        seconds: 2.5
      })
      assert.strictEqual(octetsOut, alice.peer.length)
      assert.isAbove(Number(octetsIn), 500)
    }))

  scenario(
    "of a session whose connection breaks off: what fails with it counts, and is told before",
    (world) =>
      Effect.gen(function*() {
        const heard = heardIn(world)
        const alice = yield* world.login()
        const bob = yield* world.login({ username: "carol" })
        const to = `${bob.usePath} ${bob.uri}`
        alice.peer.write(send({ to: `${alice.usePath} ${to}`, from: alice.uri, body: "one" }))
        yield* bob.peer.next
        // One has no answer yet when the receiver goes, and one is not whole when its sender does.
        yield* bob.peer.close
        yield* until(() => of(heard, "session ended").length === 1, "the end of the receiver")
        const carol = yield* world.login({ username: "carol" })
        const long = send({
          to: `${alice.usePath} ${carol.usePath} ${carol.uri}`,
          from: alice.uri,
          body: "x".repeat(9000)
        })
        alice.peer.write(long.subarray(0, 8000))
        yield* until(() => carol.peer.partialBody > 0, "its beginning")
        world.network!.cut(alice.peer.connection)
        yield* until(() => of(heard, "session ended").length === 2, "the end of the sender")
        assert.deepStrictEqual(of(heard, "session ended").map(({ fields: { failures, kinds } }) => [failures, kinds]), [
          [1, "received 408 the connection to its receiver closed: 1"],
          [2, "sent 408 the connection to its receiver closed: 1, sent cut off: 1"]
        ])
        const order = heard.map(({ fields, message }) => `${fields["user"]}: ${message}`)
        assert.isBelow(order.indexOf("alice: message cut off"), order.indexOf("alice: session ended"))
        assert.isBelow(order.indexOf("alice: session ended"), order.indexOf("alice: connection ended"))
      })
  )

  scenario("expired, ended by the operator, another one in its place", (world) =>
    Effect.gen(function*() {
      const heard = heardIn(world)
      yield* world.login({ headers: ["Expires: 10"] })
      yield* TestClock.adjust("70 seconds")
      yield* world.login()
      assert.isTrue(world.relay.operator.endSession(String(of(heard, "login granted").at(-1)!.fields["session"])))
      const { usePath } = yield* world.login()
      const session = world.sessions.findUnsafe(parseUri(usePath)!.sessionId!)!
      world.sessions.add({ ...session, expires: 60, ownerAuthority: "localhost:9" })
      assert.deepStrictEqual(ends(heard), ["expired", "ended by the operator", "another one in its place"])
      world.sessions.end(world.sessions.findUnsafe(session.id)!, "its user was removed")
    }))

  scenario("of a user who was removed, and when the relay stops", (world) =>
    Effect.gen(function*() {
      const heard = heardIn(world)
      const { usePath } = yield* world.login()
      world.sessions.end(world.sessions.findUnsafe(parseUri(usePath)!.sessionId!)!, "its user was removed")
      yield* world.login({ username: "carol" })
      const closing = yield* Effect.forkChild(world.relay.close, { startImmediately: true })
      yield* until(() => world.peers.every(({ isClosed }) => isClosed), "the end of all connections")
      yield* TestClock.adjust("10 seconds")
      yield* Effect.asVoid(Effect.exit(Effect.sync(() => closing)))
      assert.deepStrictEqual(
        of(heard, "session ended").map(({ fields: { connectionEnd, reason } }) => [reason, connectionEnd]),
        [["its user was removed", undefined], ["the relay stops", undefined]]
      )
    }))

  scenario("of a session of another relay that is gone", (world) =>
    Effect.gen(function*() {
      const heard = heardIn(world)
      const link = yield* connectFrom(world, machine(world, "inner.example.com"))
      yield* grantedThrough(world, link, "msrps://inner.example.com:2855/a;tcp msrp://alice.invalid:9/a1;tcp")
      yield* link.close
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(ends(heard), ["its relay is gone"])
      assert.notProperty(onlyOf(heard, "session ended"), "connectionEnd")
    }), { ...options, limits: { relayGone: 10 } })

  scenario("of a session of another relay, when this one stops", (world) =>
    Effect.gen(function*() {
      const heard = heardIn(world)
      const link = yield* connectFrom(world, machine(world, "inner.example.com"))
      yield* grantedThrough(world, link, "msrps://inner.example.com:2855/a;tcp msrp://alice.invalid:9/a1;tcp")
      yield* Effect.forkChild(world.relay.close, { startImmediately: true })
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(ends(heard), ["the relay stops"])
      assert.strictEqual(world.relay.gauges().sessions, 0)
      yield* TestClock.adjust("1 minute")
    }), { ...options, limits: { relayGone: 60 } })

  scenario(
    "of a connection whose peer addresses another relay: which one it addresses",
    (world) =>
      Effect.gen(function*() {
        const heard = heardIn(world)
        const [whole, long] = [yield* world.connect, yield* world.connect]
        const to = "msrp://Elsewhere.example:2855/secret;tcp"
        whole.write(send({ to, from: world.party(), body: "hi" }))
        yield* whole.ends
        long.write(
          send({
            to: to.replace("//E", "//[2001:db8::1]:7/e;tcp msrp://e"),
            from: world.party(),
            body: "x".repeat(100_000)
          })
        )
        yield* long.ends
        yield* until(() => of(heard, "connection ended").length === 2, "the ends")
        assert.deepStrictEqual(
          of(heard, "connection ended").map(({ fields: { reason, target } }) => [reason, target]),
          [
            ["request for another relay", "msrp://Elsewhere.example:2855"],
            ["request for another relay", "msrp://[2001:db8::1]:7"]
          ]
        )
        assert.notInclude(world.log.join("\n"), "secret")
      })
  )

  scenario("of a connection that the relay closes: which, and why, in one line", (world) =>
    Effect.gen(function*() {
      const heard = heardIn(world)
      const stranger = yield* world.connect
      stranger.write("GET / HTTP/1.1\r\n\r\n")
      yield* until(() => stranger.isClosed, "the end of the connection")
      yield* until(() => heard.length > 0, "the event")
      assert.deepStrictEqual(onlyOf(heard, "connection ended"), {
        connection: 1,
        remote: remoteOf(stranger),
        transport: "tcp",
        listener: listenerOf(world),
        reason: "not MSRP",
        seconds: 0,
        octetsIn: 18,
        octetsOut: 0
      })
      const lines = world.log.filter((line) => line.includes("connection ended"))
      assert.lengthOf(lines, 1)
      assert.match(lines[0]!, /level=info .*message="connection ended" connection=1 remote=\S+ transport=tcp/i)
    }))

  scenario("of one that the relay made: it came in on no listener", (world) =>
    Effect.gen(function*() {
      const heard = heardIn(world)
      const outer = yield* listenAs(world, "outer.example.com")
      const peer = yield* connectFrom(world, machine(world, "client.example.com", []))
      const alice = yield* world.login({ peer, uri: "msrps://client.example.com:9/a1;tcp" })
      peer.write(request("AUTH", { to: `${alice.usePath} msrps://outer.example.com:2855;tcp`, from: alice.uri }))
      yield* until(() => outer.length > 0, "the connection")
      // Nor did a session that comes back by it.
      yield* outer[0]!.next
      const from = "msrps://outer.example.com:2855/s1;tcp msrp://client.invalid:9/c1;tcp"
      const usePath = yield* grantedThrough(world, outer[0]!, from)
      assert.isUndefined(of(heard, "login granted").at(-1)!.fields.listener)
      assert.strictEqual(world.relay.operator.sessions().items.at(-1)!.listener, "")
      end(world, usePath)
      world.network!.cut(outer[0]!.connection)
      yield* until(() => heard.some(({ message }) => message === "connection ended"), "the end")
      const { listener, reason, remote } = onlyOf(heard, "connection ended")
      assert.isUndefined(listener)
      assert.match(String(remote), /:2855$/)
      assert.match(String(reason), /^failed: /)
    }), { ...options, uris: [parseUri(RELAY)!] })
})

describe("Journal", () => {
  it("tells most of what failed in a session, and how much else", () => {
    const events: Array<RelayEvent> = []
    const journal = new Journal({ clock, hear: (event) => void events.push(event), isDetailed: () => false })
    const record = recordOf("id")
    for (let i = 0; i < 100; i++) record.failed(`kind ${i}`)
    record.failed("kind 7")
    journal.ended({ owner: {}, record } as never, "expired")
    const kinds = String(events[0]!.fields["kinds"])
    assert.match(kinds, /^others: \d+, kind 7: 2, kind 0: 1/)
    assert.include(kinds, `, and ${MAX_KINDS + 1 - KINDS_LISTED} others`)
    for (const event of events) assertFields(event)
    assert.include(eventMessages, events[0]!.message)
  })

  it("reports a refused request once where its sender and its receiver have the same session", () => {
    const events: Array<RelayEvent> = []
    const journal = new Journal({ clock, hear: (event) => void events.push(event), isDetailed: () => true })
    const record = recordOf("id")
    const owner = { ...hop, number: record.on.number, lastSession: record }
    const parties = { sender: undefined, receiver: record }
    journal.refused(owner, { kind: Kind.Send, status: 403, problem: "no TLS", parties, target: undefined })
    assert.deepStrictEqual(events.map(({ fields }) => fields["direction"]), ["sent"])
    assert.strictEqual(record.failures, 1)
  })
})
