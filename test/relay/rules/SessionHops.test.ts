/** Where another relay has several connections, each session goes back by its own. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { MAX_URI_OCTETS, parseUri } from "../../../src/protocol/Uri.ts"
import type { Party } from "../../../src/relay/rules/Party.ts"
import { cameBy, hasSentOn, knownHop, wentBy } from "../../../src/relay/rules/SessionHops.ts"
import type { Session } from "../../../src/relay/Session.ts"
import { type Owner, type Peer, request, send, until, type World } from "../../support/harness.ts"
import { connectFrom, end, grantedThrough, listenAs, machine, options } from "../../support/relays.ts"
import { simulated } from "../../support/simulated.ts"

const scenario = simulated(options)

const outer = (session: string): string => `msrps://outer.example.net:2855/${session};tcp`
const carol = (session: string): string => `${outer(session)} msrp://carol.invalid:9/${session};tcp`

/** Three connections of one relay, all of which have been used. */
const three = Effect.fnUntraced(function*(world: World) {
  const node = machine(world, "outer.example.net")
  const links: Array<Peer> = []
  for (let i = 0; i < 3; i++) {
    const link = yield* connectFrom(world, node)
    links.push(link)
    assert.strictEqual((yield* world.auth(link, carol(`challenged${i}`))).status, 401)
  }
  return links
})

/** Sends a message that a relay gets, and gives the connection that it came by. */
const arrives = Effect.fnUntraced(function*(from: Peer, octets: Buffer, links: ReadonlyArray<Peer>) {
  from.write(octets)
  assert.strictEqual((yield* from.next).status, 200)
  yield* until(() => links.some(({ frames }) => frames.length > 0), "the message")
  const index = links.findIndex(({ frames }) => frames.length > 0)
  links[index]!.answer(yield* links[index]!.next)
  yield* until(() => links[index]!.world.relay.gauges().transactions === 0, "its answer")
  return index
})

