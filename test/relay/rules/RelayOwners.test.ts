import { assert, it } from "@effect/vitest"
import { parseUri } from "../../../src/protocol/Uri.ts"
import type { Party } from "../../../src/relay/rules/Party.ts"
import { RelayOwner, RelayOwners } from "../../../src/relay/rules/RelayOwners.ts"
import type { Session } from "../../../src/relay/Session.ts"
import type { Shared } from "../../../src/relay/Shared.ts"
import { Timers } from "../../../src/relay/Timers.ts"

/** Five seconds of grace, on a clock that goes when it is told to. */
const make = () => {
  let now = 0
  const timers = new Timers(() => now, () => {})
  const ended: Array<string> = []
  const turn = {
    get now() {
      return now
    }
  }
  const tasks = { slices: <A>(all: Iterable<A>, each: (one: A) => void) => [...all].forEach(each) }
  const shared = { phase: "serving" }
  const relays = new RelayOwners(
    Object.assign(shared, { tasks, turn, limits: { relayGone: timers.queue(5000) } }) as unknown as Shared,
    (session) => {
      session.ended = true
      ended.push(session.id)
    }
  )
  const pass = (seconds: number): void => {
    now += seconds * 1000
    timers.expire()
  }
  return { relays, ended, pass, shared, timers }
}

const link = (connected = true): { -readonly [K in keyof Party]: Party[K] } =>
  ({ connection: connected ? {} : undefined, gone: false }) as never
const THROUGH = parseUri("msrps://a.example.com:2855/s;tcp")!
const session = (id: string, expiresAt = Infinity): Session => ({ id, expiresAt, ended: false }) as Session

it("R4976-6.3-22: sessions of a relay belong to its name, not to a connection", () => {
  const owner = new RelayOwner("A.example.com.", () => {})
  assert.isTrue(owner.is("a.example.com"))
  assert.isFalse(owner.is("b.example.com"))
  const { relays } = make()
  assert.strictEqual(relays.of("a.example.com"), relays.of("A.EXAMPLE.com."))
})

it("R4976-9.3-06: the sessions of a relay end some time after its last connection, unless it comes again", () => {
  const { ended, pass, relays, timers } = make()
  const owner = relays.of("a.example.com")
  const [one, two, three] = [link(), link(), link()]
  relays.linked(owner, one)
  relays.linked(owner, two)
  relays.owns(owner, session("s1"), THROUGH)
  relays.left(one)
  pass(60)
  assert.deepStrictEqual(ended, [])
  relays.left(two)
  pass(4)
  relays.linked(owner, three)
  pass(60)
  assert.deepStrictEqual(ended, [])
  relays.left(three)
  pass(5)
  assert.deepStrictEqual([ended, relays.size, timers.running], [["s1"], 0, 0])
  // One that is made too late for it is no session.
  relays.owns(owner, session("late"), THROUGH)
  assert.deepStrictEqual(ended, ["s1", "late"])
})

it("R4976-9.3-06: that time begins anew with each connection that closes, for all relays whose names its certificate has", () => {
  const { ended, pass, relays, timers } = make()
  const owners = ["a.example.com", "b.example.com"].map((name) => relays.of(name))
  const [one, two] = [link(), link()]
  for (const owner of owners) {
    relays.linked(owner, one)
    relays.owns(owner, session(owner.name), THROUGH)
  }
  relays.left(one)
  pass(2)
  relays.linked(owners[0]!, two)
  relays.left(two)
  pass(3)
  assert.deepStrictEqual(ended, ["b.example.com"])
  pass(2)
  assert.deepStrictEqual([ended, relays.size, timers.running], [["b.example.com", "a.example.com"], 0, 0])
})

it("a relay that stops waits for no other relay to come again", () => {
  const { ended, pass, relays, shared, timers } = make()
  const [gone, there] = [link(), link()]
  for (const [name, hop] of [["a.example.com", gone], ["b.example.com", there]] as const) {
    relays.linked(relays.of(name), hop)
    relays.owns(relays.of(name), session(name), THROUGH)
  }
  relays.left(gone)
  assert.strictEqual(timers.running, 1)
  shared.phase = "stopping"
  relays.stop()
  assert.deepStrictEqual([relays.size, timers.running], [1, 0])
  relays.left(there)
  assert.deepStrictEqual([relays.size, timers.running], [0, 0])
  pass(5)
  assert.deepStrictEqual(ended, [], "its sessions end with the relay")
})

