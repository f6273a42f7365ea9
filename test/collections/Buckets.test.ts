import { assert, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Buckets } from "../../src/collections/Buckets.ts"

it("is a map, whatever is set and deleted", () => {
  const key = fc.string({ maxLength: 2, unit: fc.constantFrom("a", "b", "\u{fc}") })
  const step = fc.record({ deletes: fc.boolean(), key, value: fc.nat() })
  fc.assert(fc.property(fc.integer({ min: 1, max: 8 }), fc.array(step), (count, steps) => {
    const buckets = new Buckets<number>(count)
    const map = new Map<string, number>()
    for (const { deletes, key, value } of steps) {
      if (deletes) assert.strictEqual(buckets.delete(key), map.delete(key))
      else {
        buckets.set(key, value)
        map.set(key, value)
      }
      assert.deepStrictEqual([buckets.size, buckets.get(key), buckets.has(key)], [map.size, map.get(key), map.has(key)])
    }
    const all = Array.from({ length: buckets.count }, (_, index) => [...buckets.at(index)]).flat()
    assert.sameMembers(all, [...map.values()])
  }))
})

it("spreads keys over its buckets", () => {
  const buckets = new Buckets<number>(16)
  for (let i = 0; i < 1600; i++) buckets.set(`user${i}`, i)
  for (let index = 0; index < 16; index++) {
    const { length } = [...buckets.at(index)]
    assert.isTrue(length > 50 && length < 200, `${length} in bucket ${index}`)
  }
})
