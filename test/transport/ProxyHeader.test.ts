import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import {
  beginsProxyHeader,
  MAX_PROXY_HEADER,
  type ProxyReading,
  readProxyHeader
} from "../../src/transport/ProxyHeader.ts"

const SIGNATURE = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]

/** A header of version 2, made octet by octet. */
const version2 = (command: number, family: number, addresses: ReadonlyArray<number>, ...tlvs: Array<Array<number>>) => {
  const body = [...addresses, ...tlvs.flat()]
  return Buffer.from([...SIGNATURE, 0x20 | command, family, body.length >> 8, body.length & 0xFF, ...body])
}
const V4 = [192, 0, 2, 7, 198, 51, 100, 1, 0x12, 0x67, 0x0B, 0x27]
const V6 = [
  [0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7],
  [0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  [0x12, 0x67, 0x0B, 0x27]
].flat()
const SSL = [0x20, 0, 5, 1, 0, 0, 0, 0]

/** What of a reading is looked at. */
const told = (reading: ProxyReading): string =>
  reading._tag !== "Header"
    ? reading._tag
    : reading.client === undefined
    ? `nobody, ${reading.octets}`
    : `${reading.client.host} ${reading.client.port} ${reading.client.secure ? "tls" : "plain"}, ${reading.octets}`

const headers: ReadonlyArray<readonly [Buffer, string]> = [
  [Buffer.from("PROXY TCP4 192.0.2.7 198.51.100.1 4711 2855\r\n"), "192.0.2.7 4711 plain, 45"],
  [Buffer.from("PROXY TCP6 2001:DB8::7 2001:db8::1 4711 2855\r\n"), "2001:db8::7 4711 plain, 46"],
  [Buffer.from("PROXY TCP6 ::ffff:192.0.2.7 ::FFFF:c000:201 4711 2855\r\n"), "192.0.2.7 4711 plain, 55"],
  [Buffer.from("PROXY UNKNOWN\r\n"), "nobody, 15"],
  [Buffer.from("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n"), "nobody, 59"],
  [version2(1, 0x11, V4), "192.0.2.7 4711 plain, 28"],
  [version2(1, 0x11, V4, SSL), "192.0.2.7 4711 tls, 36"],
  [version2(1, 0x11, V4, [0x20, 0, 5, 0, 0, 0, 0, 0]), "192.0.2.7 4711 plain, 36"],
  [version2(1, 0x11, V4, [0x01, 0, 2, 0x68, 0x32], SSL), "192.0.2.7 4711 tls, 41"],
  // A TLV about TLS that says nothing, and another one behind it whose type would be a flag.
  [version2(1, 0x11, V4, [0x20, 0, 0], [0x01, 0, 2, 0x68, 0x32]), "192.0.2.7 4711 plain, 36"],
  [version2(1, 0x21, V6), "2001:db8::7 4711 plain, 52"],
  [
    version2(1, 0x21, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 0, 2, 7, ...V6.slice(16)]),
    "192.0.2.7 4711 plain, 52"
  ],
  [version2(0, 0x00, []), "nobody, 16"],
  [version2(0, 0x11, V4), "nobody, 28"],
  [version2(1, 0x31, Array.from({ length: 216 }, () => 0)), "nobody, 232"],
  [version2(1, 0x00, []), "nobody, 16"]
]

