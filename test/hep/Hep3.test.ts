import * as fc from "fast-check"
import { execFileSync, spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { encodeHep3, type HepPacket, MAX_PACKET } from "../../src/hep/Hep3.ts"
import { pcapOf, readHep } from "../support/hep.ts"

const packet: HepPacket = {
  source: { host: "192.0.2.7", port: 49_152 },
  destination: { host: "198.51.100.1", port: 2855 },
  time: 1_313_440_459_120,
  captureId: 228,
  key: "myhep",
  correlation: "1a2b3c4d5e6f",
  payload: "MSRP a786hjs2 SEND\r\n"
}

describe("HEP 3", () => {
  it("is, octet by octet, what the specification says", () => {
    const hex = [
      "48455033 0094", // "HEP3", 148 octets
      "0000 0001 0007 02", // IPv4
      "0000 0002 0007 06", // TCP
      "0000 0007 0008 c000", // ports
      "0000 0008 0008 0b27",
      "0000 0009 000a 4e4982cb", // 2011-08-15 22:34:19 and
      "0000 000a 000a 0001d4c0", // 0.12 seconds, as in its example
      "0000 000b 0007 64", // text
      "0000 000c 000a 000000e4", // capture id 228
      "0000 0003 000a c0000207",
      "0000 0004 000a c6336401",
      "0000 000e 000b 6d79686570", // key
      `0000 000f 001a ${Buffer.from(packet.payload).toString("hex")}`,
      `0000 0011 0012 ${Buffer.from("1a2b3c4d5e6f").toString("hex")}`
    ].join("").replaceAll(" ", "")
    assert.strictEqual(encodeHep3(packet).toString("hex"), hex)
  })

  it.each([
    ["2001:db8::7", "2001:db8::1", 10, "20010db8000000000000000000000007", "20010db8000000000000000000000001"],
    ["::ffff:192.0.2.7", "198.51.100.1", 2, "c0000207", "c6336401"],
    ["::1", "127.0.0.1", 10, `${"0".repeat(31)}1`, "00000000000000000000ffff7f000001"],
    ["fe80::1%eth0", "fe80::2", 10, "fe800000000000000000000000000001", "fe800000000000000000000000000002"],
    ["?", "127.0.0.1", 2, "00000000", "7f000001"]
  ])("has the addresses %s and %s", (source, destination, family, from, to) => {
    const { of } = readHep(
      encodeHep3({ ...packet, source: { host: source, port: 1 }, destination: { host: destination, port: 2 } })
    )
    assert.strictEqual(of(1)![0], family)
    assert.strictEqual(of(family === 2 ? 3 : 5)!.toString("hex"), from)
    assert.strictEqual(of(family === 2 ? 4 : 6)!.toString("hex"), to)
    assert.isUndefined(of(family === 2 ? 5 : 3))
  })

  it("leaves out key and correlation id where there are none", () => {
    const { chunks } = readHep(encodeHep3({ ...packet, key: undefined, correlation: undefined }))
    assert.deepStrictEqual(chunks.map(([, type]) => type), [1, 2, 7, 8, 9, 10, 11, 12, 3, 4, 15])
  })

  it("is a packet within its limit, with all that fits, whatever is in it", () => {
    const text = fc.tuple(fc.string({ unit: "binary", maxLength: 20 }), fc.nat(1000)).map(([some, times]) =>
      some.repeat(times)
    )
    fc.assert(fc.property(
      fc.record({
        source: fc.record({ host: fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()), port: fc.nat(65_535) }),
        destination: fc.record({ host: fc.oneof(fc.ipV4(), fc.ipV6()), port: fc.nat(65_535) }),
        time: fc.nat(4_000_000_000_000),
        captureId: fc.nat(0xffff_ffff),
        key: fc.option(text, { nil: undefined }),
        correlation: fc.option(text, { nil: undefined }),
        payload: text
      }),
      (one) => {
        const octets = encodeHep3(one)
        assert.isAtMost(octets.length, MAX_PACKET)
        const { chunks, of } = readHep(octets)
        for (const [vendor] of chunks) assert.strictEqual(vendor, 0)
        assert.strictEqual(of(9)!.readUInt32BE() * 1000 + of(10)!.readUInt32BE() / 1000, one.time)
        const whole = Buffer.from(one.payload)
        const payload = of(15)!
        assert.isTrue(whole.subarray(0, payload.length).equals(payload))
        if (payload.length < whole.length) {
          assert.isAbove(octets.length, MAX_PACKET - 4)
          assert.strictEqual(Buffer.from(payload.toString()).compare(payload), 0, "no character is torn")
        }
      }
    ))
  })
})

/** Wireshark's dissector is a plug-in: https://github.com/sipcapture/hep-wireshark. */
const script = process.env["MSRP_TEST_HEP_LUA"]
const plugin = script === undefined ? [] : ["-X", `lua_script:${script}`]
const known = (() => {
  const { stdout } = spawnSync("tshark", ["-G", "protocols"], { encoding: "utf8", maxBuffer: 1 << 26 })
  return typeof stdout === "string" && (script !== undefined || /\thep3?$/m.test(stdout))
})()
const why = known ? "" : " (skipped: no tshark here, or none that knows HEP; MSRP_TEST_HEP_LUA may name its plug-in)"

describe("tshark", () => {
  it.skipIf(!known)(`reads the same${why}`, () => {
    const folder = mkdtempSync(join(tmpdir(), "hep-"))
    try {
      const file = join(folder, "hep.pcap")
      const six = { source: { host: "2001:db8::7", port: 7 }, destination: { host: "2001:db8::1", port: 8 } }
      writeFileSync(file, pcapOf([encodeHep3(packet), encodeHep3({ ...packet, ...six })]))
      const text = execFileSync("tshark", [...plugin, "-r", file, "-V"], { encoding: "utf8" })
      // Its versions have other words for the same.
      for (
        const line of [
          /HEP3 Protocol/,
          /family: IPv4\n/,
          /: TCP\n.*Source port: 49152\n.*Destination port: 2855\n/,
          /imestamp: 1313440459\n.*imestamp .s: 120000\n.*: LOG\n.*ID: 228\n/,
          /Source IPv4 address: 192\.0\.2\.7\n.*Destination IPv4 address: 198\.51\.100\.1\n/,
          /Key: myhep\n.*ayload: MSRP a786hjs2 SEND.*\n.*Correlation ID: 1a2b3c4d5e6f\n/,
          /family: IPv6\n/,
          /Source port: 7\n/
        ]
      ) assert.match(text, line)
      assert.notInclude(text, "Malformed")
      assert.notInclude(text, "Lua Error")
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
