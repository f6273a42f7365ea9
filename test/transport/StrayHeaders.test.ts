import { assert, describe, it } from "vitest"
import { type Connection, ConnectionFacts } from "../../src/transport/Connection.ts"
import { StrayHeaders } from "../../src/transport/StrayHeaders.ts"
import { facts } from "./plain.ts"

describe("StrayHeaders", () => {
  it("looks at the first octets of a connection only, and passes on everything", () => {
    for (
      const [chunks, warnings] of [
        [["PROXY TCP4 192.0.2.7 198.51.100.1 4711 2855\r\n", "PROXY TCP4 "], 1],
        [["MSRP abcd SEND\r\n", "PROXY TCP4 192.0.2.7 198.51.100.1 4711 2855\r\n"], 0]
      ] as const
    ) {
      let warned = 0
      const got: Array<string | undefined> = []
      const strays = new StrayHeaders(() => warned++)
      const accept = strays.within(() => ({
        bytes: (chunk) => void got.push(chunk.toString()),
        closed: (failure) => void got.push(failure)
      }))
      const receiver = accept(new ConnectionFacts(facts) as Connection)
      for (const chunk of chunks) receiver.bytes(Buffer.from(chunk))
      receiver.closed("ECONNRESET")
      assert.deepStrictEqual([got, warned], [[...chunks, "ECONNRESET"], warnings])
    }
  })
})
