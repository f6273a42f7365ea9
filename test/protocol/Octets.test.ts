import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { Decoder, type FrameSink } from "../../src/protocol/Decoder.ts"
import { keepBoth, keepOctets, keepText } from "../../src/protocol/Octets.ts"
import { type Peer, send, type World } from "../support/harness.ts"
import { type Body, simulated } from "../support/simulated.ts"

setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as () => void

/** Octets in use of the memory that buffers have. */
const inUse = (): number => {
  // What the first time finds unused is given back before the second.
  collect()
  collect()
  return process.memoryUsage().arrayBuffers
}

const KEPT = 300
/** What others do meanwhile, and keep nothing of: as much as buffers share. */
const others = (): void => {
  for (let octets = 0; octets < Buffer.poolSize; octets += 1024) Buffer.from("x".repeat(1024))
}

/** A share of what it would be if each of those that are kept held all that it was cut from. */
const BOUND = KEPT * Buffer.poolSize / 8

const scenario = (title: string, body: Body): void => simulated()(title, body)

/** What the parties were sent is theirs. */
const keeps = Effect.fnUntraced(function*(world: World, parties: ReadonlyArray<Peer>, act: (i: number) => void) {
  yield* world.network!.settled
  const before = inUse()
  for (let i = 0; i < KEPT; i++) {
    act(i)
    yield* world.network!.settled
    for (const { frames } of parties) frames.length = 0
    others()
  }
  assert.isBelow(inUse() - before, BOUND)
})

describe("what is kept", () => {
  it("has memory of its own", () => {
    const octets = Buffer.from("MSRP")
    for (const kept of [keepOctets(octets), keepText("MSRP"), keepBoth(octets.subarray(0, 2), octets.subarray(2))]) {
      assert.deepStrictEqual([kept.toString(), kept.buffer.byteLength], ["MSRP", 4])
    }
  })

  it("of a frame that is not whole holds no more", () => {
    const sink: FrameSink = { frame: () => true, chunkStart() {}, chunkBody() {}, chunkEnd() {}, broken() {} }
    const before = inUse()
    const decoders = Array.from({ length: KEPT }, () => {
      const decoder = new Decoder(sink)
      decoder.push(Buffer.from("MSRP a786hjs2 SE"))
      others()
      return decoder
    })
    assert.isBelow(inUse() - before, BOUND)
    assert.strictEqual(decoders.length, KEPT)
  })

  scenario("R4976-9.3-06: for a receiver that does not answer holds no more", (world) =>
    Effect.gen(function*() {
      const { alice, bob, bobUri } = yield* world.pair()
      const message = { to: `${alice.usePath} ${bobUri}`, from: alice.uri }
      // As much as may be on its way to him.
      for (let i = 0; i < 3; i++) alice.peer.write(send({ ...message, body: "x".repeat(60_000) }))
      yield* keeps(world, [alice.peer, bob], () => alice.peer.write(send(message)))
      assert.isAbove(world.relay.gauges().parkedOctets, 100 * KEPT)
    }))

  scenario("R4976-9.3-06: of paths holds no more", (world) =>
    Effect.gen(function*() {
      const { alice, bob, bobUri } = yield* world.pair()
      yield* keeps(world, [alice.peer, bob], (i) => {
        alice.peer.write(
          send({
            to: `${alice.usePath} ${bobUri}`,
            from: `${alice.uri} msrp://x${i}.invalid:9/s;tcp`,
            failureReport: "no"
          })
        )
      })
    }))
})
