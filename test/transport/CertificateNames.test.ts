import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { X509Certificate } from "node:crypto"
import { CertificateNames, isFor, type Named } from "../../src/transport/CertificateNames.ts"
import { makeCertificates } from "../../src/transport/Certificates.ts"
import * as Pki from "../support/pki.ts"

describe("CertificateNames", () => {
  const pairs = [Pki.relay, Pki.commonNameOnly, Pki.localhost, Pki.otherLocalhost, Pki.selfSigned]
  const own = pairs.map(({ cert }) => new X509Certificate(cert))
  /** A certificate of which it is counted how often OpenSSL would be asked. */
  let asked = 0
  const named = (subjectAltName: string | undefined, host: (name: string) => boolean): Named => ({
    subjectAltName,
    checkHost: (name) => {
      asked++
      return host(name) ? name : undefined
    },
    checkIP: () => assert.fail("no address was asked for")
  })

  it("finds the one that OpenSSL finds first when it is asked of each", () => {
    for (const all of [own, own.toReversed()]) {
      const names = new CertificateNames()
      for (const one of all) names.add(one)
      for (
        const host of [
          "relay.example.com",
          "RELAY.example.com",
          "b.example.com",
          "c.example.com",
          "example.com",
          "localhost",
          "127.0.0.1",
          "::1",
          "0:0:0:0:0:0:0:1",
          "127.0.0.2",
          "test",
          "*.example.com",
          ""
        ]
      ) assert.strictEqual(names.find(host), all.findIndex((one) => isFor(one, host)), host)
    }
  })

  it("asks OpenSSL of none for a name that no certificate has, however many there are", () => {
    const names = new CertificateNames()
    for (let i = 0; i < 1000; i++) {
      const all = Array.from({ length: 100 }, (_, n) => `h${n}.d${i}.test`)
      names.add(named(all.map((name) => `DNS:${name}`).join(", "), (name) => all.includes(name)))
    }
    asked = 0
    assert.deepStrictEqual(["nobody.test", "h7.d999.test", "h100.d0.test"].map((name) => names.find(name)), [
      -1,
      999,
      -1
    ])
    assert.strictEqual(asked, 1)
  })

  it.each<[what: string, names: string | undefined]>([
    ["a pattern", "DNS:a*.one.test"],
    ["a name that is no plain text", "DNS:\"a,b\", DNS:b.test"],
    ["an address and no name", "IP Address:192.0.2.1"],
    ["none, so that its common name may count", undefined]
  ])("asks of each whose names are %s", (_what, text) => {
    const names = new CertificateNames()
    names.add(named("DNS:other.test", () => false))
    names.add(named(text, () => true))
    assert.strictEqual(names.find("ab.one.test"), 1)
  })

  it("has one for all names of a domain be for those that are one label longer", () => {
    const names = new CertificateNames()
    names.add(named("DNS:*.One.test", (name) => /^[^.]+\.one\.test$/i.test(name)))
    assert.deepStrictEqual(["a.one.test", "A.one.TEST", "a.b.one.test", "one.test"].map((name) => names.find(name)), [
      0,
      0,
      -1,
      -1
    ])
  })
})

it.effect("certificates are made one in a turn: others go on meanwhile", () =>
  Effect.gen(function*() {
    const others = Array.from({ length: 20 }, () => Pki.relay)
    const made = yield* Effect.forkChild(makeCertificates({ ...Pki.localhost, others }))
    let turns = 0
    for (; made.pollUnsafe() === undefined; turns++) yield* Effect.yieldNow
    assert.isAtLeast(turns, others.length)
  }))
