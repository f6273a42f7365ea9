import { assert, describe, it } from "@effect/vitest"
import {
  fromOctets,
  ha1,
  type Proof,
  response,
  rspauth,
  sameDigest,
  toOctets
} from "../../../src/protocol/digest/Digest.ts"
import { vectors } from "./vectors.ts"

describe("digests", () => {
  it.each(vectors)("R4976-9.1-10 -11 -12 -13 R7616-3.2-01 $algorithm $cnonce", (vector) => {
    const proof: Proof = vector
    assert.strictEqual(ha1(vector.algorithm, vector.username, vector.realm, vector.password), vector.ha1)
    assert.strictEqual(response(proof), vector.response)
    assert.strictEqual(rspauth(proof), vector.rspauth)
  })

  it("R7616-3.4-03 hashes the UTF-8 octets of composed text", () => {
    const known = "db83ce300077cb06d342c78577f6f151"
    assert.strictEqual(ha1("MD5", "J\u00e4s\u00f8n", "example.org", "p\u00e4ss"), known)
    assert.strictEqual(ha1("MD5", "Ja\u0308s\u00f8n", "example.org", "pa\u0308ss"), known)
    assert.strictEqual(fromOctets(toOctets("Ja\u0308s\u00f8n")), "J\u00e4s\u00f8n")
  })

  it("R7616-3.4-04 compares whole digests, in either case of the digits", () => {
    assert.isTrue(sameDigest("0aff", "0AFF"))
    for (const other of ["0afe", "0aff0", "0af", "", "0af\u0130"]) assert.isFalse(sameDigest("0aff", other))
  })
})
