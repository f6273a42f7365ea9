/** Options of the library that cannot be used: all of them are told before anything is made of them. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { Authenticator } from "../../src/Authenticator.ts"
import { layerRemovedUsers, type RemovedUsersOptions } from "../../src/authenticator/RemovedUsers.ts"
import { Codec } from "../../src/Codec.ts"
import { Credentials } from "../../src/Credentials.ts"
import { layerCached } from "../../src/credentials/Cached.ts"
import { layerEphemeral } from "../../src/credentials/Ephemeral.ts"
import { layerFile } from "../../src/credentials/File.ts"
import { layerHttp } from "../../src/credentials/Http.ts"
import { layerSql, layerSqlClient } from "../../src/credentials/Sql.ts"
import type { MsrpUri } from "../../src/protocol/Uri.ts"
import { OptionsError, Relay, type RelayOptions } from "../../src/Relay.ts"
import * as Resolver from "../../src/Resolver.ts"
import { SessionRepo } from "../../src/SessionRepo.ts"
import { SocketSelector } from "../../src/SocketSelector.ts"
import { type LocalSocket, Transport } from "../../src/Transport.ts"
import { layerTable } from "../support/table.ts"

/** What a layer says of its options; nothing when it can be made. */
const told = <A, E>(layer: Layer.Layer<A, E>) =>
  Layer.build(layer).pipe(
    Effect.scoped,
    Effect.match({
      onSuccess: () => [],
      onFailure: (error) => error instanceof OptionsError ? error.problems.map(({ option }) => option) : [String(error)]
    })
  )

const listen = [{ scheme: "msrp", host: "127.0.0.1", port: 0 }] as const

const relay = (options: Partial<RelayOptions>) =>
  Relay.layer({ listen, ...options }).pipe(Layer.provide([
    Transport.layerTest(),
    Codec.layer,
    SessionRepo.layerMemory(),
    SocketSelector.layerDefault([]),
    Authenticator.layerDigest().pipe(Layer.provide(Credentials.layerMemory([])))
  ]))

const digest = (options: Parameters<typeof Authenticator.layerDigest>[0]) =>
  Authenticator.layerDigest(options).pipe(Layer.provide(Credentials.layerMemory([])))

const removed = (options: RemovedUsersOptions) =>
  layerRemovedUsers(options).pipe(Layer.provide([Credentials.layerMemory([]), layerTable()]))

