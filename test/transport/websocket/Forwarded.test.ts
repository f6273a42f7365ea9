import { assert, describe, it } from "vitest"
import { clientOf } from "../../../src/transport/websocket/Forwarded.ts"

const peer = { host: "10.0.0.1", port: 5000, secure: false }
const inner = (address: string): boolean => address.startsWith("10.")
const told = (headers: Record<string, string>, trusts = inner): string => {
  const client = clientOf(headers, peer, trusts)
  if (client === undefined) return "contradiction"
  const { host, port, secure } = client
  return `${host} ${port} ${secure ? "tls" : "plain"}`
}

describe("clientOf", () => {
  const cases: ReadonlyArray<readonly [string, Record<string, string>, string]> = [
    ["no header", {}, "10.0.0.1 5000 plain"],
    ["an address", { "x-forwarded-for": "203.0.113.9" }, "203.0.113.9 0 plain"],
    ["an address with TLS", { "x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https" }, "203.0.113.9 0 tls"],
    ["TLS alone", { "x-forwarded-proto": "wss" }, "10.0.0.1 5000 tls"],
    [
      "the last that no trusted proxy has told",
      { "x-forwarded-for": "1.2.3.4, 203.0.113.9, 10.0.0.2" },
      "203.0.113.9 0 plain"
    ],
    ["proxies only", { "x-forwarded-for": "10.0.0.3, 10.0.0.2" }, "10.0.0.3 0 plain"],
    ["ports and brackets", { "x-forwarded-for": "[2001:db8::9]:4711" }, "2001:db8::9 4711 plain"],
    ["IPv4 in IPv6, in figures of either", { "x-forwarded-for": "::FFFF:cb00:7109" }, "203.0.113.9 0 plain"],
    ["no port that there is not", { "x-forwarded-for": "203.0.113.9:99999" }, "203.0.113.9 0 plain"],
    ["no zone of another machine", { "x-forwarded-for": "fe80::1%eth0" }, "10.0.0.1 5000 plain"],
    ["IPv6 without brackets", { "x-forwarded-for": "2001:db8::9" }, "2001:db8::9 0 plain"],
    ["the standard header", { forwarded: `for="[2001:db8::9]:4711";proto=https;by=10.0.0.1` }, "2001:db8::9 4711 tls"],
    [
      "both kinds that say the same",
      { forwarded: "for=203.0.113.9;proto=https", "x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https" },
      "203.0.113.9 0 tls"
    ],
    [
      "neither of both kinds, where a proxy passes on what a client has made up",
      { forwarded: "for=1.2.3.4", "x-forwarded-for": "203.0.113.9" },
      "contradiction"
    ],
    [
      "neither, where it is TLS that is made up",
      { forwarded: "for=203.0.113.9;proto=https", "x-forwarded-for": "203.0.113.9" },
      "contradiction"
    ],
    ["IPv4 in IPv6", { "x-forwarded-for": "::ffff:203.0.113.9" }, "203.0.113.9 0 plain"],
    ["IPv6 in its one form", { "x-forwarded-for": "2001:DB8:0::9" }, "2001:db8::9 0 plain"],
    ["a chain", { forwarded: "for=1.2.3.4, for=203.0.113.9;proto=https, for=10.0.0.2" }, "203.0.113.9 0 tls"],
    ["who hides", { forwarded: "for=_hidden;proto=https" }, "10.0.0.1 5000 tls"],
    ["nonsense", { "x-forwarded-for": "<script>, , ;;", forwarded: "" }, "10.0.0.1 5000 plain"],
    ["many", { "x-forwarded-for": Array.from({ length: 1000 }, () => "10.0.0.9").join(",") }, "10.0.0.9 0 plain"]
  ]
  for (const [what, headers, client] of cases) {
    it(`takes ${what}`, () => assert.strictEqual(told(headers), client))
  }

  it("looks at 32 entries, from the nearest on", () => {
    const behind = (proxies: number) => {
      const all = ["203.0.113.9", ...Array.from({ length: proxies }, (_, i) => `10.0.1.${i}`)]
      return told({ "x-forwarded-for": all.join(", ") })
    }
    assert.strictEqual(behind(31), "203.0.113.9 0 plain")
    assert.strictEqual(behind(32), "10.0.1.0 0 plain")
  })

  it("takes no word of who is not trusted", () => {
    for (const [, headers] of cases) assert.strictEqual(told(headers, () => false), "10.0.0.1 5000 plain")
  })
})
