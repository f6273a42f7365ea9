import { assert, describe, it } from "@effect/vitest"
import { MAX_KINDS } from "../../src/relay/SessionRecord.ts"
import { recordOf } from "../support/records.ts"

describe("SessionRecord", () => {
  it("says of each kind of failure whether it is the first", () => {
    const record = recordOf("id")
    assert.isUndefined(record.kinds)
    assert.deepStrictEqual(["a", "b", "a", "a"].map((kind) => record.failed(kind)), [true, true, false, false])
    assert.deepStrictEqual([...record.kinds!], [["a", 3], ["b", 1]])
    assert.strictEqual(record.failures, 4)
  })

  it("tells so many kinds apart, and counts the others as one", () => {
    const record = recordOf("id")
    const first = Array.from({ length: 3 * MAX_KINDS }, (_, i) => record.failed(`kind ${i}`))
    assert.lengthOf(first.filter((one) => one), MAX_KINDS + 1)
    assert.strictEqual(record.kinds!.size, MAX_KINDS + 1)
    assert.strictEqual(record.kinds!.get("others"), 2 * MAX_KINDS)
    assert.strictEqual(record.failures, 3 * MAX_KINDS)
  })
})
