import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import {
  type Answer,
  answerChallenge,
  authorizationFor,
  type Challenge,
  digestLimits,
  fromOctets,
  ha1,
  type Parameter,
  parseAuthenticationInfo,
  parseAuthorization,
  parseDigest,
  parseParameters,
  printAuthenticationInfo,
  printChallenge,
  printParameters,
  type Proof,
  response,
  rspauth,
  sameDigest,
  saysStale,
  strongestChallenge,
  toOctets,
  verifyRspauth
} from "../../src/protocol/Digest.ts"

const ALICE = "msrps://alice@intra.example.com;tcp"
const alice = {
  algorithm: "MD5",
  username: "alice",
  realm: "intra.example.com",
  password: "Wonderland-42",
  uri: ALICE
} as const

/** Computed apart from this code. */
const vectors = [
  {
    ...alice,
    ha1: "80be1c328e6bf1a5c124624b9b990edd",
    nonce: "8f2c6b0e5d3a49c1b7e0a4d2f6c81350",
    nc: "00000001",
    cnonce: "0a4f113bQe",
    response: "0d7cf0bf94dd72c8ebe0295c74e7e6d4",
    rspauth: "54a739af3eba11ca5154aaed63d9e53e"
  },
  {
    ...alice,
    ha1: "80be1c328e6bf1a5c124624b9b990edd",
    nonce: "c41d7a90e2b34f58a6d90b1c3e5f7a82",
    nc: "00000001",
    cnonce: "77d1Fe20aa",
    response: "8fd0261d5766bdf66dd56debdf23e2a4",
    rspauth: "47aa45f80bef14206092ab31873e7d23"
  },
  {
    ...alice,
    ha1: "80be1c328e6bf1a5c124624b9b990edd",
    nonce: "8f2c6b0e5d3a49c1b7e0a4d2f6c81350",
    nc: "00000002",
    cnonce: "b19c44d0e1",
    response: "961bcce84a5ffdf565e362da509d559b",
    rspauth: "58d6a0282432989d6b1a30cded583778"
  },
  {
    ...alice,
    algorithm: "SHA-256",
    ha1: "aff93887458e7598df06411d3d72fad981e72ea355b3c919c129d5ae119b0022",
    nonce: "Q9vK2xPz7LmT4wRb8YcN1dHs",
    nc: "00000001",
    cnonce: "f2wE4q74E6zI",
    response: "92a8671c251342a3049bfcaad0cf3e036d1f2afcc6761157aac10926a86f5785",
    rspauth: "df6d0662a63d260e977c2bd65ed82ba964250c7a746a562751f2df1ab6f57dbf"
  },
  {
    ...alice,
    ha1: "80be1c328e6bf1a5c124624b9b990edd",
    nonce: "1e6b0f93d8a54c27b9f4e2d071c3a586",
    nc: "00000002",
    cnonce: "d00d0002bb",
    response: "b2d405395293533264b03d427375fe9c",
    rspauth: "391837d412ef3251f7e99e99d6d9fc61"
  },
  {
    ...alice,
    realm: "extra.example.com",
    password: "LookingGlass-7",
    uri: "msrps://extra.example.com;tcp",
    ha1: "da6664621447d1821fad7c2a07081e30",
    nonce: "Vb3QmZ7xkT1yR9sLw0Pd4uHf6NcEgAoJ",
    nc: "00000001",
    cnonce: "85a0dca8Zt",
    response: "06a7fb9773a96980477b9b296557e589",
    rspauth: "1a517089c1e9acf65b437ce7907af515"
  },
  {
    ...alice,
    realm: "r3.example.com",
    password: "TeaParty-9",
    uri: "msrps://r3.example.com;tcp",
    ha1: "6b198a2ad1f002d0c015057d7001fb0f",
    nonce: "mK7wQ2zX9vB4nL6tR1yJ",
    nc: "00000001",
    cnonce: "3e5f0aa1Bc",
    response: "3809521a12b8a4dd136020267d5ccddd",
    rspauth: "b515709cacb7cdf09b63771ad191ad46"
  }
] as const

const malformed = (text: string): boolean => parseDigest(text)._tag === "Malformed"
const parameters = (text: string) => {
  const parsed = parseDigest(text)
  return parsed._tag === "Digest" ? Object.fromEntries(parsed.parameters) : parsed
}

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

