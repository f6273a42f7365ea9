/** Authenticators of one's own: bearer tokens, certificates, sessions that end with what proves the user, other headers. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { AuthDecision, AuthRequest } from "../../src/Authenticator.ts"
import { TokensUnavailable } from "../../src/Authenticator.ts"
import { makeBearer } from "../../src/authenticator/BearerAuthenticator.ts"
import { parseUri } from "../../src/protocol/Uri.ts"
import { header, headers, request, type World, type WorldOptions } from "../support/harness.ts"
import { connectFrom, machine, options, RELAY } from "../support/relays.ts"
import { simulated } from "../support/simulated.ts"

const scenario = simulated()

const auth = Effect.fnUntraced(function*(world: World, ...lines: ReadonlyArray<string>) {
  const peer = yield* world.connect
  peer.write(request("AUTH", { to: world.uri, from: world.party(), headers: lines }))
  return yield* peer.next
})

const bearer = makeBearer(Effect.fnUntraced(function*(token) {
  if (Redacted.value(token) === "down") return yield* new TokensUnavailable()
  return Redacted.value(token) === "good-token~1"
    ? Option.some({ username: "dora", expiresIn: "90500 millis" })
    : Option.none()
}))
const by = (authenticator: WorldOptions["authenticator"]): WorldOptions => ({ authenticator })
const tokens = by(() => bearer)

describe("bearer tokens", () => {
  scenario("are asked for by a challenge, and the first AUTH may have one", (world) =>
    Effect.gen(function*() {
      const challenge = yield* auth(world)
      assert.deepStrictEqual([challenge.status, header(challenge, "WWW-Authenticate")], [
        401,
        `Bearer realm="localhost"`
      ])
      const granted = yield* auth(world, "Authorization: Bearer good-token~1")
      assert.strictEqual(granted.status, 200)
      assert.isUndefined(header(granted, "Authentication-Info"))
      assert.strictEqual(world.relay.operator.sessions().items[0]!.user, "dora")
      assert.notInclude(world.log.join(), "good-token")
    }), tokens)

  scenario("are asked for in a realm of any letters, as UTF-8", (world) =>
    Effect.gen(function*() {
      const octets = Buffer.from("Bearer realm=\"東京\"", "utf8").toString("latin1")
      assert.strictEqual(header(yield* auth(world), "WWW-Authenticate"), octets)
    }), { ...tokens, authRealm: "東京" })

  scenario("no session lasts longer than its token", (world) =>
    Effect.gen(function*() {
      assert.strictEqual(header(yield* auth(world, "Authorization: Bearer good-token~1"), "Expires"), "90")
      const long = yield* auth(world, "Authorization: Bearer good-token~1", "Expires: 91")
      assert.deepStrictEqual([long.status, header(long, "Max-Expires")], [423, "90"])
      const short = yield* auth(world, "Authorization: Bearer good-token~1", "Expires: 60")
      assert.strictEqual(header(short, "Expires"), "60")
    }), tokens)

  scenario("that are not good, or of another scheme, count as wrong", (world) =>
    Effect.gen(function*() {
      for (const one of ["Bearer wrong", "Bearer", "Digest username=\"dora\"", "Bearer a b"]) {
        const answer = yield* auth(world, `Authorization: ${one}`)
        assert.deepStrictEqual(
          [answer.status, header(answer, "WWW-Authenticate")],
          [401, `Bearer realm="localhost", error="invalid_token"`]
        )
      }
      assert.strictEqual(world.relay.counters.failedAuths, 4)
    }), tokens)

  scenario("are found among the credentials of other schemes", (world) =>
    Effect.gen(function*() {
      const answer = yield* auth(world, "Authorization: Basic x", "Authorization: bearer good-token~1")
      assert.strictEqual(answer.status, 200)
    }), tokens)

  scenario(
    "that cannot be looked at are nobody's fault: 408",
    (world) => Effect.map(auth(world, "Authorization: Bearer down"), ({ status }) => assert.strictEqual(status, 408)),
    tokens
  )
})

describe("what an authenticator may say of a session", () => {
  const granting = (more: Partial<Extract<AuthDecision, { readonly _tag: "Granted" }>>) =>
    by(() => ({
      authenticate: ({ realm }) => Effect.succeed({ _tag: "Granted", username: "dora", realm, ...more })
    }))

  scenario(
    "headers of the 200, which end no line",
    (world) =>
      Effect.gen(function*() {
        const granted = yield* auth(world)
        assert.deepStrictEqual(headers(granted, "X-Server"), ["a", "b??Use-Path: msrp://x"])
      }),
    granting({ headers: [["X-Server", "a"], ["X-Server", "b\r\nUse-Path: msrp://x"]] })
  )

  for (const name of ["Use-Path", "expires", "a b", ""]) {
    scenario(
      `but none of the relay's own, and none that is none: ${JSON.stringify(name)}`,
      (world) =>
        Effect.gen(function*() {
          assert.strictEqual((yield* auth(world)).status, 408)
          assert.include(world.errors.join(), "AuthenticatorFault ForbiddenHeader")
          world.errors.length = 0
        }),
      granting({ headers: [[name, "x"]] })
    )
  }

  scenario(
    "and one that is over at once is none",
    (world) => Effect.map(auth(world), ({ status }) => assert.strictEqual(status, 403)),
    granting({ maxExpires: 999 })
  )

  scenario(
    "one that ends before the least that is granted ends then",
    (world) => Effect.map(auth(world), (granted) => assert.strictEqual(header(granted, "Expires"), "5")),
    { ...granting({ maxExpires: "5 seconds" }), authMinExpires: 60, authExpires: 60 }
  )
})

describe("what an authenticator is told of the connection", () => {
  const asked: Array<AuthRequest> = []
  const noting: WorldOptions = by(() => ({
    authenticate: (one) => {
      asked.push(one)
      return Effect.succeed({ _tag: "Rejected", status: 403, comment: "no" })
    }
  }))

  for (const clientCertificates of [true, false]) {
    scenario(
      `names in the certificate of a client, if it is asked for: ${clientCertificates}`,
      (world) =>
        Effect.gen(function*() {
          asked.length = 0
          const peer = yield* connectFrom(world, machine(world, "phone.example.com", ["dora.example.com"]))
          peer.write(request("AUTH", { to: RELAY, from: world.party() }))
          assert.strictEqual((yield* peer.next).status, 403)
          const { connection } = asked[0]!
          assert.strictEqual(connection?.secure, true)
          assert.deepStrictEqual(connection?.peerNames, clientCertificates ? ["dora.example.com"] : [])
          assert.isFalse("destroy" in connection!)
        }),
      { ...options, uris: [parseUri(RELAY)!], relayPeers: "none", clientCertificates, ...noting }
    )
  }
})
