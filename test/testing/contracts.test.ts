/** The contracts that are published: what the relay has keeps them, and what breaks one is found. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { DatabaseSync } from "node:sqlite"
import { duplexPair } from "node:stream"
import { Authenticator, type AuthRequest } from "../../src/Authenticator.ts"
import { Codec } from "../../src/Codec.ts"
import { Credentials, passwordUser, storedSecret } from "../../src/Credentials.ts"
import { answerChallenge } from "../../src/protocol/digest/Answer.ts"
import { strongestChallenge } from "../../src/protocol/digest/Challenge.ts"
import { digestAlgorithms, ha1 } from "../../src/protocol/digest/Digest.ts"
import * as Resolver from "../../src/Resolver.ts"
import { SessionEntry, SessionRepo } from "../../src/SessionRepo.ts"
import { parseSocketRules, SocketSelector } from "../../src/SocketSelector.ts"
import {
  authenticatorContract,
  codecContract,
  type Contract,
  credentialsContract,
  resolverContract,
  sessionRepoContract,
  socketSelectorContract,
  transportContract
} from "../../src/testing.ts"
import { type Accept, type LocalSocket, makeDuplexes, Transport, TransportError } from "../../src/Transport.ts"

/** It is kept by this. */
const keeps = <R, E, R2>(name: string, contract: Contract<R>, layer: Layer.Layer<R2, E>): void => {
  describe(`${name} keeps its contract`, () => {
    for (const { run, title } of contract) {
      // The services of the contract are those of the layer, or have a default.
      it.effect(title, () => Effect.provide(run as Effect.Effect<void, unknown, R2 | Scope.Scope>, Layer.fresh(layer)))
    }
  })
}

/** Titles of the tests that this does not pass. */
const failing = Effect.fnUntraced(function*<R, E, R2>(contract: Contract<R>, layer: Layer.Layer<R2, E>) {
  const failed: Array<string> = []
  for (const { run, title } of contract) {
    const asked = run as Effect.Effect<void, unknown, R2 | Scope.Scope>
    const exit = yield* Effect.exit(Effect.scoped(Effect.provide(asked, Layer.fresh(layer))))
    if (Exit.isFailure(exit)) failed.push(title)
  }
  return failed
})

const breaks = <R, E, R2>(name: string, contract: Contract<R>, layer: Layer.Layer<R2, E>, titles: RegExp): void => {
  it.live(`is broken by ${name}`, () =>
    Effect.map(failing(contract, layer), (failed) => {
      assert.isNotEmpty(failed)
      for (const title of failed) assert.match(title, titles)
    }))
}

// ---- sessions

/** As in the comment of `SessionRepo`. */
const inMap = (
  end: (sessions: Map<string, SessionEntry>, id: string) => void = (sessions, id) => void sessions.delete(id)
) =>
  Layer.effect(
    SessionRepo,
    Effect.suspend(() => {
      const sessions = new Map<string, SessionEntry>()
      return SessionRepo.make({
        create: (session) => Effect.sync(() => void sessions.set(session.id, session)),
        end: (id) => Effect.sync(() => end(sessions, id)),
        list: Stream.suspend(() => Stream.fromIterable([...sessions.values()]))
      })
    })
  )

const Entry = Schema.fromJsonString(SessionEntry)

const inSqlite = Layer.effect(
  SessionRepo,
  Effect.gen(function*() {
    const database = yield* Effect.acquireRelease(
      Effect.sync(() => new DatabaseSync(":memory:")),
      (open) => Effect.sync(() => open.close())
    )
    database.exec("CREATE TABLE sessions (id TEXT PRIMARY KEY, entry TEXT)")
    const put = database.prepare("INSERT OR REPLACE INTO sessions VALUES (?, ?)")
    const remove = database.prepare("DELETE FROM sessions WHERE id = ?")
    const all = database.prepare("SELECT entry FROM sessions")
    return yield* SessionRepo.make({
      create: (session) => Effect.sync(() => void put.run(session.id, Schema.encodeSync(Entry)(session))),
      end: (id) => Effect.sync(() => void remove.run(id)),
      list: Stream.suspend(() =>
        Stream.fromIterable(all.all().map(({ entry }) => Schema.decodeUnknownSync(Entry)(entry)))
      )
    })
  })
)

