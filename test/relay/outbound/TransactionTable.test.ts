/** The transactions of a connection, found by the octets of an answer. */
import { assert, beforeEach, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { transactionId } from "../../../src/protocol/Ident.ts"
import { NO_ORIGIN } from "../../../src/relay/outbound/Origin.ts"
import { Transaction } from "../../../src/relay/outbound/Transaction.ts"
import { TransactionTable } from "../../../src/relay/outbound/TransactionTable.ts"

describe("TransactionTable", () => {
  let table: TransactionTable
  beforeEach(() => {
    table = new TransactionTable()
  })

  const make = (id: string): Transaction => new Transaction(undefined as never, id, NO_ORIGIN, "every failure")
  const find = (id: string): Transaction | undefined => table.find(Buffer.from(`MSRP ${id} 200`), 5, 5 + id.length)

  it("finds an id among others that differ in one place, and none that is a part of it", () => {
    const ids = ["abcdefgh", "abcdefgx", "xbcdefgh", "abcdef", "abc"]
    const all = ids.map(make)
    for (const one of all) table.add(one)
    for (const [i, id] of ids.entries()) assert.strictEqual(find(id), all[i])
    for (const other of ["abcdefgh1", "abcdefg", "bcdefgh", "abcd", "ab", ""]) assert.isUndefined(find(other), other)
    table.remove(all[0]!)
    assert.isUndefined(find("abcdefgh"))
    assert.strictEqual(find("abcdefgx"), all[1])
  })

  it("finds none for another id with the same hash", () => {
    // 31 · "a" + "O" = 31 · "b" + "0".
    table.add(make("aOcdefgh"))
    assert.isUndefined(find("b0cdefgh"))
    assert.isDefined(find("aOcdefgh"))
  })

  it("lets go of the others with one that is removed, because its caller may keep it", () => {
    // All three are in one list.
    const all = ["aaaaaaa", "aaaaaab", "aaaaaac"].map(make)
    for (const one of all) table.add(one)
    const [first, middle, last] = all as [Transaction, Transaction, Transaction]
    for (const one of [middle, last, first]) {
      table.remove(one)
      assert.deepStrictEqual([one.sibling, one.earlier, one.later], [undefined, undefined, undefined])
    }
  })

  it("finds nothing when it is empty, and removes nothing that is not there", () => {
    assert.isUndefined(find("abcd"))
    const [there, same] = [make("abcd"), make("abcd")]
    table.add(there)
    assert.isFalse(table.remove(same))
    assert.isTrue(table.remove(there))
    assert.isFalse(table.remove(there))
    assert.strictEqual(table.size, 0)
  })

  it("has what was added and not removed, whatever the order", () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat()), { maxLength: 400 }), (steps) => {
      table = new TransactionTable()
      const model = new Map<string, Transaction>()
      for (const [adds, which] of steps) {
        const all = [...model.values()]
        if (adds || all.length === 0) {
          const one = make(transactionId())
          table.add(one)
          model.set(one.id, one)
        } else {
          const one = all[which % all.length]!
          assert.isTrue(table.remove(one))
          model.delete(one.id)
          assert.isUndefined(find(one.id))
        }
        assert.strictEqual(table.size, model.size)
      }
      assert.deepStrictEqual(new Set([...table].map(({ id }) => id)), new Set(model.keys()))
      for (const [id, one] of model) assert.strictEqual(find(id), one)
    }))
  })

  it("has lists for a crowd, and few again when it has gone", () => {
    const all = Array.from({ length: 5000 }, () => make(transactionId()))
    const longest = (): number => {
      let most = 0
      for (const one of table) {
        let length = 1
        for (let next = one.sibling; next !== undefined; next = next.sibling) length++
        most = Math.max(most, length)
      }
      return most
    }
    for (const one of all) table.add(one)
    assert.isAtLeast(table.lists, all.length)
    assert.isBelow(longest(), 16)
    for (const one of all) {
      table.remove(one)
      assert.isAtLeast(table.lists, table.size)
    }
    assert.strictEqual(table.lists, 64)
  })
})
