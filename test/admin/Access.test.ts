/** Which requests go no further, whoever they are from: the rules alone. */
import { assert, it } from "@effect/vitest"
import { refusalOf } from "../../src/admin/Access.ts"

const status = (headers: Record<string, string>, hosts: "any" | ReadonlyArray<string> = [], method = "GET") =>
  refusalOf({ headers, method }, hosts)?.status ?? 200

it("a request is for a name of loopback, or for one that is configured", () => {
  for (
    const host of ["localhost", "LocalHost:1", "127.0.0.1:2857", "127.1.2.3", "[::1]", "[::1]:2857", "a.localhost"]
  ) {
    assert.strictEqual(status({ host }), 200, host)
  }
  for (const host of ["", ":2857", "evil.example", "127.0.0.1.evil.example", "[::2]", "192.0.2.1", "localhost@evil"]) {
    assert.strictEqual(status({ host }), 403, host)
    assert.strictEqual(status({ host }, "any"), 200, host)
  }
  // Only HTTP/1.0 may do without a Host, and no browser speaks that.
  assert.strictEqual(status({}), 200)
  assert.strictEqual(status({}, "any"), 200)
  for (const origin of ["null", "http://localhost"]) assert.strictEqual(status({ origin }), 403, origin)
  assert.strictEqual(status({ host: "Relay.example.com:2857" }, ["relay.example.com"]), 200)
  assert.strictEqual(status({ host: "[2001:DB8:0::1]:2857" }, ["2001:db8::1"]), 200)
})

it("an origin is that of the host, whatever its scheme, since a proxy may do TLS", () => {
  const of = (origin: string, host = "localhost:2857") => status({ host, origin }, "any", "POST")
  assert.strictEqual(of("http://localhost:2857"), 200)
  assert.strictEqual(of("https://relay.example.com", "relay.example.com"), 200)
  for (const origin of ["http://localhost", "http://localhost:28570", "null", "", "http://evil.example:2857"]) {
    assert.strictEqual(of(origin), 403, origin)
  }
})
