import { assert, describe, it } from "@effect/vitest"
import { parseAuthorization } from "../../../src/protocol/digest/Authorization.ts"
import { toOctets } from "../../../src/protocol/digest/Digest.ts"

describe("parseAuthorization", () => {
  const base = {
    username: "\"alice\"",
    realm: "\"intra.example.com\"",
    nonce: "\"8f2c6b0e5d3a49c1b7e0a4d2f6c81350\"",
    qop: "auth",
    nc: "00000001",
    cnonce: "\"0a4f113bQe\"",
    response: "\"0d7cf0bf94dd72c8ebe0295c74e7e6d4\""
  }
  const header = (changes: Record<string, string | undefined>) =>
    "Digest " +
    Object.entries({ ...base, ...changes }).filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}=${value}`).join(", ")
  const parse = (changes: Record<string, string | undefined>) => {
    const parsed = parseAuthorization(header(changes))
    return parsed._tag === "Authorization" ? parsed.authorization : parsed._tag
  }

  it("reads everything, with MD5 when there is no algorithm", () => {
    assert.deepStrictEqual(parse({}), {
      username: "alice",
      realm: "intra.example.com",
      nonce: "8f2c6b0e5d3a49c1b7e0a4d2f6c81350",
      nc: "00000001",
      cnonce: "0a4f113bQe",
      response: "0d7cf0bf94dd72c8ebe0295c74e7e6d4",
      algorithm: "MD5",
      uri: undefined
    })
    assert.deepInclude(parse({ algorithm: "sha-256", qop: "\"auth\"", uri: "\"x\"" }), {
      algorithm: "SHA-256",
      uri: "x"
    })
    assert.deepInclude(parse({ algorithm: "MD5-sess" }), { algorithm: undefined })
  })

  it.each(Object.keys(base))("R4976-9.1-19 is malformed without %s", (name) => {
    assert.strictEqual(parse({ [name]: undefined }), "Malformed")
  })

  it("R4976-9.1-26 -32 R7616-3.4-02 is malformed with another qop, a bad nc, two names or a hashed one", () => {
    assert.strictEqual(parse({ qop: "auth-int" }), "Malformed")
    for (const nc of ["1", "000000001", "0000000g", "\"\""]) assert.strictEqual(parse({ nc }), "Malformed")
    assert.strictEqual(parse({ "username*": "UTF-8''alice" }), "Malformed")
    assert.strictEqual(parse({ userhash: "true" }), "Malformed")
    assert.notStrictEqual(parse({ userhash: "false" }), "Malformed")
  })

  it("R7616-3.4-03 reads user names in UTF-8, quoted or extended", () => {
    assert.deepInclude(parse({ username: `"${toOctets("Ja\u0308s\u00f8n")}"` }), { username: "J\u00e4s\u00f8n" })
    const extended = (value: string) => parse({ "username": undefined, "username*": value })
    assert.deepInclude(extended("UTF-8''J%C3%A4s%c3%b8n%20Doe"), { username: "J\u00e4s\u00f8n Doe" })
    for (const value of ["alice", "ISO-8859-1''alice", "UTF-8''a%0D%0Ab", "UTF-8''a%4"]) {
      assert.strictEqual(extended(value), "Malformed")
    }
  })
})