it("a relay that was given up and has come again is not forgotten with the last dial from before", () => {
  const { ended, pass, relays } = make()
  const [gone, dialled] = [link(), link(false)]
  const before = relays.of("a.example.com")
  for (const hop of [gone, dialled]) relays.linked(before, hop)
  relays.owns(before, session("s1"), THROUGH)
  relays.left(gone)
  pass(5)
  assert.deepStrictEqual(ended, ["s1"])
  const again = relays.of("a.example.com")
  relays.left(dialled)
  assert.strictEqual(relays.of("a.example.com"), again)
})

it("a URI leads to the client of a session if it has the session-id of its AUTH, or that had none", () => {
  const owner = new RelayOwner("a.example.com", () => {})
  const [one, all] = [session("s1"), session("s2")]
  owner.owns(one, THROUGH)
  owner.owns(all, { ...THROUGH, sessionId: undefined })
  const reaches = (host: string, id: string) =>
    [one, all].map((each) => owner.reachesClientOf(each, parseUri(`msrps://${host}:2855/${id};tcp`)!))
  assert.deepStrictEqual(reaches("a.example.com", "s"), [true, true])
  assert.deepStrictEqual(reaches("a.example.com", "x"), [false, true])
  assert.deepStrictEqual(reaches("b.example.com", "s"), [false, false])
})

it("R4976-9.3-06: a connection that is being made keeps them only when it comes about", () => {
  const { ended, pass, relays } = make()
  const owner = relays.of("a.example.com")
  const first = link()
  relays.linked(owner, first)
  relays.owns(owner, session("s1"), THROUGH)
  relays.left(first)
  for (let i = 0; i < 3; i++) {
    const dialled = link(false)
    relays.linked(owner, dialled)
    pass(1)
    relays.left(dialled)
  }
  const late = link(false)
  relays.linked(owner, late)
  late.connection = {} as Party["connection"]
  pass(2)
  assert.deepStrictEqual(ended, [], "it was there in time")
  relays.left(late)
  relays.linked(owner, link(false))
  pass(5)
  assert.deepStrictEqual(ended, ["s1"])
})

it("R4976-9.3-06: a relay has so many sessions; those that are over do not count", () => {
  const { relays, timers } = make()
  const owner = relays.of("a.example.com")
  const all = Array.from({ length: 10 }, (_, i) => session(`s${i}`, i < 3 ? 1000 : 9000))
  for (const one of all) {
    assert.isTrue(owner.hasRoom(10, 0))
    relays.owns(owner, one, THROUGH)
  }
  assert.isFalse(owner.hasRoom(10, 0))
  all[5]!.ended = true
  assert.isTrue(owner.hasRoom(10, 0))
  assert.isTrue(owner.hasRoom(7, 1000))
  assert.isFalse(owner.hasRoom(6, 1000))
  // Without a session, nothing is waited for.
  const other = relays.of("b.example.com")
  const hop = link()
  relays.linked(other, hop)
  relays.left(hop)
  assert.deepStrictEqual([relays.size, timers.running], [1, 0])
})

it("R4976-6.3-22: a connection that leads to the relay which owns a session is one of its connections; one that leads elsewhere is not", () => {
  const { relays } = make()
  const owner = relays.of("a.example.com")
  const [one, two] = [link(), link()]
  const uri = (host: string) => parseUri(`msrps://${host}:2855/s;tcp`)!
  relays.leads(one, { ...session("s1"), owner }, uri("A.example.com"))
  relays.leads(two, { ...session("s1"), owner }, uri("b.example.com"))
  relays.leads(two, { ...session("s2"), owner: two }, uri("a.example.com"))
  assert.deepStrictEqual([...owner.links], [one])
})
