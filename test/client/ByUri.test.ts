/** How a client finds the relay of a URI (RFC 4975 §6.2, RFC 4976 §8). */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { targetsByDns } from "../../src/browser/Targets.ts"
import * as Client from "../../src/Client.ts"
import { Codec } from "../../src/Codec.ts"
import { OptionsError } from "../../src/options/Options.ts"
import { type MsrpUri, parseUri } from "../../src/protocol/Uri.ts"
import { Resolver, ResolverError, type SrvRecord } from "../../src/Resolver.ts"
import { TestRelay } from "../../src/testing/TestRelay.ts"
import { type LocalSocket, TestNetwork, Transport } from "../../src/Transport.ts"

const record = (priority: number, port: number, target: string): SrvRecord => ({ priority, weight: 0, port, target })

/** Whom the last connection led to. */
let reached = ""

/** Listens on a machine of its own, with a certificate for these names. */
const listen = Effect.fnUntraced(function*(socket: Partial<LocalSocket>, certificate: ReadonlyArray<string> = []) {
  const host = socket.host ?? "relay.example.com"
  const { node } = yield* TestNetwork
  const accept = () => {
    reached = host
    return { bytes: () => {}, closed: () => {} }
  }
  yield* node({ names: [host], certificate }).listen({ scheme: "msrps", port: 2855, ...socket, host }, accept)
})

const remoteOf = Effect.fnUntraced(function*(options: string | Client.RelayOptions) {
  const { connection: { remote: { port }, transport } } = yield* Client.connect(options)
  yield* (yield* TestNetwork).settled
  return [reached, port, transport]
})

const asked: Array<string> = []

/** Where `example.com` is by these records, on a network of the test's own. */
const where = (records: ReadonlyArray<SrvRecord>) =>
  Layer.mergeAll(
    Transport.layerTest(),
    Codec.layer,
    Layer.effect(
      Resolver,
      Effect.gen(function*() {
        const { addresses, srv } = yield* Resolver
        asked.length = 0
        return { addresses, srv: (name: string) => Effect.suspend(() => (asked.push(name), srv(name))) }
      })
    ).pipe(Layer.provide(Resolver.layerRecords({ "_msrps._tcp.example.com": records })))
  )

const test = (
  title: string,
  records: ReadonlyArray<SrvRecord>,
  body: Effect.Effect<void, unknown, Layer.Success<ReturnType<typeof where>> | Scope.Scope>
): void => it.effect(title, () => body.pipe(Effect.scoped, Effect.provide(where(records))))