describe("the way back to another relay", () => {
  scenario(
    "R4976-6.4.2-10: is the connection on which the client behind it logged in",
    (world) =>
      Effect.gen(function*() {
        const links = yield* three(world)
        for (const [i, session] of ["s0", "s1", "s2"].entries()) {
          const usePath = yield* grantedThrough(world, links[i]!, carol(session))
          const bob = yield* world.connect
          const octets = send({ to: `${usePath} ${carol(session)}`, from: world.party("bob"), body: "hi" })
          assert.strictEqual(yield* arrives(bob, octets, links), i)
          end(world, usePath)
        }
        assert.strictEqual(world.relay.counters.connectionsDialled, 0)
      })
  )

  scenario(
    "R4976-6.4.2-10: is the connection on which its peer behind it has written, the first if there are several",
    (world) =>
      Effect.gen(function*() {
        const links = yield* three(world)
        const alice = yield* world.login()
        for (const i of [1, 2, 0]) {
          const session = `s${i}`
          for (const link of [links[i]!, links[0]!]) {
            link.write(send({ to: `${alice.usePath} ${alice.uri}`, from: carol(session), body: "to Alice" }))
            assert.strictEqual((yield* link.next).status, 200)
            alice.peer.answer(yield* alice.peer.next)
          }
          const back = send({ to: `${alice.usePath} ${carol(session)}`, from: alice.uri, body: "to Carol" })
          assert.strictEqual(yield* arrives(alice.peer, back, links), i)
        }
      })
  )

  scenario(
    "R4976-9.2-40: is no connection of a peer that only claims to be the relay",
    (world) =>
      Effect.gen(function*() {
        const far = yield* listenAs(world, "far.example.org")
        const alice = yield* world.login()
        const uri = "msrps://far.example.org:2855;tcp"
        const mallory = yield* world.connect
        mallory.write(send({ to: `${alice.usePath} ${alice.uri}`, from: uri, body: "hi" }))
        assert.strictEqual((yield* mallory.next).status, 200)
        alice.peer.answer(yield* alice.peer.next)
        alice.peer.write(request("AUTH", { to: `${alice.usePath} ${uri}`, from: alice.uri }))
        yield* until(() => far.length + mallory.frames.length > 0, "an AUTH")
        assert.lengthOf(mallory.frames, 0)
        assert.include((yield* far[0]!.next).octets.toString("latin1"), "AUTH")
      })
  )

  /** Mallory knows the URIs of two others, since both write to him, and shows the one to the other. */
  const poses = Effect.fnUntraced(function*(world: World, to: Owner, from: string) {
    const mallory = yield* world.connect
    mallory.write(send({ to: `${to.usePath} ${to.uri}`, from, body: "hi" }))
    assert.strictEqual((yield* mallory.next).status, 200)
    to.peer.answer(yield* to.peer.next)
    return mallory
  })
  const BOB = "msrps://far.example.org:2855/bob;tcp"

  scenario(
    "R4976-9.2-40 R4976-6.4-21: nor is it for requests to a client behind the relay",
    (world) =>
      Effect.gen(function*() {
        const far = yield* listenAs(world, "far.example.org")
        const alice = yield* world.login()
        const bob = `${BOB} msrp://bob.invalid:9/b;tcp`
        const mallory = yield* poses(world, alice, bob)
        alice.peer.write(send({ to: `${alice.usePath} ${bob}`, from: alice.uri, body: "for Bob alone" }))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        yield* until(() => far.length + mallory.frames.length > 0, "a message")
        assert.lengthOf(mallory.frames, 0)
        far[0]!.answer(yield* far[0]!.next)
      })
  )

  for (const [what, behind] of [["an endpoint", ""], ["a relay that is not admitted", " msrp://bob.invalid:9/b;tcp"]]) {
    scenario(
      `R4976-6.4-21 R4975-5.4-21: a peer that has connected does not replace ${what} to which a session has sent`,
      (world) =>
        Effect.gen(function*() {
          const far = yield* listenAs(world, "far.example.org")
          const alice = yield* world.login()
          const bob = `${BOB}${behind}`
          const toBob = Effect.fnUntraced(function*(from: string) {
            alice.peer.write(send({ to: `${alice.usePath} ${bob}`, from, body: "for Bob alone" }))
            assert.strictEqual((yield* alice.peer.next).status, 200)
            yield* until(() => world.peers.some((peer) => peer !== alice.peer && peer.frames.length > 0), "a message")
            far[0]!.answer(yield* far[0]!.next)
          })
          yield* toBob(alice.uri)
          const mallory = yield* poses(world, alice, bob)
          // Nor does he shut him out.
          far[0]!.write(send({ to: `${alice.usePath} ${alice.uri}`, from: bob, body: "from Bob" }))
          assert.strictEqual((yield* far[0]!.next).status, 200)
          alice.peer.answer(yield* alice.peer.next)
          // With another From-Path its connection is found anew.
          yield* toBob(alice.uri.replace("://", "://alice@"))
          assert.lengthOf(mallory.frames, 0)
        }),
      { relayPeers: "none" }
    )
  }

  scenario(
    "R4976-6.4-22: is the one of a relay that is not admitted, as that of any client that has connected",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const bob = `${BOB} msrp://bob.invalid:9/b;tcp`
        const far = yield* poses(world, alice, bob)
        alice.peer.write(send({ to: `${alice.usePath} ${bob}`, from: alice.uri, body: "hi" }))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        far.answer(yield* far.next)
      }),
    { relayPeers: ["near.example.org"] }
  )

  for (const gateway of ["msrps://gateway.invalid:9/g;tcp", "msrps://gateway.example.org:2855/g;ws"]) {
    scenario(
      `R4976-6.4-22: is the one that a gateway has made which cannot be connected to, whichever relays are admitted: ${gateway}`,
      (world) =>
        Effect.gen(function*() {
          const alice = yield* world.login()
          const bob = `${gateway} msrp://bob.invalid:9/b;tcp`
          const peer = yield* poses(world, alice, bob)
          alice.peer.write(send({ to: `${alice.usePath} ${bob}`, from: alice.uri, body: "hi" }))
          assert.strictEqual((yield* alice.peer.next).status, 200)
          peer.answer(yield* peer.next)
        })
    )
  }

  simulated()(
    "R4975-6-05: is that of a browser without TLS, which a web server may have ended",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const bob = "msrps://bob.invalid:2855/b;ws"
        const peer = yield* poses(world, alice, bob)
        alice.peer.write(send({ to: `${alice.usePath} ${bob}`, from: alice.uri, body: "hi" }))
        assert.strictEqual((yield* alice.peer.next).status, 200)
        peer.answer(yield* peer.next)
      })
  )

  simulated()(
    "R4975-6-05: is none without TLS for a URI with msrps",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const bob = "msrps://bob.invalid:9/b;tcp"
        const peer = yield* poses(world, alice, bob)
        alice.peer.write(send({ to: `${alice.usePath} ${bob}`, from: alice.uri, body: "hi" }))
        assert.strictEqual((yield* alice.peer.next).status, 408)
        yield* peer.quiet
      })
  )

  scenario("R4976-6.4.2-10: is found through two sessions of this relay", (world) =>
    Effect.gen(function*() {
      const links = yield* three(world)
      const alice = yield* world.login()
      const usePath = yield* grantedThrough(world, links[2]!, carol("s2"))
      const octets = send({ to: `${alice.usePath} ${usePath} ${carol("s2")}`, from: alice.uri, body: "hi" })
      assert.strictEqual(yield* arrives(alice.peer, octets, links), 2)
      end(world, usePath)
    }))

  scenario(
    "R4976-6.4.2-10 R4976-6.3-22: is any other connection of the relay once that one is gone",
    (world) =>
      Effect.gen(function*() {
        const links = yield* three(world)
        const usePath = yield* grantedThrough(world, links[1]!, carol("s1"))
        const bob = yield* world.connect
        const bobUri = world.party("bob")
        const octets = () => send({ to: `${usePath} ${carol("s1")}`, from: bobUri, body: "hi" })
        assert.strictEqual(yield* arrives(bob, octets(), links), 1)
        yield* links[1]!.close
        yield* until(() => world.relay.gauges().connections === 3, "its end")
        assert.strictEqual(yield* arrives(bob, octets(), links), 0)
        // From now on it is the one that it speaks on.
        links[2]!.write(send({ to: `${usePath} ${bobUri}`, from: carol("s1"), body: "to Bob" }))
        assert.strictEqual((yield* links[2]!.next).status, 200)
        bob.answer(yield* bob.next)
        yield* links[0]!.close
        yield* until(() => world.relay.gauges().connections === 2, "its end")
        assert.strictEqual(yield* arrives(bob, octets(), links), 2)
        end(world, usePath)
      })
  )

  scenario(
    "R4976-6.4.2-10 R4976-6.3-35: is any other connection of the relay once the certificate of that one has expired",
    (world) =>
      Effect.gen(function*() {
        const certificate = ["outer.example.net"]
        const old = yield* connectFrom(
          world,
          world.network!.node({ names: certificate, certificate, certificateUntil: 90_000 })
        )
        const usePath = yield* grantedThrough(world, old, carol("s0"))
        const fresh = yield* connectFrom(world, machine(world, "outer.example.net"))
        const other = yield* grantedThrough(world, fresh, carol("s1"))
        const links = [old, fresh]
        const octets = (from: string) => send({ to: `${usePath} ${carol("s0")}`, from, body: "hi" })
        const bob = yield* world.connect
        assert.strictEqual(yield* arrives(bob, octets(world.party("bob")), links), 0)
        yield* bob.close
        yield* TestClock.adjust("90 seconds")
        assert.isFalse(old.isClosed)
        const late = yield* world.connect
        assert.strictEqual(yield* arrives(late, octets(world.party("late")), links), 1)
        end(world, usePath, other)
      })
  )
})

