/** A relay for tests, on whatever `Transport` is there, with the peers around it. */
import { assert } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as AtomRef from "effect/reactivity/AtomRef"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import { Authenticator, type DigestOptions, type NoCommonAlgorithm } from "../../src/Authenticator.ts"
import { Codec } from "../../src/Codec.ts"
import { Credentials, passwordUser } from "../../src/Credentials.ts"
import { type Answer, answerChallenge } from "../../src/protocol/digest/Answer.ts"
import { type Challenge, strongestChallenge } from "../../src/protocol/digest/Challenge.ts"
import { digestAlgorithms, ha1 } from "../../src/protocol/digest/Digest.ts"
import { Relay, type RelayLimits, type RelayOptions } from "../../src/Relay.ts"
import { SessionRepo } from "../../src/SessionRepo.ts"
import { SocketSelector } from "../../src/SocketSelector.ts"
import {
  type Connection,
  type LocalSocket,
  type Receiver,
  TestNetwork,
  Transport,
  type TransportError
} from "../../src/Transport.ts"
import { type Frame, header, headers, request, send } from "./frames.ts"
import { nothingHeld } from "./nothingHeld.ts"
import { Peer } from "./Peer.ts"
import { until } from "./until.ts"

export const PASSWORDS: Readonly<Record<string, string>> = { alice: "wonderland", carol: "christmas" }

/** What the passwords are stored as, for the realm of the worlds. */
const HA1S = Object.entries(PASSWORDS).flatMap(([username, password]) =>
  digestAlgorithms.map((algorithm) => ha1(algorithm, username, "localhost", password))
)

export interface WorldOptions extends Omit<Partial<RelayOptions>, "limits"> {
  readonly limits?: Partial<RelayLimits>
  readonly digest?: DigestOptions
  readonly scheme?: LocalSocket["scheme"]
  /** What clients connect by; the relay listens for TCP as well, which its URIs name. Default `tcp`. */
  readonly by?: "tcp" | "ws" | undefined
  /** Who may log in; alice and carol when absent. */
  readonly credentials?: Layer.Layer<Credentials> | undefined
  /** Who decides, in place of the digest authenticator; made of the one that would. */
  readonly authenticator?: ((digest: Authenticator["Service"]) => Authenticator["Service"]) | undefined
  /** The repository, made of that in memory. */
  readonly repo?: ((memory: SessionRepo["Service"]) => SessionRepo["Service"]) | undefined
}

/** A party that has a session URI. */
export interface Owner {
  readonly peer: Peer
  /** The URI of the relay that leads to it. */
  readonly usePath: string
  /** Its own. */
  readonly uri: string
  readonly granted: Frame
}

/** A party that waits for the relay to connect. */
export interface Listening {
  readonly uri: string
  readonly peers: ReadonlyArray<Peer>
  readonly socket: LocalSocket
  readonly accepted: Effect.Effect<Peer>
}

/** A relay and its peers. */
export class World {
  readonly relay: Relay["Service"]
  readonly transport: Transport["Service"]
  readonly scheme: LocalSocket["scheme"]
  /** All peers. */
  readonly peers: Array<Peer> = []
  /** What was logged, and what was logged as an error. */
  readonly log: Array<string>
  readonly errors: Array<string>
  readonly sessions: Relay["Service"]["sessions"]
  readonly repository: SessionRepo["Service"]
  readonly network: TestNetwork["Service"] | undefined
  /** Changes options while the relay runs. */
  readonly change: (options: Pick<WorldOptions, "digest"> & Partial<RelayOptions>) => void
  /** What must not be in the log. */
  readonly secrets: Set<string> = new Set([...Object.values(PASSWORDS), ...HA1S])
  #parties = 0

  constructor(
    parts: Pick<
      World,
      "relay" | "transport" | "scheme" | "log" | "errors" | "sessions" | "repository" | "network" | "change"
    >
  ) {
    this.change = parts.change
    this.relay = parts.relay
    this.transport = parts.transport
    this.scheme = parts.scheme
    this.log = parts.log
    this.errors = parts.errors
    this.sessions = parts.sessions
    this.repository = parts.repository
    this.network = parts.network
  }

  /** Where clients connect. */
  get socket(): LocalSocket {
    return this.relay.sockets.at(-1)!
  }

