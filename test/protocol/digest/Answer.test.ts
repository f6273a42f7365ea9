import { assert, describe, it } from "@effect/vitest"
import { type Answer, answerChallenge, verifyRspauth } from "../../../src/protocol/digest/Answer.ts"
import { parseAuthenticationInfo } from "../../../src/protocol/digest/AuthenticationInfo.ts"
import { parseAuthorization } from "../../../src/protocol/digest/Authorization.ts"
import { type Challenge, saysStale, strongestChallenge } from "../../../src/protocol/digest/Challenge.ts"
import { ALICE, vectors } from "./vectors.ts"

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
    assert.isUndefined(strongestChallenge(useless))
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
    assert.isFalse(verifyRspauth(info.replace(`nc=${vector.nc}`, "nc=0000beef"), challenge, mine))
    assert.isFalse(verifyRspauth(info.replace("qop=auth", "x=1"), challenge, mine))
  })

  it("R7616-3.3-01 -3.4 quotes what is to be quoted, and sends opaque back", () => {
    const challenge = strongestChallenge([MD5])!
    assert.strictEqual(
      answerChallenge(challenge, { ...answer, username: "a\"b", nc: 10, sendUri: true })?.replace(/[0-9a-f]{32}/, "-"),
      String.raw`Digest username="a\"b", realm="intra.example.com", nonce="n", uri="${ALICE}", algorithm=MD5, ` +
        "qop=auth, nc=0000000a, cnonce=\"c\", response=\"-\", opaque=\"o\""
    )
    assert.isUndefined(answerChallenge(challenge, { ...answer, username: "alice\r\nTo-Path: x" }))
  })

  it("R4976-9.1-30 knows stale in every spelling", () => {
    for (const stale of ["stale=true", "stale=TRUE", "stale=\"true\""]) {
      assert.isTrue(saysStale([MD5, `${MD5}, ${stale}`]))
    }
    for (const stale of ["stale=false", "x=true"]) assert.isFalse(saysStale([`${MD5}, ${stale}`, "Basic stale=true"]))
  })
})
