/**
 * The connection of a page to its relay. It logs in, renews the path before it expires, and connects again when the connection is
 * lost. Sessions outlive a connection; their paths do not.
 */
import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { Grant } from "../client/Auth.ts"
import type { Collect } from "../client/Collect.ts"
import { type Client, connect } from "../client/Endpoint.ts"
import type { Frame } from "../client/Frame.ts"
import type { Incoming } from "../client/Incoming.ts"
import { invalidAddress, newSessionUri } from "../client/OwnUri.ts"
import { pathUris } from "../client/Path.ts"
import { isFinal, keepUp, type Login } from "../client/Upkeep.ts"
import type { Codec } from "../Codec.ts"
import { formatUri, parseUri } from "../protocol/Uri.ts"
import type { Transport } from "../Transport.ts"
import type { ConnectOptions, Credentials, Msrp, Session, SessionOptions, State, StateChange } from "./Api.ts"
import { Chat, type ChatOwner } from "./Chat.ts"
import { checkConnect, checkCredentials } from "./Checks.ts"
import { fromLogin, fromTransport } from "./Failures.ts"
import { MsrpError } from "./MsrpError.ts"

/** Octets of messages of all sessions that may wait to be taken: half of those at which the client pauses reading. */
const MAX_WAITING_OCTETS = 33_554_432

interface Target {
  readonly scheme: "msrp" | "msrps"
  readonly host: string
  readonly port: number
  readonly path: string
  /** The MSRP URI of the relay. */
  readonly relay: string
}

