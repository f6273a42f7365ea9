import { assert, it } from "@effect/vitest"
import { parseUri } from "../../../src/protocol/Uri.ts"
import { Peers, RelayOwner, type RelayPolicy } from "../../../src/relay/rules/Peers.ts"

const uri = (host: string, scheme = "msrps") => parseUri(`${scheme}://${host}:2856;tcp`)!

it("R4976-6.3-30 R4976-6.3-32 R4976-6.3-35: a relay is who its certificate names, if the policy admits that name", () => {
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

it("R4976-6.3: sessions of a relay belong to its name, not to a connection", () => {
  const owner = new RelayOwner("A.example.com")
  assert.isTrue(owner.is("a.example.com"))
  assert.isFalse(owner.is("b.example.com"))
})
