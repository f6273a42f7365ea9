import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { header, nextId, Peer, request, response, send, summary, until, type World } from "../support/harness.ts"
import { connectFrom, end, grantedThrough, machine, options } from "../support/relays.ts"
import { group } from "./group.ts"

const OUTER = "msrps://outer.example.net:2855/from-outer;tcp"

group("O. Relay to relay", ({ scenario, timed }) => {
  timed(
    "R4976-6.3-31 R4976-6.3-30 R4976-6.3-34: behind whom there is another name than he proves, nobody gets a session",
    (world) =>
      Effect.gen(function*() {
        const outer = yield* connectFrom(world, machine(world, "outer.example.net"))
        const uri = "msrp://carol.invalid:9/c;tcp"
        assert.strictEqual(summary(yield* world.auth(outer, `msrps://inner.example.net:2855/x;tcp ${uri}`)), "403 | $")
        assert.strictEqual((yield* world.auth(outer, `${OUTER} ${uri}`)).status, 401)
        // Nobody could come back to a relay without a port (RFC 4976 §8).
        assert.strictEqual((yield* world.auth(outer, `${OUTER.replace(":2855", "")} ${uri}`)).status, 400)
        const stranger = yield* world.connect
        assert.strictEqual(summary(yield* world.auth(stranger, `${OUTER} ${uri}`)), "403 | $")
      }),
    options
  )

  timed(
    "R4976-6.3-35: who comes by WebSocket is no relay, whatever the web server's certificate in front of him proves",
    (world) =>
      Effect.gen(function*() {
        const peer = new Peer(world)
        world.peers.push(peer)
        const socket = { scheme: "msrps", host: "relay.example.com", port: 8443, transport: "ws" } as const
        yield* machine(world, "outer.example.net").connect(socket, peer.accept)
        assert.deepStrictEqual(peer.connection.transport, "ws")
        assert.strictEqual(summary(yield* world.auth(peer, `${OUTER} msrps://carol.invalid:9/c;ws`)), "403 | $")
      }),
    {
      ...options,
      clientCertificates: true,
      listen: [...options.listen!, { scheme: "msrps", host: "*", port: 8443, transport: "ws" }]
    }
  )

  timed(
    "R4976-6.4-13 R4976-6.3-35: behind the relay of its owner, too, others than he reach nobody through a session but him",
    (world) =>
      Effect.gen(function*() {
        const link = yield* connectFrom(world, machine(world, "outer.example.net"))
        const carol = `${OUTER} msrp://carol.invalid:9/c;tcp`
        const usePath = yield* grantedThrough(world, link, carol)
        const { peer, uri: bob, usePath: ofBob } = yield* world.login()
        const says = Effect.fnUntraced(function*(from: string, to: string) {
          link.write(send({ to: `${usePath} ${to}`, from, body: "hi" }))
          return (yield* link.next).status
        })
        const mallory = "msrps://outer.example.net:2855/mallory;tcp msrp://mallory.invalid:9/m;tcp"
        assert.strictEqual(yield* says(mallory, `${ofBob} ${bob}`), 403)
        assert.strictEqual(yield* says(mallory, "msrps://far.example.org:2855/f;tcp"), 403)
        assert.strictEqual(yield* says(mallory, carol), 200)
        link.answer(yield* link.next)
        assert.strictEqual(yield* says(carol, `${ofBob} ${bob}`), 200)
        peer.answer(yield* peer.next)
        end(world, usePath)
      }),
    options
  )

  timed(
    "R4976-9.3-08: guesses behind one relay slow nobody who is behind another, nor the user himself",
    (world) =>
      Effect.gen(function*() {
        const outer = yield* connectFrom(world, machine(world, "outer.example.net"))
        const other = yield* connectFrom(world, machine(world, "other.example.net"))
        const uri = "msrp://carol.invalid:9/c;tcp"
        const guess = (peer: Peer, from: string) =>
          Effect.gen(function*() {
            const authorization = world.authorization(yield* world.challenge(peer, from), { password: "guess" })
            peer.write(request("AUTH", { to: world.uri, from, headers: [authorization] }))
            yield* world.network!.settled
          })
        yield* guess(outer, `${OUTER} ${uri}`)
        assert.strictEqual((yield* outer.next).status, 401)
        yield* guess(outer, `${OUTER} ${uri}`)
        assert.lengthOf(outer.frames, 0)
        yield* guess(other, `${OUTER.replace("outer", "other")} ${uri}`)
        assert.strictEqual((yield* other.next).status, 401)
        yield* world.login()
        yield* TestClock.adjust("1 seconds")
        assert.strictEqual((yield* outer.next).status, 401)
      }),
    { ...options, digest: { freePerUser: 1 } }
  )

  timed(
    "R4976-9.3-06: a relay whose certificate proves any number of names is known by some of them only",
    (world) =>
      Effect.gen(function*() {
        const outer = yield* connectFrom(world, machine(world, "outer.example.net", ["*.example.net"]))
        const { usePath } = yield* world.login({ uri: "msrps://alice.invalid:9/a;tcp" })
        for (let i = 0; i < 100; i++) {
          outer.write(
            send({ to: "msrps://relay.example.com:2855/nothing;tcp", from: `msrps://h${i}.example.net:2855/x;tcp` })
          )
          assert.strictEqual((yield* outer.next).status, 481)
        }
        const alice = world.peers.at(-1)!
        const to = (host: string) =>
          send({
            to: `${usePath} msrps://${host}.example.net:2855/x;tcp msrps://c.invalid:9/c;tcp`,
            from: "msrps://alice.invalid:9/a;tcp",
            body: "hi"
          })
        alice.write(to("h0"))
        assert.strictEqual((yield* alice.next).status, 200)
        outer.answer(yield* outer.next)
        assert.strictEqual(world.relay.counters.connectionsDialled, 0)
        alice.write(to("h99"))
        yield* alice.take(2)
        assert.strictEqual(world.relay.counters.connectionsDialled, 1, "it is not known under that name")
      }),
    { ...options, limits: { unsuccessful: 1000 } }
  )

  timed(
    "R4976-6.3-22 R4976-6.4.2-10: when one connection of a relay ends, what is for it takes another that it has shown itself on",
    (world) =>
      Effect.gen(function*() {
        const outer = machine(world, "outer.example.net")
        const [one, two] = [yield* connectFrom(world, outer), yield* connectFrom(world, outer)]
        const carol = "msrp://carol.invalid:9/c;tcp"
        const from = `${OUTER} ${carol}`
        const granted = yield* world.auth(one, from, world.authorization(yield* world.challenge(one, from)))
        const use = header(granted, "Use-Path")!.split(" ")[1]!
        const bob = yield* world.connect
        const bobUri = world.party("bob")
        const toCarol = (body: string) => send({ to: `${use} ${from}`, from: bobUri, body })
        bob.write(toCarol("first"))
        assert.strictEqual((yield* bob.next).status, 200)
        one.answer(yield* one.next)
        two.write(send({ to: `${use} ${bobUri}`, from, body: "from the other" }))
        assert.strictEqual((yield* two.next).status, 200)
        bob.answer(yield* bob.next)
        yield* one.close
        yield* until(() => world.relay.gauges().connections === 2, "the end of one")
        bob.write(toCarol("second"))
        assert.strictEqual((yield* bob.next).status, 200)
        const frame = yield* two.next
        assert.strictEqual(frame.body!.toString(), "second")
        two.answer(frame)
        yield* bob.quiet
        assert.strictEqual(world.relay.counters.dialsFailed, 0)
        end(world, use)
      }),
    options
  )

  timed(
    "R4976-6.3-37 R4976-6.3-36 R4976-6.3-41: wrong passwords behind a relay do not end its connection",
    (world) =>
      Effect.gen(function*() {
        const outer = yield* connectFrom(world, machine(world, "outer.example.net"))
        const from = `${OUTER} msrp://carol.invalid:9/c;tcp`
        const challenge = yield* world.challenge(outer, from)
        for (let i = 0; i < 20; i++) {
          assert.strictEqual(
            (yield* world.auth(outer, from, world.authorization(challenge, { password: "x" }))).status,
            401
          )
        }
        assert.isFalse(outer.isClosed)
        // It is counted nevertheless.
        assert.strictEqual(world.relay.counters.failedAuths, 20)
        const granted = yield* world.auth(outer, from, world.authorization(challenge))
        assert.strictEqual(granted.status, 200)
        const use = header(granted, "Use-Path")!.split(" ")
        assert.deepStrictEqual([use.length, use[0]], [2, OUTER])
        end(world, use[1]!)
      }),
    { ...options, limits: { failedAuths: 3, unsuccessful: 3 }, digest: { freePerUser: 100 } }
  )

  timed(
    "R4976-6.3-36 R4976-6.3-41: who guesses passwords at a relay further on is closed; first challenges do not count",
    (world) =>
      Effect.gen(function*() {
        const outer: Array<Peer> = []
        yield* machine(world, "outer.example.net").listen(
          { scheme: "msrps", host: "outer.example.net", port: 2855 },
          (connection) => {
            const peer = new Peer(world)
            world.peers.push(peer)
            outer.push(peer)
            return peer.accept(connection)
          }
        )
        const alice = yield* world.login()
        const to = `${alice.usePath} msrps://outer.example.net:2855;tcp`
        const ask = (...headers: Array<string>) =>
          Effect.gen(function*() {
            alice.peer.write(request("AUTH", { to, from: alice.uri, headers }))
            yield* until(() => outer[0]?.frames.length === 1, "the AUTH")
            const { from, id, to: own } = yield* outer[0]!.next
            const challenges = [
              "WWW-Authenticate: Digest realm=\"o\", nonce=\"n\", qop=\"auth\"",
              "WWW-Authenticate: X y"
            ]
            outer[0]!.write(response(from, own, id, "401 Unauthorized", ...challenges))
            const answer = yield* alice.peer.next
            assert.deepStrictEqual(
              [answer.status, ...answer.headers.map(([name, value]) => `${name}: ${value}`)],
              [401, ...challenges]
            )
          })
        for (let i = 0; i < 10; i++) yield* ask()
        assert.strictEqual(world.relay.counters.failedAuths, 0)
        for (let i = 0; i < 3; i++) yield* ask("Authorization: Digest username=\"a\", response=\"0\"")
        yield* alice.peer.ends
        assert.isFalse(outer[0]!.isClosed)
      }),
    { ...options, limits: { failedAuths: 3 } }
  )

  timed(
    "R4976-6.3-36 R4976-6.3-34: a certificate of one's own does not help to guess, nor does a hop that is not there",
    (world) =>
      Effect.gen(function*() {
        yield* machine(world, "outer.example.net").listen(
          { scheme: "msrps", host: "outer.example.net", port: 2855 },
          (connection) => {
            const peer = new Peer(world)
            world.peers.push(peer)
            peer.onFrame = ({ from, id, to }) =>
              peer.write(
                response(from, to, id, "401 Unauthorized", "WWW-Authenticate: Digest realm=\"o\", nonce=\"n\"")
              )
            return peer.accept(connection)
          }
        )
        const peer = yield* connectFrom(world, machine(world, "alice.example.com"))
        const alice = yield* world.login({ peer })
        const to = `${alice.usePath} msrps://outer.example.net:2855;tcp`
        const headers = ["Authorization: Digest username=\"a\", response=\"0\""]
        peer.write(request("AUTH", { to, from: `msrps://inner.example.net:2855/x;tcp ${alice.uri}`, headers }))
        assert.strictEqual((yield* peer.next).status, 403)
        for (let i = 0; i < 3; i++) {
          peer.write(request("AUTH", { to, from: alice.uri, headers }))
          assert.strictEqual((yield* peer.next).status, 401)
        }
        yield* peer.ends
      }),
    { ...options, limits: { failedAuths: 3 } }
  )

  timed(
    "R4976-6.3-22 R4976-6.3-35 R4976-6.4-17: a session got through a relay is valid on each of its connections, and only toward it",
    (world) =>
      Effect.gen(function*() {
        const node = machine(world, "outer.example.net")
        const first = yield* connectFrom(world, node)
        const carol = "msrp://carol.invalid:9/c;tcp"
        const from = `${OUTER} ${carol}`
        const granted = yield* world.auth(first, from, world.authorization(yield* world.challenge(first, from)))
        const usePath = header(granted, "Use-Path")!.split(" ")[1]!
        const second = yield* connectFrom(world, node)
        const { bob, bobUri } = yield* Effect.gen(function*() {
          const bob = yield* world.connect
          const bobUri = world.party("bob")
          bob.write(send({ to: `${usePath} ${from}`, from: bobUri, body: "to Carol" }))
          assert.strictEqual((yield* bob.next).status, 200)
          return { bob, bobUri }
        })
        yield* until(() => first.frames.length + second.frames.length === 1, "the message")
        const way = first.frames.length === 1 ? first : second
        const frame = yield* way.next
        assert.deepStrictEqual([frame.to, frame.from], [from, `${usePath} ${bobUri}`])
        way.answer(frame)
        second.write(send({ to: `${usePath} ${bobUri}`, from, body: "from Carol" }))
        assert.strictEqual((yield* second.next).status, 200)
        assert.strictEqual((yield* bob.next).body!.toString(), "from Carol")
        // A name that is not the certificate's has no rights, though the relay's connection be used; nor has another relay.
        const inner = yield* connectFrom(world, machine(world, "inner.example.net"))
        const next = "msrps://far.example.net:2855/f;tcp"
        for (const [peer, host] of [[second, "inner"], [inner, "outer"], [inner, "inner"]] as const) {
          const path = `msrps://${host}.example.net:2855/from-outer;tcp ${carol}`
          for (const to of [`${usePath} ${next}`, `${usePath} ${bobUri}`]) {
            peer.write(send({ to, from: path, body: "x" }))
            assert.strictEqual((yield* peer.next).status, 403)
          }
          peer.write(request("REPORT", { to: `${usePath} ${bobUri}`, from: path, headers: ["Status: 000 200 OK"] }))
          yield* peer.quiet
        }
        assert.strictEqual(world.relay.counters.connectionsDialled, 0)
        // Not through another relay, nor past this one.
        bob.write(send({ to: `${usePath} msrps://inner.example.net:2855/q;tcp ${carol}`, from: bobUri, body: "x" }))
        assert.strictEqual((yield* bob.next).status, 403)
        // And when that connection is gone it goes on over the other.
        yield* first.close
        second.write(send({ to: `${usePath} ${bobUri}`, from, body: "still" }))
        assert.strictEqual((yield* second.next).status, 200)
        end(world, usePath)
      }),
    options
  )

  const carol = "msrp://carol.invalid:9/c;tcp"
  /** The answer to an AUTH of carol behind outer.example.net, with her password. */
  const login = Effect.fnUntraced(function*(world: World, peer: Peer, ...more: ReadonlyArray<string>) {
    const from = `${OUTER} ${carol}`
    return yield* world.auth(peer, from, world.authorization(yield* world.challenge(peer, from)), ...more)
  })

  timed(
    "R4976-6.3-22 R4976-9.3-06: what a relay got lives on without a connection for a while, then it is gone",
    (world) =>
      Effect.gen(function*() {
        const outer = machine(world, "outer.example.net")
        const first = yield* connectFrom(world, outer)
        assert.strictEqual((yield* login(world, first)).status, 200)
        yield* first.close
        yield* TestClock.adjust("59 seconds")
        const second = yield* connectFrom(world, outer)
        assert.strictEqual((yield* login(world, second)).status, 200)
        yield* TestClock.adjust("10 minutes")
        assert.strictEqual(world.relay.gauges().sessions, 2)
        yield* second.close
        yield* TestClock.adjust("60 seconds")
        yield* until(() => world.relay.gauges().sessions === 0, "the end of its sessions")
      }),
    { ...options, limits: { relayGone: 60 } }
  )

  timed(
    "R4976-9.3-06 R4976-6.3-07: a relay has so many sessions for its clients, and each for so long",
    (world) =>
      Effect.gen(function*() {
        const outer = machine(world, "outer.example.net")
        const [one, two] = [yield* connectFrom(world, outer), yield* connectFrom(world, outer)]
        const long = yield* login(world, one, "Expires: 601")
        assert.deepStrictEqual([long.status, header(long, "Max-Expires")], [423, "600"])
        const short = yield* login(world, one)
        assert.deepStrictEqual([short.status, header(short, "Expires")], [200, "600"])
        assert.strictEqual((yield* login(world, two, "Expires: 600")).status, 200)
        assert.strictEqual((yield* login(world, one)).status, 403)
        assert.strictEqual(world.relay.counters.sessionsRefused, 1)
        // Who is no relay has all the time, and bounds of his own.
        const alice = yield* world.connect
        const uri = world.party()
        const own = yield* world.auth(
          alice,
          uri,
          world.authorization(yield* world.challenge(alice, uri)),
          "Expires: 601"
        )
        assert.strictEqual(own.status, 200)
        yield* TestClock.adjust("600 seconds")
        assert.strictEqual((yield* login(world, two)).status, 200)
        yield* TestClock.adjust("600 seconds")
        yield* TestClock.adjust("60 seconds")
      }),
    { ...options, authRelayMaxExpires: 600, limits: { sessionsPerRelay: 2 } }
  )

  timed(
    "R4976-6.3-35 R4976-6.1-12: when the certificate of a relay has expired its connection proves nothing more, and ends",
    (world) =>
      Effect.gen(function*() {
        const certificate = ["outer.example.net"]
        const old = world.network!.node({ names: certificate, certificate, certificateUntil: 90_000 })
        const fresh = world.network!.node({ names: certificate, certificate })
        const peer = yield* connectFrom(world, old)
        const granted = yield* login(world, peer)
        const [, usePath] = header(granted, "Use-Path")!.split(" ")
        yield* TestClock.adjust("89 seconds")
        assert.strictEqual((yield* world.auth(peer, `${OUTER} ${carol}`)).status, 401)
        yield* TestClock.adjust("1 seconds")
        assert.strictEqual((yield* world.auth(peer, `${OUTER} ${carol}`)).status, 403)
        peer.write(send({ to: `${usePath} msrps://far.example.net:2855/f;tcp`, from: `${OUTER} ${carol}`, body: "x" }))
        assert.strictEqual((yield* peer.next).status, 403)
        yield* TestClock.adjust("60 seconds")
        yield* peer.ends
        // With a new one it goes on, since its sessions are still there.
        const again = yield* connectFrom(world, fresh)
        again.write(send({ to: `${usePath} msrp://gone.invalid:9/g;tcp`, from: `${OUTER} ${carol}`, body: "x" }))
        assert.strictEqual((yield* again.next).status, 408, "it may send, and nobody is there")
        end(world, usePath!)
      }),
    options
  )

  timed(
    "R4976-6.4.2-10 R4976-6.2-12 R4976-6.4.1-60: a relay that has connected in is not dialled; its mistakes do not end it",
    (world) =>
      Effect.gen(function*() {
        const outer = yield* connectFrom(world, machine(world, "outer.example.net"))
        const alice = yield* world.login()
        outer.write(
          send({ to: `${alice.usePath} ${alice.uri}`, from: `${OUTER} msrp://carol.invalid:9/c;tcp`, body: "hi" })
        )
        assert.strictEqual((yield* outer.next).status, 200)
        yield* alice.peer.next
        const another = "msrps://outer.example.net:2855/another;tcp msrp://dave.invalid:9/d;tcp"
        alice.peer.write(send({ to: `${alice.usePath} ${another}`, from: alice.uri, body: "for Dave" }))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        assert.strictEqual((yield* outer.next).to, another)
        assert.strictEqual(world.relay.counters.connectionsDialled, 0)

        const foreign = {
          to: "msrps://elsewhere.example:2855/z;tcp msrp://x.invalid:9/x;tcp",
          from: `${OUTER} msrp://c.invalid:9/c;tcp`
        }
        outer.write(send({ ...foreign, body: "x" }))
        assert.strictEqual((yield* outer.next).status, 481)
        outer.write(send({ ...foreign, failureReport: "no", body: "x" }))
        outer.write(request("REPORT", { ...foreign, headers: ["Message-ID: m.01", "Status: 000 200 OK"] }))
        yield* outer.quiet
      }),
    options
  )

  timed(
    "R4976-9.3-05 R4976-9.3-06: a relay is not held for a user whose requests have no answer; he is refused, others go on",
    (world) =>
      Effect.gen(function*() {
        const outer = yield* connectFrom(world, machine(world, "outer.example.net"))
        const owner = (username: string) =>
          Effect.gen(function*() {
            const uri = `${OUTER} msrp://${username}.invalid:9/${username}-behind;tcp`
            const granted = yield* world.auth(
              outer,
              uri,
              world.authorization(yield* world.challenge(outer, uri), { username })
            )
            const usePath = header(granted, "Use-Path")!.split(" ")[1]!
            const bob = yield* world.connect
            const bobUri = world.party("bob")
            bob.write(send({ to: `${usePath} ${uri}`, from: bobUri }))
            assert.strictEqual((yield* bob.next).status, 200)
            outer.answer(yield* outer.next)
            return { uri, usePath, bob, to: `${usePath} ${bobUri}` }
          })
        const alice = yield* owner("alice")
        const carol = yield* owner("carol")
        const from = (i: number) => `${alice.uri} msrp://x.invalid:9/${String(i).padEnd(1900, "x")};tcp`
        for (let i = 0; i < 40; i++) outer.write(send({ to: alice.to, from: from(i), messageId: `m.${i}`, body: "x" }))
        const answers = (yield* outer.take(40)).map(({ status }) => status)
        const refused = answers.indexOf(413)
        assert.deepStrictEqual(answers, answers.map((_, i) => i < refused ? 200 : 413))
        assert.isTrue(refused > 15 && refused < 25, `${refused}`)
        outer.write(request("NICKNAME", { to: alice.to, from: from(0) }))
        assert.strictEqual((yield* outer.next).status, 408)
        outer.write(send({ to: alice.to, from: from(0), body: "y".repeat(100_000) }))
        assert.strictEqual((yield* outer.next).status, 413)
        outer.write(send({ to: carol.to, from: carol.uri, body: "hi" }))
        assert.strictEqual((yield* outer.next).status, 200)
        carol.bob.answer(yield* carol.bob.next)
        // With answers it is as before.
        for (const frame of yield* alice.bob.take(refused)) alice.bob.answer(frame)
        yield* alice.bob.quiet
        outer.write(send({ to: alice.to, from: from(41), messageId: "m.41", body: "x" }))
        assert.strictEqual((yield* outer.next).status, 200)
        yield* alice.bob.next
        for (const { usePath } of [alice, carol]) end(world, usePath)
      }),
    { ...options, limits: { unansweredOfUser: 50_000 } }
  )

  timed(
    "R4976-9.2-40 R4976-9.2-11 R4976-9.2-24: another relay is never reached without TLS, or with a certificate for another name",
    (world) =>
      Effect.gen(function*() {
        const seen: Array<string> = []
        const liar = machine(world, "outer.example.net", ["somebody.else.example"])
        yield* liar.listen({ scheme: "msrps", host: "outer.example.net", port: 2855 }, () => assert.fail("connected"))
        const alice = yield* world.login()
        const plain = "msrp://outer.example.net:2855/p;tcp msrp://carol.invalid:9/c;tcp"
        alice.peer.write(send({ to: `${alice.usePath} ${plain}`, from: alice.uri, body: "x" }))
        assert.strictEqual((yield* alice.peer.next).status, 403)
        alice.peer.write(request("AUTH", { to: `${alice.usePath} msrp://outer.example.net:2855;tcp`, from: alice.uri }))
        assert.strictEqual((yield* alice.peer.next).status, 403)
        const secret = plain.replace("msrp:", "msrps:")
        alice.peer.write(send({ to: `${alice.usePath} ${secret}`, from: alice.uri, messageId: nextId(), body: "x" }))
        const [answer, report] = yield* alice.peer.take(2)
        assert.deepStrictEqual([answer!.status, header(report!, "Status")!.slice(0, 7)], [200, "000 408"])
        assert.deepStrictEqual(seen, [])
      }),
    options
  )

  timed(
    "R4976-9.2-11 R4976-9.2-40: the relay that owns a session is not reached in the clear, whatever a stranger names",
    (world) =>
      Effect.gen(function*() {
        const outer = yield* connectFrom(world, machine(world, "outer.example.net"))
        const carol = "msrp://carol.invalid:9/c;tcp"
        const from = `${OUTER} ${carol}`
        const granted = yield* world.auth(outer, from, world.authorization(yield* world.challenge(outer, from)))
        const usePath = header(granted, "Use-Path")!.split(" ")[1]!
        const spy = machine(world, "outer.example.net")
        yield* spy.listen({ scheme: "msrp", host: "outer.example.net", port: 2855 }, () => assert.fail("connected"))
        const bob = yield* world.connect
        const bobUri = world.party("bob")
        for (const [owner, status] of [[OUTER.replace("msrps", "msrp"), 403], [OUTER.replace(";tcp", ";ws"), 481]]) {
          bob.write(send({ to: `${usePath} ${owner} ${carol}`, from: bobUri, body: "x" }))
          assert.strictEqual((yield* bob.next).status, status)
        }
        // Nor is he the peer of the session by that.
        const dave = yield* world.connect
        dave.write(send({ to: `${usePath} ${from}`, from: world.party("dave"), body: "to Carol" }))
        assert.strictEqual((yield* dave.next).status, 200)
        outer.answer(yield* outer.next)
        end(world, usePath)
      }),
    options
  )

  scenario(
    "R4976-9.2-21: a way that a SEND has found is none for an AUTH with the same paths, and the other way round",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const bob = yield* world.listen
        const paths = { to: `${alice.usePath} ${bob.uri}`, from: alice.uri }
        const auth = Effect.suspend(() => {
          alice.peer.write(request("AUTH", paths))
          return Effect.map(alice.peer.next, summary)
        })
        // Where there is no TLS, an AUTH does not go (RFC 4976 §9.2).
        assert.strictEqual(yield* auth, "403 | $")
        for (let i = 0; i < 3; i++) {
          alice.peer.write(send({ ...paths, body: `${i}` }))
          assert.strictEqual((yield* alice.peer.next).status, 200)
          const there = yield* bob.accepted
          const frame = yield* there.next
          assert.strictEqual(frame.body!.toString(), `${i}`)
          there.answer(frame)
          assert.strictEqual(yield* auth, "403 | $")
          alice.peer.write(request("REPORT", { ...paths, headers: ["Message-ID: m.01", "Status: 000 200 OK"] }))
          assert.strictEqual((yield* there.next).method, "REPORT")
          alice.peer.write(request("NICKNAME", paths))
          there.answer(yield* there.next, "200 OK", "whole")
          assert.strictEqual((yield* alice.peer.next).status, 200)
          yield* there.quiet
        }
        assert.strictEqual(bob.peers.length, 1)
      })
  )
})
