import type * as Net from "node:net"
import { assert, it } from "vitest"
import { socketAddresses } from "../../src/transport/SocketAddresses.ts"

const ends = (localAddress: string | undefined, remoteAddress: string | undefined) =>
  socketAddresses({ localAddress, localPort: 1, remoteAddress, remotePort: 2 } as Net.Socket)

it.each([
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::ffff:c000:201", "192.0.2.1"],
  ["::FFFF:192.0.2.1", "192.0.2.1"],
  ["2001:db8::1", "2001:db8::1"],
  ["fe80::1%eth0", "fe80::1%eth0"]
])("%s is the address %s at either end", (address, host) => {
  assert.deepStrictEqual(ends(address, "::1"), { local: { host, port: 1 }, remote: { host: "::1", port: 2 } })
  assert.deepStrictEqual(ends("::1", address)?.remote, { host, port: 2 })
})

it("a socket whose peer has gone has none", () => {
  assert.isUndefined(ends(undefined, "192.0.2.1"))
  assert.isUndefined(ends("192.0.2.1", undefined))
})