keeps("SessionRepo in memory", sessionRepoContract, SessionRepo.layerMemory())
keeps("SessionRepo over a Map", sessionRepoContract, inMap())
keeps("SessionRepo over SQLite", sessionRepoContract, inSqlite)

describe("the contract of SessionRepo", () => {
  breaks("one that forgets nothing", sessionRepoContract, inMap(() => {}), /forgets|end|many|gone/)
  breaks(
    "one that dies of what it does not have",
    sessionRepoContract,
    inMap((sessions, id) => {
      if (!sessions.delete(id)) throw new Error("there is none")
    }),
    /does not have|gone/
  )
  breaks(
    "one that tells of no change",
    sessionRepoContract,
    Layer.effect(SessionRepo, Effect.map(SessionRepo, (repo) => ({ ...repo, changes: Stream.never }))).pipe(
      Layer.provide(inMap())
    ),
    /changes/
  )
})

// ---- users

const alice = { username: "alice", realm: "example.com", password: "wonderland" }
const users = Credentials.layerMemory([passwordUser(alice.username, Redacted.make(alice.password), alice.realm)])
const hashes = Credentials.layerMemory(
  digestAlgorithms.map((algorithm) => ({
    username: alice.username,
    realm: alice.realm,
    secret: storedSecret(ha1(algorithm, alice.username, alice.realm, alice.password), false)!
  }))
)
const own = (found: (username: string) => string | undefined) =>
  Layer.succeed(
    Credentials,
    Credentials.make(({ username }) =>
      Effect.sync(() => {
        const password = found(username)
        return password === undefined
          ? Option.none()
          : Option.some({ _tag: "Password", password: Redacted.make(password) })
      })
    )
  )

keeps("Credentials of passwords", credentialsContract(alice), users)
keeps("Credentials of H(A1)s", credentialsContract(alice), hashes)

describe("the contract of Credentials", () => {
  const contract = credentialsContract(alice)
  breaks("a wrong password", contract, own((name) => name === "alice" ? "other" : undefined), /have the secret/)
  breaks(
    "names without case",
    contract,
    own((name) => name.toLowerCase() === "alice" ? alice.password : undefined),
    /case/
  )
  breaks("a user of any name", contract, own(() => alice.password), /no such user|case|nobody|many/)
  breaks(
    "one that dies of a quote",
    contract,
    own((name) => {
      if (name.includes("'")) throw new Error("syntax error")
      return name === "alice" ? alice.password : undefined
    }),
    /strangers/
  )
})

// ---- authenticators

const digest = (password: string) => (wwwAuthenticate: ReadonlyArray<string>, uri: string): string =>
  answerChallenge(strongestChallenge(wwwAuthenticate)!, { username: "alice", password, uri, nc: 1, cnonce: "abcdef" })!
const byDigest = authenticatorContract({ ...alice, right: digest("wonderland"), wrong: digest("red queen") })
const byToken = authenticatorContract({ ...alice, right: () => "Bearer good", wrong: () => "Bearer bad" })
const bearer = Authenticator.layerBearer((token) =>
  Effect.succeed(Redacted.value(token) === "good" ? Option.some({ username: "alice" }) : Option.none())
)

keeps("the digest authenticator", byDigest, Layer.provide(Authenticator.layerDigest({ freePerUser: 1000 }), users))
keeps("the authenticator of tokens", byToken, bearer)

describe("the contract of Authenticator", () => {
  const other = (
    change: (
      request: AuthRequest,
      good: Authenticator["Service"]
    ) => ReturnType<Authenticator["Service"]["authenticate"]>
  ) =>
    Layer.effect(
      Authenticator,
      Effect.map(Authenticator, (good) => ({ authenticate: (one: AuthRequest) => change(one, good) }))
    ).pipe(
      Layer.provide(bearer)
    )
  breaks(
    "one that looks at the first Authorization only",
    byToken,
    other((one, good) => good.authenticate({ ...one, furtherAuthorizations: [] })),
    /behind/
  )
  breaks(
    "one that lets everybody in",
    byToken,
    other(({ realm }) => Effect.succeed({ _tag: "Granted", username: "alice", realm })),
    /asks|wrong|strangers/
  )
})

// ---- the rest

const records = Resolver.layerRecords(
  { "_msrps._tcp.example.com": [{ priority: 1, weight: 1, port: 2855, target: "a.example.com" }] },
  { "a.example.com": ["192.0.2.1"] }
)
keeps(
  "Resolver of records",
  resolverContract({ host: "a.example.com", srv: "_msrps._tcp.example.com", unknown: "b.example.com" }),
  records
)

