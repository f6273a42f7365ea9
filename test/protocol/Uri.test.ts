import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import {
  authorityKey,
  canonicalHost,
  formatUri,
  MAX_HOST_OCTETS,
  MAX_URI_OCTETS,
  type MsrpUri,
  parsePath,
  parseUri,
  sameUri,
  type UriParts
} from "../../src/protocol/Uri.ts"

const uri = (text: string): MsrpUri => {
  const parsed = parseUri(text)
  assert.isDefined(parsed, text)
  return parsed
}
const same = (a: string, b: string): boolean => {
  const [one, other] = [uri(a), uri(b)]
  const result = sameUri(one, other)
  assert.strictEqual(sameUri(other, one), result, "sameUri is symmetric")
  return result
}
const malformed = (...texts: ReadonlyArray<string>): void => {
  for (const text of texts) assert.isUndefined(parseUri(text), text)
}

// Parts that make a legal URI.
const letters = (alphabet: string, minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...alphabet.split("")), minLength, maxLength })
const ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
const UNRESERVED = ALPHANUMERIC + "-._~"
const token = letters(ALPHANUMERIC + "!#$%&'*+-.^_`{|}~", 1, 6)
const name = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...(UNRESERVED + "!$&'()*+,=").split("")),
    fc.constantFrom("%41", "%3B", "%e4", "%25")
  ),
  minLength: 1,
  maxLength: 12
})
const port = fc.integer({ min: 0, max: 65_535 })
const authority = fc.oneof(
  // letters behind it, so that it is no IPv4 address
  fc.record({ host: name.map((host) => `${host}x`), port: fc.option(port, { nil: undefined }) }),
  fc.record({ host: fc.oneof(fc.ipV4(), fc.ipV6()), port })
)
const parts: fc.Arbitrary<UriParts> = fc.record({
  scheme: fc.constantFrom("msrp", "msrps"),
  userinfo: fc.option(letters(UNRESERVED + "!$&'()*+,;=", 0, 8), { nil: undefined }),
  authority,
  sessionId: fc.option(letters(UNRESERVED + "+=/", 1, 12), { nil: undefined }),
  transport: fc.oneof(fc.constantFrom("tcp", "TCP", "ws", "dc"), letters(ALPHANUMERIC, 1, 5)),
  parameters: fc.array(fc.oneof(token, fc.tuple(token, token).map((pair) => pair.join("=")))).map((list) =>
    list.map((one) => `;${one}`).join("")
  )
}).map(({ authority, ...rest }) => Object.assign(rest, authority))

