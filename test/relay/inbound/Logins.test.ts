/** An AUTH that is decided late delays its own client, and no other client that shares the connection of a relay. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { Credentials } from "../../../src/Credentials.ts"
import { Logins } from "../../../src/relay/inbound/Logins.ts"
import type { Reading } from "../../../src/relay/inbound/Reading.ts"
import type { Shared } from "../../../src/relay/Shared.ts"
import { header, type Owner, PASSWORDS, type Peer, request, send, type World } from "../../support/harness.ts"
import { connectFrom, end, grantedThrough, machine, options } from "../../support/relays.ts"
import { simulated } from "../../support/simulated.ts"

const scenario = simulated(options)

const outer = (session: string): string => `msrps://outer.example.net:2855/${session};tcp`
const FROM = `${outer("s1")} msrp://carol.invalid:9/c;tcp`

/** AUTHs of a client behind the relay, with these ids. */
const guess = (world: World, link: Peer, authorization: string, ...ids: ReadonlyArray<string>): void => {
  for (const id of ids) {
    const from = `${outer("s2")} msrp://mallory.invalid:9/m;tcp`
    link.write(request("AUTH", { id, to: world.uri, from, headers: [authorization] }))
  }
}

const text = (alice: Owner, body: string, id: string) =>
  send({ id, to: `${alice.usePath} ${alice.uri}`, from: FROM, body })

/** A backend that takes five seconds for carol. */
const slow = Layer.succeed(
  Credentials,
  Credentials.make(({ username }) => {
    const password = PASSWORDS[username]
    const found = password === undefined
      ? Option.none()
      : Option.some({ _tag: "Password", password: Redacted.make(password) } as const)
    return username === "carol" ? Effect.delay(Effect.succeed(found), "5 seconds") : Effect.succeed(found)
  })
)

describe("AUTHs on a connection of several users", () => {
  scenario(
    "R4976-9.3-05: one that is decided late delays nobody else, and as many are under way as may fail there",
    (world) =>
      Effect.gen(function*() {
        const alice = yield* world.login()
        const { peer } = alice
        const { bob, bobUri } = yield* world.join(alice)
        const challenge = yield* world.challenge(peer, alice.uri)
        let nc = 0
        const auth = (id: string) => {
          const headers = [world.authorization(challenge, { username: "carol", nc: ++nc })]
          peer.write(request("AUTH", { id, to: world.uri, from: world.party("carol"), headers }))
        }
        const arrives = Effect.fnUntraced(function*(body: string, does: boolean) {
          peer.write(send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body }))
          yield* world.network!.settled
          assert.strictEqual(bob.frames.length > 0, does, body)
          for (const frame of bob.frames.splice(0)) bob.answer(frame)
        })
        const granted = Effect.fnUntraced(function*() {
          yield* world.network!.settled
          const answers = peer.frames.splice(0).filter((frame) => header(frame, "Use-Path") !== undefined)
          for (const frame of answers) end(world, header(frame, "Use-Path")!)
          return answers.length
        })
        // Nobody else is there yet: what is behind the AUTH may be for what it asks for.
        auth("first001")
        yield* arrives("waits", false)
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual(yield* granted(), 1)
        yield* arrives("goes on", true)
        for (const id of ["again001", "again002"]) {
          auth(id)
          yield* arrives(id, true)
        }
        auth("again003")
        yield* arrives("beyond", false)
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual(yield* granted(), 3)
        yield* arrives("after all", true)
      }),
    { credentials: slow, limits: { failedAuths: 2 } }
  )
})