const sockets: ReadonlyArray<LocalSocket> = [
  { scheme: "msrp", host: "192.0.2.1", port: 2855 },
  { scheme: "msrps", host: "192.0.2.1", port: 2856 }
]
keeps("the default SocketSelector", socketSelectorContract(sockets), SocketSelector.layerDefault(sockets))
keeps(
  "SocketSelector by rules",
  socketSelectorContract(sockets),
  SocketSelector.layerRules(
    sockets,
    Result.getOrThrow(parseSocketRules("dst=*.example.com -> msrps:192.0.2.1:2856; -> none"))
  )
)
describe("the contract of SocketSelector", () => {
  breaks(
    "one that forgets the scheme",
    socketSelectorContract(sockets),
    Layer.succeed(SocketSelector, {
      select: () => Effect.succeed(sockets[0])
    }),
    /scheme/
  )
})

keeps("Codec", codecContract, Codec.layer)
describe("the contract of Codec", () => {
  const { make } = Codec
  breaks(
    "one whose sink is not asked what to do about long headers",
    codecContract,
    Layer.succeed(Codec, {
      ...make(),
      decoder: (sink) =>
        make().decoder({
          frame: (...given) => sink.frame(...given),
          chunkStart: (head) => sink.chunkStart(head),
          chunkBody: (...given) => sink.chunkBody(...given),
          chunkEnd: (flag) => sink.chunkEnd(flag),
          broken: (...given) => sink.broken(...given)
        })
    }),
    /^skips a frame/
  )
  breaks(
    "one that keeps what is not its own",
    codecContract,
    Layer.succeed(Codec, {
      ...make(),
      decoder: (sink) => {
        const parts: Array<Buffer> = []
        const inner = make().decoder(sink)
        return Object.assign(Object.create(inner) as typeof inner, {
          held: 0,
          stop: () => inner.stop(),
          hold: () => inner.hold(),
          resume: () => inner.resume(),
          push: (chunk: Buffer) => {
            parts.push(chunk)
            if (parts.length === 2) inner.push(Buffer.concat(parts.splice(0)))
          }
        })
      }
    }),
    /./
  )
})

/** Connections in memory, each a pair of streams of Node's. */
const pairs = Layer.effect(
  Transport,
  Effect.gen(function*() {
    const { defer, open } = yield* makeDuplexes
    const listeners = new Map<
      number,
      { readonly accept: Accept; readonly socket: LocalSocket; readonly ends: Array<() => void> }
    >()
    let next = 40_000
    return Transport.of({
      defer,
      identity: () => 0,
      listen: (wanted, accept) =>
        Effect.acquireRelease(
          Effect.sync(() => {
            const socket = { ...wanted, port: next++ }
            listeners.set(socket.port, { accept, socket, ends: [] })
            return socket
          }),
          ({ port }) =>
            Effect.sync(() => {
              for (const end of listeners.get(port)!.ends) end()
              listeners.delete(port)
            })
        ),
      connect: ({ host, port, scheme }, accept) =>
        Effect.suspend(() => {
          const listener = listeners.get(port)
          if (listener === undefined) {
            return Effect.fail(
              new TransportError({
                operation: "connect",
                target: `${scheme}://${host}:${port}`,
                reason: "Refused",
                cause: undefined
              })
            )
          }
          const [here, there] = duplexPair()
          here.once("close", () => there.destroy())
          there.once("close", () => here.destroy())
          const [local, remote] = [{ host, port: next++ }, { host, port }]
          const { socket } = listener
          const other = open(there, { inbound: true, socket, local: remote, remote: local }, listener.accept)
          listener.ends.push(() => other.destroy())
          return Effect.succeed(open(here, { inbound: false, local, remote }, accept))
        })
    })
  })
)

const tcp = { scheme: "msrp", host: "127.0.0.1", port: 0 } as const
// The transports of the relay keep it in test/transport/contract.ts.
keeps("streams of Node's", transportContract(tcp), pairs)

describe("the contract of Transport", () => {
  breaks(
    "one that defers nothing",
    transportContract(tcp),
    Layer.effect(
      Transport,
      Effect.map(Transport, (good) => ({ ...good, defer: (task: () => void) => task() }))
    ).pipe(Layer.provide(pairs)),
    /deferred/
  )
})
