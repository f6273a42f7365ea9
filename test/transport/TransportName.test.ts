import { assert, it } from "@effect/vitest"
import { transportName } from "../../src/transport/TransportName.ts"

it("there is a word for each transport, with TLS and without", () => {
  const words = (["tcp", "ws"] as const).flatMap((transport) =>
    [false, true].map((secure) => transportName({ transport, secure }))
  )
  assert.deepStrictEqual(words, ["tcp", "tls", "ws", "wss"])
})
