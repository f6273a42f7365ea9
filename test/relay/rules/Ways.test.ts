/** Where another relay has several connections, each session goes back by its own. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { type Peer, request, send, until, type World } from "../../support/harness.ts"
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
    "R4976-9.2-40: is no connection of a peer who only calls himself the relay",
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
        assert.isFalse(old.closed_)
        const late = yield* world.connect
        assert.strictEqual(yield* arrives(late, octets(world.party("late")), links), 1)
        end(world, usePath, other)
      })
  )
})