describe("parseUri", () => {
  it("R4975-9-50 reads every part", () => {
    assert.deepStrictEqual(uri("MSRPS://Alice@Host.Example.com:2855/As/d~34=;tcp;a=b;c"), {
      text: "MSRPS://Alice@Host.Example.com:2855/As/d~34=;tcp;a=b;c",
      scheme: "msrps",
      userinfo: "Alice",
      host: "Host.Example.com",
      port: 2855,
      sessionId: "As/d~34=",
      transport: "tcp",
      parameters: ";a=b;c"
    })
    assert.deepStrictEqual(uri("msrp://h;tcp"), {
      text: "msrp://h;tcp",
      scheme: "msrp",
      userinfo: undefined,
      host: "h",
      port: undefined,
      sessionId: undefined,
      transport: "tcp",
      parameters: ""
    })
  })

  it("R4975-9-50 wants scheme, authority and transport", () => {
    malformed(
      "",
      "msrp",
      "msrp://",
      "msrp://;tcp",
      "msrp:///a;tcp",
      "msrp://:2855/a;tcp",
      "msrp://a@;tcp",
      "msrp://a@:1/x;tcp",
      "msrps://h:1/x",
      "msrps://h:1/x;",
      "msrps://h:1",
      "msrp:/h:1/x;tcp",
      "msrp//h:1/x;tcp",
      "msrpx://h:1/x;tcp",
      "sip://h:1/x;tcp",
      " msrp://h:1/x;tcp",
      "msrp://h:1/x;tcp ",
      "msrp://h:1/x;tcp\r",
      "msrp://h:1/x;tcp\n"
    )
  })

  it("R4975-9-50 parameters are tokens", () => {
    assert.strictEqual(uri("msrp://h:1/x;tcp;a;b=c;d=%20~").parameters, ";a;b=c;d=%20~")
    malformed(
      "msrp://h:1/x;tcp;",
      "msrp://h:1/x;tcp;;a",
      "msrp://h:1/x;tcp;a=",
      "msrp://h:1/x;tcp;=a",
      "msrp://h:1/x;tcp;a=b=c",
      "msrp://h:1/x;tcp;a=\"b\"",
      "msrp://h:1/x;tcp;a/b",
      "msrp://h:1;tcp/x",
      "msrp://h:1/x;tcp;ä"
    )
  })

  it("R4975-9-51 R4975-6.1-11 takes a session-id as it is, and no empty or encoded one", () => {
    assert.strictEqual(uri("msrp://h:1/a/../b//c+=-._~;tcp").sessionId, "a/../b//c+=-._~")
    assert.strictEqual(uri("msrp://h:1//;tcp").sessionId, "/")
    malformed(
      "msrp://h:1/;tcp",
      "msrp://h:1/a%62;tcp",
      "msrp://h:1/a:b;tcp",
      "msrp://h:1/a@b;tcp",
      "msrp://h:1/a?b;tcp",
      "msrp://h:1/a#b;tcp",
      "msrp://h:1/a b;tcp"
    )
  })

  it("R4975-9-52 the first semicolon ends the host", () => {
    const parsed = uri("msrps://extra.example.com;tcp")
    assert.strictEqual(parsed.host, "extra.example.com")
    assert.strictEqual(parsed.transport, "tcp")
  })

  it("R4975-9-53 the first semicolon ends the port", () => {
    assert.strictEqual(uri("msrps://h.example.com:2855;tcp").port, 2855)
    assert.strictEqual(uri("msrps://h.example.com:0002855;tcp").port, 2855)
    assert.strictEqual(uri("msrps://h:65535/a;tcp").port, 65_535)
    malformed(
      "msrps://h:65536/a;tcp",
      "msrps://h:1a/a;tcp",
      "msrps://h:-1/a;tcp",
      "msrps://h:1:2/a;tcp",
      `msrps://h:${"9".repeat(1000)}/a;tcp`
    )
  })

  it("R4975-9-54 R4975-6-01 the last @ before the first slash ends the userinfo", () => {
    for (const userinfo of ["a;tcp", "a:b", "a%40b", "a;tcp:1", "", "a@b.example.com:1;tcp"]) {
      const parsed = uri(`msrp://${userinfo}@h.example.com:1;tcp`)
      assert.deepStrictEqual(
        [parsed.userinfo, parsed.host, parsed.port, parsed.sessionId, parsed.transport],
        [userinfo, "h.example.com", 1, undefined, "tcp"]
      )
    }
    malformed("msrp://a%4@h:1/x;tcp", "msrp://a[b@h:1/x;tcp", "msrp://a b@h:1/x;tcp", "msrp://h:1/x@y:2/z;tcp")
  })

  it("R4975-6-02 an IP address has a port", () => {
    assert.strictEqual(uri("msrp://192.0.2.1:9/x;tcp").port, 9)
    malformed(
      "msrp://192.0.2.1/x;tcp",
      "msrp://192.0.2.1;tcp",
      "msrp://u@192.0.2.1:/x;tcp",
      "msrp://19%32.0.2.1/x;tcp",
      "msrps://[2001:db8::1]/x;tcp",
      "msrps://[2001:db8::1];tcp",
      "msrps://[2001:db8::1]:/x;tcp"
    )
  })

  it("R4975-6-03 an IPv6 address is in brackets", () => {
    const parsed = uri("msrps://[2001:DB8::1]:2855/x;tcp")
    assert.strictEqual(parsed.host, "2001:DB8::1")
    assert.strictEqual(parsed.port, 2855)
    assert.strictEqual(uri("msrps://[::ffff:192.0.2.1]:1;tcp").host, "::ffff:192.0.2.1")
    malformed(
      "msrps://2001:db8::1:2855/x;tcp",
      "msrps://::1/x;tcp",
      "msrps://[2001:db8::1:2855/x;tcp",
      "msrps://2001:db8::1]:2855/x;tcp",
      "msrps://[]:2855/x;tcp",
      "msrps://[192.0.2.1]:2855/x;tcp",
      "msrps://[h.example.com]:2855/x;tcp",
      "msrps://[::1]2855/x;tcp",
      "msrps://[::1]x:2855/x;tcp",
      "msrps://[fe80::1%25eth0]:2855/x;tcp",
      "msrps://[fe80::1%eth0]:2855/x;tcp",
      "msrps://[1::2::3]:2855/x;tcp",
      "msrps://[::1;tcp]:2855/x;tcp"
    )
  })

  it("R4976-8-01 R4976-8-02 R4975-6-04 a name without a port is read, and no port is assumed", () => {
    for (const text of ["msrps://relay.example.com;tcp", "msrp://x.invalid/abc;ws", "msrps://relay.example.com:;tcp"]) {
      assert.isUndefined(uri(text).port)
    }
  })

  it("R7977-5.2.1-01 R7977-5.2.2-01 any alphanumeric transport is read", () => {
    for (const transport of ["tcp", "TCP", "ws", "dc", "9x9"]) {
      assert.strictEqual(uri(`msrp://h:1/x;${transport}`).transport, transport)
    }
    malformed("msrp://h:1/x;t-p", "msrp://h:1/x;tcp=1", "msrp://h:1/x; tcp")
  })

  it("a host is RFC 3986 text", () => {
    assert.strictEqual(uri("msrp://h_1~%e4!:1/x;tcp").host, "h_1~%e4!")
    malformed(
      "msrp://h%:1/x;tcp",
      "msrp://h%4:1/x;tcp",
      "msrp://h%4g:1/x;tcp",
      "msrp://hä:1/x;tcp",
      "msrp://h\u0000:1/x;tcp"
    )
  })

  it("R4976-9.3-06 a URI may have MAX_URI_OCTETS", () => {
    const frame = "msrp://h:1/;tcp"
    const longest = `msrp://h:1/${"a".repeat(MAX_URI_OCTETS - frame.length)};tcp`
    assert.strictEqual(uri(longest).text.length, MAX_URI_OCTETS)
    malformed(longest.replace("/a", "/aa"))
  })

  it("R4976-9.3-06 a host may have MAX_HOST_OCTETS", () => {
    const longest = "h".repeat(MAX_HOST_OCTETS)
    assert.strictEqual(uri(`msrp://${longest}:1/x;tcp`).host, longest)
    malformed(`msrp://${longest}h:1/x;tcp`, `msrp://${longest}h;tcp`)
  })

  it("R4976-6.4-03 keeps the text", () => {
    const text = "MSRPS://U@EXAMPLE.com:02855/X;TCP;A=b"
    assert.strictEqual(uri(text).text, text)
  })

  it("property: is total", () => {
    const fragments = fc.constantFrom(
      "msrp",
      "s",
      "://",
      ":",
      "/",
      ";",
      "tcp",
      "@",
      "[",
      "]",
      "::1",
      "1.2.3.4",
      "%",
      "="
    )
    const soup = fc.array(fc.oneof(fragments, fc.string({ maxLength: 3 })), { maxLength: 16 }).map((all) =>
      all.join("")
    )
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: "binary" }), soup, soup.map((text) => `msrp://${text}`)),
        (text) => {
          const parsed = parseUri(text)
          if (parsed === undefined) return
          assert.strictEqual(parsed.text, text)
          // what was read is a URI again, and the same one
          assert.isTrue(sameUri(parsed, uri(formatUri(parsed))), text)
        }
      ),
      { numRuns: 2000 }
    )
  })
})

