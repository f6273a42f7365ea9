import { assert, describe, it } from "@effect/vitest"
import { ConnectionLoad } from "../../../src/relay/outbound/ConnectionLoad.ts"
import { OutputLoads } from "../../../src/relay/OutputLoads.ts"
import { Totals } from "../../../src/relay/Totals.ts"

const user = () => new OutputLoads({ relay: 1000 }).ofUser({ realm: "example.com", username: "alice" })

describe("ConnectionLoad", () => {
  it("counts output and kept octets for the relay and for the first user, also those from before", () => {
    const totals = new Totals()
    const load = new ConnectionLoad(totals)
    const [alice, bob] = [user(), user()]
    load.waits(300)
    load.keeps(100)
    load.countsFor(() => alice)
    load.countsFor(() => bob)
    load.waits(-100)
    load.keeps(500)
    assert.deepStrictEqual([totals.queuedOctets, alice.octets, alice.kept, bob.octets, bob.kept], [200, 200, 500, 0, 0])
  })

  it("counts nothing of a connection that is gone, and nothing for whom it would belong to later", () => {
    const totals = new Totals()
    const load = new ConnectionLoad(totals)
    const [alice, bob] = [user(), user()]
    load.countsFor(() => alice)
    load.waits(300)
    load.keeps(500)
    load.close()
    load.countsFor(() => bob)
    assert.deepStrictEqual([totals.queuedOctets, alice.octets, alice.kept, bob.octets, bob.kept], [0, 0, 0, 0, 0])
  })

  it("is that of nobody once it is gone: a user who would come then has no connection more", () => {
    const loads = new OutputLoads({ relay: 1000 })
    const load = new ConnectionLoad(new Totals())
    load.close()
    load.countsFor(() => loads.ofUser({ realm: "example.com", username: "alice" }))
    assert.strictEqual(loads.size, 0)
  })

  it("may keep fewer octets than before, however many are kept on all connections", () => {
    const load = new ConnectionLoad(new Totals())
    const alice = user()
    load.countsFor(() => alice)
    assert.isTrue(load.keeps(50_000))
    alice.kept += 100_000_000
    assert.isFalse(load.keeps(50_001))
    assert.isTrue(load.keeps(50_000))
    assert.isFalse(load.keeps(50_002))
  })
})
