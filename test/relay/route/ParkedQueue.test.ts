import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { assert, it } from "vitest"
import type { Parked } from "../../../src/relay/route/Parked.ts"
import { ParkedQueue } from "../../../src/relay/route/ParkedQueue.ts"

const part = (name: string) => ({ kind: "part", octets: Buffer.from(name) }) as Parked
const nameOf = (one: Parked): string => one.kind === "part" ? one.octets.toString() : one.kind

it("gives what is parked in order, however many were written before and however many come meanwhile", () => {
  const queue = new ParkedQueue()
  const given: Array<string> = []
  for (let i = 0; i < 3000; i++) {
    queue.push(part(String(i)))
    if (i % 3 === 0) continue
    given.push(nameOf(queue.first))
    queue.shift()
  }
  const rest = queue.takeAll().map(nameOf)
  assert.lengthOf(rest, 1000)
  assert.deepStrictEqual([...given, ...rest], Array.from({ length: 3000 }, (_, i) => String(i)))
})

it("is empty when the last was written or all were taken, and then nothing of it counts as written", () => {
  const queue = new ParkedQueue()
  for (const empties of [() => queue.shift(), () => void queue.takeAll()]) {
    assert.isTrue(queue.isEmpty)
    queue.push(part("one"))
    queue.written = 2
    assert.isFalse(queue.isEmpty)
    empties()
    assert.deepStrictEqual([queue.isEmpty, queue.written], [true, 0])
  }
  assert.lengthOf(queue.takeAll(), 0)
})

it("begins with the next item when the first one was written", () => {
  const queue = new ParkedQueue()
  queue.push(part("first"))
  queue.push(part("second"))
  queue.written = 3
  queue.shift()
  assert.deepStrictEqual([nameOf(queue.first), queue.written], ["second", 0])
})

it("keeps nothing in memory of what was written, while more waits", async () => {
  setFlagsFromString("--expose-gc")
  const gc = runInNewContext("gc") as () => void
  const queue = new ParkedQueue()
  const written = Array.from({ length: 100 }, (_, i) => {
    const one = part(String(i))
    queue.push(one)
    return new WeakRef(one)
  })
  queue.push(part("last"))
  for (let i = 0; i < written.length; i++) queue.shift()
  // References are strong until the task ends in which they were made.
  await new Promise((resolve) => setImmediate(resolve))
  gc()
  assert.strictEqual(nameOf(queue.first), "last")
  assert.lengthOf(written.filter((one) => one.deref() !== undefined), 0)
})
