/**
 * A relay for tests, on whatever `Transport` is there, and raw peers around it that send and see octets.
 *
 * The peers read frames with a reader of their own, so that what the relay's decoder and encoder agree on by mistake is
 * seen here.
 */
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
import { Framer } from "./Framer.ts"

export const PASSWORDS: Readonly<Record<string, string>> = { alice: "wonderland", carol: "christmas" }

/** What the passwords are stored as, for the realm of the worlds. */
const HA1S = Object.entries(PASSWORDS).flatMap(([username, password]) =>
  digestAlgorithms.map((algorithm) => ha1(algorithm, username, "localhost", password))
)

/** Milliseconds of real time after which something that is waited for will not come any more. */
const PATIENCE = 8000

/** A frame as a peer got it. */
export interface Frame {
  /** All of it. */
  readonly octets: Buffer
  readonly id: string
  /** Empty for a response. */
  readonly method: string
  /** 0 for a request. */
  readonly status: number
  readonly comment: string
  readonly to: string
  readonly from: string
  /** Behind From-Path, in order. */
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  readonly body: Buffer | undefined
  readonly flag: string
}

export const header = (frame: Frame, name: string): string | undefined =>
  frame.headers.find(([one]) => one.toLowerCase() === name.toLowerCase())?.[1]

export const headers = (frame: Frame, name: string): ReadonlyArray<string> =>
  frame.headers.filter(([one]) => one.toLowerCase() === name.toLowerCase()).map(([, value]) => value)

/** Start line without the id, and the headers behind the paths: what can be compared with an expectation. */
export const summary = (frame: Frame): string =>
  [
    frame.method === "" ? `${frame.status}` : frame.method,
    ...frame.headers.map(([name, value]) => `${name}: ${value}`),
    ...(frame.body === undefined ? [] : [`[${frame.body.length}]`]),
    frame.flag
  ].join(" | ")

/** Octets of a body that a line of the log cannot have by chance. */
const TELLING = 12

const CRLF2 = Buffer.from("\r\n\r\n")

const readFrame = (octets: Buffer, id: string): Frame => {
  const blank = octets.indexOf(CRLF2)
  const tail = `-------${id}?\r\n`.length
  const section = octets.toString("latin1", 0, blank === -1 ? octets.length - tail - 2 : blank).split("\r\n")
  const [start, ...lines] = section
  const words = /^MSRP \S+ (?:(\d{3})(?: (.*))?|([A-Z_]+))$/.exec(start!)
  assert.isNotNull(words, `start line: ${start}`)
  const fields = lines.map((line): readonly [string, string] => {
    const colon = line.indexOf(":")
    assert.isAbove(colon, 0, `header: ${line}`)
    return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")]
  })
  assert.deepStrictEqual(fields.slice(0, 2).map(([name]) => name), ["To-Path", "From-Path"])
  return {
    octets,
    id,
    method: words[3] ?? "",
    status: Number(words[1] ?? 0),
    comment: words[2] ?? "",
    to: fields[0]![1],
    from: fields[1]![1],
    headers: fields.slice(2),
    body: blank === -1 ? undefined : octets.subarray(blank + 4, octets.length - tail - 2),
    flag: octets.toString("latin1", octets.length - 3, octets.length - 2)
  }
}

export interface FrameParts {
  readonly id?: string
  readonly to: string
  readonly from: string
  readonly headers?: ReadonlyArray<string>
  readonly body?: string | Buffer
  readonly flag?: string
}

let ids = 0
export const nextId = (): string => `t${String(++ids).padStart(7, "0")}`

/** A request, written down here and not by the code under test. */
export const request = (method: string, parts: FrameParts): Buffer => {
  const id = parts.id ?? nextId()
  const lines = [`MSRP ${id} ${method}`, `To-Path: ${parts.to}`, `From-Path: ${parts.from}`, ...(parts.headers ?? [])]
  const end = `-------${id}${parts.flag ?? "$"}\r\n`
  const head = lines.map((line) => `${line}\r\n`).join("")
  if (parts.body === undefined) return Buffer.from(head + end, "latin1")
  const body = typeof parts.body === "string" ? Buffer.from(parts.body, "latin1") : parts.body
  return Buffer.concat([Buffer.from(`${head}\r\n`, "latin1"), body, Buffer.from(`\r\n${end}`, "latin1")])
}

