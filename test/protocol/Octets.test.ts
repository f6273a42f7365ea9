import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { printable } from "../../src/logging/Printable.ts"
import { Decoder, type FrameSink } from "../../src/protocol/Decoder.ts"
import { parseAuthorization } from "../../src/protocol/digest/Authorization.ts"
import { defaultFrameLimits } from "../../src/protocol/FrameLimits.ts"
import { Head } from "../../src/protocol/Head.ts"
import { keepBoth, keepMore, keepOctets, keepText, ownText } from "../../src/protocol/Octets.ts"
import { parsePath } from "../../src/protocol/Uri.ts"
import { type Peer, request, send, type World } from "../support/harness.ts"
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

  it("has room where more of it comes, and little", () => {
    let kept = keepOctets(Buffer.from("MSRP"))
    let copied = 0
    for (let i = 0; i < 10_000; i++) {
      const more = keepMore(kept, Buffer.from([i]))
      if (more.buffer !== kept.buffer) copied++
      kept = more
    }
    assert.deepStrictEqual([kept.length, kept[4], kept.at(-1)], [10_004, 0, 9999 % 256])
    assert.isBelow(copied, 100)
    assert.isBelow(kept.buffer.byteLength, 1.2 * kept.length)
  })

  it("is the same text, whatever is in it", () => {
    for (const text of ["", "msrp://a.example:2855/s;tcp", "\0\xFF", "Zo\u0137"]) {
      assert.strictEqual(ownText(text), text)
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

  it("R4976-9.3-06: of a header holds no more, whatever else stands in the frame", () => {
    const head = new Head()
    /** Octets of the heap that are in use. */
    const heap = (): number => {
      collect()
      collect()
      return process.memoryUsage().heapUsed
    }
    const keep = (i: number) => {
      const uri = `msrps://h${i}.example.com:2855/${"s".repeat(40)};tcp`
      const frame = request("AUTH", {
        to: uri,
        from: `${uri} msrps://relay.example.com:2855/${"x".repeat(2000)};tcp`,
        headers: [
          `X: ${"x".repeat(8000)}`,
          `Authorization: Digest username="somebody with a name ${i}", realm="example.com", nonce="${
            "n".repeat(60)
          }", ` +
          `nc=00000001, cnonce="0a4f113b", response="${"0".repeat(64)}", algorithm=SHA-256, qop=auth`
        ]
      })
      head.read(frame, 0, frame.length, defaultFrameLimits, undefined)
      const parsed = parseAuthorization(head.header("Authorization")!)
      assert(parsed._tag === "Authorization")
      const { nonce, username } = parsed.authorization
      return {
        nonce,
        username,
        user: printable(`${username}${"u".repeat(8000)}`),
        uri: parsePath(head.fromPath, 16)![0]
      }
    }
    keep(0)
    const kept: Array<object> = []
    for (const name of ["nonce", "username", "user", "uri"] as const) {
      const before = heap()
      kept.push(Array.from({ length: KEPT }, (_, i) => keep(i)[name]))
      assert.isBelow(heap() - before, KEPT * 1000, name)
    }
    assert.lengthOf(kept, 4)
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