describe("the connections of a session", () => {
  it("R4976-9.3-06: are found by session-ids as long as may be, of which little is kept", () => {
    const session = { hops: undefined } as unknown as Session
    const uris = Array.from({ length: 16 }, (_, i) => {
      const start = `msrp://bob.example.net:9000/${i}`
      return parseUri(`${start.padEnd(MAX_URI_OCTETS - 4, "s")};tcp`)!
    })
    const hops = uris.map(() => ({ open: true }) as unknown as Party)
    for (const [i, uri] of uris.entries()) wentBy(session, uri, hops[i]!, "endpoint")
    for (const [i, uri] of uris.entries()) assert.strictEqual(knownHop(session, uri, "endpoint"), hops[i])
    const octets = [...session.hops?.keys() ?? []].map(({ length }) => length)
    assert.isBelow(octets.reduce((sum, one) => sum + one), 2048)
  })

  const hop = (port = 2855) => ({ open: true, connection: { remote: { port } } }) as unknown as Party
  const uriOf = (text: string) => parseUri(`msrps://far.example.org${text};tcp`)!

  it("R4976-9.3-06: are the last sixteen", () => {
    const session = { hops: undefined } as unknown as Session
    const uris = Array.from({ length: 17 }, (_, i) => uriOf(`:2855/${i}`))
    for (const uri of uris) wentBy(session, uri, hop(), "endpoint")
    const known = uris.filter((uri) => knownHop(session, uri, "endpoint") !== undefined)
    assert.deepStrictEqual(known, uris.slice(1))
  })

  it("R4976-6.4.2-10: are found for session URIs of a relay that an AUTH named without a port, at the port of that connection only", () => {
    const session = { hops: undefined } as unknown as Session
    const far = hop()
    cameBy(session, uriOf(""), far)
    assert.strictEqual(knownHop(session, uriOf(":2855/s"), "relay"), far)
    assert.isUndefined(knownHop(session, uriOf(":2856/s"), "relay"))
  })

  it("R4976-6.4.2-10: are those that requests came in on before those that requests went out on, and the first of several", () => {
    const session = { hops: undefined } as unknown as Session
    const [dialled, first, second] = [hop(), hop(), hop()]
    const uri = uriOf(":2855/s")
    wentBy(session, uri, dialled, "relay")
    cameBy(session, uri, first)
    assert.deepStrictEqual([knownHop(session, uri, "relay") === first, hasSentOn(session, dialled)], [true, false])
    cameBy(session, uri, second)
    assert.isTrue(knownHop(session, uri, "relay") === first)
    Object.assign(first, { open: false })
    cameBy(session, uri, second)
    assert.isTrue(knownHop(session, uri, "relay") === second)
  })

  it("R4976-9.2-40: are made to a relay if a relay is wanted, and one that requests were sent on is known", () => {
    const session = {} as Session
    const [endpoint, relay, came] = [{ open: true }, { open: true }, { open: true }] as unknown as [Party, Party, Party]
    Object.assign(endpoint, { connection: { remote: { port: 2855 } } })
    const uri = (host: string) => parseUri(`msrps://${host}:2855/s;tcp`)!
    wentBy(session, uri("a.example.com"), endpoint, "endpoint")
    wentBy(session, { ...uri("b.example.com"), sessionId: undefined, port: undefined }, endpoint, "endpoint")
    wentBy(session, uri("c.example.com"), relay, "relay")
    cameBy(session, uri("d.example.com"), came)
    const known = (host: string) =>
      (["endpoint", "relay"] as const).map((kind) => knownHop(session, uri(host), kind) !== undefined)
    assert.deepStrictEqual([known("a.example.com"), known("b.example.com"), known("c.example.com")], [
      [true, false],
      [false, false],
      [true, true]
    ])
    assert.deepStrictEqual([endpoint, relay, came].map((hop) => hasSentOn(session, hop)), [true, true, false])
  })

  it("R4976-9.3-06: that were used last are remembered, however early they were used first", () => {
    const session = {} as Session
    const hop = { open: true } as unknown as Party
    const uri = (i: number) => parseUri(`msrps://relay.example.com:2855/s${i};tcp`)!
    for (let i = 0; i < 16; i++) wentBy(session, uri(i), hop, "relay")
    wentBy(session, uri(0), hop, "relay")
    wentBy(session, uri(16), hop, "relay")
    assert.deepStrictEqual([0, 1, 16].map((i) => knownHop(session, uri(i), "relay") === hop), [true, false, true])
  })
})
