import { assert, describe, it, vi } from "@effect/vitest"
import * as fc from "fast-check"
import { createHash } from "node:crypto"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { Reassembly } from "../../src/client/Reassembly.ts"

setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as () => void

interface Chunk {
  readonly start: number
  readonly octets: Buffer
}

/** A message and a way to cut it into chunks that come in any order. */
const cutMessage = fc.record({
  body: fc.uint8Array({ maxLength: 400 }).map((octets) => Buffer.from(octets)),
  cuts: fc.array(fc.nat(400), { maxLength: 20 })
}).chain(({ body, cuts }) => {
  const at = [...new Set([0, ...cuts.filter((cut) => cut < body.length), body.length])].sort((a, b) => a - b)
  const chunks: Array<Chunk> = at.slice(0, -1).map((from, i) => ({
    start: from + 1,
    octets: body.subarray(from, at[i + 1])
  }))
  return fc.record({
    body: fc.constant(body),
    chunks: fc.shuffledSubarray(chunks, { minLength: chunks.length, maxLength: chunks.length }),
    endAfter: fc.nat(chunks.length)
  })
})

/** The simplest thing that can be right: one buffer, later writes win. */
const model = (chunks: ReadonlyArray<Chunk>, total: number): Buffer => {
  const all = Buffer.alloc(Math.max(total, ...chunks.map(({ octets, start }) => start - 1 + octets.length)))
  for (const { octets, start } of chunks) octets.copy(all, start - 1)
  return all.subarray(0, total)
}

