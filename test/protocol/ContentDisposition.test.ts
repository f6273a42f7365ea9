import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { formatDisposition, parseDisposition } from "../../src/protocol/ContentDisposition.ts"

describe("Content-Disposition", () => {
  it("has a name in ASCII as it is, and others in UTF-8 too", () => {
    const plain = formatDisposition({ type: "attachment", filename: "a \"b\"\\.txt", size: 3 })
    assert.strictEqual(plain, "attachment; filename=\"a \\\"b\\\"\\\\.txt\"; size=3")
    const other = formatDisposition({ type: "render", filename: "Grüße.txt" })
    assert.strictEqual(other, "render; filename=\"Gr__e.txt\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.txt")
  })

  it("gives back any name", () =>
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 60 }), (name) => {
      const wanted = name.toWellFormed().normalize("NFC")
      assert.strictEqual(parseDisposition(formatDisposition({ type: "attachment", filename: name }))?.filename, wanted)
    })))

  it("reads what others write", () => {
    assert.deepStrictEqual(parseDisposition("Attachment"), { type: "attachment" })
    assert.deepStrictEqual(
      parseDisposition("render; filename=\"My cool picture.jpg\"; creation-date=\"Mon, 15 May 2006\"; size=32349"),
      { type: "render", filename: "My cool picture.jpg", size: 32_349 }
    )
    assert.deepStrictEqual(parseDisposition("inline ;filename=a.b ; size=\"1\""), {
      type: "inline",
      filename: "a.b",
      size: 1
    })
    assert.strictEqual(parseDisposition("x; filename=\"a\u0308\"")?.filename, "ä")
    for (const name of ["à", "\u00a0", "\u3000", "\u2028", "世界"]) {
      assert.strictEqual(parseDisposition(`x; filename=${name}`)?.filename, name)
      assert.strictEqual(parseDisposition(`x; filename="\\${name}"`)?.filename, name)
    }
    assert.strictEqual(parseDisposition("x; filename=\"a\"; filename*=UTF-8''%zz")?.filename, "a")
    assert.deepStrictEqual(parseDisposition("x; size=12345678901234567890"), { type: "x" })
  })

  it("gives nothing for what is none", () => {
    for (const value of ["", ";", "a b", "a; b", "a; filename=\"x", "a; filename=", `a; b="${"x".repeat(5000)}"`]) {
      assert.isUndefined(parseDisposition(value), value.slice(0, 30))
    }
  })
})
