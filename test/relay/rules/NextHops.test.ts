import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { isIP } from "node:net"
import { parseUri } from "../../../src/protocol/Uri.ts"
import { isNextHopRule, NextHops } from "../../../src/relay/rules/NextHops.ts"

const listener = (host: string, port = 2855) => ({ scheme: "msrps" as const, host, port })
const outside = [listener("203.0.113.5")]
const uri = (text: string) => parseUri(`msrps://${text}/x;tcp`)!

describe("NextHops", () => {
  it("R4976-9.3-03: by default refuses what only this machine or its network can reach", () => {
    const policy = new NextHops({}, outside)
    const inner = [
      "127.0.0.1",
      "127.9.9.9",
      "0.0.0.0",
      "10.0.0.1",
      "172.16.3.4",
      "172.31.255.255",
      "192.168.1.1",
      "169.254.169.254",
      "100.64.0.1",
      "224.0.0.1",
      "255.255.255.255",
      "::",
      "::1",
      "::ffff:127.0.0.1",
      "::ffff:10.0.0.1",
      "fe80::1",
      "fd00::1",
      "ff02::1",
      "64:ff9b::7f00:1",
      "::7f00:1",
      "2002:7f00:1::1"
    ]
    for (const address of inner) assert.isFalse(policy.admitsAddress(["a.example"], address, 2855), address)
    for (const address of ["198.51.100.1", "172.32.0.1", "2001:db8::1", "::ffff:198.51.100.1", "203.0.113.6"]) {
      assert.isTrue(policy.admitsAddress(["a.example"], address, 2855), address)
    }
    assert.isFalse(policy.admitsUri(uri("10.0.0.1:2855")))
    assert.isFalse(policy.admitsUri(uri("[::1]:2855")))
    assert.isTrue(policy.admitsUri(uri("localhost:2855")), "a name is judged by what it leads to")
  })

  it("R4976-9.3-03: refuses its own listeners, and the machine's addresses on every port", () => {
    const named = new NextHops({}, [listener("relay.example.com")])
    assert.isFalse(named.admitsUri(uri("relay.example.com:2855")))
    assert.isTrue(named.admitsUri(uri("relay.example.com:2856")), "a name is judged by what it leads to")
    const interfaces = ["192.0.2.7", "2001:db8:5::7", "fe80::7%eth0"]
    const policy = new NextHops(
      { allow: ["friend.example"] },
      outside,
      ["203.0.113.9", "relay.example.com"],
      () => interfaces
    )
    // A listener's address, that of a URI as behind a NAT, and those of the interfaces, however they are written.
    const own = [
      "203.0.113.5",
      "203.0.113.9",
      "192.0.2.7",
      "2001:db8:5::7",
      "2001:DB8:5:0::7",
      "::ffff:192.0.2.7",
      "fe80::7"
    ]
    for (const address of [...own, "2001:db8:5::7%eth1"]) {
      for (const port of [2855, 2856, 6379]) {
        assert.isFalse(policy.admitsAddress(["a.example"], address, port), `${address} ${port}`)
        assert.isTrue(policy.admitsAddress(["friend.example"], address, port), `${address} ${port}`)
      }
    }
    assert.isFalse(policy.admitsUri(uri("192.0.2.7:6379")))
    assert.isTrue(policy.admitsAddress(["a.example"], "192.0.2.8", 6379))
    // Who listens on loopback only serves this machine, whose programs have all its ports.
    const inside = new NextHops({}, [listener("127.0.0.1")], [], () => interfaces)
    assert.isTrue(inside.admitsAddress(["a.example"], "192.0.2.7", 6379))
    assert.isFalse(new NextHops({}, outside).admitsAddress(["other-name.example"], "203.0.113.5", 2855))
    // All addresses of the machine; 127.0.0.1 is one everywhere.
    const wildcard = new NextHops({ deny: ["198.51.100.0/24"] }, [listener("0.0.0.0")])
    assert.isFalse(wildcard.admitsAddress(["x.example"], "127.0.0.1", 2855))
  })

  it("R4976-9.3-03: what is denied or allowed is so in each form of its address", () => {
    const forms = [
      "127.0.0.1",
      "0.0.0.0",
      "::ffff:127.0.0.1",
      "::ffff:0.0.0.0",
      "::ffff:0:127.0.0.1",
      "::127.0.0.1",
      "64:ff9b::127.0.0.1",
      "64:ff9b:1::127.0.0.1",
      "2002:7f00:1::5"
    ]
    for (const listeners of [[listener("localhost", 1)], outside]) {
      const deny = new NextHops({ deny: ["127.0.0.0/8", "::1"] }, listeners)
      for (const address of [...forms, "::", "::1", "::1%lo"]) {
        assert.isFalse(deny.admitsAddress(["a.example"], address, 2855), address)
        assert.isFalse(
          deny.admitsUri(uri(`[${address.replace("%lo", "")}]:2855`.replace(/^\[([^:]+)\]/, "$1"))),
          address
        )
      }
      const allow = new NextHops({ allow: ["127.0.0.1"], deny: ["0.0.0.0/0", "::/0"] }, listeners)
      for (const address of forms) assert.isTrue(allow.admitsAddress(["a.example"], address, 2855), address)
    }
    // A rule may have any form, too.
    for (const rule of forms) {
      const policy = new NextHops({ deny: [rule] }, [listener("localhost", 1)])
      for (const address of forms) {
        assert.isFalse(policy.admitsAddress(["a.example"], address, 2855), `${rule} ${address}`)
      }
    }
    const prefix = new NextHops({ deny: ["64:ff9b::/96"] }, [listener("localhost", 1)])
    assert.isFalse(prefix.admitsAddress(["a.example"], "64:ff9b::198.51.100.1", 2855))
    assert.isTrue(prefix.admitsAddress(["a.example"], "198.51.100.1", 2855))
  })

  it("R4976-6.4-30: on loopback only, everything is allowed but what is denied, and the relay itself", () => {
    for (const host of ["127.0.0.1", "::1", "localhost", "127.1.2.3"]) {
      const policy = new NextHops({ deny: ["10.0.0.0/8"] }, [listener(host)])
      assert.isFalse(policy.admitsUri(uri(`${host.includes(":") ? `[${host}]` : host}:2855`)))
      for (const address of host === "localhost" ? ["0.0.0.0", "::"] : ["0.0.0.0", "::", host]) {
        assert.isFalse(policy.admitsAddress(["a.example"], address, 2855), address)
      }
      assert.isTrue(policy.admitsAddress(["localhost"], "127.0.0.1", 2856))
      assert.isTrue(policy.admitsAddress(["a.example"], "192.168.0.1", 2855))
      assert.isFalse(policy.admitsAddress(["a.example"], "10.0.0.1", 2855))
    }
    assert.isFalse(new NextHops({}, [listener("127.0.0.1"), ...outside]).admitsAddress(["x.example"], "10.1.1.1", 1))
  })

  it("what is allowed goes before what is denied, by address and by name", () => {
    const policy = new NextHops({
      allow: ["10.1.0.0/16", "Chat.example.com", "*.in.example", "fd00:1::/32"],
      deny: ["::/0", "0.0.0.0/0", "bad.example"]
    }, outside)
    assert.isTrue(policy.admitsAddress(["x.example"], "10.1.2.3", 1))
    assert.isFalse(policy.admitsAddress(["x.example"], "10.2.2.3", 1))
    assert.isTrue(policy.admitsAddress(["x.example"], "fd00:1::5", 1))
    assert.isTrue(policy.admitsAddress(["chat.EXAMPLE.com."], "192.168.1.1", 1))
    assert.isTrue(policy.admitsAddress(["a.b.in.example"], "127.0.0.1", 1))
    assert.isFalse(policy.admitsAddress(["in.example"], "198.51.100.9", 1))
    assert.isFalse(policy.admitsUri(uri("bad.example:2855")))
    assert.isTrue(policy.admitsUri(uri("good.example:2855")), "its addresses are asked about")
  })

  it("R4976-9.3-03: only ports where MSRP may be, unless the host is allowed or the setting says otherwise", () => {
    const policy = new NextHops({ allow: ["mail.example", "198.51.100.25"] }, outside)
    for (const port of [1, 25, 80, 442, 444, 1023]) {
      assert.isFalse(policy.admitsAddress(["a.example"], "198.51.100.1", port), String(port))
      assert.isFalse(policy.admitsUri(uri(`198.51.100.1:${port}`)))
      assert.isTrue(policy.admitsAddress(["mail.example"], "198.51.100.1", port))
      assert.isTrue(policy.admitsAddress(["a.example"], "198.51.100.25", port))
      assert.isTrue(new NextHops({}, [listener("localhost")]).admitsAddress(["a.example"], "198.51.100.1", port))
    }
    for (const port of [443, 1024, 2855, 65_535]) {
      assert.isTrue(policy.admitsAddress(["a.example"], "198.51.100.1", port), String(port))
    }
    const few = new NextHops({ ports: [{ first: 25, last: 26 }] }, [listener("localhost")])
    assert.deepStrictEqual([24, 25, 26, 27].map((port) => few.admitsAddress(["a.example"], "198.51.100.1", port)), [
      false,
      true,
      true,
      false
    ])
  })

  it("R4976-9.3-03: a denied host is not reached through the SRV record of another domain", () => {
    const policy = new NextHops({ deny: ["*.inside.example"] }, [...outside, listener("relay.example.com")])
    assert.isTrue(policy.admitsAddress(["a.example", "b.example"], "198.51.100.1", 2855))
    assert.isFalse(policy.admitsAddress(["a.example", "db.inside.example"], "198.51.100.1", 2855))
    assert.isFalse(policy.admitsAddress(["a.example", "relay.example.com"], "198.51.100.1", 2855))
  })

  it("R4975-5.4-21: the host of the URI, as written, decides which endpoints get a connection for each session", () => {
    const policy = new NextHops({ alone: ["10.0.0.0/8", "*.example.com"] }, outside)
    const alone = (host: string): boolean => policy.wantsEachAlone(uri(`${host}:2855`))
    assert.isTrue(["10.1.2.3", "[::ffff:10.1.2.3]", "FS1.example.com"].every(alone))
    assert.isFalse(["11.1.2.3", "example.com", "localhost"].some(alone))
    policy.options = {}
    assert.isFalse(alone("10.1.2.3"))
  })

  it("every rule that is taken can be used, and nothing else is taken", () => {
    for (
      const bad of [
        "",
        "/",
        "10.0.0.0/33",
        "10.0.0/8",
        "::/129",
        "1.2.3.4/",
        "a b",
        "*",
        "1234",
        "host/8",
        "10.0.0.0/8/8"
      ]
    ) {
      assert.isFalse(isNextHopRule(bad), bad)
    }
    fc.assert(fc.property(
      fc.oneof(
        fc.ipV4(),
        fc.ipV6(),
        fc.domain(),
        fc.tuple(fc.ipV4(), fc.nat(40)).map(([a, n]) => `${a}/${n}`),
        fc.tuple(fc.ipV6(), fc.nat(140)).map(([a, n]) => `${a}/${n}`),
        fc.string()
      ),
      fc.oneof(fc.ipV4(), fc.ipV6()),
      (rule, address) => {
        if (!isNextHopRule(rule)) return
        const policy = new NextHops({ deny: [rule] }, outside)
        const answer = policy.admitsAddress(["n.example"], address, 1)
        assert.isBoolean(answer)
        if (isIP(rule) !== 0) assert.isFalse(policy.admitsAddress(["n.example"], rule, 1))
      }
    ))
  })
})
