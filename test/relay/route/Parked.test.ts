/** What is parked keeps its octets until it is written, whatever its memory is used for afterwards. */
import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { keepOctets } from "../../../src/protocol/Octets.ts"
import { Blocks } from "../../../src/relay/Blocks.ts"
import { openFrom, type Parked } from "../../../src/relay/route/Parked.ts"
import type { Stream } from "../../../src/relay/route/Stream.ts"
import { type Frame, header, nextId, type Owner, request, send, type World } from "../../support/harness.ts"
import type { Peer } from "../../support/Peer.ts"
import { simulated } from "../../support/simulated.ts"

/** Octets that say where they belong: eight for the message, eight for the place. */
const bodyOf = (name: string, octets: number): Buffer => {
  const body = Buffer.alloc(octets)
  for (let at = 0; at < octets; at += 16) {
    body.write(`${name.padEnd(8, "-")}${String(at).padStart(7, "0")}\n`, at, "latin1")
  }
  return body
}

/** One who sends, with the chunk that is under way. */
interface Party {
  readonly name: string
  readonly peer: Peer
  readonly to: string
  readonly uri: string
  readonly ids: Set<string>
  rest: Buffer
  messages: number
  /** Answers that wait for the end of the chunk. */
  readonly answers: Array<() => void>
}

/** Acts of all parties. */
const STEPS = 60

const MEDIUM = [4096, 4097, 5000, 8500, 11_000, 16_384, 16_385, 20_000]

/** Memory of which nothing is used again: it is overwritten at once, so that whoever still reads it is seen. */
const overwritten = () => {
  const used = new Set<Buffer>()
  const count = { released: 0 }
  const spies = [
    vi.spyOn(Blocks.prototype, "keep").mockImplementation((buf, start, end) => {
      const copy = keepOctets(buf.subarray(start, end))
      used.add(copy)
      return copy
    }),
    vi.spyOn(Blocks.prototype, "release").mockImplementation((octets) => {
      assert.isTrue(used.delete(octets), "released twice")
      count.released++
      octets.fill("!")
    })
  ]
  return { count, restore: () => spies.forEach((spy) => spy.mockRestore()) }
}