  /** The relay, as AUTH addresses it. */
  get uri(): string {
    return this.relay.uris[0]!.text
  }

  party(name = "party"): string {
    const sessionId = `${name}-${++this.#parties}-session`
    this.secrets.add(sessionId)
    return `msrp://${name}.invalid:9/${sessionId};tcp`
  }

  get connect(): Effect.Effect<Peer, TransportError> {
    return Effect.suspend(() => {
      const peer = new Peer(this)
      this.peers.push(peer)
      return Effect.as(this.transport.connect(this.socket, peer.accept), peer)
    })
  }

  /** A listener; the relay dials it by `uri`. */
  get listen(): Effect.Effect<Listening, TransportError, Scope.Scope> {
    return Effect.suspend(() => {
      const peers: Array<Peer> = []
      const accept = (connection: Connection): Receiver => {
        const peer = new Peer(this)
        peers.push(peer)
        this.peers.push(peer)
        return peer.accept(connection)
      }
      return Effect.map(
        this.transport.listen({ scheme: this.scheme, host: "localhost", port: 0 }, accept),
        (socket) => ({
          socket,
          peers,
          uri: `${this.scheme}://localhost:${socket.port}/listening${++this.#parties};tcp`,
          accepted: Effect.as(until(() => peers.length > 0, "a connection"), undefined).pipe(
            Effect.map(() => peers.at(-1)!)
          )
        })
      )
    })
  }

  /** One AUTH and its answer. */
  auth(peer: Peer, from: string, ...more: Array<string>): Effect.Effect<Frame> {
    return Effect.suspend(() => {
      peer.write(request("AUTH", { to: this.uri, from, headers: more }))
      return peer.next
    })
  }

  /** A challenge, for answers of all sorts. */
  challenge(peer: Peer, from: string): Effect.Effect<Challenge> {
    return Effect.map(this.auth(peer, from), (frame) => {
      assert.strictEqual(frame.status, 401)
      return strongestChallenge(headers(frame, "WWW-Authenticate"))!
    })
  }

  authorization(challenge: Challenge, answer: Partial<Answer> = {}): string {
    const username = answer.username ?? "alice"
    const password = answer.password ?? PASSWORDS[username]!
    const value = answerChallenge(challenge, {
      uri: this.uri,
      nc: 1,
      cnonce: "0a4f113b",
      ...answer,
      username,
      password
    })
    const digest = /\bresponse="([0-9a-f]{32,})"/.exec(value ?? "")?.[1]
    if (digest !== undefined) this.secrets.add(digest)
    return `Authorization: ${value}`
  }

  /** Connects and gets a session URI. */
  readonly login = Effect.fnUntraced(function*(
    this: World,
    options: {
      readonly username?: string
      readonly peer?: Peer
      readonly uri?: string
      readonly headers?: ReadonlyArray<string>
    } = {}
  ): Effect.fn.Return<Owner, TransportError> {
    const username = options.username ?? "alice"
    const peer = options.peer ?? (yield* this.connect)
    const uri = options.uri ?? this.party(username)
    const challenge = yield* this.challenge(peer, uri)
    const authorization = this.authorization(challenge, { username })
    const granted = yield* this.auth(peer, uri, authorization, ...(options.headers ?? []))
    assert.strictEqual(`${granted.status}`, "200", granted.octets.toString("latin1"))
    const usePath = header(granted, "Use-Path")!
    this.secrets.add(/\/([^/;]+);tcp$/.exec(usePath)![1]!)
    return { peer, uri, usePath, granted }
  })

  /** Alice, and Bob who has connected in and sent something. */
  readonly pair = Effect.fnUntraced(function*(this: World): Effect.fn.Return<
    { readonly alice: Owner; readonly bob: Peer; readonly bobUri: string },
    TransportError
  > {
    const alice = yield* this.login()
    const { bob, bobUri } = yield* this.join(alice)
    return { alice, bob, bobUri }
  })

