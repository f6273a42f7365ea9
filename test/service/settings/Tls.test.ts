/** Certificates that are named, and those that are made. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { parse, problemsOf, remote, users } from "./environment.ts"

describe("Settings", () => {
  describe("TLS", () => {
    it.effect("certificate and key come together", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(Object.keys(yield* problemsOf({ MSRP_TLS_CERT: "/relay.crt" })), ["MSRP_TLS_KEY"])
        assert.deepStrictEqual(Object.keys(yield* problemsOf({ MSRP_TLS_KEY: "/relay.key" })), ["MSRP_TLS_CERT"])
      }))

    it.effect.each([
      { MSRP_URIS: "msrps://relay.example.com;tcp" },
      { MSRP_LISTEN: "msrps:192.0.2.1:2856" },
      // who comes from elsewhere to one listener may be shown the certificate of the other
      { MSRP_LISTEN: "msrps:127.0.0.1:2856,msrp:192.0.2.1:2855" }
    ])("%o needs a certificate", (env) =>
      Effect.gen(function*() {
        assert.deepStrictEqual(Object.keys(yield* problemsOf({ ...users, ...env })), ["MSRP_TLS_CERT"])
      }))

    it.effect("on loopback one is made, for the names that clients use", () =>
      Effect.gen(function*() {
        const named = yield* parse({ ...users, MSRP_URIS: "msrps://a.localhost;tcp", MSRP_LISTEN: "msrps:[::1]:2855" })
        assert.deepStrictEqual(named.selfSigned, ["a.localhost", "::1"])
        const plain = yield* parse({ ...users, MSRP_URIS: "msrp://localhost;tcp" })
        assert.strictEqual(plain.selfSigned, undefined)
      }))

    it.effect("warns of a certificate for another name, and of one out of date", () =>
      Effect.gen(function*() {
        // the certificates of these tests are made when they start
        yield* TestClock.setTime(new Date().getTime())
        assert.deepStrictEqual((yield* parse(remote)).warnings, [])
        const other = yield* parse({ ...remote, MSRP_URIS: "msrps://other.example.com;tcp" })
        assert.include(other.warnings[0], "not for other.example.com")
        const both = { MSRP_TLS_CERT: "/relay.crt,/localhost.crt", MSRP_TLS_KEY: "/relay.key,/localhost.key" }
        const names = { MSRP_URIS: "msrps://localhost:1;tcp,msrps://relay.example.com;tcp" }
        assert.deepStrictEqual((yield* parse({ ...remote, ...both, ...names })).warnings, [])
        yield* TestClock.adjust("2 hours")
        assert.include((yield* parse(remote)).warnings[0], "has expired")
        yield* TestClock.setTime(0)
        assert.include((yield* parse(remote)).warnings[0], "valid only from")
      }))

    it.effect("relays are admitted that an authority of one's own vouches for, others only by name", () =>
      Effect.gen(function*() {
        const peers = (env: Record<string, string>) =>
          Effect.map(parse({ ...users, ...env }), ({ relay }) => relay.relayPeers)
        assert.strictEqual(yield* peers({}), "none")
        assert.strictEqual(yield* peers({ MSRP_TLS_CA: "/ca.crt" }), "all")
        assert.strictEqual(yield* peers({ MSRP_TLS_CA: "/ca.crt", MSRP_RELAY_PEERS: "none" }), "none")
        assert.deepStrictEqual(yield* peers({ MSRP_RELAY_PEERS: "a.example" }), ["a.example"])
        const warned = (env: Record<string, string>) =>
          Effect.map(parse({ ...users, ...env }), ({ warnings }) => warnings.join())
        assert.include(yield* warned({ MSRP_RELAY_PEERS: "all" }), "public authority")
        assert.notInclude(yield* warned({ MSRP_RELAY_PEERS: "all", MSRP_TLS_CA: "/ca.crt" }), "public authority")
        const listen = { MSRP_RELAY_LISTEN: "msrps:127.0.0.1:2856" }
        assert.include(yield* warned(listen), "of no use")
        assert.notInclude(yield* warned({ ...listen, MSRP_TLS_CA: "/ca.crt" }), "of no use")
      }))
  })
})
