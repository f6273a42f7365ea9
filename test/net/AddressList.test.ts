import { assert, it } from "@effect/vitest"
import { isAddressOrNetwork, within } from "../../src/net/AddressList.ts"

it("an entry is an address, or a network with as many bits as its family has at most", () => {
  for (const one of ["192.0.2.7", "0.0.0.0/0", "192.0.2.7/32", "2001:db8::7", "::/0", "2001:db8::/128"]) {
    assert.isTrue(isAddressOrNetwork(one), one)
  }
  const wrong = [
    "",
    "/8",
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/8/8",
    "10.0.0/8",
    "::/129",
    "[::1]",
    "a.example"
  ]
  for (const one of wrong) assert.isFalse(isAddressOrNetwork(one), one)
})

it("an address is in a list in whatever form it is written, and nothing else is", () => {
  const isIn = within(["192.0.2.7", "10.0.0.0/8", "2001:DB8:0::7", "fd00::/8"])
  for (const one of ["192.0.2.7", "10.255.0.1", "2001:db8::7", "2001:0db8::0007", "fdff::1"]) {
    assert.isTrue(isIn(one), one)
  }
  for (const one of ["192.0.2.8", "11.0.0.1", "2001:db8::8", "fe80::1%eth0", "", "a.example"]) {
    assert.isFalse(isIn(one), one)
  }
  assert.isTrue(within(["fe80::/10"])("fe80::1%eth0"))
  assert.isFalse(within([])("192.0.2.7"))
})
