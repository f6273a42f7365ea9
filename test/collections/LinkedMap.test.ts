import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { LinkedMap } from "../../src/collections/LinkedMap.ts"

const entriesOf = <K, V>(map: LinkedMap<K, V>) => Array.from(map, ({ key, value }) => [key, value] as const)

describe("LinkedMap", () => {
  it.each([5, 20])("is a map of up to %i keys, which move to the end when they are set or touched", (most) => {
    const key = fc.integer({ min: 0, max: most })
    const commands = fc.array(
      fc.oneof(
        fc.record({ what: fc.constant("set" as const), key, value: fc.nat() }),
        fc.record({ what: fc.constantFrom("touch" as const, "delete" as const), key })
      ),
      { maxLength: 10 * most }
    )
    fc.assert(fc.property(commands, (all) => {
      const map = new LinkedMap<number, number>()
      // The same by a list.
      let list: Array<readonly [number, number]> = []
      for (const command of all) {
        const known = list.find(([one]) => one === command.key)
        const others = list.filter((one) => one !== known)
        if (command.what === "set") {
          map.set(command.key, command.value)
          list = [...others, [command.key, command.value]]
        } else if (command.what === "touch") {
          assert.strictEqual(map.touch(command.key), known?.[1])
          list = known === undefined ? others : [...others, known]
        } else {
          assert.strictEqual(map.delete(command.key), known !== undefined)
          list = others
        }
        assert.deepStrictEqual(entriesOf(map), list)
        assert.strictEqual(map.size, list.length)
        assert.strictEqual(map.first?.key, list[0]?.[0])
        assert.strictEqual(map.get(command.key), list.find(([one]) => one === command.key)?.[1])
        assert.strictEqual(map.has(command.key), list.some(([one]) => one === command.key))
      }
    }))
  })

  it.each([5, 20])("loses the entries of %i that were set or touched least recently when it is shortened", (most) => {
    const map = new LinkedMap<number, number>()
    for (let key = 0; key < most; key++) map.set(key, key)
    map.touch(0)
    map.shorten(most)
    assert.strictEqual(map.size, most)
    map.shorten(2)
    assert.deepStrictEqual(entriesOf(map), [[most - 1, most - 1], [0, 0]])
    map.shorten(0)
    assert.deepStrictEqual([map.size, map.first], [0, undefined])
  })

  it("may lose the entry at hand while it is walked", () => {
    const map = new LinkedMap<string, number>()
    for (const key of ["a", "b", "c", "d"]) map.set(key, 0)
    const seen: Array<string> = []
    for (const { key } of map) {
      seen.push(key)
      if (key < "c") map.delete(key)
    }
    assert.deepStrictEqual(seen, ["a", "b", "c", "d"])
    assert.deepStrictEqual(entriesOf(map).map(([key]) => key), ["c", "d"])
  })

  it("goes on behind the entry at hand when that becomes the last one, and comes to it again", () => {
    const map = new LinkedMap<string, number>()
    for (const key of ["a", "b", "c"]) map.set(key, 0)
    const seen: Array<string> = []
    for (const { key } of map) if (seen.push(key) === 1) map.touch(key)
    assert.deepStrictEqual(seen, ["a", "b", "c", "a"])
  })

  it("goes on while any of its entries are deleted", () => {
    const map = new LinkedMap<number, string>()
    for (let key = 0; key < 8; key++) map.set(key, "")
    const seen: Array<number> = []
    for (const { key } of map) {
      seen.push(key)
      // Those next to it, those before, the one at hand, and all that are left.
      const gone = new Map([[0, [1, 2]], [3, [0]], [4, [4]], [5, [6, 7]]]).get(key) ?? []
      for (const one of gone) map.delete(one)
    }
    assert.deepStrictEqual([seen, [...map].map(({ key }) => key)], [[0, 3, 4, 5], [3, 5]])
  })
})
