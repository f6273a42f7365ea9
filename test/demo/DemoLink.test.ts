import { assert, it } from "vitest"
import { demoLink } from "../../src/demo/DemoLink.ts"
import type { LocalSocket } from "../../src/Transport.ts"

const ws = (host: string, scheme: "msrp" | "msrps" = "msrp"): LocalSocket => ({
  scheme,
  transport: "ws",
  host,
  port: 81
})

it("the link is that of the first listener on loopback, by the name that people know", () => {
  const of = (...sockets: ReadonlyArray<LocalSocket>) => demoLink(sockets, undefined)
  assert.strictEqual(of({ scheme: "msrp", host: "127.0.0.1", port: 80 }, ws("127.0.0.1")), "http://localhost:81/")
  assert.strictEqual(of(ws("::1", "msrps")), "https://localhost:81/")
  assert.strictEqual(of(ws("0.0.0.0"), ws("127.0.0.2")), "http://127.0.0.2:81/")
  assert.strictEqual(of(ws("0.0.0.0")), undefined)
})

it("its fragment can be read again, whatever is in it", () => {
  const user = { username: "a&b=c ü", password: "#+%\"" }
  const link = demoLink([ws("127.0.0.1")], user)!
  const found = new URLSearchParams(new URL(link).hash.slice(1))
  assert.deepStrictEqual([found.get("user"), found.get("password")], [user.username, user.password])
  assert.match(link, /^[!-~]+$/)
})
