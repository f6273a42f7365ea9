import { assert, it } from "@effect/vitest"
import { Crowd } from "../../src/net/Crowd.ts"
import { networkOf } from "../../src/net/Network.ts"

it("R4976-9.3-08: whoever has one IPv6 address has all of its network", () => {
  for (const address of ["2001:db8:0:7::1", "2001:DB8:0:7:ffff:ffff:ffff:ffff", "2001:db8::7:0:0:0:2%eth0"]) {
    assert.strictEqual(networkOf(address), "2001:db8:0:7::/64", address)
  }
  assert.notStrictEqual(networkOf("2001:db8:0:8::1"), networkOf("2001:db8:0:7::1"))
  for (const address of ["192.0.2.1", "a.example", ""]) assert.strictEqual(networkOf(address), address)
})

it("R4976-6.5-03: those of one network go first, whatever addresses they have", () => {
  const crowd = new Crowd<number>(networkOf)
  crowd.add("2001:db8:1::1", 0)
  for (let i = 1; i < 5; i++) crowd.add(`2001:db8:2::${i}`, i)
  assert.strictEqual(crowd.takeFirst(), 1)
  crowd.delete("2001:db8:2::2", 2)
  assert.strictEqual(crowd.takeFirst(), 3)
  assert.strictEqual(crowd.size, 2)
})
