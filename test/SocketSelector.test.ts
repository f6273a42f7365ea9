import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as AtomRef from "effect/reactivity/AtomRef"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import {
  parseSocket,
  parseSocketRules,
  type SocketRequest,
  type SocketRule,
  SocketSelector
} from "../src/SocketSelector.ts"
import type { LocalSocket } from "../src/Transport.ts"

const plain: LocalSocket = { scheme: "msrp", host: "192.0.2.1", port: 2855 }
const secure: LocalSocket = { scheme: "msrps", host: "192.0.2.1", port: 2856 }
const secure2: LocalSocket = { scheme: "msrps", host: "192.0.2.9", port: 2856 }
const egress: LocalSocket = { scheme: "msrps", host: "198.51.100.7", port: 2856 }
const sockets = [plain, secure, secure2]

interface Given {
  readonly source?: string
  readonly sourcePort?: number
  readonly protocol?: "tcp" | "tls"
  readonly inbound?: LocalSocket
  readonly scheme?: "msrp" | "msrps"
  readonly host?: string
  readonly port?: number
}

const request = (given: Given = {}): SocketRequest => ({
  source: { host: given.source ?? "203.0.113.5", port: given.sourcePort ?? 40_000 },
  protocol: given.protocol ?? "tls",
  inbound: given.inbound,
  destination: { scheme: given.scheme ?? "msrps", host: given.host ?? "peer.example.net", port: given.port ?? 2855 }
})

const select = (given: Given) => SocketSelector.use((selector) => selector.select(request(given)))

/** Does a rule with these conditions decide about the request? */
const matches = (conditions: string, given: Given): boolean => {
  const [rule] = Result.getOrThrow(parseSocketRules(`${conditions} -> none`))
  return rule!.matches(request(given))
}

const withRules = (text: string) => SocketSelector.layerRules(sockets, Result.getOrThrow(parseSocketRules(text)))

const problems = (text: string) => {
  const parsed = parseSocketRules(text)
  assert.isTrue(Result.isFailure(parsed), text)
  return Result.isFailure(parsed) ? parsed.failure : undefined!
}

describe("layerDefault", () => {
  it.effect("takes the inbound socket when its scheme is that of the destination", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* select({ inbound: secure2, scheme: "msrps" }), secure2)
      assert.strictEqual(yield* select({ inbound: plain, scheme: "msrp" }), plain)
    }).pipe(Effect.provide(SocketSelector.layerDefault(sockets))))

  it.effect("R4975-6-05 else the first local socket of the destination's scheme", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* select({ inbound: plain, scheme: "msrps" }), secure)
      assert.strictEqual(yield* select({ inbound: secure2, scheme: "msrp" }), plain)
      assert.strictEqual(yield* select({ scheme: "msrps" }), secure)
    }).pipe(Effect.provide(SocketSelector.layerDefault(sockets))))

  it.effect("else none", () =>
    Effect.gen(function*() {
      assert.isUndefined(yield* select({ inbound: secure, scheme: "msrp" }))
    }).pipe(Effect.provide(SocketSelector.layerDefault([secure]))))
})

describe("a layer of one's own", () => {
  const own = Layer.succeed(SocketSelector, {
    select: ({ destination }) => Effect.succeed(destination.port === 1 ? egress : undefined)
  })
  it.effect("replaces the others", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* select({ port: 1 }), egress)
      assert.isUndefined(yield* select({ port: 2 }))
    }).pipe(Effect.provide(own)))
})

describe("layerRules", () => {
  it.effect("the first rule that matches decides", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* select({ host: "a.example.com" }), egress)
      assert.isUndefined(yield* select({ source: "10.1.2.3" }))
      assert.deepStrictEqual(yield* select({ host: "a.example.com", source: "10.1.2.3" }), egress)
    }).pipe(Effect.provide(withRules("dst=*.example.com -> msrps:198.51.100.7:2856; src=10.0.0.0/8 -> none"))))

  it.effect("the default rule decides when none does", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* select({ inbound: secure2 }), secure2)
      assert.strictEqual(yield* select({}), secure)
    }).pipe(Effect.provide(withRules("dst=*.example.com -> none"))))

  it.effect("default makes an exception from a later rule", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* select({ host: "a.example.com" }), secure)
      assert.isUndefined(yield* select({ host: "b.example.com" }))
    }).pipe(Effect.provide(withRules("dst=a.example.com -> default; dst=*.example.com -> none"))))

  it.effect("R4975-6-05 a socket is used for destinations of its scheme only", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* select({ scheme: "msrps" }), egress)
      assert.strictEqual(yield* select({ scheme: "msrp" }), plain)
    }).pipe(Effect.provide(withRules("-> msrps:198.51.100.7:2856"))))

  it.effect("rules that change count at once; those that cannot be used leave those from before", () =>
    Effect.gen(function*() {
      const rules = AtomRef.make<ReadonlyArray<SocketRule>>([])
      yield* Effect.gen(function*() {
        assert.strictEqual(yield* select({}), secure)
        rules.set([{ matches: () => true, use: secure2 }])
        assert.strictEqual(yield* select({}), secure2)
        rules.set([{ use: egress } as SocketRule])
        assert.strictEqual(yield* select({}), secure2)
      }).pipe(Effect.provide(SocketSelector.layerRules(sockets, rules)))
    }).pipe(Effect.provide(Logger.layer([]))))

  it.effect("no rules: the default rule", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* select({}), secure)
    }).pipe(Effect.provide(withRules(" ;\n; "))))
})

