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

    it.effect("files that cannot be used are named", () =>
      Effect.gen(function*() {
        const { MSRP_TLS_CERT, MSRP_TLS_KEY } = yield* problemsOf({
          ...remote,
          MSRP_TLS_CERT: "/relay.crt,/nowhere",
          MSRP_TLS_KEY: "/relay.key,/forbidden"
        })
        assert.strictEqual(MSRP_TLS_CERT, "entry 2 there is no such file (/nowhere)")
        assert.strictEqual(MSRP_TLS_KEY, "entry 2 this user has no permission for the file (/forbidden)")
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

    it.effect("warns of a certificate for another name, and of one out of date or soon to be", () =>
      Effect.gen(function*() {
        // the certificates of these tests are made when they start, as if for a day of which 23 hours are over
        yield* TestClock.setTime(new Date().getTime() - 12 * 3_600_000)
        assert.deepStrictEqual((yield* parse(remote)).warnings, [])
        const other = yield* parse({ ...remote, MSRP_URIS: "msrps://other.example.com;tcp" })
        assert.include(other.warnings[0], "not for other.example.com")
        const both = { MSRP_TLS_CERT: "/relay.crt,/localhost.crt", MSRP_TLS_KEY: "/relay.key,/localhost.key" }
        const names = { MSRP_URIS: "msrps://localhost:1;tcp,msrps://relay.example.com;tcp" }
        assert.deepStrictEqual((yield* parse({ ...remote, ...both, ...names })).warnings, [])
        // A certificate is not for the addresses as well that localhost stands for; that none is for it is told once.
        const onlyName = { ...remote, MSRP_LISTEN: "msrps:127.0.0.1:1", MSRP_URIS: "msrps://localhost:1;tcp" }
        assert.deepStrictEqual((yield* parse(onlyName)).warnings, [
          "The certificate is not for localhost: clients that use this URI will refuse it"
        ])
        yield* TestClock.adjust("6 hours")
        assert.match(
          (yield* parse(remote)).warnings[0]!,
          /^The certificate \/relay.crt expires on \S+Z, in less than a day$/
        )
        yield* TestClock.adjust("8 hours")
        assert.match((yield* parse(remote)).warnings[0]!, /^The certificate \/relay.crt expired on \S+Z$/)
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
        assert.include(yield* warned(listen), "has no effect")
        assert.notInclude(yield* warned({ ...listen, MSRP_TLS_CA: "/ca.crt" }), "has no effect")
        const from = { MSRP_RELAY_ADDRESSES: "192.0.2.7" }
        assert.include(yield* warned(from), "MSRP_RELAY_ADDRESSES has no effect")
        assert.notInclude(yield* warned({ ...from, MSRP_TLS_CA: "/ca.crt" }), "has no effect")
      }))
  })
})
