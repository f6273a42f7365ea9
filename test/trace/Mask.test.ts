import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { sessionId, sessionLabel } from "../../src/protocol/Ident.ts"
import { parseUri } from "../../src/protocol/Uri.ts"
import { idsIn, MASK, maskHeader, maskHeaders, maskLine, maskUris, sessionIdsOf } from "../../src/trace/Mask.ts"

const label = (id: string): string => `~${sessionLabel(id)}`

/** Session-ids that nothing else looks like. */
const ids = fc.stringMatching(/^[A-Za-z0-9\-._~+=/]{0,20}secret[A-Za-z0-9\-._~+=]{0,20}$/)
const uris = fc.record({
  scheme: fc.constantFrom("msrp", "msrps", "MSRP", "Msrps"),
  user: fc.constantFrom("", "alice@", "a;b@", "a:word@", "%41@"),
  host: fc.constantFrom("relay.example", "192.0.2.1:9", "[2001:db8::1]:2855", "h.example:2855"),
  id: ids,
  rest: fc.constantFrom(";tcp", ";ws", ";tcp;a=b", "")
}).map(({ host, id, rest, scheme, user }) => ({ id, text: `${scheme}://${user}${host}/${id}${rest}` }))

describe("session-ids", () => {
  it("R4976-9.4-10: are labels, in any URI at any place", () => {
    fc.assert(
      fc.property(
        fc.array(uris, { minLength: 1, maxLength: 4 }),
        fc.constantFrom(" ", ", ", "\t", "> <", ";tcp,", ";tcp;a=b;"),
        (all, by) => {
          const text = all.map((uri) => uri.text).join(by)
          for (
            const line of [
              maskUris(text),
              maskHeader(`To-Path: ${text}`),
              maskHeader(`X: ${text}`),
              maskLine(`MSRP 1 ${text}`)
            ]
          ) {
            assert.notInclude(line, "secret")
            assert.notInclude(line, "word")
          }
        }
      )
    )
  })

  it("have the label that the log has, whatever the URI", () => {
    fc.assert(fc.property(uris, ({ id, text }) => {
      const parsed = parseUri(text)
      fc.pre(parsed !== undefined)
      assert.strictEqual(parsed.sessionId, id)
      assert.include(maskUris(text), `/${label(id)}`)
      assert.deepStrictEqual(sessionIdsOf(text), [id])
    }))
  })

  it.each([
    ["msrps://relay.example:2855/abc;tcp", `msrps://relay.example:2855/${label("abc")};tcp`],
    ["msrps://relay.example:2855;tcp msrp://b/x;tcp", `msrps://relay.example:2855;tcp msrp://b/${label("x")};tcp`],
    ["msrp:/b/x;tcp", MASK],
    ["msrp:b/x;tcp", MASK],
    ["msrp:\v/r;elay.example/x;tcp", MASK],
    ["msrp: /b/x;tcp\0msrp://c/y;tcp", `${MASK} ${MASK}`],
    ["msrp://alice:word@b/x;tcp", `msrp://alice@b/${label("x")};tcp`],
    ["mrsp://b/x;tcp", `mrsp://b/${label("x")};tcp`],
    ["mrsp:b/x;tcp", MASK],
    ["msrp://b/;x;tcp", MASK],
    ["msrp://b/a;x", MASK],
    ["msrp://b/x;tcp;lr=1", `msrp://b/${label("x")};tcp;lr=1`]
  ])("%s in a path", (path, masked) => assert.strictEqual(maskHeader(`From-Path: ${path}`), `From-Path: ${masked}`))

  it.each([
    ["msrp:\t/relay.example:2855/x;tcp", `msrp:\u{fffd}/relay.example:2855/${label("x")};tcp`],
    ["msrp://relay.example:2855/ x;tcp", `msrp://relay.example:2855/ ${label("x")};tcp`],
    ["msrp: x;wss", `msrp: ${label("x")};wss`],
    ["msrp:/ relay.example:2855/x;ws", `msrp:/ relay.example:2855/${label("x")};ws`],
    [
      "msrps://relay.example:2855;tcp, text/plain;charset=utf-8",
      "msrps://relay.example:2855;tcp, text/plain;charset=utf-8"
    ]
  ])("%s, torn or none, in any other line", (text, masked) => {
    assert.strictEqual(maskHeader(`X: ${text}`), `X: ${masked}`)
    assert.strictEqual(maskLine(text), masked)
  })
})