const bad: Record<string, Buffer> = {
  "no header": Buffer.from("MSRP abcd SEND\r\n"),
  "HTTP": Buffer.from("GET / HTTP/1.1\r\n"),
  "a family that there is none": Buffer.from("PROXY TCP5 192.0.2.7 198.51.100.1 4711 2855\r\n"),
  "an address that is none": Buffer.from("PROXY TCP4 192.0.2.700 198.51.100.1 4711 2855\r\n"),
  "an address of the other family": Buffer.from("PROXY TCP4 2001:db8::7 198.51.100.1 4711 2855\r\n"),
  "a port that is too large": Buffer.from("PROXY TCP4 192.0.2.7 198.51.100.1 65536 2855\r\n"),
  "a destination that is none": Buffer.from("PROXY TCP4 192.0.2.7 198.51.100 4711 2855\r\n"),
  "a port of the destination that is none": Buffer.from("PROXY TCP4 192.0.2.7 198.51.100.1 4711 65536\r\n"),
  "a port with a zero in front": Buffer.from("PROXY TCP4 192.0.2.7 198.51.100.1 04711 2855\r\n"),
  "more words": Buffer.from("PROXY TCP4 192.0.2.7 198.51.100.1 4711 2855 x\r\n"),
  "a line that is too long": Buffer.from(`PROXY UNKNOWN ${"x".repeat(100)}\r\n`),
  "a line whose end would come too late": Buffer.from(`PROXY UNKNOWN ${"x".repeat(93)}`),
  "a line without an end": Buffer.from(`PROXY UNKNOWN ${"x".repeat(200)}`),
  "another version": Buffer.from([...SIGNATURE, 0x31, 0x11, 0, 12, ...V4]),
  "another command": version2(2, 0x11, V4),
  "fewer octets than its family has": version2(1, 0x11, V4.slice(0, 8)),
  "what stands behind the addresses cut off": version2(1, 0x11, V4, [0x20, 0, 50, 1]),
  "a TLV that is cut off in its length": version2(1, 0x11, V4, [0x01, 0]),
  "more than is read": Buffer.from([...SIGNATURE, 0x21, 0x11, 0xFF, 0xFF])
}

describe("readProxyHeader", () => {
  it("tells who is behind a proxy, by either version, and how long the header is", () => {
    for (const [octets, client] of headers) {
      assert.strictEqual(told(readProxyHeader(octets)), client)
      assert.strictEqual(told(readProxyHeader(Buffer.concat([octets, Buffer.from("MSRP abcd SEND\r\n")]))), client)
    }
  })

  it("waits for the rest, wherever it is cut", () => {
    for (const [octets] of headers) {
      for (let cut = 0; cut < octets.length; cut++) {
        assert.strictEqual(
          readProxyHeader(octets.subarray(0, cut))._tag,
          "More",
          `${octets.toString("latin1")} at ${cut}`
        )
      }
    }
  })

  for (const [what, octets] of Object.entries(bad)) {
    it(`refuses ${what}`, () => assert.strictEqual(readProxyHeader(octets)._tag, "Bad"))
  }

  it("reads as many octets as it may have", () => {
    const longest = MAX_PROXY_HEADER - version2(1, 0x11, V4).length - 3
    const filled = [0x04, longest >> 8, longest & 0xFF, ...Array.from({ length: longest }, () => 0)]
    assert.strictEqual(told(readProxyHeader(version2(1, 0x11, V4, filled))), "192.0.2.7 4711 plain, 4096")
    const line = `PROXY UNKNOWN ${"x".repeat(91)}`
    assert.strictEqual(readProxyHeader(Buffer.from(line))._tag, "More")
    assert.strictEqual(told(readProxyHeader(Buffer.from(`${line}\r\n`))), "nobody, 107")
  })

  it("reads any octets without a fault, and never waits for more than its limit", () => {
    const beginnings = fc.constantFrom(Buffer.alloc(0), Buffer.from("PROXY "), Buffer.from(SIGNATURE))
    fc.assert(
      fc.property(beginnings, fc.uint8Array({ maxLength: 300 }), (beginning, rest) => {
        readProxyHeader(Buffer.concat([beginning, rest]))
      }),
      { numRuns: 2000 }
    )
    for (const beginning of [Buffer.from("PROXY "), Buffer.from([...SIGNATURE, 0x21, 0x11, 0x0F, 0xF0])]) {
      const many = Buffer.concat([beginning, Buffer.alloc(MAX_PROXY_HEADER)])
      assert.notStrictEqual(readProxyHeader(many)._tag, "More")
    }
  })
})

describe("beginsProxyHeader", () => {
  it("tells a header from other octets as soon as it can, and no sooner", () => {
    for (const beginning of [Buffer.from("PROXY "), Buffer.from(SIGNATURE)]) {
      assert.isTrue(beginsProxyHeader(Buffer.concat([beginning, Buffer.from("x")])))
      for (let cut = 0; cut < beginning.length; cut++) assert.isFalse(beginsProxyHeader(beginning.subarray(0, cut)))
    }
    assert.isFalse(beginsProxyHeader(Buffer.from("MSRP abcd SEND\r\n")))
  })
})