  /** Somebody without a relay connects in, and sends a bodiless SEND to the owner. */
  readonly join = Effect.fnUntraced(function*(
    this: World,
    owner: Owner,
    known?: Peer
  ): Effect.fn.Return<{ readonly bob: Peer; readonly bobUri: string }, TransportError> {
    const bob = known ?? (yield* this.connect)
    const bobUri = this.party("bob")
    bob.write(send({ to: `${owner.usePath} ${owner.uri}`, from: bobUri, messageId: "hello" }))
    assert.strictEqual((yield* bob.next).status, 200)
    const first = yield* owner.peer.next
    assert.strictEqual(first.method, "SEND")
    owner.peer.answer(first)
    yield* owner.peer.quiet
    return { bob, bobUri }
  })

  /** Two users log in on one connection, as those of a gateway, and somebody without a relay joins each of them. */
  readonly gateway = Effect.fnUntraced(function*(this: World) {
    const alice = yield* this.login()
    const carol = yield* this.login({ username: "carol", peer: alice.peer })
    const { bob, bobUri } = yield* this.join(alice)
    const { bob: dave, bobUri: daveUri } = yield* this.join(carol)
    return { alice, carol, bob, bobUri, dave, daveUri }
  })

  /** Everybody leaves, then the relay must hold nothing any more. No defect may have happened. */
  get done(): Effect.Effect<void> {
    return Effect.suspend(() => {
      return until(
        () => {
          // A relay that is gone with its connection is connected to for what is reported to it then.
          for (const peer of this.peers) peer.connection?.destroy()
          const { gauges } = this.relay
          return JSON.stringify(gauges()) === JSON.stringify(nothingHeld)
        },
        "an empty relay",
        () => JSON.stringify(this.relay.gauges())
      ).pipe(
        Effect.andThen(Effect.sync(() => {
          assert.deepStrictEqual(this.errors, [])
          assert.deepStrictEqual(this.network?.defects ?? [], [])
          const log = this.log.join("\n")
          for (const secret of this.secrets) assert.notInclude(log, secret)
        }))
      )
    })
  }
}

/** A relay that listens on localhost, with alice and carol as its users. */
export const makeWorld = Effect.fnUntraced(function*(
  options: WorldOptions = {}
): Effect.fn.Return<World, TransportError | NoCommonAlgorithm, Transport | Scope.Scope> {
  const {
    authenticator = (same) => same,
    by = "tcp",
    credentials,
    digest,
    repo = (same) => same,
    scheme = "msrp",
    ...more
  } = options
  const tcp = { scheme, host: "localhost", port: 0 }
  const listen = by === "ws" ? [tcp, { ...tcp, transport: by }] : [tcp]
  const relay = AtomRef.make<RelayOptions>({ listen, relayPeers: "all", ...more })
  const digests = AtomRef.make(digest ?? {})
  const log: Array<string> = []
  const errors: Array<string> = []
  const logger = Logger.make<unknown, void>((entry) => {
    const line = Logger.formatLogFmt.log(entry)
    log.push(line)
    if (entry.logLevel === "Error" || entry.logLevel === "Fatal") errors.push(line)
  })
  const users = Object.entries(PASSWORDS).map(([name, password]) => passwordUser(name, Redacted.make(password)))
  const context = yield* Layer.build(
    Relay.layer(relay).pipe(
      Layer.provideMerge(Layer.mergeAll(
        Codec.layer,
        Layer.effect(SessionRepo, Effect.map(SessionRepo, repo)).pipe(
          Layer.provide(SessionRepo.layerMemory())
        ),
        SocketSelector.layerDefault([]),
        Layer.effect(Authenticator, Effect.map(Authenticator, authenticator)).pipe(
          Layer.provide(Authenticator.layerDigest(digests)),
          Layer.provide(credentials ?? Credentials.layerMemory(users))
        )
      )),
      Layer.provide([Logger.layer([logger]), Layer.succeed(References.MinimumLogLevel, "All")])
    )
  ).pipe(Effect.catchTag("OptionsError", Effect.die))
  return new World({
    relay: Context.get(context, Relay),
    sessions: Context.get(context, Relay).sessions,
    repository: Context.get(context, SessionRepo),
    transport: yield* Transport,
    network: Option.getOrUndefined(yield* Effect.serviceOption(TestNetwork)),
    scheme,
    log,
    errors,
    change: ({ digest: others, ...rest }) => {
      relay.update((before) => ({ ...before, ...rest }))
      if (others !== undefined) digests.set(others)
    }
  })
})