describe("Reassembly", () => {
  it("R4975-7.3.1-04: any chunking in any order gives the same message", () => {
    fc.assert(fc.property(cutMessage, ({ body, chunks, endAfter }) => {
      const message = new Reassembly({ limit: 1000 })
      chunks.forEach((chunk, i) => {
        if (i === endAfter) message.end(body.length)
        assert.isFalse(message.complete)
        assert.isTrue(message.write(chunk.start, chunk.octets))
      })
      if (endAfter >= chunks.length) message.end(body.length)
      assert.isTrue(message.complete)
      assert.isTrue(message.body().equals(body))
      assert.strictEqual(message.held, body.length)
    }))
  })

  it("gives the same octets in order when they are drained, and holds only what comes too early", () => {
    fc.assert(fc.property(cutMessage, ({ body, chunks }) => {
      const drained: Array<Buffer> = []
      const message = new Reassembly({ limit: 1000, drain: (octets) => drained.push(Buffer.from(octets)) })
      let inOrder = 1
      const early = new Map(chunks.map((chunk) => [chunk.start, chunk]))
      const seen = new Set<number>()
      for (const chunk of chunks) {
        message.write(chunk.start, chunk.octets)
        seen.add(chunk.start)
        while (seen.has(inOrder)) {
          const next = early.get(inOrder)!
          seen.delete(inOrder)
          inOrder += next.octets.length
        }
        assert.strictEqual(Buffer.concat(drained).length, inOrder - 1)
        assert.strictEqual(message.held, [...seen].reduce((sum, start) => sum + early.get(start)!.octets.length, 0))
      }
      message.end(body.length)
      assert.isTrue(message.complete)
      assert.isTrue(Buffer.concat(drained).equals(body))
    }))
  })

  it("lets the later chunk win where chunks overlap, and forgets octets behind the end", () => {
    const overlapping = fc.array(
      fc.record({ start: fc.integer({ min: 1, max: 60 }), octets: fc.uint8Array({ minLength: 1, maxLength: 30 }) }),
      { minLength: 1, maxLength: 30 }
    )
    fc.assert(fc.property(overlapping, fc.integer({ min: 1, max: 80 }), fc.nat(30), (raw, total, endAfter) => {
      const chunks = raw.map(({ octets, start }) => ({ start, octets: Buffer.from(octets) }))
      const message = new Reassembly({ limit: 1000 })
      chunks.forEach((chunk, i) => {
        if (i === endAfter) message.end(total)
        assert.isTrue(message.write(chunk.start, chunk.octets))
      })
      message.end(total)
      const there = new Set(chunks.flatMap(({ octets, start }) => Array.from(octets, (_, i) => start + i)))
      const present = Array.from({ length: total }, (_, i) => there.has(i + 1))
      assert.strictEqual(message.complete, present.every(Boolean))
      assert.strictEqual(message.held, present.filter(Boolean).length)
      if (message.complete) assert.isTrue(message.body().equals(model(chunks, total)))
    }))
  })

  it("copies what it keeps", () => {
    const message = new Reassembly({ limit: 10 })
    const read = Buffer.from("abc")
    message.write(1, read)
    read.fill("x")
    message.end(3)
    assert.strictEqual(message.body().toString(), "abc")
  })

  it("R4975-14.5-01: refuses octets behind its limit, whatever number they claim, and keeps what it has", () => {
    const message = new Reassembly({ limit: 10 })
    assert.isTrue(message.write(1, Buffer.from("12345")))
    assert.isFalse(message.write(999_999_999_999, Buffer.from("x")))
    assert.isFalse(message.write(6, Buffer.from("678901")))
    assert.isTrue(message.write(6, Buffer.from("67890")))
    message.end(10)
    assert.strictEqual(message.body().toString(), "1234567890")
  })

  it("drains a message far longer than its limit, and refuses to hold more than that behind a gap", () => {
    const hash = createHash("sha256")
    const wanted = createHash("sha256")
    const message = new Reassembly({ limit: 100, drain: (octets) => hash.update(octets) })
    let at = 1
    for (let i = 0; i < 1000; i++) {
      const octets = Buffer.alloc(97, i)
      wanted.update(octets)
      assert.isTrue(message.write(at, octets))
      at += octets.length
    }
    assert.strictEqual(message.held, 0)
    assert.isTrue(message.write(at + 1, Buffer.alloc(100)))
    assert.isFalse(message.write(at + 101, Buffer.alloc(1)))
    message.end(at - 1)
    assert.isTrue(message.complete)
    assert.strictEqual(hash.digest("hex"), wanted.digest("hex"))
  })

  it("counts what a piece takes beside its octets, and nothing of what is in order", () => {
    const message = new Reassembly({ limit: 10_000_000 })
    for (let i = 0; i < 1000; i++) message.write(1 + i, Buffer.from("x"))
    assert.strictEqual(message.cost, 1000)
    for (let i = 0; i < 1000; i++) message.write(2000 + 2 * i, Buffer.from("x"))
    assert.deepStrictEqual([message.held, message.cost], [2000, 2000 + 1000 * 512])
  })

  it("keeps no memory of what was written over", () => {
    const octets = Buffer.alloc(1_048_576)
    collect()
    const before = process.memoryUsage().arrayBuffers
    const message = new Reassembly({ limit: 33_554_432 })
    // Each leaves the last octet of the one before.
    for (let i = 0; i < 64; i++) message.write(2, octets.subarray(i))
    collect()
    assert.strictEqual(message.held, octets.length)
    assert.isBelow(process.memoryUsage().arrayBuffers - before, 16 * octets.length)
  })

  it("does not copy what stays when the end of it is written over", () => {
    const long = new Reassembly({ limit: 33_554_432 })
    long.write(2, Buffer.alloc(16_777_216))
    const made = vi.spyOn(Buffer, "allocUnsafeSlow")
    for (let i = 0; i < 100; i++) long.write(16_777_217 + Math.floor(i / 2), Buffer.from("xy"))
    const octets = made.mock.calls.reduce((sum, [size]) => sum + size, 0)
    made.mockRestore()
    assert.isBelow(octets, 100_000_000)
  })

  it("bounds the number of separate pieces", () => {
    const message = new Reassembly({ limit: 10_000_000 })
    let taken = 0
    while (taken < 100_000 && message.write(1 + 2 * taken, Buffer.from("x"))) taken++
    assert.isBelow(taken, 100_000)
  })

  it("has an empty message whole at once", () => {
    const message = new Reassembly({ limit: 10 })
    message.end(0)
    assert.isTrue(message.complete)
    assert.strictEqual(message.body().length, 0)
  })
})
