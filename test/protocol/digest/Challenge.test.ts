import { assert, describe, it } from "@effect/vitest"
import { printAuthenticationInfo } from "../../../src/protocol/digest/AuthenticationInfo.ts"
import { type Challenge, printChallenge } from "../../../src/protocol/digest/Challenge.ts"

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