describe("connect by URI", () => {
  test(
    "goes to the host and port that are named, and asks for no records",
    [record(1, 1, "elsewhere.example.net")],
    Effect.gen(function*() {
      yield* listen({ host: "example.com", port: 4000 }, ["example.com"])
      assert.deepStrictEqual(yield* remoteOf("msrps://example.com:4000;tcp"), ["example.com", 4000, "tcp"])
      assert.deepStrictEqual(yield* remoteOf({ relay: "msrps://example.com:4000;tcp" }), ["example.com", 4000, "tcp"])
      assert.deepStrictEqual(asked, [])
    })
  )

  test(
    "tries the hosts of the records in their order, each with a certificate for the domain (RFC 4976 §8, §9.2)",
    [record(3, 4003, "c.example.net"), record(1, 4001, "a.example.net"), record(2, 4002, "b.example.net")],
    Effect.gen(function*() {
      // nobody listens at the first; the second is somebody else
      yield* listen({ host: "b.example.net", port: 4002 }, ["b.example.net"])
      yield* listen({ host: "c.example.net", port: 4003 }, ["example.com"])
      assert.deepStrictEqual(yield* remoteOf("msrps://example.com;tcp"), ["c.example.net", 4003, "tcp"])
      yield* listen({ host: "a.example.net", port: 4001 }, ["example.com"])
      assert.deepStrictEqual(yield* remoteOf("msrps://example.com;tcp"), ["a.example.net", 4001, "tcp"])
      assert.deepStrictEqual(asked, Array(2).fill("_msrps._tcp.example.com"))
    })
  )

  test(
    "fails as the last of them does",
    [record(1, 4001, "a.example.net"), record(2, 4002, "b.example.net")],
    Effect.gen(function*() {
      yield* listen({ host: "b.example.net", port: 4002 }, ["b.example.net"])
      const error = yield* Effect.flip(Client.connect("msrps://example.com;tcp"))
      assert.deepInclude(error, { _tag: "TransportError", reason: "Certificate" })
    })
  )

  test(
    "goes to port 2855 of the host where there are no records",
    [],
    Effect.gen(function*() {
      yield* listen({ host: "example.com" }, ["example.com"])
      assert.deepStrictEqual(yield* remoteOf("msrps://example.com;tcp"), ["example.com", 2855, "tcp"])
    })
  )

  test(
    "fails where the domain says that it has no relay",
    [record(0, 0, "")],
    Effect.gen(function*() {
      yield* listen({ host: "example.com" }, ["example.com"])
      const error = yield* Effect.flip(Client.connect("msrps://example.com;tcp"))
      assert.instanceOf(error, ResolverError)
    })
  )

  test(
    "asks for no records without TLS, for which there are none, nor for a WebSocket",
    [record(1, 1, "elsewhere.example.net")],
    Effect.gen(function*() {
      yield* listen({ scheme: "msrp", host: "example.com" })
      assert.deepStrictEqual(yield* remoteOf("msrp://example.com;tcp"), ["example.com", 2855, "tcp"])
      yield* listen({ transport: "ws", path: "/msrp", port: 443, host: "ws.example.com" }, ["ws.example.com"])
      const webSocket = { relay: "msrps://ws.example.com;ws", path: "/msrp" }
      assert.deepStrictEqual(yield* remoteOf(webSocket), ["ws.example.com", 443, "ws"])
      yield* listen({ scheme: "msrp", transport: "ws", port: 80, host: "plain.example.com" })
      assert.deepStrictEqual(yield* remoteOf("msrp://plain.example.com;ws"), ["plain.example.com", 80, "ws"])
      assert.deepStrictEqual(asked, [])
    })
  )

  test(
    "says what is no URI of a relay",
    [],
    Effect.gen(function*() {
      for (const relay of ["relay.example.com", "msrps://example.com:2855/session;tcp", "msrps://example.com;dc", ""]) {
        const error = yield* Effect.flip(Client.connect(relay))
        assert.instanceOf(error, OptionsError)
        assert.deepStrictEqual(error.problems.map(({ option }) => option), ["relay"])
      }
      // One that somebody has made himself: with a scheme that is none it would go without TLS.
      for (
        const change of [{ scheme: "MSRPS" }, { scheme: undefined }, { host: "" }, { host: undefined }, { port: 1.5 }]
      ) {
        const relay = { ...parseUri("msrps://example.com:2855;tcp")!, ...change } as unknown as MsrpUri
        assert.instanceOf(yield* Effect.flip(Client.connect({ relay })), OptionsError, JSON.stringify(change))
      }
    })
  )
})

it.effect("a client that is told the domain logs in at its relay, and stays online", () =>
  Effect.gen(function*() {
    const { relay } = yield* TestRelay
    const alice = yield* Client.online({ relay: "msrps://example.com;tcp", username: "alice", password: "wonderland" })
    const { grant } = yield* alice.current
    assert.strictEqual(grant.usePath[0]!.host, "example.com")
    assert.strictEqual(relay.gauges().sessions, 1)
  }).pipe(
    Effect.scoped,
    Effect.provide([
      TestRelay.layer({
        relay: {
          listen: [{ scheme: "msrps", host: "*", port: 4001 }],
          uris: [parseUri("msrps://example.com:4001;tcp")!]
        }
      }),
      Resolver.layerRecords({ "_msrps._tcp.example.com": [record(1, 4001, "a.example.net")] })
    ])
  ))

it.effect("in a browser, which can ask for no records, the host is the one that is named", () =>
  Effect.gen(function*() {
    assert.deepStrictEqual(yield* targetsByDns(parseUri("msrps://example.com;tcp")!), [
      { host: "example.com", port: 2855 }
    ])
  }))
