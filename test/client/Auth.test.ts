import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import { inspect } from "node:util"
import * as Client from "../../src/Client.ts"
import type { Frame } from "../../src/client/Frame.ts"
import { printAuthenticationInfo } from "../../src/protocol/digest/AuthenticationInfo.ts"
import { type Authorization, parseAuthorization } from "../../src/protocol/digest/Authorization.ts"
import * as Digest from "../../src/protocol/digest/Digest.ts"
import { simulated } from "./pair.ts"
import { type Scripted, scripted } from "./Scripted.ts"

const RELAY = { scheme: "msrps", host: "intra.example.com", port: 2855 } as const
const relay = "msrps://alice@intra.example.com;tcp"
const realm = "intra.example.com"
const password = "Wonderland-42"
const usePath = "msrps://intra.example.com:2855/Zk8sQ2vN5xW1rT7y;tcp"

const pair = Effect.gen(function*() {
  const other = yield* scripted(RELAY)
  const client = yield* Client.connect(RELAY)
  return { client, other: yield* other.end }
})

const challenge = (nonce: string, algorithm?: string, stale = false) =>
  [
    "WWW-Authenticate",
    `Digest realm="${realm}", qop="auth", nonce="${nonce}", opaque="op\\"aque"` +
    (algorithm === undefined ? "" : `, algorithm=${algorithm}`) + (stale ? ", stale=true" : "")
  ] as const

/** What the client proves with, checked as a relay does it. */
const proofOf = (request: Frame, secret = password): Digest.Proof & { readonly header: Authorization } => {
  const parsed = parseAuthorization(request.header("Authorization") ?? "")
  if (parsed._tag !== "Authorization") throw new Error("no Authorization")
  const { authorization } = parsed
  const algorithm = authorization.algorithm!
  const proof = {
    algorithm,
    ha1: Digest.ha1(algorithm, authorization.username, authorization.realm, secret),
    nonce: authorization.nonce,
    nc: authorization.nc,
    cnonce: authorization.cnonce,
    uri: relay
  }
  assert.strictEqual(authorization.response, Digest.response(proof))
  return { ...proof, header: authorization }
}

const grant = (other: Scripted, request: Frame, options: {
  readonly nextnonce?: string
  readonly secret?: string
  readonly usePath?: string
} = {}) => {
  const proof = proofOf(request)
  const ha1 = Digest.ha1(proof.algorithm, "alice", realm, options.secret ?? password)
  const info = printAuthenticationInfo({
    nextnonce: options.nextnonce,
    rspauth: Digest.rspauth({ ...proof, ha1 }),
    cnonce: proof.cnonce,
    nc: proof.nc
  })
  other.answer(request, 200, [
    ["Use-Path", options.usePath ?? usePath],
    ["Authentication-Info", info!],
    ["Expires", "900"]
  ])
}

const alice = { relay, username: "alice", password: Redacted.make(password) }

