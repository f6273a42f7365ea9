/** Options that are given as undefined, which types allow: each of them has its default. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { PassThrough } from "node:stream"
import { vi } from "vitest"
import { passwordUser, userTable } from "../../src/Credentials.ts"
import { defined } from "../../src/options/Defined.ts"
import { defaultRelayLimits, type RelayLimits } from "../../src/Relay.ts"
import { SessionTable } from "../../src/relay/SessionTable.ts"
import { Switchboard } from "../../src/relay/Switchboard.ts"
import { TestRelay } from "../../src/testing.ts"
import { makeDuplexes } from "../../src/Transport.ts"

/** The limits of a relay with these options. */
const limitsWith = (limits: { readonly [Limit in keyof RelayLimits]?: RelayLimits[Limit] | undefined }) =>
  Effect.gen(function*() {
    const tidy = vi.spyOn(Switchboard.prototype, "tidy")
    yield* Effect.addFinalizer(() => Effect.sync(() => tidy.mockRestore()))
    yield* (yield* TestRelay).pass("1 minute")
    return (tidy.mock.contexts[0] as Switchboard).shared.limits
  }).pipe(Effect.provide(TestRelay.layer({ relay: { limits } })), Effect.scoped)

describe("an option that is undefined", () => {
  it("is not there for a spread, and others are", () => {
    assert.deepStrictEqual(
      {
        a: 1,
        b: 2,
        c: 3,
        ...defined<{ a?: number | undefined; b?: number; c?: number | null }>({ a: undefined, b: 5 })
      },
      { a: 1, b: 5, c: 3 }
    )
    assert.deepStrictEqual(defined({ no: false, zero: 0, none: null }), { no: false, zero: 0, none: null })
    assert.deepStrictEqual(defined(undefined), {})
  })

  it.effect("takes no limit from a relay", () =>
    Effect.gen(function*() {
      const names = Object.keys(defaultRelayLimits)
      const all = yield* limitsWith(Object.fromEntries(names.map((name) => [name, undefined])))
      const text = (limits: object) => JSON.stringify(limits, (_, value) => value === Infinity ? "Infinity" : value)
      assert.include(text(all), `"connections":${defaultRelayLimits.connections},`)
      assert.strictEqual(text(all), text(yield* limitsWith({})))
    }))

  it.effect("takes nothing from a relay for tests: any next hop, one step of the clean-up a minute", () =>
    Effect.gen(function*() {
      const sweep = vi.spyOn(SessionTable.prototype, "sweep")
      yield* Effect.addFinalizer(() => Effect.sync(() => sweep.mockRestore()))
      const { login, network, pass, relay } = yield* TestRelay
      const alice = yield* login("alice")
      yield* alice.client.send({ toPath: [...alice.grant.usePath, "msrps://10.0.0.1:2855/x;tcp"], body: "hi" })
      yield* network.settled
      yield* pass("1 minute")
      assert.deepStrictEqual([sweep.mock.calls.length, relay.counters.dialsForbidden], [1, 0])
    }).pipe(
      Effect.scoped,
      Effect.provide(TestRelay.layer({
        relay: {
          listen: undefined,
          nextHops: undefined,
          sessions: { hashSize: undefined },
          limits: { drain: undefined }
        }
      }))
    ))

  it.effect("takes no address from a connection over a stream", () =>
    Effect.gen(function*() {
      const { open } = yield* makeDuplexes
      const facts = { inbound: true, local: undefined, remote: undefined, secure: undefined, peerNames: undefined }
      const { local, peerNames, remote, secure } = open(new PassThrough(), facts, () => ({
        bytes: () => {},
        closed: () => {}
      }))
      const nowhere = { host: "localhost", port: 0 }
      assert.deepStrictEqual({ local, peerNames, remote, secure }, {
        local: nowhere,
        remote: nowhere,
        peerNames: [],
        secure: false
      })
    }).pipe(Effect.scoped))

  it("takes no H(A1) from a user whose entries are merged", () => {
    const [md5, sha256] = ["0".repeat(32), "1".repeat(64)].map((text) => Redacted.make(text))
    const entry = (ha1: object) => ({ ...passwordUser("alice", md5!), secret: { _tag: "Ha1", ha1 } as const })
    const { lookup } = userTable([entry({ MD5: md5 }), entry({ "SHA-256": sha256, MD5: undefined })])
    const found = lookup({ username: "alice", realm: "localhost" })
    assert.deepStrictEqual(found, Option.some({ _tag: "Ha1" as const, ha1: { MD5: md5!, "SHA-256": sha256! } }))
  })
})
