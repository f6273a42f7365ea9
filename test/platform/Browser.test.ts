/** What stands in for Node in browsers does what Node does, as far as it is called. */
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import * as Browser from "../../src/platform/Browser.ts"
import * as Node from "../../src/platform/Node.ts"

const octets = fc.uint8Array({ maxLength: 300 })
const text = fc.string({ unit: "binary", maxLength: 100 })
const encoding = fc.constantFrom("latin1" as const, "utf8" as const)

const same = (browser: Uint8Array, node: Uint8Array): void => assert.deepStrictEqual([...browser], [...node])

describe("the platform of browsers", () => {
  it("has what Node's has", () => {
    assert.sameMembers(Object.keys(Browser), Object.keys(Node))
  })

  it("turns text to octets and back", () =>
    fc.assert(fc.property(text, encoding, octets, (text, encoding, octets) => {
      same(Browser.Buffer.from(text, encoding), Node.Buffer.from(text, encoding))
      const [browser, node] = [Browser.Buffer.from(octets), Node.Buffer.from(octets)]
      assert.strictEqual(browser.toString(encoding), node.toString(encoding))
      assert.strictEqual(browser.toString(encoding, 2, 9), node.toString(encoding, 2, 9))
    })))

  it("counts the octets of text", () =>
    fc.assert(fc.property(fc.string({ unit: "binary" }), octets, (text, octets) => {
      assert.strictEqual(Browser.Buffer.byteLength(text), Node.Buffer.byteLength(text))
      assert.strictEqual(Browser.Buffer.byteLength(octets), octets.length)
    })))

  it("gives a part of memory", () =>
    fc.assert(fc.property(octets, fc.nat(300), fc.nat(300), (octets, at, length) => {
      const memory = new Uint8Array(octets).buffer
      const from = Math.min(at, octets.length)
      const most = Math.min(length, octets.length - from)
      same(Browser.Buffer.from(memory, from, most), Node.Buffer.from(memory, from, most))
      same(Browser.Buffer.from(memory), Node.Buffer.from(memory))
    })))

  it("copies, compares and finds octets", () =>
    fc.assert(fc.property(octets, octets, fc.nat(20), fc.nat(20), (one, other, start, length) => {
      const [browser, node] = [Browser.Buffer.from(one), Node.Buffer.from(one)]
      const [browserOther, nodeOther] = [Browser.Buffer.from(other), Node.Buffer.from(other)]
      const end = Math.min(start + length, one.length, other.length)
      const from = Math.min(start, end)
      assert.strictEqual(
        browser.compare(browserOther, from, end, from, end),
        node.compare(nodeOther, from, end, from, end)
      )
      assert.strictEqual(browser.compare(browserOther), node.compare(nodeOther))
      same(Browser.Buffer.concat([one, other, one]), Node.Buffer.concat([one, other, one]))
      const wanted = one.subarray(from, from + 3)
      if (wanted.length > 0) assert.strictEqual(browser.indexOf(wanted), node.indexOf(wanted))
      const to = Math.min(from, browserOther.length)
      assert.strictEqual(browser.copy(browserOther, to, from, end), node.copy(nodeOther, to, from, end))
      same(browserOther, nodeOther)
      assert.instanceOf(browser.subarray(1), Browser.Buffer)
    })))

  it("makes the same hashes", () =>
    fc.assert(
      fc.property(octets, text, fc.constantFrom("md5" as const, "sha256" as const), (octets, text, algorithm) => {
        assert.strictEqual(Browser.hash(algorithm, octets), Node.hash(algorithm, octets, "hex"))
        assert.strictEqual(Browser.hash(algorithm, text), Node.hash(algorithm, text, "hex"))
        assert.strictEqual(
          Browser.createHash(algorithm).update(octets).update(octets).digest(),
          Node.createHash(algorithm).update(octets).update(octets).digest("hex")
        )
      })
    ))

  it("knows addresses", () => {
    const addresses = [
      "192.0.2.1",
      "192.0.2.256",
      "192.0.2",
      "01.2.3.4",
      "1.2.3.4.",
      "::1",
      "2001:db8::1",
      "::ffff:1.2.3.4"
    ]
    for (const one of [...addresses, "1:2", ":::", "example.com", "", "g::1"]) {
      assert.strictEqual(Browser.isIPv4(one), Node.isIPv4(one), one)
      assert.strictEqual(Browser.isIPv6(one), Node.isIPv6(one), one)
    }
  })

  it("compares what is secret, and makes it", () => {
    assert.isTrue(Browser.timingSafeEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 2)))
    assert.isFalse(Browser.timingSafeEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 3)))
    assert.notDeepEqual(Browser.randomFillSync(new Uint8Array(16)), new Uint8Array(16))
  })
})