describe("options", () => {
  it.effect("of a relay are told all at once, each by its name", () =>
    Effect.gen(function*() {
      const options: Partial<RelayOptions> = {
        listen: [{ scheme: "msrp", host: "", port: 70_000 }],
        authRealm: "a\"b",
        authExpires: Number.NaN,
        authMinExpires: -1,
        authMaxExpires: 1.5,
        relayPeers: ["relay.example.com", "not a name"],
        relayAddresses: ["192.0.2.0/24", "relay.example.com"],
        nextHops: {
          allow: ["10.0.0.0/33"],
          alone: ["*"],
          deny: ["127.0.0/8", "192.0.2.0/24"],
          ports: [{ first: 9, last: 8 }]
        },
        limits: { output: 0, session: Number.NaN, idle: 10, requestRate: 0, connections: Infinity, stall: -1 }
      }
      assert.sameMembers([...yield* told(relay(options))], [
        "listen[0].host",
        "listen[0].port",
        "authRealm",
        "authExpires",
        "authMinExpires",
        "authMaxExpires",
        "relayPeers",
        "relayAddresses[1]",
        "nextHops.allow[0]",
        "nextHops.alone[0]",
        "nextHops.deny[0]",
        "nextHops.ports[0]",
        "limits.output",
        "limits.session",
        "limits.idle",
        "limits.requestRate",
        "limits.connections",
        "limits.stall"
      ])
      const text = "msrp://relay.example.com:2855;tcp" as unknown as MsrpUri
      const socket = { scheme: "msrps", host: "127.0.0.1", port: -1 } as const
      assert.sameMembers([...yield* told(relay({ uris: [text], usePath: [text], relayListen: [socket] }))], [
        "uris[0]",
        "usePath[0]",
        "relayListen[0].port"
      ])
      const untexted = { scheme: "msrp", host: "relay.example.com" } as MsrpUri
      assert.sameMembers([...yield* told(relay({ listen: [], uris: [], usePath: [untexted] }))], [
        "listen",
        "uris",
        "usePath[0]"
      ])
      const error = yield* Effect.flip(Layer.build(relay({ nextHops: { deny: ["127.0.0/8"] } })))
      assert.strictEqual(
        error.message,
        "Relay.layer has 1 option that cannot be used: nextHops.deny[0] must be an address, a network or a host name"
      )
    }).pipe(Effect.scoped))

  it.effect("that are none, or are not there, are told as well", () =>
    Effect.gen(function*() {
      for (const none of [null, 5, "x", [], () => {}] as ReadonlyArray<any>) {
        for (
          const layer of [
            Relay.layer(none),
            Codec.layerWith(none),
            SessionRepo.layerMemory(none),
            digest(none),
            Transport.layerNode(none),
            Resolver.layerNode(none),
            removed(none)
          ] as ReadonlyArray<Layer.Layer<unknown, unknown>>
        ) assert.deepStrictEqual(yield* told(layer), ["options"])
      }
      const { message } = yield* Effect.flip(
        Layer.build(relay({ listen: [{} as { scheme: "msrp"; host: ""; port: 0 }] }))
      )
      assert.strictEqual(
        message,
        "Relay.layer has 3 options that cannot be used: listen[0].scheme is missing; listen[0].host is missing; " +
          "listen[0].port is missing"
      )
    }).pipe(Effect.scoped))

  it.effect("of a relay that are right by themselves have to be in order", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* told(relay({ authMinExpires: 10, authMaxExpires: 9 })), ["authMinExpires"])
      assert.deepStrictEqual(yield* told(relay({ authMinExpires: 10, authRelayMaxExpires: 9 })), [
        "authRelayMaxExpires"
      ])
      assert.deepStrictEqual(yield* told(relay({ authExpires: 9, authMinExpires: 10 })), ["authExpires"])
      assert.deepStrictEqual(yield* told(relay({ authExpires: 11, authMaxExpires: 10 })), ["authExpires"])
      assert.deepStrictEqual(yield* told(relay({ authExpires: 10, authMinExpires: 10, authMaxExpires: 10 })), [])
    }))

  it.effect("of the other layers", () =>
    Effect.gen(function*() {
      const tries = [
        [SessionRepo.layerMemory({ maxChanges: 0 }), ["maxChanges"]],
        [
          relay({
            sessions: { hashSize: 21, cleanupInterval: 0, maxSessions: Number.NaN, maxSessionsPerUser: -1 }
          }),
          [
            "sessions.hashSize",
            "sessions.cleanupInterval",
            "sessions.maxSessions",
            "sessions.maxSessionsPerUser"
          ]
        ],
        [relay({ sessions: { hashSize: 0, cleanupInterval: 0.5, maxSessionsPerUser: Infinity } }), []],
        [digest({ nonceExpire: -1, lookupTimeout: Number.NaN, freePerUser: 0.5, maxNonces: 0 }), [
          "nonceExpire",
          "lookupTimeout",
          "freePerUser",
          "maxNonces"
        ]],
        [digest({ nonceExpire: "1 minute", freePerUser: 0 }), []],
        [Transport.layerNode({ connectTimeout: 0, setupTimeout: -1, maxConnections: Number.NaN }), [
          "connectTimeout",
          "setupTimeout",
          "maxConnections"
        ]],
        [Transport.layerNode({ maxConnections: Infinity, handshakeRate: Infinity, keepAlive: 0 }), []],
        [Transport.layerNode({ maxHandshakesPerAddress: 0, handshakeRate: 0, keepAlive: 86_400 }), [
          "maxHandshakesPerAddress",
          "handshakeRate",
          "keepAlive"
        ]],
        [layerCached(Credentials.layerMemory([]), { timeToLive: 0, capacity: -1 }), ["timeToLive", "capacity"]],
        [removed({ interval: 0 }), ["interval"]],
        [removed({ interval: "soon" as "1 second" }), ["interval"]],
        [removed({ interval: "1 second" }), []],
        [Resolver.layerNode({ servers: ["192.0.2.53", "dns.example.com"] }), ["servers[1]"]],
        [layerHttp({ url: "ftp://a.example", token: Redacted.make("5\u20ac"), timeout: 0 }), [
          "url",
          "token",
          "timeout"
        ]],
        [layerSql({ url: Redacted.make("sqlite:users.db"), connections: 0, timeout: -1 }), ["connections", "timeout"]]
      ] as const
      for (const [layer, options] of tries) {
        assert.sameMembers([
          ...yield* told(Layer.provide(layer as Layer.Layer<unknown, unknown>, FetchHttpClient.layer))
        ], [...options])
      }
    }))

  it.effect("of a name that there is not are told by it, wherever they stand", () =>
    Effect.gen(function*() {
      const socket = { scheme: "msrp", host: "127.0.0.1", port: 2855 } as const
      const file = "/nonexistent"
      const tls = (options: object) => Transport.layerNode({ tls: options })
      const selectedBy = (rule: object) =>
        SocketSelector.layerRules([socket], [{ matches: () => true, ...rule } as any])
      const secret = { _tag: "Password", password: Redacted.make("s3cret") }
      const usersOf = (...users: ReadonlyArray<object>) => Credentials.layerMemory(users as ReadonlyArray<never>)
      // As JavaScript has them, or what was read: no type says a word.
      const tries: ReadonlyArray<readonly [Layer.Layer<never, any, any>, ReadonlyArray<string>]> = [
        [relay({ authExpire: 60, AuthRealm: undefined } as object), ["authExpire", "AuthRealm"]],
        [relay({ sessions: { maxSession: 1 }, limits: { outputs: 1 }, nextHops: { allowed: [] } } as object), [
          "sessions.maxSession",
          "limits.outputs",
          "nextHops.allowed"
        ]],
        [relay({ listen: [{ ...socket, protocol: "ws" }], relayListen: [{ ...socket, Path: "/" }] } as object), [
          "listen[0].protocol",
          "relayListen[0].Path"
        ]],
        [Transport.layerNode({ connectionTimeout: 5 } as object), ["connectionTimeout"]],
        [Transport.layerNode({ proxies: { trust: () => true }, webSocket: { origins: [] } } as object), [
          "proxies.trusts",
          "proxies.trust",
          "webSocket.origins"
        ]],
        [tls({ certificate: "s3cret", others: [{ cert: "PEM", Key: "s3cret" }] }), [
          "tls.certificate",
          "tls.others[0].key",
          "tls.others[0].Key"
        ]],
        [tls(yield* SubscriptionRef.make({ certificate: "s3cret" })), ["tls.certificate"]],
        [SessionRepo.layerMemory({ maxChange: 5 } as object), ["maxChange"]],
        [Codec.layerWith({ header: 5 } as object), ["header"]],
        [digest({ nonceExpires: 5 } as object), ["nonceExpires"]],
        [removed({ every: 5 } as object), ["every"]],
        [Resolver.layerNode({ server: [] } as object), ["server"]],
        [SocketSelector.layerDefault([{ ...socket, name: "a" } as LocalSocket]), ["sockets[0].name"]],
        [SocketSelector.layerRules([{ ...socket, scheme: "sip" } as any], []), ["sockets[0].scheme"]],
        [selectedBy({ use: "nobody" }), ["rules[0].use"]],
        [selectedBy({ use: { ...socket, port: "2855" } }), ["rules[0].use"]],
        [selectedBy({ use: "none", from: socket }), ["rules[0].from"]],
        [selectedBy({ use: socket, inbound: [socket] }), []],
        [usersOf({ username: "a", relm: "b", secret }), ["users[0].relm"]],
        [usersOf({ username: "a", secret }, { username: "", password: "s3cret" }), [
          "users[1].username",
          "users[1].secret",
          "users[1].password"
        ]],
        [usersOf({ username: "a", secret: { _tag: "Ha1", ha1: { "MD5": "s3cret" } } }), ["users[0].secret"]],
        [usersOf({ username: "a", secret: { _tag: "Ha1", ha1: { "MD5": Redacted.make("s3cret") } } }), []],
        [Credentials.layerMemory("alice:s3cret" as never), ["users"]],
        [layerCached(Credentials.layerMemory([]), { ttl: 5 } as object), ["ttl"]],
        [layerHttp({ url: "http://localhost", timeOut: 5 } as { url: string }), ["timeOut"]],
        [layerSql({ url: Redacted.make("sqlite:users.db"), pool: 5, table: { user: "name" } } as any), [
          "table.user",
          "pool"
        ]],
        [layerSql({ url: "sqlite:users.db" } as any), ["url"]],
        [layerSqlClient({ calculateHA1: true } as object), ["calculateHA1"]],
        [layerFile({ path: file, interval: 5 } as { path: string }), ["interval"]],
        [layerFile({ path: file, checkInterval: 0, maxOctets: Number.NaN, calculateHa1: 1 as never }), [
          "checkInterval",
          "maxOctets",
          "calculateHa1"
        ]],
        [layerFile({} as { path: string }), ["path"]],
        [layerEphemeral({ secret: Redacted.make("s3cret"), realm: "a" } as never), ["realm"]],
        [layerEphemeral({ secret: "s3cret" } as never), ["secret"]],
        [layerEphemeral(undefined as never), ["options"]]
      ]
      for (const [layer, options] of tries) {
        const given = Layer.provide(layer, [FetchHttpClient.layer, NodeFileSystem.layer])
        assert.sameMembers([...yield* told(given as Layer.Layer<unknown, unknown>)], [...options])
      }
      const error = yield* Effect.flip(Layer.build(relay({ authExpire: "s3cret" } as object)))
      assert.strictEqual(
        error.message,
        "Relay.layer has 1 option that cannot be used: authExpire is no option"
      )
    }).pipe(Effect.scoped))

  it.effect("a secret that was wiped is none, and its check is no defect", () =>
    Effect.gen(function*() {
      const secret = Redacted.make("s3cret")
      Redacted.wipeUnsafe(secret)
      const error = yield* Effect.flip(Layer.build(layerEphemeral({ secret })))
      assert.strictEqual(error.message, "layerEphemeral has 1 option that cannot be used: secret must be redacted text")
    }).pipe(Effect.scoped))
})
