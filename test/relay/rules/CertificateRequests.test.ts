import { assert, it } from "@effect/vitest"
import { CertificateRequests, type CertificateRules } from "../../../src/relay/rules/CertificateRequests.ts"
import type { LocalSocket } from "../../../src/transport/Connection.ts"

const socket: LocalSocket = { scheme: "msrps", host: "192.0.2.1", port: 2855 }
const other: LocalSocket = { ...socket, port: 2856 }
const webSocket: LocalSocket = { ...socket, transport: "ws" }

/** On which of these sockets a client of the address is asked. */
const asked = (rules: CertificateRules, address = "198.51.100.7"): ReadonlyArray<boolean> => {
  const requests = new CertificateRequests(() => rules)
  return [socket, other, webSocket].map((one) => requests.isAsked(one, address))
}

it("R4976-6.1-10 R4976-9.3-06: those who may be relays are asked for a certificate", () => {
  const relayPeers = ["relay.example.com"]
  assert.deepStrictEqual(asked({}), [false, false, false])
  assert.deepStrictEqual(asked({ relayPeers: [] }), [false, false, false])
  assert.deepStrictEqual(asked({ relayPeers }), [true, true, false])
  assert.deepStrictEqual(asked({ relayPeers, relayListen: [other] }), [false, true, false])
  assert.deepStrictEqual(asked({ relayPeers, relayListen: [] }), [false, false, false])
  assert.deepStrictEqual(asked({ relayListen: [other], relayAddresses: ["::/0"] }), [false, false, false])
})

it("R4976-9.3-06: of those, only the ones whose address is one from which relays connect", () => {
  const rules = {
    relayPeers: "all",
    relayListen: [socket],
    relayAddresses: ["198.51.100.0/24", "2001:db8::7"]
  } as const
  const isAsked = (address: string) => asked(rules, address)[0]
  for (const address of ["198.51.100.7", "198.51.100.255", "2001:db8:0::7"]) assert.isTrue(isAsked(address), address)
  for (const address of ["198.51.101.7", "2001:db8::8", "fe80::1%eth0", "", "name.example"]) {
    assert.isFalse(isAsked(address), address)
  }
  assert.deepStrictEqual(asked(rules), [true, false, false])
  assert.deepStrictEqual(asked({ ...rules, relayAddresses: [] }), [false, false, false])
})

it("everybody is asked for the sake of a custom authenticator, wherever he is", () => {
  assert.deepStrictEqual(asked({ clientCertificates: true, relayAddresses: [], relayListen: [] }), [true, true, true])
})

it("the rules are those of the moment", () => {
  let rules: CertificateRules = { relayPeers: "all" }
  const requests = new CertificateRequests(() => rules)
  const changes: ReadonlyArray<readonly [CertificateRules, boolean]> = [
    [{ relayPeers: "all", relayAddresses: ["192.0.2.9"] }, false],
    [{ relayPeers: "all", relayAddresses: ["192.0.2.0/24"] }, true],
    [{ relayPeers: "none", relayAddresses: ["192.0.2.0/24"] }, false],
    [{ relayPeers: "all" }, true]
  ]
  for (const [changed, isAsked] of changes) {
    rules = changed
    assert.strictEqual(requests.isAsked(socket, "192.0.2.8"), isAsked)
  }
})