export interface Message extends FrameParts {
  readonly messageId?: string
  readonly range?: string
  readonly failureReport?: string | undefined
}

/** Message-ID, Byte-Range and the like of a SEND with this body. */
export const send = (parts: Message): Buffer => {
  const length = parts.body?.length ?? 0
  return request("SEND", {
    ...parts,
    headers: [
      `Message-ID: ${parts.messageId ?? "msg.1"}`,
      `Byte-Range: ${parts.range ?? `1-${length}/${length}`}`,
      ...(parts.failureReport === undefined ? [] : [`Failure-Report: ${parts.failureReport}`]),
      ...(parts.headers ?? []),
      ...(parts.body === undefined ? [] : ["Content-Type: text/plain"])
    ]
  })
}

export const response = (to: string, from: string, id: string, status: string, ...more: Array<string>): Buffer =>
  Buffer.from(
    [`MSRP ${id} ${status}`, `To-Path: ${to}`, `From-Path: ${from}`, ...more, `-------${id}$`, ""].join("\r\n"),
    "latin1"
  )

/** One connection to the relay, seen from the other side. */
export class Peer implements Receiver {
  connection!: Connection
  readonly world: World
  closed_ = false
  /** Frames that came and were not taken. */
  readonly frames: Array<Frame> = []
  /** Octets that came in. */
  length = 0
  /** Called for every frame instead of keeping it. */
  onFrame: ((frame: Frame) => void) | undefined
  readonly #framer = new Framer()
  #buffer = Buffer.alloc(4096)
  #from = 0
  #to = 0
  #searched = 0

  constructor(world: World) {
    this.world = world
  }

  readonly accept = (connection: Connection): this => {
    this.connection = connection
    return this
  }