describe("conditions", () => {
  it("src: addresses and networks of both families", () => {
    assert.isTrue(matches("src=10.0.0.0/8", { source: "10.255.0.1" }))
    assert.isFalse(matches("src=10.0.0.0/8", { source: "11.0.0.1" }))
    assert.isTrue(matches("src=10.0.0.1", { source: "10.0.0.1" }))
    assert.isFalse(matches("src=10.0.0.1", { source: "10.0.0.2" }))
    assert.isTrue(matches("src=2001:db8::/32", { source: "2001:DB8:0::5" }))
    assert.isFalse(matches("src=2001:db8::/32", { source: "2001:db9::5" }))
    assert.isFalse(matches("src=0.0.0.0/0", { source: "::1" }))
  })

  it("src: a peer as a dual-stack listener shows it", () => {
    assert.isTrue(matches("src=10.0.0.0/8", { source: "::ffff:10.0.0.1" }))
    assert.isTrue(matches("src=fe80::/10", { source: "fe80::1%eth0" }))
  })

  it("src-port, dst-port: numbers and ranges", () => {
    assert.isTrue(matches("src-port=40000", { sourcePort: 40_000 }))
    assert.isFalse(matches("src-port=40000", { sourcePort: 40_001 }))
    for (const [port, expected] of [[9, false], [10, true], [20, true], [21, false]] as const) {
      assert.strictEqual(matches("dst-port=10-20", { port }), expected)
      assert.isFalse(matches("src-port=10-20", { port }))
    }
  })

  it("protocol, scheme", () => {
    assert.isTrue(matches("protocol=tcp", { protocol: "tcp" }))
    assert.isFalse(matches("protocol=tcp", { protocol: "tls" }))
    assert.isTrue(matches("scheme=msrp", { scheme: "msrp" }))
    assert.isFalse(matches("scheme=msrp", { scheme: "msrps" }))
  })

  it("in: the inbound socket", () => {
    assert.isTrue(matches("in=msrps:192.0.2.1:2856", { inbound: secure }))
    assert.isFalse(matches("in=msrps:192.0.2.1:2856", { inbound: secure2 }))
    assert.isFalse(matches("in=msrps:192.0.2.1:2856", { inbound: { ...secure, port: 2857 } }))
    assert.isFalse(matches("in=msrps:192.0.2.1:2856", { inbound: { ...secure, scheme: "msrp" } }))
    assert.isFalse(matches("in=msrps:192.0.2.1:2856", {}))
    assert.isTrue(matches("in=msrps:[::0]:1", { inbound: { scheme: "msrps", host: "::", port: 1 } }))
  })

  it("R4975-6.1-02 R4975-6.1-04 dst: a name", () => {
    assert.isTrue(matches("dst=A.example.COM", { host: "a.Ex%61mple.com" }))
    assert.isTrue(matches("dst=a.example.com", { host: "a.example.com." }))
    assert.isTrue(matches("dst=a.example.com.", { host: "a.example.com" }))
    assert.isFalse(matches("dst=a.example.com", { host: "b.a.example.com" }))
    assert.isFalse(matches("dst=a.example.com", { host: "a-example.com" }))
  })

  it("dst: all names under a domain", () => {
    assert.isTrue(matches("dst=*.example.com", { host: "a.b.EXAMPLE.com" }))
    assert.isTrue(matches("dst=*.example.com.", { host: "a.example.com." }))
    assert.isFalse(matches("dst=*.example.com", { host: "example.com" }))
    assert.isFalse(matches("dst=*.example.com", { host: "badexample.com" }))
    assert.isFalse(matches("dst=*.example.com", { host: "a.example.com.evil.net" }))
  })

  it("R4975-6.1-05 R4975-6.1-06 dst: addresses and networks, without resolving names", () => {
    assert.isTrue(matches("dst=192.168.0.0/16", { host: "192.168.3.4" }))
    assert.isFalse(matches("dst=192.168.0.0/16", { host: "192.169.3.4" }))
    assert.isTrue(matches("dst=2001:db8:0::1", { host: "2001:DB8::1" }))
    assert.isFalse(matches("dst=0.0.0.0/0,::/0", { host: "localhost" }))
  })

  it("all must hold, of each one value", () => {
    const conditions = "src=10.0.0.0/8,fd00::/8 protocol=tls dst=a.example.com,*.example.net"
    assert.isTrue(matches(conditions, { source: "10.0.0.1", host: "x.example.net" }))
    assert.isTrue(matches(conditions, { source: "fd00::1", host: "a.example.com" }))
    assert.isFalse(matches(conditions, { source: "11.0.0.1", host: "a.example.com" }))
    assert.isFalse(matches(conditions, { source: "10.0.0.1", host: "b.example.com" }))
    assert.isFalse(matches(conditions, { source: "10.0.0.1", host: "a.example.com", protocol: "tcp" }))
  })
})