const targetOf = ({ relay, url: given }: ConnectOptions): Target => {
  const url = URL.parse(String(given))
  const secure = url?.protocol === "wss:"
  if (url === null || (!secure && url.protocol !== "ws:")) {
    throw new MsrpError("Invalid", "the url is to begin with wss: or ws:")
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1")
  const scheme = secure ? "msrps" : "msrp"
  const port = url.port === "" ? (secure ? 443 : 80) : Number(url.port)
  const uri = relay ?? formatUri({ scheme, host, port, transport: "ws" })
  if (parseUri(uri) === undefined) throw new MsrpError("Invalid", "the URI of the relay is none")
  return { scheme, host, port, path: url.pathname + url.search, relay: uri }
}

export class Link extends EventTarget implements Omit<Msrp, keyof EventTarget>, ChatOwner {
  readonly context: Context.Context<Transport | Codec>
  online: ChatOwner["online"]
  state: State = "connecting"
  path = ""
  readonly #options: ConnectOptions
  readonly #target: Target
  /** The address in the URIs of sessions, which stay the same on every connection. */
  readonly #address = invalidAddress()
  readonly #chats = new Map<string, Chat>()
  #fiber: Fiber.Fiber<void> | undefined

  constructor(options: ConnectOptions, context: Context.Context<Transport | Codec>) {
    super()
    checkConnect(options)
    this.#options = options
    this.#target = targetOf(options)
    this.context = context
  }

  session(options: SessionOptions = {}): Session {
    const chat = new Chat(this, this.#uri(), options)
    if (this.state === "closed") chat.end(481)
    else this.#chats.set(chat.uri, chat)
    return chat
  }

  left(chat: Chat): void {
    this.#chats.delete(chat.uri)
  }

  close(): Promise<void> {
    return Effect.runPromise(this.#end)
  }

  readonly #end: Effect.Effect<void> = Effect.andThen(
    Effect.suspend(() => this.#fiber === undefined ? Effect.void : Fiber.interrupt(this.#fiber)),
    Effect.sync(() => this.#closed(undefined))
  )

  /** Connects. Completes after the first login. */
  readonly start: Effect.Effect<void, MsrpError> = Effect.suspend(() => {
    const first = Deferred.makeUnsafe<void, MsrpError>()
    const opened = (): void => void Deferred.doneUnsafe(first, Exit.void)
    this.#fiber = Effect.runForkWith(this.context)(
      this.#run(opened).pipe(
        // Otherwise `start` would never complete.
        Effect.catchDefect((cause) => Effect.fail(new MsrpError("Invalid", "it ended by a defect", { cause }))),
        Effect.catch((error) =>
          Effect.sync(() => {
            this.#closed(error)
            Deferred.doneUnsafe(first, Exit.fail(error))
          })
        )
      )
    )
    return Effect.onInterrupt(Deferred.await(first), () => this.#end)
  })

  /** Stays online until it is closed. Fails if trying again is useless. */
  #run(opened: () => void): Effect.Effect<void, MsrpError, Transport | Codec> {
    const { host, path, port, scheme } = this.#target
    return keepUp<MsrpError, Transport | Codec>({
      connect: connect({ transport: "ws", scheme, host, port, path, collect: (first) => this.#collect(first) }).pipe(
        Effect.mapError(fromTransport)
      ),
      login: this.#login,
      lost: ({ message }) => new MsrpError("Lost", message),
      online: (client, grant) =>
        Effect.gen({ self: this }, function*() {
          yield* Effect.forkScoped(Effect.exit(Effect.forever(
            Effect.flatMap(client.incoming.take, (incoming) => this.#came(incoming))
          )))
          this.#granted(client, grant)
          this.#set("open")
          opened()
        }),
      renewed: (client, grant) => Effect.sync(() => this.#granted(client, grant)),
      offline: (error, attempts, pause) => this.#wait(error, attempts, pause)
    })
  }

  #wait(error: MsrpError, attempts: number, pause: Effect.Effect<Duration.Duration>): Effect.Effect<void, MsrpError> {
    return Effect.gen({ self: this }, function*() {
      this.#offline()
      // The first attempt decides whether `connect` succeeds. After that, only a refused login is final.
      if (attempts === 0 || (isFinal(error.status) && error.reason === "Login")) return yield* Effect.fail(error)
      const retryIn = Duration.toSeconds(yield* pause)
      this.#set("waiting", error, retryIn)
      yield* Effect.raceFirst(Effect.sleep(retryIn * 1000), online)
      this.#set("connecting")
    })
  }

  get #login(): Effect.Effect<Login<MsrpError>, MsrpError> {
    return Effect.map(this.#credentials, ({ password, username }) => (client, after) =>
      client.auth({
        relay: this.#target.relay,
        fromPath: this.#uri(),
        username,
        password,
        adjustExpires: true,
        expires: this.#options.expires,
        after
      }).pipe(Effect.mapError(fromLogin)))
  }

  get #credentials(): Effect.Effect<Credentials, MsrpError> {
    const { credentials, password = "", username = "" } = this.#options
    return credentials === undefined ? Effect.succeed({ username, password }) : Effect.tryPromise({
      try: async () => checkCredentials(await credentials()),
      catch: (cause) => new MsrpError("Login", "there are no credentials", { cause })
    })
  }

  // ---- what pages see

  #granted(client: Client, grant: Grant): void {
    this.online = { client, grant }
    this.path = grant.usePath.map(({ text }) => text).toReversed().join(" ")
    this.dispatchEvent(new CustomEvent("path", { detail: this.path }))
  }

  #offline(): void {
    this.online = undefined
    this.path = ""
  }

  #set(state: State, error?: MsrpError, retryIn?: number): void {
    this.state = state
    const detail: StateChange = { state, error, retryIn }
    this.dispatchEvent(new CustomEvent("state", { detail }))
  }

  #closed(error: MsrpError | undefined): void {
    if (this.state === "closed") return
    this.#offline()
    for (const chat of this.#chats.values()) chat.end(481)
    this.#chats.clear()
    this.#set("closed", error)
  }

  // ---- what comes

  #uri(): string {
    return newSessionUri(this.#target.scheme, this.#address, "ws")
  }

  #chatOf(first: Frame): Chat | undefined {
    return this.#chats.get(pathUris(first.toPath).at(-1) ?? "")
  }

  #collect(first: Frame): Collect {
    let octets = 0
    for (const chat of this.#chats.values()) octets += chat.waiting
    return octets >= MAX_WAITING_OCTETS ? { refuse: 413 } : this.#chatOf(first)?.collect(first) ?? { refuse: 481 }
  }

  #came(incoming: Incoming): Effect.Effect<void> {
    const chat = this.#chatOf(incoming.first)
    // The session may have been closed meanwhile.
    return chat === undefined ? Effect.orDie(incoming.refuse(481)) : Effect.sync(() => chat.came(incoming))
  }
}

/** Completes at the browser's event `online`. Never completes where there are no such events. */
const online: Effect.Effect<void> = Effect.callback((resume) => {
  const { addEventListener, removeEventListener } = globalThis as Partial<EventTarget>
  const listener = () => resume(Effect.void)
  addEventListener?.call(globalThis, "online", listener)
  return Effect.sync(() => removeEventListener?.call(globalThis, "online", listener))
})

/** Connects, logs in, and stays online until it is closed. */
export const open = (options: ConnectOptions): Effect.Effect<Msrp, MsrpError, Transport | Codec> =>
  Effect.gen(function*() {
    const context = yield* Effect.context<Transport | Codec>()
    const link = yield* Effect.try({
      try: () => new Link(options, context),
      catch: (error) => error instanceof MsrpError ? error : new MsrpError("Invalid", String(error))
    })
    yield* link.start
    // `EventTarget` has no types for the events of `Msrp`.
    return link as unknown as Msrp
  })
