import { assert, it } from "vitest"
import { isSameHost } from "../../../src/transport/websocket/Handshake.ts"

it.each([
  ["https://chat.example", "chat.example:2857", true],
  ["https://evil.example", "chat.example", false],
  ["http://localhost:5173", "127.0.0.1:2857", true],
  ["http://localhost.:5173", "[::1]:2857", true],
  ["http://chat.localhost", "[::ffff:127.0.0.1]", true],
  ["http://localhost.evil.example", "localhost", false],
  ["http://localhost", "chat.example", false],
  ["null", "localhost", false]
])("a page of %s, for the host %s: %s", (origin, host, may) => {
  assert.strictEqual(isSameHost(origin, host), may)
})