describe("parseSocketRules", () => {
  it("names every bad rule, its place and what is wrong", () => {
    const error = problems("dst=a.example.com -> none;; src=10.0.0.0/33 -> none; -> msrps:h:1 ; colour=red -> none;")
    assert.strictEqual(error._tag, "SocketRulesError")
    assert.deepStrictEqual(error.problems.map(({ number, rule }) => [number, rule]), [
      [2, "src=10.0.0.0/33 -> none"],
      [4, "colour=red -> none"]
    ])
    assert.include(error.message, `rule 2 "src=10.0.0.0/33 -> none": src: "10.0.0.0/33"`)
    assert.include(error.message, `rule 4 "colour=red -> none": "colour=red"`)
  })

  it("refuses what could never be meant", () => {
    for (
      const [rule, problem] of [
        ["dst=a.example.com", "->"],
        ["dst=a.example.com ->", `""`],
        ["-> msrps:192.0.2.1", "msrps:192.0.2.1"],
        ["-> tls:192.0.2.1:2856", "tls:192.0.2.1:2856"],
        ["-> msrps:2001:db8::1:2856", "msrps:2001:db8::1:2856"],
        ["-> nothing", "nothing"],
        ["a.example.com -> none", "a.example.com"],
        ["=a -> none", "=a"],
        ["src= -> none", `src: ""`],
        ["src=10.0.0.1/8 -> none", "10.0.0.1/8"],
        ["src=a.example.com -> none", "a.example.com"],
        ["src=10.0.0.1,x -> none", `"x"`],
        ["src-port=1-0 -> none", "1-0"],
        ["src-port=65536 -> none", "65536"],
        ["dst-port=http -> none", "http"],
        ["protocol=udp -> none", "udp"],
        ["in=192.0.2.1:2855 -> none", "192.0.2.1:2855"],
        ["scheme=sip -> none", "sip"],
        ["scheme=msrp -> msrps:192.0.2.1:2856", "never"],
        ["dst=* -> none", `"*"`],
        ["dst=a.*.com -> none", "a.*.com"],
        ["dst=10.0.0.256 -> none", "10.0.0.256"],
        ["dst=a dst=b -> none", "twice"]
      ] as const
    ) {
      const error = problems(rule)
      assert.strictEqual(error.problems.length, 1, rule)
      assert.include(error.problems[0]!.problem, problem, rule)
    }
  })

  it("property: is total", () => {
    const words = fc.constantFrom(
      "src=",
      "dst=",
      "in=",
      "scheme=",
      "->",
      " ",
      ";",
      ",",
      "*.",
      "none",
      "msrps:h:1",
      "::1",
      "/8"
    )
    fc.assert(
      fc.property(
        fc.array(fc.oneof(words, fc.string({ maxLength: 4, unit: "binary" }))).map((all) => all.join("")),
        (text) => {
          const parsed = parseSocketRules(text)
          if (Result.isFailure(parsed)) assert.isTrue(parsed.failure.problems.length > 0)
          else for (const rule of parsed.success) rule.matches(request())
        }
      ),
      { numRuns: 1000 }
    )
  })
})

describe("parseSocket", () => {
  it("reads scheme, host and port", () => {
    assert.deepStrictEqual(parseSocket("msrp:0.0.0.0:2855"), { scheme: "msrp", host: "0.0.0.0", port: 2855 })
    assert.deepStrictEqual(parseSocket("msrps:[::]:0"), { scheme: "msrps", host: "::", port: 0 })
    assert.deepStrictEqual(parseSocket("msrps:localhost:2856"), { scheme: "msrps", host: "localhost", port: 2856 })
  })

  it("wants all three and nothing else", () => {
    for (
      const text of [
        "",
        "msrp",
        "msrp:",
        "msrp:h",
        "msrp:h:",
        "h:1",
        "msrp::1",
        "msrp://h:1",
        "msrp:u@h:1",
        "msrp:h:1/x",
        "msrp:h:1;a"
      ]
    ) {
      assert.isUndefined(parseSocket(text), text)
    }
  })
})