describe("auth", () => {
  it.effect("R4976-9.1-11, R4976-9.1-12, R4976-9.1-13: answers an MD5 challenge and checks rspauth", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair
      const fiber = yield* Effect.forkChild(client.auth({ ...alice, expires: 600 }))
      const first = yield* other.frame
      assert.strictEqual(first.method, "AUTH")
      assert.strictEqual(first.toPath, relay)
      assert.strictEqual(first.fromPath, client.uri)
      assert.deepStrictEqual(first.headers, [["Expires", "600"]])
      other.answer(first, 401, [challenge("8f2c6b0e5d3a49c1b7e0a4d2f6c81350")])
      const second = yield* other.frame
      const { header, nc } = proofOf(second)
      assert.strictEqual(nc, "00000001")
      assert.isUndefined(header.uri)
      assert.match(second.header("Authorization")!, /opaque="op\\"aque"/)
      assert.strictEqual(second.header("Expires"), "600")
      grant(other, second, { nextnonce: "next", usePath: `${usePath} msrps://extra.example.com:2855/pL4h;tcp` })
      const granted = yield* Fiber.join(fiber)
      assert.strictEqual(granted.expires, 900)
      assert.strictEqual(granted.nextNonce, "next")
      assert.isTrue(granted.proven)
      assert.deepStrictEqual(granted.usePath.map((uri) => uri.host), ["intra.example.com", "extra.example.com"])
      assert.deepStrictEqual(Client.peerPath(granted, client.uri), [
        "msrps://extra.example.com:2855/pL4h;tcp",
        usePath,
        client.uri
      ])
    }).pipe(Effect.provide(simulated)))

  it.effect("R7616-3.2-01, R7616-3.7-02: takes SHA-256 of two challenges, or MD5 when told so", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair
      for (const [algorithms, expected] of [[undefined, "SHA-256"], [["MD5"], "MD5"]] as const) {
        const options = algorithms === undefined ? {} : { algorithms }
        const fiber = yield* Effect.forkChild(client.auth({ ...alice, ...options, sendUri: true }))
        other.answer(yield* other.frame, 401, [challenge("nonce2", "MD5"), challenge("nonce2", "SHA-256")])
        const request = yield* other.frame
        const proof = proofOf(request)
        assert.strictEqual(proof.algorithm, expected)
        assert.strictEqual(proof.header.uri, relay)
        grant(other, request)
        assert.strictEqual((yield* Fiber.join(fiber)).used?.challenge.algorithm, expected)
      }
    }).pipe(Effect.provide(simulated)))

  it.effect("uses the nonce of an earlier grant at once: nextnonce from 1, else the old one counting on", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair
      const first = yield* Effect.forkChild(client.auth(alice))
      other.answer(yield* other.frame, 401, [challenge("nonce1")])
      grant(other, yield* other.frame, { nextnonce: "nonce2" })
      const second = yield* Effect.forkChild(client.auth({ ...alice, after: yield* Fiber.join(first) }))
      const request2 = yield* other.frame
      assert.deepInclude(proofOf(request2), { nonce: "nonce2", nc: "00000001" })
      grant(other, request2)
      const third = yield* Effect.forkChild(client.auth({ ...alice, after: yield* Fiber.join(second) }))
      const request3 = yield* other.frame
      assert.deepInclude(proofOf(request3), { nonce: "nonce2", nc: "00000002" })
      // a kept nonce may be refused without stale: one fresh start
      other.answer(request3, 401, [challenge("nonce3")])
      const request4 = yield* other.frame
      assert.deepInclude(proofOf(request4), { nonce: "nonce3", nc: "00000001" })
      other.answer(request4, 401, [challenge("nonce4")])
      assert.strictEqual((yield* Effect.flip(Fiber.join(third))).status, 401)
    }).pipe(Effect.provide(simulated)))

  it.effect("tries again once when only the nonce was refused, and fails when the user was", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair
      const fiber = yield* Effect.forkChild(Effect.flip(client.auth(alice)))
      other.answer(yield* other.frame, 401, [challenge("nonce1")])
      other.answer(yield* other.frame, 401, [challenge("nonce2", undefined, true)])
      const third = yield* other.frame
      assert.strictEqual(proofOf(third).nonce, "nonce2")
      other.answer(third, 401, [challenge("nonce3", undefined, true)])
      const error = yield* Fiber.join(fiber)
      assert.deepInclude(error, { reason: "Refused", status: 401 })
      const wrong = yield* Effect.forkChild(Effect.flip(client.auth(alice)))
      other.answer(yield* other.frame, 401, [challenge("nonce4")])
      other.answer(yield* other.frame, 401, [challenge("nonce5")])
      assert.deepInclude(yield* Fiber.join(wrong), { reason: "Refused", status: 401 })
    }).pipe(Effect.provide(simulated)))

  it.effect("R4976-6.3-09: asks for the limit of a 423 with the same nonce, when told so", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair
      for (const [header, limit] of [["Min-Expires", "300"], ["Max-Expires", "3600"]] as const) {
        const fiber = yield* Effect.forkChild(client.auth({ ...alice, expires: 60, adjustExpires: true }))
        other.answer(yield* other.frame, 401, [challenge("nonce1")])
        other.answer(yield* other.frame, 423, [[header, limit]])
        const request = yield* other.frame
        assert.strictEqual(request.header("Expires"), limit)
        assert.deepInclude(proofOf(request), { nonce: "nonce1", nc: "00000002" })
        grant(other, request)
        yield* Fiber.join(fiber)
      }
      const plain = yield* Effect.forkChild(Effect.flip(client.auth({ ...alice, expires: 60 })))
      other.answer(yield* other.frame, 401, [challenge("nonce1")])
      other.answer(yield* other.frame, 423, [["Min-Expires", "300"]])
      const error = yield* Fiber.join(plain)
      assert.strictEqual(error.status, 423)
      assert.strictEqual(error.response?.header("min-expires"), "300")
    }).pipe(Effect.provide(simulated)))

  it.effect("takes no grant from a relay that does not know the password", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair
      const begin = Effect.fnUntraced(function*(rspauth: "required" | "optional") {
        const fiber = yield* Effect.forkChild(client.auth({ ...alice, rspauth }))
        other.answer(yield* other.frame, 401, [challenge("nonce1")])
        return { fiber, request: yield* other.frame }
      })
      for (const rspauth of ["required", "optional"] as const) {
        const { fiber, request } = yield* begin(rspauth)
        grant(other, request, { secret: "guessed" })
        assert.strictEqual((yield* Effect.flip(Fiber.join(fiber))).reason, "Unproven")
      }
      const silent = [["Use-Path", usePath], ["Expires", "900"]] as const
      const strict = yield* begin("required")
      other.answer(strict.request, 200, silent)
      assert.strictEqual((yield* Effect.flip(Fiber.join(strict.fiber))).reason, "Unproven")
      const lenient = yield* begin("optional")
      other.answer(lenient.request, 200, silent)
      assert.isFalse((yield* Fiber.join(lenient.fiber)).proven)
    }).pipe(Effect.provide(simulated)))

  it.effect("fails on answers without what they must have", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair
      const basic = yield* Effect.forkChild(Effect.flip(client.auth(alice)))
      other.answer(yield* other.frame, 401, [["WWW-Authenticate", "Basic realm=\"x\""]])
      assert.strictEqual((yield* Fiber.join(basic)).reason, "Answer")
      const badPath = yield* Effect.forkChild(Effect.flip(client.auth(alice)))
      other.answer(yield* other.frame, 401, [challenge("nonce1")])
      grant(other, yield* other.frame, { usePath: "http://relay.example.com/" })
      assert.strictEqual((yield* Fiber.join(badPath)).reason, "Answer")
    }).pipe(Effect.provide(simulated)))

  it.effect("goes through other relays with their Use-Path, and proves itself to the last", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair
      yield* Effect.forkChild(client.auth({ ...alice, via: usePath }))
      const first = yield* other.frame
      assert.strictEqual(first.toPath, `${usePath} ${relay}`)
      other.answer(first, 401, [challenge("nonce1")])
      const second = yield* other.frame
      assert.strictEqual(second.toPath, `${usePath} ${relay}`)
      proofOf(second)
    }).pipe(Effect.provide(simulated)))

  it.effect("says nothing secret in its errors", () =>
    Effect.gen(function*() {
      const { client, other } = yield* pair
      const fiber = yield* Effect.forkChild(Effect.flip(client.auth(alice)))
      other.answer(yield* other.frame, 401, [challenge("nonce1")])
      const request = yield* other.frame
      other.answer(request, 403)
      const { response } = proofOf(request).header
      const error = yield* Fiber.join(fiber)
      const shown = `${error.message} ${JSON.stringify(error)} ${inspect(error, { depth: 9 })}`
      for (const secret of [password, response, client.uri]) assert.notInclude(shown, secret)
      assert.include(shown, "403")
    }).pipe(Effect.provide(simulated)))
})
