import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { isIdent, sessionId, transactionId } from "../../src/protocol/Ident.ts"
import { parseUri } from "../../src/protocol/Uri.ts"

/** For each place, how often each character stood there. */
const census = (ids: ReadonlyArray<string>): ReadonlyArray<ReadonlyMap<string, number>> =>
  Array.from({ length: ids[0]!.length }, (_, place) => {
    const counts = new Map<string, number>()
    for (const id of ids) counts.set(id.charAt(place), (counts.get(id.charAt(place)) ?? 0) + 1)
    return counts
  })

// 32 characters at every place, all about equally often: 5 bits a place. 20,000 draws are 625 of each, deviation 25;
// a fair generator strays by 8 deviations less than once in 10^12 runs.
const assertFiveBitsAPlace = (ids: ReadonlyArray<string>): void => {
  for (const counts of census(ids)) {
    assert.strictEqual(counts.size, 32)
    for (const count of counts.values()) assert.isTrue(Math.abs(count - ids.length / 32) < 200, `${count}`)
  }
}

describe("transactionId", () => {
  const ids = Array.from({ length: 20_000 }, transactionId)

  it("R4975-7.1-01 R4975-9-04 is an ident of 16 lower-case letters and digits", () => {
    for (const id of ids) {
      assert.match(id, /^[a-z0-9]{16}$/)
      assert.isTrue(isIdent(id))
    }
  })

  it("R4975-7.1-01 has 80 random bits and never comes twice", () => {
    assert.strictEqual(new Set(ids).size, ids.length)
    assertFiveBitsAPlace(ids)
  })

  it("R4975-7.1-01 shares no half with another one", () => {
    // a pool that is refilled too late, or read with overlap, repeats octets
    const halves = ids.slice(0, 2000).flatMap((id) => [id.slice(0, 8), id.slice(8)])
    assert.strictEqual(new Set(halves).size, halves.length)
  })
})

describe("sessionId", () => {
  const ids = Array.from({ length: 20_000 }, sessionId)

  it("R4975-14.1-01 R4976-6.3-05 has 120 random bits and never comes twice", () => {
    assert.strictEqual(new Set(ids).size, ids.length)
    for (const id of ids) assert.strictEqual(id.length, 24)
    assertFiveBitsAPlace(ids)
  })

  it("R4975-9-51 stands in a URI as it is", () => {
    const id = sessionId()
    assert.strictEqual(parseUri(`msrps://h:1/${id};tcp`)?.sessionId, id)
  })
})

describe("isIdent", () => {
  it("R4975-9-04 R4975-9-30 wants 4 to 32 characters", () => {
    for (const [length, expected] of [[0, false], [3, false], [4, true], [32, true], [33, false]] as const) {
      assert.strictEqual(isIdent("a".repeat(length)), expected, `${length}`)
    }
  })

  it("R4975-9-05 R4975-9-30 begins with a letter or digit", () => {
    for (const first of ".-+%=_~/: ") assert.isFalse(isIdent(`${first}abc`), first)
    for (const id of ["a.-+%=", "9bcd", "ABCD"]) assert.isTrue(isIdent(id), id)
    for (const bad of "_~/:; ä\u0000\n") assert.isFalse(isIdent(`abcd${bad}`), bad)
  })

  it("property: is what the grammar says", () => {
    const octet = fc.oneof(fc.constantFrom(..."azAZ09.-+%=".split("")), fc.constantFrom("_", " ", "~", "\n", "é"))
    const nearly = fc.string({
      unit: fc.oneof({ weight: 40, arbitrary: fc.constantFrom("a", "9", "=") }, octet),
      maxLength: 36
    })
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), nearly), (text) => {
        const octets = text.split("")
        const legal = octets.every((one, place) =>
          (one >= "a" && one <= "z") || (one >= "A" && one <= "Z") || (one >= "0" && one <= "9") ||
          (place > 0 && ".-+%=".includes(one))
        )
        assert.strictEqual(isIdent(text), legal && octets.length >= 4 && octets.length <= 32)
      }),
      { numRuns: 1000 }
    )
  })
})
