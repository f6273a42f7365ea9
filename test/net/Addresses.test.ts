import { assert, it } from "@effect/vitest"
import * as fc from "fast-check"
import { canonicalAddress, machineAddresses } from "../../src/net/Addresses.ts"

it("an address has one form, whatever it is wrapped into", () => {
  for (
    const [address, canonical] of [
      ["192.0.2.1", "192.0.2.1"],
      ["0.0.0.0", "127.0.0.1"],
      ["::", "::1"],
      ["0:0::0", "::1"],
      ["::1", "::1"],
      ["::2", "0.0.0.2"],
      ["::ffff:192.0.2.1", "192.0.2.1"],
      ["::FFFF:c000:0201", "192.0.2.1"],
      ["::ffff:0:192.0.2.1", "192.0.2.1"],
      ["::192.0.2.1", "192.0.2.1"],
      ["64:ff9b::192.0.2.1", "192.0.2.1"],
      ["64:ff9b:1::192.0.2.1", "192.0.2.1"],
      ["2002:c000:201:9::9", "192.0.2.1"],
      ["2001:DB8:0:0::1", "2001:db8::1"],
      ["64:ff9b:2::192.0.2.1", "64:ff9b:2::c000:201"],
      ["fe80::1%eth0", "fe80::1"],
      ["::ffff:0.0.0.0%lo", "127.0.0.1"],
      ["a.example", "a.example"],
      ["", ""]
    ] as const
  ) {
    assert.strictEqual(canonicalAddress(address), canonical, address)
  }
})

it("the canonical form of an address is its own", () => {
  fc.assert(fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()), (address) => {
    const canonical = canonicalAddress(address)
    assert.strictEqual(canonicalAddress(canonical), canonical)
  }))
})

it("a machine has addresses", () => assert.include(machineAddresses(), "127.0.0.1"))