describe("formatUri", () => {
  it("property: parseUri reads what it prints", () => {
    fc.assert(fc.property(parts, (given) => {
      const text = formatUri(given)
      assert.deepStrictEqual(uri(text), { text, parameters: "", ...given } as MsrpUri)
    }))
  })

  it("R4975-6-03 prints an IPv6 address in brackets", () => {
    assert.strictEqual(
      formatUri({ scheme: "msrps", host: "2001:db8::1", port: 2855, sessionId: "a" }),
      "msrps://[2001:db8::1]:2855/a;tcp"
    )
  })

  it("R4975-6-01 leaves a password out", () => {
    const userinfo = "alice:secret:more"
    assert.strictEqual(formatUri({ scheme: "msrp", userinfo, host: "h", transport: "ws" }), "msrp://alice@h;ws")
  })
})

describe("parsePath", () => {
  const a = "msrp://a:1/x;tcp"
  const b = "msrps://b:2;tcp"
  const texts = (text: string, maxUris = 8) => parsePath(text, maxUris)?.map((uri) => uri.text)

  it("R4975-9-40 R4975-9-26 reads URIs with blanks between them", () => {
    assert.deepStrictEqual(texts(a), [a])
    assert.deepStrictEqual(texts(`${a} ${b}`), [a, b])
    assert.deepStrictEqual(texts(` ${b}  ${a}   `), [b, a])
  })

  it("wants at least one URI, and all of them well-formed", () => {
    for (const text of ["", " ", `${a} nonsense`, `nonsense ${a}`, `${a},${b}`, `${a}\t${b}`, `${a}${b}`]) {
      assert.isUndefined(texts(text), text)
    }
  })

  it("R4976-9.3-06 has at most maxUris", () => {
    assert.deepStrictEqual(texts(`${a} ${b}`, 2), [a, b])
    assert.isUndefined(texts(`${a} ${b} ${a}`, 2))
    assert.deepStrictEqual(texts(`${a} ${b} `, 2), [a, b])
  })

  it("property: is total", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), fc.nat(3), (text, maxUris) => {
      parsePath(text, maxUris)
    }))
  })
})