describe("parseDigest", () => {
  it("R4976-9.1-23 takes any order, blanks, case of names, empty elements and unknown parameters", () => {
    assert.deepStrictEqual(
      parameters("  dIGEST , NONCE = \"a,b\" ,,\tqop=auth,x=1, x=2,Realm=\"r\", uri=msrps://h:1/s;tcp;a=b ,"),
      { nonce: "a,b", qop: "auth", x: "1", realm: "r", uri: "msrps://h:1/s;tcp;a=b" }
    )
  })

  it("R7616-3.3-02 takes the escapes out of quoted strings", () => {
    assert.deepStrictEqual(parameters(String.raw`Digest realm="a\"b\\c\d", nonce=""`), { realm: `a"b\\cd`, nonce: "" })
  })

  it("tells another scheme from a malformed value", () => {
    assert.deepStrictEqual(parseDigest("Basic YWxpY2U6cHc="), { _tag: "OtherScheme", scheme: "Basic" })
  })

  it.each([
    "",
    "   ",
    "\"Digest\" realm=\"a\"",
    "Digest realm",
    "Digest realm=",
    "Digest =\"a\"",
    "Digest realm=\"a",
    "Digest realm=\"a\\",
    "Digest realm=\"a\\\"",
    "Digest realm=a\"b\"",
    "Digest realm=\"a\" nonce=\"b\"",
    "Digest realm=\"a\"nonce=\"b\"",
    "Digest realm=\"a\", REALM=\"a\"",
    "Digest realm=\"a\", Basic realm=\"b\"",
    "Digest realm=\"a\r\nUse-Path: x\"",
    "Digest realm=\"a\\\nb\"",
    "Digest realm=a\u0000",
    "Digest realm=\"\u007f\"",
    "Digest realm=\"\u20ac\""
  ])("R4976-9.1-23 is malformed: %j", (text) => assert.isTrue(malformed(text)))

  it("has limits", () => {
    const list = (count: number) => "Digest " + Array.from({ length: count }, (_, i) => `x${i}=1`).join(",")
    assert.isFalse(malformed(list(digestLimits.parameters)))
    assert.isTrue(malformed(list(digestLimits.parameters + 1)))
    assert.isFalse(malformed(`Digest x="${"a".repeat(digestLimits.value)}"`))
    assert.isTrue(malformed(`Digest x="${"a".repeat(digestLimits.value + 1)}"`))
    assert.isFalse(malformed(`Digest x=1${" ".repeat(digestLimits.header - 10)}`))
    assert.isTrue(malformed(`Digest x=1${" ".repeat(digestLimits.header - 9)}`))
  })

  it("never throws, and gives nothing that could not be written again", () => {
    const pieces = fc.constantFrom(
      "Digest ",
      "realm",
      "=",
      "\"",
      "\\",
      ",",
      " ",
      "a",
      "username*",
      "\r",
      "\u00e9",
      "%4"
    )
    const texts = fc.oneof(
      fc.string({ unit: fc.nat({ max: 65_535 }).map((code) => String.fromCharCode(code)) }),
      fc.array(pieces, { maxLength: 40 }).map((one) => one.join(""))
    )
    fc.assert(fc.property(texts, (text) => {
      for (const one of [text, `Digest ${text}`]) {
        parseAuthorization(one)
        strongestChallenge([one])
        saysStale([one])
        parseAuthenticationInfo(one)
        const parsed = parseDigest(one)
        if (parsed._tag !== "Digest") continue
        for (const [name, value] of parsed.parameters) {
          assert.isDefined(printParameters([{ name, value, quoted: true }]))
        }
      }
    }))
  })
})

describe("printParameters", () => {
  const octets = fc.string({
    unit: fc.integer({ min: 32, max: 255 }).filter((c) => c !== 127).map((c) => String.fromCharCode(c))
  })
  const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/)
  const parameter: fc.Arbitrary<Parameter> = fc.oneof(
    fc.record({ name: token, value: octets, quoted: fc.constant(true) }),
    fc.record({ name: token, value: token, quoted: fc.constant(false) })
  )

  it("R4976-9.1-24 what is printed on one line is read back", () => {
    const lists = fc.uniqueArray(parameter, { selector: (one) => one.name.toLowerCase(), maxLength: 20 })
    fc.assert(fc.property(lists, (list) => {
      const text = printParameters(list)
      assert.isDefined(text)
      assert.notMatch(text, /[\r\n]/)
      const read = parseParameters(text)
      assert.deepStrictEqual(
        "_tag" in read ? read : [...read],
        list.map((one) => [one.name.toLowerCase(), one.value])
      )
    }))
  })

  it("R4975-14.5-02 refuses what could not be inside one header", () => {
    for (const value of ["a\r\nUse-Path: x", "a\n", "a\r", "\u0000", "\u20ac"]) {
      assert.isUndefined(printParameters([{ name: "realm", value, quoted: true }]))
      assert.isUndefined(printParameters([{ name: "nc", value, quoted: false }]))
    }
    assert.isUndefined(printParameters([{ name: "nc", value: "1, stale=true", quoted: false }]))
    assert.isUndefined(printParameters([{ name: "a b", value: "1", quoted: true }]))
    assert.strictEqual(printParameters([{ name: "a", value: "x\", b=\"y", quoted: true }]), String.raw`a="x\", b=\"y"`)
  })
})