const played = (world: World) =>
  Effect.gen(function*() {
    const network = world.network!
    const random = (n: number): number => Math.floor(network.random() * n)
    const one = <A>(all: ReadonlyArray<A>): A => all[random(all.length)]!
    const { count, restore } = overwritten()
    yield* Effect.addFinalizer(() => Effect.sync(restore))
    const parties: Array<Party> = []
    const owners: Array<Owner> = []
    const bobs: Array<Peer> = []
    const told: Array<string> = []
    const next = new Map<string, number>()
    const check = (peer: Peer, frame: Frame): void => {
      const messageId = header(frame, "Message-ID")
      if (frame.method === "") {
        const known = parties.some((party) => party.peer === peer && party.ids.has(frame.id))
        if (!known) told.push(`answer ${frame.id}`)
        return
      }
      if (frame.method === "REPORT" && header(frame, "Fill") === undefined) {
        const party = parties.find(({ name }) => messageId?.startsWith(`${name}.`))
        if (party?.peer !== peer) told.push(`REPORT ${frame.octets.toString("latin1").slice(0, 400)}`)
        return
      }
      const name = messageId?.split(".")[0] ?? "?"
      const party = parties.find((party) => party.name === name)
      if (party === undefined || !frame.from.endsWith(party.uri)) {
        return void told.push(`from ${frame.octets.toString("latin1").slice(0, 300)}`)
      }
      const fill = header(frame, "Fill")
      if (fill !== undefined && fill !== name.repeat(fill.length / name.length)) told.push("fill")
      if (frame.body === undefined) return
      const start = Number.parseInt(header(frame, "Byte-Range")!) - 1
      const body = bodyOf(messageId!, start + frame.body.length).subarray(start)
      // Nothing follows what is missing.
      if (start !== (next.get(messageId!) ?? 0)) told.push(`gap ${messageId} ${start}`)
      next.set(messageId!, start + body.length)
      if (!body.equals(frame.body)) told.push(`body ${messageId} ${start}`)
    }
    const listens = (peer: Peer): void => {
      peer.frames.splice(0)
      peer.onFrame = (frame) => {
        check(peer, frame)
        if (frame.method !== "SEND") return
        const what = random(60)
        const answer = () => peer.answer(frame, what === 0 ? "413 Stop" : "200 OK")
        if (what > 0 && what < 4) return
        // Not inside a frame.
        const busy = parties.find((party) => party.peer === peer && party.rest.length > 0)
        if (busy === undefined) answer()
        else busy.answers.push(answer)
      }
    }
    const add = (peer: Peer, to: string, uri: string): void => {
      const name = `p${String(parties.length).padStart(2, "0")}`
      parties.push({ name, peer, to, uri, ids: new Set(), rest: Buffer.alloc(0), messages: 0, answers: [] })
    }
    for (let i = 0; i < 2; i++) bobs.push(yield* world.connect)
    for (let i = 0; i < 5; i++) {
      const before = i === 3 ? owners[0]!.peer : undefined
      if (before !== undefined) before.onFrame = undefined
      const owner = yield* world.login({
        username: i % 2 === 0 ? "alice" : "carol",
        ...(before === undefined ? {} : { peer: before })
      })
      const bob = bobs[i % 2]!
      bob.onFrame = undefined
      const { bobUri } = yield* world.join(owner, bob)
      owners.push(owner)
      add(owner.peer, `${owner.usePath} ${bobUri}`, owner.uri)
      add(bob, `${owner.usePath} ${owner.uri}`, bobUri)
    }
    for (const peer of new Set([...bobs, ...owners.map(({ peer }) => peer)])) listens(peer)

    const act = (chosen: Party): void => {
      // One frame after the other on each connection.
      const party = parties.find((other) => other.peer === chosen.peer && other.rest.length > 0) ?? chosen
      const { ids, name, peer, to, uri } = party
      if (peer.isClosed) return
      if (party.rest.length > 0) {
        const octets = Math.min(party.rest.length, one([100, 3000, 16_000, 64_000, 500_000]))
        peer.write(party.rest.subarray(0, octets))
        party.rest = party.rest.subarray(octets)
        if (party.rest.length === 0) { for (const answer of party.answers.splice(0)) answer() }
        return
      }
      const messageId = `${name}.${++party.messages}`
      const id = nextId()
      ids.add(id)
      const what = random(10)
      const fill = (octets: number): ReadonlyArray<string> => octets < 3 ? [] : [`Fill: ${name.repeat(octets / 3)}`]
      if (what < 2) {
        const headers = [
          `Message-ID: ${messageId}`,
          "Byte-Range: 1-10/10",
          "Status: 000 200 OK",
          ...fill(3 + one([0, 300, 4000, 4500, 7000]))
        ]
        return peer.write(request("REPORT", { id, to, from: uri, headers }))
      }
      const octets = what < 5 ? random(3000) : what < 8 ? one(MEDIUM) : 100_000 + random(400_000)
      const failureReport = one(["yes", "yes", "no", "partial"])
      const range = `1-${octets > 2048 ? "*" : octets}/${octets}`
      const flag = one(["$", "$", "$", "$", "#", "+"])
      party.rest = send({
        id,
        to,
        from: uri,
        messageId,
        failureReport,
        range,
        flag,
        headers: fill(one([0, 0, 4000])),
        body: bodyOf(messageId, octets)
      })
      if (octets < 20_000) act(party)
    }
    for (let i = 0; i < STEPS; i++) {
      const what = random(100)
      const peer = one(parties).peer
      if (what < 75) { for (let n = 1 + random(12); n > 0; n--) act(one(parties)) }
      else if (what < 80) peer.connection.pause()
      else if (what < 90) peer.connection.resume()
      else if (what < 91 && i > STEPS / 2) peer.connection.destroy()
      else if (what < 92 && i > STEPS / 2) network.cut(peer.connection)
      else if (what < 97) yield* TestClock.adjust(random(3000))
      else yield* TestClock.adjust(random(25_000))
      if (random(2) === 0) yield* network.settled
    }
    for (const { peer } of parties) if (!peer.isClosed) peer.connection.resume()
    yield* network.settled
    assert.deepStrictEqual(told, [])
    assert.isAbove(count.released, 50)
  })

describe("what is parked", () => {
  for (const seed of [1, 2, 3, 4]) {
    const isOdd = seed % 2 === 1
    simulated(
      {
        by: seed === 3 ? "ws" : "tcp",
        limits: {
          output: 20_000,
          session: isOdd ? 262_144 : 60_000,
          connection: seed === 4 ? 150_000 : 1_048_576,
          stall: 10,
          hold: 1
        }
      },
      {
        seed,
        shuffle: true,
        window: isOdd ? 4096 : 16_384,
        split: (available, random) => 1 + Math.floor(random() * Math.min(available, 16_384))
      }
    )(`is written as it came in, and nothing after what is missing (seed ${seed})`, played)
  }
})

it("a chunk that is not complete yet begins behind the parts of one that was refused, which have no end", () => {
  const octets = Buffer.alloc(1)
  const part = (stream: object): Parked => ({ kind: "part", octets, stream: stream as Stream })
  const end = (stream: object): Parked => ({
    kind: "end",
    stream: stream as Stream,
    flag: "$",
    answer: undefined,
    counted: 1
  })
  const [refused, open] = [{}, {}]
  assert.strictEqual(openFrom([part(refused), part(refused), part(open), part(open)]), 2)
  assert.strictEqual(openFrom([part(refused), end(refused), part(open)]), 2)
  assert.strictEqual(openFrom([part(open), end(open)]), 2)
  assert.strictEqual(openFrom([]), 0)
})
