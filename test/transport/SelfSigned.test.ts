import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { X509Certificate } from "node:crypto"
import { Transport } from "../../src/Transport.ts"
import { makeSelfSigned } from "../../src/transport/SelfSigned.ts"
import { Recorder } from "../support/Recorder.ts"

it.effect("makes a P-256 certificate for the names, for a year from now on the clock", () =>
  Effect.gen(function*() {
    yield* TestClock.setTime(Date.UTC(2031, 4, 6, 7, 8, 9))
    const { cert, key } = yield* makeSelfSigned(["relay.example.com", "localhost", "127.0.0.1", "::1"])
    const made = new X509Certificate(cert)
    assert.strictEqual(
      made.subjectAltName,
      "DNS:relay.example.com, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1"
    )
    assert.strictEqual(made.validFromDate.getTime(), yield* Clock.currentTimeMillis)
    assert.strictEqual(made.validToDate.getTime() - made.validFromDate.getTime(), 365 * 86_400_000)
    assert.deepStrictEqual(made.publicKey.asymmetricKeyDetails, { namedCurve: "prime256v1" })
    assert.isFalse(made.ca)
    assert.isTrue(made.verify(made.publicKey))
    assert.match(Redacted.value(key), /BEGIN PRIVATE KEY/)
    const other = yield* makeSelfSigned(["localhost"])
    assert.notStrictEqual(other.cert, cert)
    assert.notStrictEqual(new X509Certificate(other.cert).serialNumber, made.serialNumber)
  }))

it.live("serves with it, to those who trust it or allow it", () =>
  Effect.gen(function*() {
    const pair = yield* makeSelfSigned(["localhost", "127.0.0.1"])
    yield* Effect.gen(function*() {
      const { connect, listen } = yield* Transport
      const bound = yield* listen({ scheme: "msrps", host: "localhost", port: 0 }, new Recorder().accept)
      const dial = (options: Parameters<typeof Transport.layerNode>[0]) =>
        Effect.flatMap(Transport, (client) => client.connect(bound, new Recorder().accept)).pipe(
          Effect.provide(Transport.layerNode(options)),
          Effect.match({
            onFailure: (error) => "reason" in error ? error.reason : error.message,
            onSuccess: () => "connected"
          })
        )
      assert.strictEqual(yield* dial({}), "Certificate")
      assert.strictEqual(yield* dial({ allowSelfSigned: true }), "connected")
      assert.strictEqual(yield* dial({ tls: { ca: pair.cert } }), "connected")
      assert.strictEqual((yield* Effect.flip(connect(bound, new Recorder().accept))).reason, "Certificate")
    }).pipe(Effect.scoped, Effect.provide(Transport.layerNode({ tls: pair })))
  }))
