import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { parseAuthenticationInfo } from "../../../src/protocol/digest/AuthenticationInfo.ts"
import { parseAuthorization } from "../../../src/protocol/digest/Authorization.ts"
import { saysStale, strongestChallenge } from "../../../src/protocol/digest/Challenge.ts"
import {
  digestLimits,
  type Parameter,
  parseDigest,
  parseParameters,
  printParameters
} from "../../../src/protocol/digest/Parameters.ts"

const malformed = (text: string): boolean => parseDigest(text)._tag === "Malformed"
const parameters = (text: string) => {
  const parsed = parseDigest(text)
  return parsed._tag === "Digest" ? Object.fromEntries(parsed.parameters) : parsed
}

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