describe("printChallenge and printAuthenticationInfo", () => {
  const challenge: Challenge = { realm: "r", nonce: "n", opaque: "o", algorithm: "MD5", stale: false }

  it("R4976-9.1-14 -15 -16 -18 -24 R7616-3.3-01 have the right quotes, qop=auth, and no domain", () => {
    assert.strictEqual(
      printChallenge(challenge),
      "Digest realm=\"r\", qop=\"auth\", nonce=\"n\", opaque=\"o\", algorithm=MD5"
    )
    assert.strictEqual(
      printChallenge({ ...challenge, opaque: undefined, algorithm: "SHA-256", stale: true }),
      "Digest realm=\"r\", qop=\"auth\", nonce=\"n\", algorithm=SHA-256, stale=true"
    )
    assert.isUndefined(printChallenge({ ...challenge, realm: "r\r\n" }))
  })

  it("R4976-9.1-21 leave qop and nc unquoted in Authentication-Info", () => {
    assert.strictEqual(
      printAuthenticationInfo({ nextnonce: "n", rspauth: "00", cnonce: "c", nc: "00000001" }),
      "nextnonce=\"n\", rspauth=\"00\", cnonce=\"c\", nc=00000001, qop=auth"
    )
  })
})

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

describe("a client", () => {
  const SHA = "Digest realm=\"intra.example.com\", qop=\"auth,auth-int\", nonce=\"n\", algorithm=SHA-256"
  const MD5 = "Digest realm=\"intra.example.com\", qop=\"auth\", nonce=\"n\", opaque=\"o\""
  const answer: Answer = { username: "alice", password: "Wonderland-42", uri: ALICE, nc: 1, cnonce: "c" }

  it("answers the strongest challenge that it can", () => {
    assert.strictEqual(strongestChallenge([MD5, SHA])?.algorithm, "SHA-256")
    assert.strictEqual(strongestChallenge([MD5])?.algorithm, "MD5")
    const useless = [
      "Basic realm=\"r\"",
      SHA.replace("SHA-256", "SHA-256-sess"),
      SHA.replace("auth,auth-int", "auth-int"),
      "Digest realm=\"r\", nonce=\"n\"",
      "Digest \""
    ]
    assert.strictEqual(strongestChallenge([...useless, MD5])?.opaque, "o")
    assert.isUndefined(authorizationFor(useless, answer))
  })

  it.each(vectors)("sends the right response and knows the relay's $algorithm $cnonce", (vector) => {
    const challenge: Challenge = { ...vector, opaque: "o", stale: false }
    const mine: Answer = { ...vector, nc: Number(vector.nc) }
    const sent = parseAuthorization(answerChallenge(challenge, mine) ?? "")
    assert.strictEqual(sent._tag, "Authorization")
    if (sent._tag !== "Authorization") return
    assert.strictEqual(sent.authorization.response, vector.response)
    assert.strictEqual(sent.authorization.nc, vector.nc)
    const info = `rspauth="${vector.rspauth}", cnonce="${vector.cnonce}",nc=${vector.nc},qop=auth, nextnonce="x"`
    assert.strictEqual(parseAuthenticationInfo(info)?.nextnonce, "x")
    assert.isTrue(verifyRspauth(info, challenge, mine))
    assert.isFalse(verifyRspauth(info, challenge, { ...mine, password: "other" }))
    assert.isFalse(verifyRspauth(info.replace(vector.cnonce, "replayed"), challenge, mine))
    assert.isFalse(verifyRspauth(info.replace("qop=auth", "x=1"), challenge, mine))
  })

  it("R7616-3.3-01 -3.4 quotes what is to be quoted, and sends opaque back", () => {
    assert.strictEqual(
      authorizationFor([MD5], { ...answer, username: "a\"b", nc: 10, sendUri: true })?.replace(/[0-9a-f]{32}/, "-"),
      String.raw`Digest username="a\"b", realm="intra.example.com", nonce="n", uri="${ALICE}", algorithm=MD5, ` +
        "qop=auth, nc=0000000a, cnonce=\"c\", response=\"-\", opaque=\"o\""
    )
    assert.isUndefined(authorizationFor([MD5], { ...answer, username: "alice\r\nTo-Path: x" }))
  })

  it("R4976-9.1-30 knows stale in every spelling", () => {
    for (const stale of ["stale=true", "stale=TRUE", "stale=\"true\""]) {
      assert.isTrue(saysStale([MD5, `${MD5}, ${stale}`]))
    }
    for (const stale of ["stale=false", "x=true"]) assert.isFalse(saysStale([`${MD5}, ${stale}`, "Basic stale=true"]))
  })
})
