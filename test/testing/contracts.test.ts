/** The contracts that are published: what the relay has keeps them, and what breaks one is found. */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { DatabaseSync } from "node:sqlite"
import { duplexPair } from "node:stream"
import { type AuthDecision, Authenticator, type AuthRequest } from "../../src/Authenticator.ts"
import { Codec, type FrameSink } from "../../src/Codec.ts"
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
import {
  type Accept,
  type Connection,
  type LocalSocket,
  makeDuplexes,
  Transport,
  TransportError,
  wrapConnection,
  wrapReceiver,
  wrapTransport
} from "../../src/Transport.ts"

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

/** Breaks one rule, which the test of that rule says in words. */
const finds = <R, E, R2>(
  name: string,
  contract: Contract<R>,
  layer: Layer.Layer<R2, E>,
  title: RegExp,
  words: RegExp
): void => {
  it.live(`finds ${name}`, () =>
    Effect.gen(function*() {
      const { run } = contract.find((test) => title.test(test.title))!
      const asked = run as Effect.Effect<void, unknown, R2 | Scope.Scope>
      const exit = yield* Effect.exit(Effect.scoped(Effect.provide(asked, [Layer.fresh(layer), Logger.layer([])])))
      assert.isTrue(Exit.isFailure(exit))
      if (Exit.isFailure(exit)) assert.match(Cause.pretty(exit.cause), words)
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

const changed = (change: (repo: SessionRepo["Service"]) => SessionRepo["Service"]) =>
  Layer.effect(SessionRepo, Effect.map(SessionRepo, change)).pipe(Layer.provide(inMap()))
// It runs at the time of day, at which nothing may have expired.
keeps(
  "SessionRepo that drops what has expired",
  sessionRepoContract,
  changed((repo) => ({ ...repo, list: Stream.filter(repo.list, ({ expires }) => expires > Date.now()) }))
)

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

describe("the contract of SessionRepo, rule by rule", () => {
  finds(
    "changes that end with one of their readers",
    sessionRepoContract,
    changed((repo) => {
      let gone = false
      const changes = Stream.suspend(() => gone ? Stream.empty : repo.changes)
      return { ...repo, changes: Stream.ensuring(changes, Effect.sync(() => void (gone = true))) }
    }),
    /changes/,
    /deep-equal/
  )
  finds(
    "changes from before they are read",
    sessionRepoContract,
    changed((repo) => {
      const past: Array<SessionEntry> = []
      const created = Stream.suspend(() =>
        Stream.fromIterable(past.map((session) => ({ _tag: "Created", session }) as const))
      )
      return {
        ...repo,
        create: (session) => Effect.andThen(Effect.sync(() => void past.push(session)), repo.create(session)),
        changes: Stream.concat(created, repo.changes)
      }
    }),
    /changes/,
    /deep-equal/
  )
  finds(
    "one that never answers",
    sessionRepoContract,
    changed((repo) => ({ ...repo, create: () => Effect.never })),
    /keeps/,
    /has not answered within/
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

describe("the contract of Credentials, rule by rule", () => {
  const known = Credentials.make(({ username }) =>
    Effect.succeed(
      username === "alice" ? Option.some({ _tag: "Password", password: Redacted.make(alice.password) }) : Option.none()
    )
  )
  const contract = credentialsContract(alice)
  for (const name of ["recheck", "refresh"] as const) {
    finds(
      `a ${name} that knows nobody`,
      contract,
      Layer.succeed(Credentials, { ...known, [name]: () => Effect.succeed(Option.none()) }),
      /cache/,
      RegExp(`${name} does not find the user`)
    )
  }
  finds(
    "one that an interrupted call blocks",
    contract,
    Layer.effect(
      Credentials,
      Effect.sync(() => {
        let busy = false
        return Credentials.make((user) =>
          Effect.suspend(() => {
            if (busy) return Effect.never
            busy = true
            return Effect.andThen(Effect.yieldNow, known.lookup(user)).pipe(
              Effect.tap(() => Effect.sync(() => void (busy = false)))
            )
          })
        )
      })
    ),
    /is gone/,
    /has not answered within/
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

describe("the contract of Authenticator, rule by rule", () => {
  const deciding = (change: (decision: AuthDecision, request: AuthRequest) => unknown) =>
    Layer.effect(
      Authenticator,
      Effect.map(Authenticator, ({ authenticate }) => ({
        authenticate: (one: AuthRequest) => Effect.map(authenticate(one), (all) => change(all, one) as AuthDecision)
      }))
    ).pipe(Layer.provide(bearer))
  const rejected = (comment: string, status = 403) =>
    deciding((all) => all._tag === "Challenge" && all.failed ? { _tag: "Rejected", status, comment } : all)
  const unusable = /the relay cannot use the decision/
  finds("a status that there is not", byToken, rejected("no", 500), /wrong ones/, unusable)
  finds("a comment of two lines", byToken, rejected("no\r\nX: y"), /wrong ones/, unusable)
  finds("no decision", byToken, deciding(({ _tag }) => _tag === "Challenge" ? undefined : _tag), /asks/, unusable)
  finds("a time that is none", byToken, deciding((all) => ({ ...all, maxExpires: NaN })), /grants/, unusable)
  finds(
    "a token in what is logged",
    byToken,
    deciding((all, { authorization }) => ({ ...all, attempt: { reason: `not ${authorization}` } })),
    /wrong ones/,
    /may be logged/
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

describe("the contract of Codec, rule by rule", () => {
  const good = Codec.make()
  const codec = (change: Partial<Codec["Service"]>) => Layer.succeed(Codec, { ...good, ...change })
  const sinking = (change: (sink: FrameSink) => Partial<FrameSink>) =>
    codec({
      decoder: (sink) =>
        good.decoder({
          frame: (...given) => sink.frame(...given),
          chunkStart: (head) => sink.chunkStart(head),
          chunkBody: (...given) => sink.chunkBody(...given),
          chunkEnd: (flag) => sink.chunkEnd(flag),
          overLimit: (...given) => sink.overLimit?.(...given) ?? false,
          broken: (...given) => sink.broken(...given),
          ...change(sink)
        })
    })
  finds(
    "one that says of nothing that it is broken",
    codecContract,
    sinking(() => ({ broken: () => {} })),
    /no MSRP/,
    /not told of/
  )
  finds(
    "one that loses flags",
    codecContract,
    sinking((sink) => ({ frame: (head, start, end) => sink.frame(head, start, end, "$") })),
    /reads what/,
    /flag/
  )
  finds(
    "one without comments",
    codecContract,
    codec({ response: (parts) => good.response({ ...parts, comment: "" }) }),
    /reads what/,
    /comment/
  )
  finds(
    "one that never holds",
    codecContract,
    codec({
      decoder: (sink) => {
        const decoder = good.decoder(sink)
        decoder.hold = () => {}
        return decoder
      }
    }),
    /holds back/,
    /hold does not hold back/
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

describe("the contract of Transport, rule by rule", () => {
  const contract = transportContract(tcp)
  const over = (change: (inner: Transport["Service"]) => Transport["Service"]) =>
    Layer.effect(Transport, Effect.map(Transport, change)).pipe(Layer.provide(pairs))
  const around = (change: (accept: Accept) => Accept) => over((inner) => wrapTransport(inner, change))
  const calls = (change: (connection: Connection) => Partial<Connection>) =>
    around((accept) => (connection) => accept(wrapConnection(connection, change(connection))))
  finds(
    "a written that is called twice",
    contract,
    calls((one) => ({
      write: (octets, written) => {
        one.write(octets, () => {
          written()
          setImmediate(written)
        })
      }
    })),
    /says once/,
    /written is called more than once/
  )
  finds(
    "a written that comes before the octets are taken",
    contract,
    calls((one) => ({
      write: (octets, written) => {
        setImmediate(() => setImmediate(() => one.write(octets, () => {})))
        queueMicrotask(written)
      }
    })),
    /no more need/,
    /what was written after written/
  )
  finds("a pending that is always 0", contract, calls(() => ({ pending: () => 0 })), /pending/, /has read nothing/)
  finds(
    "an end that loses octets",
    contract,
    Layer.effect(
      Transport,
      Effect.map(
        Transport,
        (inner) =>
          wrapTransport(
            inner,
            (accept) => (connection) => accept(wrapConnection(connection, { end: () => connection.destroy() }))
          )
      )
    ).pipe(Layer.provide(Transport.layerNode())),
    /ends behind that/,
    /octets that were written before end are lost/
  )
  finds(
    "a function that throws after the close",
    contract,
    calls((one) => ({
      resume: () => {
        if (one.lost === true) throw new Error("closed")
        one.resume()
      }
    })),
    /takes calls/,
    /resume throws/
  )
  finds(
    "octets after destroy",
    contract,
    around((accept) => (connection) => {
      const receiver = accept(connection)
      return wrapReceiver(receiver, {
        bytes: (chunk) => {
          receiver.bytes(chunk)
          receiver.bytes(chunk)
        }
      })
    }),
    /inside of bytes$/,
    /bytes is called after destroy/
  )
  finds(
    "octets inside of resume",
    contract,
    around((accept) => (connection) => {
      const kept: Array<Buffer> = []
      const receiver = accept(wrapConnection(connection, {
        pause: () => {},
        resume: () => {
          for (const chunk of kept.splice(0)) receiver.bytes(chunk)
        }
      }))
      return wrapReceiver(receiver, { bytes: (chunk) => void kept.push(Buffer.from(chunk)) })
    }),
    /may be paused inside/,
    /bytes is called inside of resume/
  )
  finds(
    "octets after closed",
    contract,
    around((accept) => (connection) => {
      const receiver = accept(connection)
      return wrapReceiver(receiver, {
        closed: () => {
          receiver.closed()
          receiver.bytes(Buffer.from("late"))
        }
      })
    }),
    /ends after/,
    /bytes is called after closed/
  )
  finds(
    "a connect that calls accept later",
    contract,
    over((inner) => ({
      ...inner,
      connect: (options, accept) =>
        inner.connect(options, (connection) => {
          setImmediate(() => accept(connection))
          return { bytes: () => {}, closed: () => {} }
        })
    })),
    /tells both/,
    /connect has not called accept/
  )
  finds(
    "a connect that dies",
    contract,
    over((inner) => ({ ...inner, connect: (options, accept) => Effect.orDie(inner.connect(options, accept)) })),
    /nobody listens/,
    /does not fail with a TransportError/
  )
})