describe("session-ids outside of URIs", () => {
  const own = sessionId()

  it("R4976-9.4-10: of the relay's own are labels wherever they stand", () => {
    for (
      const text of [own, `id=${own}`, `"${own}"`, `msrp%3A%2F%2Frelay%2F${own}%3Btcp`, `msrp%3a%2f%2fr%2f${own}%3btcp`]
    ) {
      assert.notInclude(maskHeader(`X: ${text}`), own, text)
      if (!text.includes("%2f")) assert.include(maskHeader(`X: ${text}`), label(own), text)
      assert.notInclude(maskLine(`MSRP abcd 481 ${text}`), own, text)
      for (const name of ["username", "realm", "domain", "qop"]) {
        assert.notInclude(maskHeader(`Authorization: Digest ${name}="${text}"`), own, text)
      }
    }
    assert.notInclude(maskHeader(`X: msrp://relay.example${own}s;tcp`), own.slice(1, -1))
    assert.notInclude(maskHeader(`Authorization: Digest realm="msrp://b/other-secret;tcp"`), "other-secret")
  })

  it("R4976-9.4-10: of others are labels where a URI of the same frame has them", () => {
    const ids = idsIn(["To-Path: msrp://b/0123456789ab;tcp", "X: msrp://c/0123456789abcdef;tcp, msrp://d/short;tcp"])
    assert.deepStrictEqual(ids, ["0123456789abcdef", "0123456789ab"])
    assert.strictEqual(maskLine("MSRP 1 481 0123456789abcdef", ids), `MSRP 1 481 ${label("0123456789abcdef")}`)
    assert.strictEqual(maskHeader("X: $& 0123456789ab", ids), `X: $& ${label("0123456789ab")}`)
    assert.lengthOf(idsIn(Array.from({ length: 100 }, (_, i) => `X: msrp://b/0123456789ab${i};tcp`)), 32)
  })
})

describe("AUTH", () => {
  it.each([
    [
      `Authorization: Digest username="alice", realm="example", nonce="n1", uri="msrp://r/s3;tcp", nc=00000001, qop=auth, cnonce="c1", response="d1", opaque="o1", algorithm=MD5`,
      `Authorization: Digest username="alice", realm="example", nonce="***", uri="msrp://r/${
        label("s3")
      };tcp", nc=00000001, qop=auth, cnonce="***", response="***", opaque="***", algorithm=MD5`
    ],
    [
      `WWW-Authenticate: Digest realm="example", nonce="n1", stale=true, algorithm=SHA-256, qop="auth", later="l1"`,
      `WWW-Authenticate: Digest realm="example", nonce="***", stale=true, algorithm=SHA-256, qop=auth, later="***"`
    ],
    [
      `authentication-info: nextnonce="n2", rspauth="r1", cnonce="c1", nc=00000001, qop=auth`,
      `authentication-info: nextnonce="***", rspauth="***", cnonce="***", nc=00000001, qop=auth`
    ],
    ["Authorization: Basic YWxpY2U6d29uZGVybGFuZA==", "Authorization: Basic ***"],
    ["Authorization: YWxpY2U6d29uZGVybGFuZA==", "Authorization: ***"],
    [`Authorization: Digest username="alice, response="d1"`, "Authorization: Digest ***"],
    ["Authentication-Info: rspauth", "Authentication-Info: ***"]
  ])("%s", (line, masked) => assert.strictEqual(maskHeader(line), masked))
})

describe("lines", () => {
  it("with URIs in other headers, and what is nearly one, are masked as well; others are not", () => {
    assert.strictEqual(maskHeader("X: see <sip:a>, mrsp://b/x;tcp"), `X: see <sip:a>, mrsp://b/${label("x")};tcp`)
    for (const line of ["Content-Type: text/plain", "Byte-Range: 1-6/6", "Message-ID: a/b", "Date: 12:30 1/2"]) {
      assert.strictEqual(maskHeader(line), line)
    }
  })

  it("that are none are not shown: a body may stand where headers should", () => {
    assert.strictEqual(maskHeader("dear Bob"), "(a malformed line of 8 octets)")
    assert.strictEqual(maskHeader("dear Bob: hello"), "(a malformed line of 15 octets)")
  })

  it("do nothing to a terminal", () => {
    const line = maskHeader(`Subject: ${Buffer.from("\u001b[2J caf\u00e9 \u009b1m \u202e\r\n").toString("latin1")}`)
    assert.strictEqual(line, "Subject: \ufffd[2J caf\u00e9 \ufffd1m \ufffd\ufffd\ufffd")
  })

  it("are cut when they are long or many", () => {
    assert.match(maskHeader(`X: ${"A".repeat(1500)}`), /^X: A{1021}\.\.\. \(479 more\)$/)
    const path = maskHeader(`To-Path: ${"msrp://b/secret;tcp ".repeat(400)}`)
    assert.isBelow(path.length, 1100)
    assert.notInclude(path, "secret")
    assert.match(maskHeader(`X: msrp://b/${"a".repeat(3000)};tcp`), /^X: msrp:\/\/b\/~[0-9a-f]{12}\.\.\. \(965 more\)$/)
    const lines = maskHeaders(Array.from({ length: 64 }, () => `X: ${"A".repeat(900)}`))
    assert.lengthOf(lines, 5)
    assert.strictEqual(lines.at(-1), "(60 more lines)")
  })
})
