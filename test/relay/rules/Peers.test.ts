import { assert, it } from "@effect/vitest"
import { parseUri } from "../../../src/protocol/Uri.ts"
import { Peers, type RelayPolicy } from "../../../src/relay/rules/Peers.ts"

const uri = (host: string, scheme = "msrps") => parseUri(`${scheme}://${host}:2856;tcp`)!

it("R4976-6.3-30 R4976-6.3-32 R4976-6.3-35: a relay has the name in its certificate, if the policy admits that name", () => {
  const admits = (policy: RelayPolicy, names: ReadonlyArray<string>, host: string): boolean =>
    new Peers(policy).proves(names, uri(host))
  assert.isTrue(admits("all", ["a.example.com"], "A.example.com"))
  assert.isTrue(admits("all", ["*.example.com"], "a.example.com"))
  assert.isFalse(admits("all", ["*.example.com"], "b.a.example.com"))
  assert.isFalse(admits("all", ["*.example.com"], "example.com"))
  assert.isFalse(admits("all", ["a.example.com"], "b.example.com"))
  assert.isFalse(admits("all", [], "a.example.com"))
  assert.isFalse(admits("none", ["a.example.com"], "a.example.com"))
  assert.isTrue(admits(["b.example.com", "a.example.com"], ["a.example.com"], "a.example.com"))
  assert.isTrue(admits(["*.example.com"], ["a.example.com"], "a.example.com"))
  assert.isTrue(admits("all", ["a.example.com", "2001:db8::1"], "[2001:db8:0::1]"))
  assert.isFalse(admits("all", ["*.0.2.1"], "192.0.2.1"))
  // To be on the list proves nothing.
  assert.isFalse(admits(["a.example.com"], ["b.example.com"], "a.example.com"))
  assert.isFalse(admits(["a.example.com"], ["*.example.com"], "b.example.com"))
  assert.isFalse(new Peers("all").proves(["a.example.com"], uri("a.example.com", "msrp")))
})

it("R4976-6.3-35: odd names in a certificate prove nothing but what they say", () => {
  const proves = (name: string, host: string): boolean => new Peers("all").proves([name], uri(host))
  for (
    const [name, host] of [["*.", "evil."], ["*.", "a."], ["*.com", "a.com"], ["*.com.", "a.com."], ["*", "a"]] as const
  ) {
    assert.isFalse(proves(name, host), `${name} ${host}`)
  }
  // The dot of the root says nothing, wherever it is.
  assert.isTrue(proves("a.example.com", "a.example.com."))
  assert.isTrue(proves("a.example.com.", "A.example.com"))
  assert.isTrue(proves("*.example.com.", "a.example.com."))
  assert.isTrue(new Peers(["A.example.com."]).proves(["a.example.com"], uri("a.example.com")))
})