describe("sameUri", () => {
  it("R4975-6.1-01 compares schemes without case", () => {
    assert.isTrue(same("MSRPS://h:1/x;tcp", "msrps://h:1/x;tcp"))
    assert.isFalse(same("msrp://h:1/x;tcp", "msrps://h:1/x;tcp"))
  })

  it("R4975-6.1-02 compares hosts without case", () => {
    assert.isTrue(same("msrp://Host.EXAMPLE.com:1/x;tcp", "msrp://host.example.com:1/x;tcp"))
    assert.isFalse(same("msrp://a.example.com:1/x;tcp", "msrp://b.example.com:1/x;tcp"))
  })

  it("R4975-6.1-03 ignores userinfo", () => {
    assert.isTrue(same("msrp://alice@h:1/x;tcp", "msrp://h:1/x;tcp"))
    assert.isTrue(same("msrp://alice@h:1/x;tcp", "msrp://bob:1@h:1/x;tcp"))
  })

  it("R4975-6.1-04 decodes unreserved characters of the host, once", () => {
    assert.isTrue(same("msrp://ex%61mple.com:1/x;tcp", "msrp://example.com:1/x;tcp"))
    assert.isTrue(same("msrp://%45xample%2ecom:1/x;tcp", "msrp://example.com:1/x;tcp"))
    assert.isTrue(same("msrp://%31%39%32.0.2.1:1/x;tcp", "msrp://192.0.2.1:1/x;tcp"))
    assert.isTrue(same("msrp://a%e4:1/x;tcp", "msrp://a%E4:1/x;tcp"))
    assert.isFalse(same("msrp://a%2561:1/x;tcp", "msrp://a%61:1/x;tcp"))
    assert.isFalse(same("msrp://a%2Cb:1/x;tcp", "msrp://a,b:1/x;tcp"))
  })

  it("R4975-6.1-05 compares addresses, not their spelling", () => {
    assert.isTrue(same("msrp://[2001:db8::1]:1/x;tcp", "msrp://[2001:0DB8:0:0:0:0:0:1]:1/x;tcp"))
    assert.isTrue(same("msrp://[::192.0.2.1]:1/x;tcp", "msrp://[::c000:201]:1/x;tcp"))
    assert.isTrue(same("msrp://[1:2:3:4:5:6:7::]:1/x;tcp", "msrp://[1:2:3:4:5:6:7:0]:1/x;tcp"))
    assert.isFalse(same("msrp://[2001:db8::1]:1/x;tcp", "msrp://[2001:db8::2]:1/x;tcp"))
    assert.isFalse(same("msrp://[::ffff:192.0.2.1]:1/x;tcp", "msrp://192.0.2.1:1/x;tcp"))
  })

  it("R4975-6.1-06 resolves nothing", () => {
    assert.isFalse(same("msrp://localhost:1/x;tcp", "msrp://127.0.0.1:1/x;tcp"))
  })

  it("R4975-6.1-07 a port never equals none", () => {
    assert.isFalse(same("msrp://h:2855/x;tcp", "msrp://h/x;tcp"))
    assert.isFalse(same("msrp://h:2855/x;tcp", "msrp://h:2856/x;tcp"))
    assert.isTrue(same("msrp://h:02855/x;tcp", "msrp://h:2855/x;tcp"))
    assert.isTrue(same("msrp://h/x;tcp", "msrp://H/x;tcp"))
  })

  it("R4975-6.1-08 R4975-6.1-11 compares session-ids octet by octet", () => {
    assert.isFalse(same("msrp://h:1/abc;tcp", "msrp://h:1/ABC;tcp"))
    assert.isFalse(same("msrp://h:1/abc;tcp", "msrp://h:1;tcp"))
    assert.isFalse(same("msrp://h:1/a/../b;tcp", "msrp://h:1/b;tcp"))
  })

  it("R4975-6.1-09 compares transports without case", () => {
    assert.isTrue(same("msrp://h:1/x;tcp", "msrp://h:1/x;TCP"))
    assert.isFalse(same("msrp://h:1/x;tcp", "msrp://h:1/x;ws"))
  })

  it("R4975-6.1-10 ignores other parameters", () => {
    assert.isTrue(same("msrp://h:1/x;tcp;a=b", "msrp://h:1/x;tcp;c"))
  })

  // Few values, so that equal and nearly equal URIs are common.
  const near = fc.record({
    scheme: fc.constantFrom("msrp", "MSRP", "msrps"),
    user: fc.constantFrom("", "a@", "b:c@"),
    host: fc.constantFrom("h:1", "H:01", "%68:1", "h", "[::1]:1", "[0:0::1]:1", "[::0.0.0.1]:1", "[::1]:2", "%2568:1"),
    rest: fc.constantFrom(";tcp", ";TCP;x=y", "/s;tcp", "/S;tcp", "/s;tcp;z", "/s;ws")
  }).map(({ host, rest, scheme, user }) => uri(`${scheme}://${user}${host}${rest}`))

  it("property: is an equivalence relation", () => {
    fc.assert(
      fc.property(near, near, near, (a, b, c) => {
        assert.isTrue(sameUri(a, { ...a }))
        assert.strictEqual(sameUri(a, b), sameUri(b, a))
        if (sameUri(a, b)) assert.strictEqual(sameUri(b, c), sameUri(a, c))
      }),
      { numRuns: 5000 }
    )
  })

  it("property: authorityKey is equal exactly for the same authority", () => {
    const bare = (of: MsrpUri) => uri(formatUri({ scheme: "msrp", host: of.host, port: of.port }))
    fc.assert(
      fc.property(fc.oneof(near, parts.map((given) => uri(formatUri(given)))), near, (a, b) => {
        assert.strictEqual(authorityKey(a) === authorityKey(b), sameUri(bare(a), bare(b)))
        assert.strictEqual(authorityKey(a), authorityKey(bare(a)))
      }),
      { numRuns: 2000 }
    )
  })
})

describe("authorityKey", () => {
  it("is host and port in one spelling", () => {
    assert.strictEqual(authorityKey(uri("msrp://u@Ex%61mple.com:02855/x;tcp")), "example.com:2855")
    assert.strictEqual(authorityKey(uri("msrps://Example.com;tcp")), "example.com:")
    assert.strictEqual(authorityKey(uri("msrps://[2001:DB8:0::1]:1/x;tcp")), "[2001:db8::1]:1")
  })

  it("property: canonicalHost of an IPv6 address is its own canonical form", () => {
    fc.assert(fc.property(fc.ipV6(), (host) => {
      const once = canonicalHost(host)
      assert.strictEqual(canonicalHost(once), once)
      assert.strictEqual(canonicalHost(host.toUpperCase()), once)
    }))
  })
})
