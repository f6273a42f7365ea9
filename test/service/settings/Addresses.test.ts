/** URIs and listeners, which follow from each other. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { isLoopback } from "../../../src/net/Hosts.ts"
import { parse, problemsOf, remote, sockets, users } from "./environment.ts"

describe("Settings", () => {
  describe("addresses", () => {
    it.effect("binds localhost by its addresses, once each", () =>
      Effect.gen(function*() {
        const settings = yield* parse({ ...users, MSRP_LISTEN: "msrp:127.0.0.1:7,msrp:localhost:7,msrp:LOCALHOST:8" })
        const ipv4 = sockets(settings).filter((socket) => socket.includes("127.0.0.1"))
        assert.deepStrictEqual(ipv4, ["msrp 127.0.0.1 7", "msrp 127.0.0.1 8"])
        assert.isTrue(sockets(settings).every((socket) => !socket.toLowerCase().includes("localhost")))
      }))

    it.effect.each([
      "msrp:192.0.2.1:2855,msrps:192.0.2.1:2855",
      "msrp:192.0.2.1:2855,msrp:192.0.2.1:2855",
      "msrp:0.0.0.0:2855,msrp:192.0.2.1:2855",
      "msrp:[2001:db8::1]:2855,msrp:[::]:2855",
      "msrp:[2001:db8::1]:2855,msrp:[2001:DB8:0::1]:2855",
      "msrp:localhost:2855,msrps:127.0.0.1:2855"
    ])("MSRP_LISTEN=%s has two on one address", (listen) =>
      Effect.gen(function*() {
        assert.include((yield* problemsOf({ ...remote, MSRP_LISTEN: listen }))["MSRP_LISTEN"], "same address")
      }))

    it.effect("URIs that need two listeners on one address are a problem, unless MSRP_LISTEN has others", () =>
      Effect.gen(function*() {
        const env = { ...remote, MSRP_URIS: "msrp://relay.example.com:1;tcp,msrps://relay.example.com:1;tcp" }
        assert.include((yield* problemsOf(env))["MSRP_URIS"], "same address")
        yield* parse({ ...env, MSRP_LISTEN: "msrps:0.0.0.0:1,msrps:[2001:db8::1]:1" })
      }))

    it.effect("listening on all addresses needs URIs", () =>
      Effect.gen(function*() {
        const problems = yield* problemsOf({ ...users, MSRP_LISTEN: "msrp:[0:0::0]:2855" })
        assert.deepStrictEqual(Object.keys(problems), ["MSRP_URIS"])
      }))

    it.effect("warns of a rule for a socket on which the relay does not listen: it never applies", () =>
      Effect.gen(function*() {
        const env = { ...users, MSRP_LISTEN: "msrp:127.0.0.1:7,ws:[::1]:8/chat" }
        const warningsOf = (rules: string) =>
          Effect.map(parse({ ...env, MSRP_SOCKET_ROUTES: rules }), ({ warnings }) => warnings)
        assert.deepStrictEqual(yield* warningsOf("in=msrp:127.0.0.1:7,msrp:[0::1]:8 -> none; dst-port=1 -> none"), [])
        assert.deepStrictEqual(
          yield* warningsOf("in=msrp:127.0.0.1:7,msrps:127.0.0.1:7 -> none; dst-port=1 in=msrp:127.0.0.1:9 -> none"),
          [
            "MSRP_SOCKET_ROUTES has \"in=\" for msrps:127.0.0.1:7, msrp:127.0.0.1:9, on which the relay does not listen " +
            "(but on msrp:127.0.0.1:7, msrp:[::1]:8)"
          ]
        )
      }))

    it.effect("R4976-9.2: warns when AUTH is possible nowhere", () =>
      Effect.gen(function*() {
        const env = { ...users, MSRP_URIS: "msrp://relay.example.com;tcp" }
        assert.include((yield* parse(env)).warnings[0], "MSRP_ALLOW_PLAINTEXT_AUTH")
        assert.deepStrictEqual((yield* parse({ ...env, MSRP_ALLOW_PLAINTEXT_AUTH: "1" })).warnings, [])
        assert.deepStrictEqual((yield* parse({ ...env, MSRP_LISTEN: "msrp:127.9.9.9:2855" })).warnings, [])
      }))

    it.effect("R4976-9.2: AUTH is possible where a proxy that is named does TLS; who are the proxies has to be said", () =>
      Effect.gen(function*() {
        const env = { ...users, MSRP_URIS: "msrps://relay.example.com;ws", MSRP_LISTEN: "ws:192.0.2.1:80" }
        assert.match((yield* parse(env)).warnings.join(), /Nobody can log in on ws:192\.0\.2\.1:80: it has no TLS/)
        assert.deepStrictEqual((yield* parse({ ...env, MSRP_TRUSTED_PROXIES: "192.0.2.2" })).warnings, [])
        const header = { ...env, MSRP_LISTEN: "msrp:192.0.2.1:80", MSRP_PROXY_PROTOCOL: "on" }
        assert.deepStrictEqual((yield* parse({ ...header, MSRP_TRUSTED_PROXIES: "192.0.2.2" })).warnings, [])
        assert.deepStrictEqual(Object.keys(yield* problemsOf(header)), ["MSRP_TRUSTED_PROXIES"])
      }))

    it.each([
      ["localhost", true],
      ["LocalHost.", true],
      ["a.localhost", true],
      ["127.0.0.1", true],
      ["127.255.0.3", true],
      ["0:0:0:0:0:0:0:1", true],
      ["::ffff:127.0.0.1", true],
      ["0.0.0.0", false],
      ["::", false],
      ["128.0.0.1", false],
      ["127.example.com", false],
      ["notlocalhost", false],
      ["::ffff:192.0.2.1", false]
    ])("isLoopback(%s) is %s", (host, expected) => {
      assert.strictEqual(isLoopback(host), expected)
    })
  })
})