  readonly bytes = (chunk: Buffer): void => {
    this.length += chunk.length
    if (this.#to + chunk.length > this.#buffer.length) {
      const bigger = Buffer.alloc(Math.max(2 * this.#buffer.length, this.#to - this.#from + chunk.length))
      this.#buffer.copy(bigger, 0, this.#from, this.#to)
      this.#buffer = bigger
      this.#to -= this.#from
      this.#searched -= this.#from
      this.#from = 0
      if (this.#to + chunk.length > this.#buffer.length) {
        this.#buffer = Buffer.concat([bigger, Buffer.alloc(chunk.length)])
      }
    }
    this.#to += chunk.copy(this.#buffer, this.#to)
    while (this.#cut());
  }

  #cut(): boolean {
    const buffer = this.#buffer.subarray(0, this.#to)
    const line = buffer.indexOf("\r\n", this.#from)
    if (line === -1) return false
    const id = buffer.toString("latin1", this.#from, line).split(" ")[1]!
    const mark = `\r\n-------${id}`
    let at = Math.max(line, this.#searched)
    while ((at = buffer.indexOf(mark, at)) !== -1) {
      const flag = at + mark.length
      if (flag + 3 > buffer.length) break
      if ("$+#".includes(String.fromCharCode(buffer[flag]!)) && buffer[flag + 1] === 13 && buffer[flag + 2] === 10) {
        const frame = readFrame(Buffer.from(buffer.subarray(this.#from, flag + 3)), id)
        this.#from = this.#searched = flag + 3
        if (frame.body !== undefined && frame.body.length >= TELLING) {
          this.world.secrets.add(frame.body.toString("latin1", 0, 100))
        }
        if (this.onFrame === undefined) this.frames.push(frame)
        else this.onFrame(frame)
        return true
      }
      at++
    }
    this.#searched = Math.max(line, buffer.length - mark.length - 3)
    return false
  }

  readonly closed = (): void => {
    this.closed_ = true
  }

  /** What has come of a frame that is not complete. */
  get partial(): Buffer {
    return this.#buffer.subarray(this.#from, this.#to)
  }

  /** Octets of body that have come of it. */
  get partialBody(): number {
    const blank = this.partial.indexOf(CRLF2)
    return blank === -1 ? 0 : this.partial.length - blank - 4
  }

  get partialId(): string {
    return this.partial.toString("latin1", 0, 64).split(" ")[1]!
  }

  write(...octets: ReadonlyArray<string | Buffer>): void {
    const { connection } = this
    for (const one of octets) {
      const bytes = typeof one === "string" ? Buffer.from(one, "latin1") : one
      connection.write(bytes, () => {}, connection.messages === undefined ? undefined : this.#framer.ends(bytes))
    }
  }

  /** The next frame. */
  get next(): Effect.Effect<Frame> {
    return Effect.andThen(
      until(
        () => this.frames.length > 0 || this.closed_,
        "a frame",
        () => this.partial.toString("latin1").slice(0, 500)
      ),
      Effect.sync(() => {
        assert.isNotEmpty(this.frames, "the connection was closed instead of a frame")
        return this.frames.shift()!
      })
    )
  }

  take(count: number): Effect.Effect<Array<Frame>> {
    return Effect.replicateEffect(this.next, count)
  }

  /** The relay has closed the connection, and sent nothing (more) before. */
  get ends(): Effect.Effect<void> {
    return Effect.andThen(
      until(() => this.closed_, "the end of the connection"),
      Effect.sync(() => assert.deepStrictEqual(this.frames.map(summary), []))
    )
  }

  /** Nothing has come, and nothing comes from what was sent on this connection: the relay has seen it all. */
  get quiet(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const id = nextId()
      this.write(request("PING", { id, to: this.world.uri, from: "msrp://quiet.invalid:9/q;tcp" }))
      return Effect.map(
        this.next,
        (frame) =>
          assert.strictEqual(`${frame.id} ${frame.status}`, `${id} 481`, frame.octets.toString("latin1").slice(0, 600))
      )
    })
  }

  /** Answers a SEND, or with the whole path any other request. */
  answer(frame: Frame, status = "200 OK", path: "hop" | "whole" = "hop", ...more: Array<string>): void {
    const to = path === "hop" ? frame.from.split(" ")[0]! : frame.from
    this.write(response(to, frame.to.split(" ")[0]!, frame.id, status, ...more))
  }

  get close(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.connection.destroy()
      return until(() => this.closed_, "own close")
    })
  }
}

/** All frames that come in, each SEND answered. */
export const collect = (peer: Peer): ReadonlyArray<Frame> => {
  const frames: Array<Frame> = []
  peer.onFrame = (frame) => {
    frames.push(frame)
    if (frame.method === "SEND") peer.answer(frame)
  }
  return frames
}

/** Turns of the event loop until the condition holds. */
export const until = (condition: () => boolean, what = "a condition", more = () => ""): Effect.Effect<void> => {
  const origin = new Error().stack?.split("\n").filter((line) => !line.includes("harness.ts")).slice(1, 3).join("\n")
  let end = 0
  return Effect.whileLoop({
    while: () => !condition(),
    body: () => Effect.yieldNow,
    step: () => {
      const now = performance.now()
      if (end === 0) end = now + PATIENCE
      else if (now > end) assert.fail(`${what} did not come ${more()}\n${origin}`)
    }
  })
}

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
      const nothing = { connections: 0, sessions: 0, transactions: 0, timers: 0, bufferedOctets: 0, parkedOctets: 0 }
      return until(
        () => {
          // A relay that is gone with its connection is connected to for what is reported to it then.
          for (const peer of this.peers) peer.connection?.destroy()
          const { gauges } = this.relay
          return JSON.stringify(gauges()) === JSON.stringify(nothing)
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