describe("AUTHs under way", () => {
  scenario(
    "R4976-6.3-37: wrong passwords of one client delay no message of others behind its relay",
    (world) =>
      Effect.gen(function*() {
        const link = yield* connectFrom(world, machine(world, "outer.example.net"))
        const alice = yield* world.login()
        const challenge = yield* world.challenge(link, FROM)
        guess(world, link, world.authorization(challenge, { username: "carol", password: "x" }), "guess001", "guess002")
        link.write(text(alice, "hello", "text0001"))
        // No time has passed.
        assert.strictEqual((yield* link.next).id, "text0001")
        const frame = yield* alice.peer.next
        assert.strictEqual(frame.body!.toString(), "hello")
        alice.peer.answer(frame)
        yield* TestClock.adjust("2 seconds")
        const late = yield* link.take(2)
        assert.deepStrictEqual(late.map(({ id, status }) => `${id} ${status}`), ["guess001 401", "guess002 401"])
      }),
    { digest: { freePerUser: 0 } }
  )

  scenario(
    "answers come when they are there, in whatever order; each has its own paths",
    (world) =>
      Effect.gen(function*() {
        const link = yield* connectFrom(world, machine(world, "outer.example.net"))
        const slowly = world.authorization(yield* world.challenge(link, FROM), { username: "carol" })
        const atOnce = world.authorization(yield* world.challenge(link, FROM), { username: "alice" })
        const other = FROM.replace("s1", "s3")
        link.write(
          request("AUTH", { id: "carol001", to: world.uri, from: FROM, headers: [slowly] }),
          request("AUTH", { id: "alice001", to: world.uri, from: other, headers: [atOnce] })
        )
        const first = yield* link.next
        assert.deepStrictEqual([first.id, first.status, first.to], ["alice001", 200, other])
        yield* TestClock.adjust("5 seconds")
        const second = yield* link.next
        assert.deepStrictEqual([second.id, second.status, second.to], ["carol001", 200, FROM])
        end(world, ...[first, second].map((one) => header(one, "Use-Path")!.split(" ")[1]!))
      }),
    { credentials: slow }
  )

  scenario(
    "R4976-9.3-05 R4976-9.3-06: beyond the limit they are answered 408, and what is behind waits for none of them",
    (world) =>
      Effect.gen(function*() {
        const link = yield* connectFrom(world, machine(world, "outer.example.net"))
        const alice = yield* world.login()
        const challenge = yield* world.challenge(link, FROM)
        const authorization = world.authorization(challenge, { username: "carol", password: "x" })
        guess(world, link, authorization, "guess001")
        yield* TestClock.adjust("3 seconds")
        guess(world, link, authorization, "guess002")
        guess(world, link, authorization, "guess003")
        link.write(text(alice, "hello", "text0001"))
        assert.deepStrictEqual(
          (yield* link.take(2)).map(({ id, status }) => `${id} ${status}`),
          ["guess003 408", "text0001 200"]
        )
        alice.peer.answer(yield* alice.peer.next)
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual((yield* link.next).id, "guess001")
        guess(world, link, authorization, "guess004")
        yield* TestClock.adjust("3 seconds")
        assert.strictEqual((yield* link.next).id, "guess002")
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual((yield* link.next).id, "guess004")
      }),
    { credentials: slow, limits: { auths: 2 } }
  )

  scenario(
    "R4976-9.3-05 R4976-9.3-06: one client behind a relay leaves places for the others there, however many it asks for",
    (world) =>
      Effect.gen(function*() {
        const link = yield* connectFrom(world, machine(world, "outer.example.net"))
        const challenge = yield* world.challenge(link, FROM)
        const authorization = world.authorization(challenge, { username: "carol", password: "x" })
        const ids = Array.from({ length: 100 }, (_, i) => `guess${i}`)
        guess(world, link, authorization, ...ids)
        yield* world.network!.settled
        // An eighth of the places that are left.
        assert.deepStrictEqual(
          link.frames.splice(0).map(({ id, status }) => `${id} ${status}`),
          ids.slice(7).map((id) => `${id} 408`)
        )
        // Another client of that relay is challenged, and logs in.
        end(world, yield* grantedThrough(world, link, FROM))
        // A few are decided at a time for each while there is any place.
        for (let client = 0; client < 20; client++) {
          for (let i = 0; i < 4; i++) {
            const from = `${outer(`more${client}`)} msrp://more.invalid:9/m;tcp`
            link.write(request("AUTH", { to: world.uri, from, headers: [authorization] }))
          }
        }
        yield* world.network!.settled
        assert.deepStrictEqual(link.frames.splice(0).map(({ status }) => status), Array(80 - (64 - 7)).fill(408))
        yield* TestClock.adjust("5 seconds")
        assert.lengthOf(link.frames.splice(0).filter(({ status }) => status === 401), 64)
        // They count for it until they are answered.
        guess(world, link, authorization, ...ids.slice(0, 7))
        yield* world.network!.settled
        assert.deepStrictEqual(link.frames, [])
        yield* TestClock.adjust("5 seconds")
        yield* link.take(7)
      }),
    { credentials: slow, limits: { auths: 64 }, digest: { freePerUser: 1000, freePerAddress: 1000 } }
  )

  scenario(
    "R4976-6.3-04: on a client's own connection what is behind an AUTH waits, whatever its certificate",
    (world) =>
      Effect.gen(function*() {
        const uri = "msrps://alice.example.net:2855/a;tcp"
        const peer = yield* connectFrom(world, machine(world, "alice.example.net"))
        const alice = yield* world.login({ peer, uri })
        const challenge = yield* world.challenge(peer, uri)
        const authorization = world.authorization(challenge, { username: "carol" })
        peer.write(
          request("AUTH", { id: "carol001", to: world.uri, from: uri, headers: [authorization] }),
          send({ id: "keep0001", to: alice.usePath, from: uri })
        )
        yield* TestClock.adjust("4 seconds")
        assert.deepStrictEqual(peer.frames, [])
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual((yield* peer.take(2)).map(({ id }) => id), ["carol001", "keep0001"])
      }),
    { credentials: slow }
  )

  scenario(
    "what a client sent behind an AUTH arrives, also if it disconnects before the answer",
    (world) =>
      Effect.gen(function*() {
        const { alice, bob, bobUri } = yield* world.pair()
        const challenge = yield* world.challenge(alice.peer, alice.uri)
        alice.peer.write(
          request("AUTH", {
            to: world.uri,
            from: alice.uri,
            headers: [world.authorization(challenge, { username: "carol" })]
          }),
          send({ to: `${alice.usePath} ${bobUri}`, from: alice.uri, body: "good bye" })
        )
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(bob.frames, [])
        world.network!.cut(alice.peer.connection)
        const frame = yield* bob.next
        assert.strictEqual(frame.body!.toString(), "good bye")
        bob.answer(frame)
        yield* TestClock.adjust("5 seconds")
      }),
    { credentials: slow }
  )
})

it("the frames behind an AUTH go on once, although the connection is gone before it is decided", () => {
  const calls: Array<string> = []
  const call = (name: string) => () => void calls.push(name)
  const reading = {
    sharing: { severalUsers: false },
    stop: call("stop"),
    hold: call("hold"),
    release: call("release"),
    go: call("go")
  }
  const shared = { limits: { failedAuths: 5, auths: 1 } }
  const logins = new Logins(shared as unknown as Shared, reading as unknown as Reading)
  let ended = (): void => assert.fail("not begun")
  logins.begins(undefined, (end) => ended = end)
  assert.deepStrictEqual(calls.splice(0), ["stop", "hold"])
  logins.leave()
  ended()
  assert.deepStrictEqual(calls, ["release", "go"])
})
