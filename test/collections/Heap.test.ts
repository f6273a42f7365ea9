import { assert, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Heap, type Ranked } from "../../src/collections/Heap.ts"

it("the first entry has the lowest rank, whatever is added, moved and deleted", () => {
  fc.assert(fc.property(
    fc.array(
      fc.record({ what: fc.constantFrom("add", "add", "move", "delete"), which: fc.nat(), rank: fc.nat(1000) }),
      {
        minLength: 60,
        maxLength: 200
      }
    ),
    (steps) => {
      const heap = new Heap<number>()
      const held: Array<Ranked<number>> = []
      for (const [n, { rank, what, which }] of steps.entries()) {
        if (what === "add") held.push(heap.add(n, rank))
        else if (held.length > 0 && what === "move") heap.move(held[which % held.length]!, rank)
        else if (held.length > 0) heap.delete(held.splice(which % held.length, 1)[0]!)
        assert.strictEqual(heap.size, held.length)
        assert.strictEqual(heap.first?.rank, held.length === 0 ? undefined : Math.min(...held.map((one) => one.rank)))
      }
      // Each entry comes out once, in the order of ranks.
      const ranks: Array<number> = []
      for (let { first } = heap; first !== undefined; { first } = heap) {
        assert.isTrue(held.splice(held.indexOf(first), 1)[0] === first)
        ranks.push(first.rank)
        heap.delete(first)
      }
      assert.deepStrictEqual(ranks, ranks.toSorted((a, b) => a - b))
      assert.lengthOf(held, 0)
    }
  ))
})
