/** Errors of the operating system and of name servers, in words. */
import { assert, it } from "@effect/vitest"
import { wordsOf } from "../../src/net/ErrorCode.ts"
import { ResolverError } from "../../src/Resolver.ts"

const words = (code: string) => wordsOf(Object.assign(new Error(code), { code }))

it("what files and name servers answer has words, and its code", () => {
  assert.strictEqual(words("ELOOP"), "its symbolic links lead in a circle (ELOOP)")
  for (const code of ["ENAMETOOLONG", "EIO", "EDQUOT", "EFBIG", "ETIMEOUT", "ESERVFAIL", "EREFUSED", "EBADNAME"]) {
    assert.match(words(code), new RegExp(`^[a-z].* \\(${code}\\)$`), code)
  }
})

it("a code that is unknown stands alone", () => {
  assert.strictEqual(words("EWHATEVER"), "EWHATEVER")
})

it("a look-up that failed says so in words", () => {
  const { message } = new ResolverError({ name: "relay.example.org", code: "ENOTFOUND" })
  assert.strictEqual(message, "relay.example.org: there is no such host name (ENOTFOUND)")
})
