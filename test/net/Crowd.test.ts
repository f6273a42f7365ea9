import { assert, it } from "@effect/vitest"
import { Crowd } from "../../src/net/Crowd.ts"
import { networkOf } from "../../src/net/Network.ts"

it("R4976-6.5-03 R4976-9.3-06: the oldest of the address that has most goes first", () => {
  const crowd = new Crowd<string>(networkOf)
  crowd.add("192.0.2.1", "first of all")
  for (let i = 0; i < 3; i++) crowd.add("192.0.2.66", `flood ${i}`)
  crowd.add("192.0.2.2", "last")
  assert.strictEqual(crowd.size, 5)
  assert.strictEqual(crowd.takeFirst(), "flood 0")
  assert.strictEqual(crowd.takeFirst(), "flood 1")
  // Nobody has more than others now.
  assert.strictEqual(crowd.takeFirst(), "first of all")
  crowd.delete("192.0.2.2", "last")
  crowd.delete("192.0.2.2", "last")
  assert.strictEqual(crowd.size, 1)
  assert.strictEqual(crowd.takeFirst(), "flood 2")
  assert.isUndefined(crowd.takeFirst())
  assert.strictEqual(crowd.size, 0)
})

it("R4976-9.3-06: addresses take turns, and one that comes again is behind all that wait", () => {
  const crowd = new Crowd<string>(networkOf)
  for (let i = 0; i < 3; i++) crowd.add(`2001:db8::${i}`, `flood ${i}`)
  for (let i = 0; i < 2; i++) crowd.add("192.0.2.1", `two ${i}`)
  const taken = [crowd.takeNext(), crowd.takeNext()]
  crowd.add("192.0.2.2", "late")
  crowd.add("2001:db8::3", "flood 3")
  for (let next = crowd.takeNext(); next !== undefined; next = crowd.takeNext()) taken.push(next)
  assert.deepStrictEqual(taken, ["flood 0", "two 0", "flood 1", "two 1", "late", "flood 2", "flood 3"])
  assert.deepStrictEqual([crowd.size, crowd.most], [0, 0])
})
