import { assert, it } from "@effect/vitest"
import * as Tls from "node:tls"
import { proofOf } from "../../src/transport/PeerCertificate.ts"

const HOUR = 3_600_000

/** A stream whose verified peer has shown a chain of certificates that expire in these hours, its own first. */
const shown = (...hours: ReadonlyArray<number>): Tls.TLSSocket => {
  const expiring = (now: number) =>
    hours.map((one) => ({ subjectaltname: "DNS:a.example.com", valid_to: new Date(now + one * HOUR).toUTCString() }))
      .reduceRight<object | undefined>((issuerCertificate, one) => ({ ...one, issuerCertificate }), undefined)
  const stream: object = Object.create(Tls.TLSSocket.prototype)
  return Object.assign(stream, { authorized: true, getPeerCertificate: () => expiring(Date.now()) }) as Tls.TLSSocket
}

const hoursOf = (stream: Tls.TLSSocket): number => Math.round((proofOf(stream).until - Date.now()) / HOUR)

it("a certificate proves its names until the first one of its chain expires, but for those that had expired already", () => {
  assert.strictEqual(hoursOf(shown(3)), 3)
  assert.strictEqual(hoursOf(shown(3, 2, 5)), 2)
  assert.strictEqual(hoursOf(shown(3, -1, 2)), 2)
  assert.deepStrictEqual(proofOf(shown(3)).names, ["a.example.com"])
})
