/** Addresses of the admin API as they are written. */
import { assert, it } from "@effect/vitest"
import { adminUrl, formatAdminAddress, MAX_SOCKET_PATH, parseAdminAddress } from "../../src/admin/Address.ts"

it("an address is read and written as it was", () => {
  for (const text of ["127.0.0.1:2857", "[::1]:2857", "relay.example.com:1", "/run/msrp-relay/admin.sock", "/a"]) {
    assert.strictEqual(formatAdminAddress(parseAdminAddress(text)!), text)
  }
})

it("what is no address is none", () => {
  const longest = `/${"x".repeat(MAX_SOCKET_PATH - 1)}`
  assert.isDefined(parseAdminAddress(longest))
  const bad = [
    "",
    "2857",
    ":2857",
    "localhost",
    "localhost:",
    "localhost:0",
    "localhost:65536",
    "::1:2857",
    "[::1]",
    "a b:1"
  ]
  for (const text of [...bad, "[localhost]:1", "a@b:1", "run/x.sock", "/run/", "/a\nb", `${longest}x`]) {
    assert.isUndefined(parseAdminAddress(text), text)
  }
})

it("who listens everywhere is reached on loopback", () => {
  const urlOf = (text: string) => adminUrl(parseAdminAddress(text)!)
  assert.strictEqual(urlOf("0.0.0.0:2857"), "http://127.0.0.1:2857")
  assert.strictEqual(urlOf("[::]:2857"), "http://[::1]:2857")
  assert.strictEqual(urlOf("relay.example.com:2857"), "http://relay.example.com:2857")
  assert.strictEqual(urlOf("/run/admin.sock"), "http://localhost")
})
