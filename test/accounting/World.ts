/** Runs one scenario: a relay on a simulated network and clock, and scripted endpoints around it. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { Authenticator } from "../../src/Authenticator.ts"
import { Codec } from "../../src/Codec.ts"
import { encodeRequest, type HeaderLines } from "../../src/protocol/Encoder.ts"
import { Relay } from "../../src/Relay.ts"
import { SessionRepo } from "../../src/SessionRepo.ts"
import { SocketSelector } from "../../src/SocketSelector.ts"
import { type Connection, TestNetwork, Transport, type TransportError } from "../../src/Transport.ts"
import { Endpoint } from "./Endpoint.ts"
import { type Chunk, content, type Direction, Ledger, Message, type Writer } from "./Ledger.ts"
import { type Command, type FailureReport, JOINERS, LISTENERS, OWNERS, type Scenario } from "./Scenario.ts"

/** Everybody who has a name and a password that is never asked for: AUTH is not what is tested here. */
const anybody = Layer.succeed(
  Authenticator,
  Authenticator.of({
    authenticate: ({ realm }) =>
      Effect.succeed({ _tag: "Granted", username: "somebody", realm, authenticationInfo: "none" })
  })
)

/** Octets of one read, of one slab of output, and of one REPORT or response with its request. */
const READ = 65_536
const SLAB = 65_536
const REPORT = 600

/** Milliseconds. */
const STEP = 2000

interface Party {
  readonly forth: Direction
  readonly back: Direction
}

class World {
  readonly ledger = new Ledger()
  readonly scenario: Scenario
  readonly relay: Relay["Service"]
  readonly network: TestNetwork["Service"]
  readonly transport: Transport["Service"]
  readonly errors: Array<string>
  readonly owners: Array<Endpoint> = []
  readonly joiners: Array<Endpoint> = []
  /** The newest connection to each listener. */
  readonly listeners: Array<Endpoint | undefined> = []
  readonly ports: Array<number> = []
  readonly all: Array<Endpoint> = []
  readonly dialogs: Array<Party> = []
  /** Messages with chunks that are still to be sent. */
  readonly unfinished: Array<Message> = []
  readonly #fork: (effect: Effect.Effect<void>) => void
  #ids = 0

  constructor(
    parts: Pick<World, "scenario" | "relay" | "network" | "transport" | "errors">,
    fork: (effect: Effect.Effect<void>) => void
  ) {
    this.#fork = fork
    this.scenario = parts.scenario
    this.relay = parts.relay
    this.network = parts.network
    this.transport = parts.transport
    this.errors = parts.errors
  }

  // ---- who is there

  endpoint(name: string): Endpoint {
    const { answers } = this.scenario
    const endpoint = new Endpoint(name, this.ledger, answers[this.all.length % answers.length]!, (delay, run) => {
      this.#fork(Effect.andThen(Effect.sleep(delay), Effect.sync(run)))
    })
    this.all.push(endpoint)
    return endpoint
  }

  connect(name: string): Effect.Effect<Endpoint, TransportError> {
    return Effect.suspend(() => {
      const endpoint = this.endpoint(name)
      return Effect.as(this.transport.connect(this.relay.sockets[0]!, endpoint.accept), endpoint)
    })
  }

  readonly setUp = Effect.fnUntraced({ self: this }, function*() {
    const { dialogs, dials } = this.scenario
    for (let i = 0; i < LISTENERS; i++) {
      const { port } = yield* this.transport.listen(
        { scheme: "msrp", host: "*", port: 0 },
        (connection: Connection) => {
          const endpoint = this.listeners[i] = this.endpoint(`dialled ${i}`)
          return endpoint.accept(connection)
        }
      )
      this.ports.push(port)
      this.dial(i, dials[i]!)
    }
    for (let i = 0; i < OWNERS; i++) this.owners.push(yield* this.connect(`owner ${i}`))
    for (let i = 0; i < JOINERS; i++) this.joiners.push(yield* this.connect(`joiner ${i}`))
    for (let i = 0; i < dialogs.length; i++) yield* this.open(i)
    yield* this.network.settled
    this.network.configure(this.scenario.link)
  })

  /** Gets the session URIs of a dialog, new ones when it had some. */
  readonly open = Effect.fnUntraced({ self: this }, function*(i: number) {
    const { expires, kind, owner, peer } = this.scenario.dialogs[i]!
    const a = `msrp://a${i}.invalid:9/a${i};tcp`
    const b = kind === "dialled"
      ? `msrp://peer${peer}.example:${this.ports[peer]}/b${i};tcp`
      : `msrp://b${i}.invalid:9/b${i};tcp`
    const use = yield* this.login(this.owners[owner]!, a, expires)
    // Who does not read, or is far away, has no answer now.
    if (use === "") return
    const source = (): Endpoint => this.owners[owner]!
    if (kind === "owners") {
      const other = this.owners[peer]!
      const use2 = yield* this.login(other, b, expires)
      if (use2 === "") return
      this.dialogs[i] = {
        forth: {
          name: `${i} forth`,
          toPath: `${use} ${use2} ${b}`,
          fromPath: a,
          arrivingTo: b,
          arrivingFrom: `${use2} ${use} ${a}`,
          source
        },
        back: {
          name: `${i} back`,
          toPath: `${use2} ${use} ${a}`,
          fromPath: b,
          arrivingTo: a,
          arrivingFrom: `${use} ${use2} ${b}`,
          source: () => this.owners[peer]!
        }
      }
      return
    }
    this.dialogs[i] = {
      forth: {
        name: `${i} forth`,
        toPath: `${use} ${b}`,
        fromPath: a,
        arrivingTo: b,
        arrivingFrom: `${use} ${a}`,
        source
      },
      back: {
        name: `${i} back`,
        toPath: `${use} ${a}`,
        fromPath: b,
        arrivingTo: a,
        arrivingFrom: `${use} ${b}`,
        source: () => kind === "in" ? this.joiners[peer] : this.listeners[peer]
      }
    }
    if (kind === "in") this.bodiless(this.dialogs[i].back, "absent")
  })

  login(endpoint: Endpoint, uri: string, expires: number): Effect.Effect<string> {
    return Effect.suspend(() => {
      let use = ""
      endpoint.onGrant = (usePath) => {
        use = usePath
      }
      endpoint.write(encodeRequest({
        transactionId: `auth${++this.#ids}`,
        method: "AUTH",
        toPath: this.relay.uris[0]!.text,
        fromPath: uri,
        headers: [["Expires", String(expires)]]
      }))
      return Effect.map(this.network.settled, () => use)
    })
  }

  // ---- what is sent

  #request(
    { fromPath, toPath }: Pick<Direction, "fromPath" | "toPath">,
    source: Writer,
    method: string,
    failureReport: FailureReport,
    headers: HeaderLines,
    body?: Buffer,
    chunk?: Chunk
  ): void {
    const transactionId = chunk?.id ?? `s${String(++this.#ids).padStart(8, "0")}`
    const mayBeAnswered = failureReport === "absent" || failureReport === "yes"
    const mustBeAnswered = mayBeAnswered && method === "SEND"
    const request = { source, chunk, mayBeAnswered, mustBeAnswered, failureReport, endsAt: 0, status: undefined }
    this.ledger.requests.set(transactionId, request)
    request.endsAt = source.write(encodeRequest({
      transactionId,
      method,
      toPath,
      fromPath,
      headers,
      ...(body === undefined ? {} : { body }),
      flag: chunk?.flag ?? "$"
    }))
  }

  bodiless(direction: Direction, failureReport: FailureReport): void {
    const plan = { chunks: [0], last: "$", failureReport, successReport: false, range: "exact", spaced: false } as const
    const message = this.#message(direction, plan)
    if (message !== undefined) this.chunk(message, false)
  }

  #message(direction: Direction, plan: Message["plan"]): Message | undefined {
    const source = direction.source()
    if (source === undefined || source.gone) return undefined
    const id = `m${String(++this.#ids).padStart(5, "0")}`
    const message = new Message(id, direction, plan, source, (this.#ids * 7919) % (content.length - 1_100_000))
    this.ledger.messages.set(id, message)
    return message
  }

  /** Sends the next chunk of a message. */
  chunk(message: Message, hasBody = true): void {
    const { chunks, id, plan, sent: start, source } = message
    const { failureReport, range, successReport } = plan
    const length = plan.chunks[chunks.length]!
    const last = chunks.length === plan.chunks.length - 1
    const { total } = message
    const rangeEnd = range === "exact" ? start + length : -1
    const rangeTotal = range === "open" ? -1 : total
    const chunk: Chunk = {
      message,
      id: `s${String(++this.#ids).padStart(8, "0")}`,
      source,
      start,
      length,
      flag: last ? plan.last : "+",
      hasBody,
      rangeEnd,
      rangeTotal,
      endsAt: 0,
      status: undefined
    }
    chunks.push(chunk)
    message.sent += length
    const body = content.subarray(message.offset + start, message.offset + start + length)
    this.#request(
      message.direction,
      source,
      "SEND",
      failureReport,
      [
        ["Message-ID", id],
        ["Byte-Range", `${start + 1}-${rangeEnd === -1 ? "*" : rangeEnd}/${rangeTotal === -1 ? "*" : rangeTotal}`],
        ...(successReport ? [["Success-Report", "yes"] as const] : []),
        ...(failureReport === "absent" ? [] : [["Failure-Report", failureReport] as const]),
        ...(hasBody ? [["Content-Type", "text/plain"] as const] : [])
      ],
      hasBody ? body : undefined,
      chunk
    )
  }

  dial(listener: number, outcome: Scenario["dials"][number]): void {
    this.network.answer(`peer${listener}.example`, this.ports[listener]!, outcome === "Listens" ? undefined : outcome)
  }

  #dialog(command: { readonly dialog: number; readonly back: boolean }): Direction {
    const { back, forth } = this.dialogs[command.dialog % this.dialogs.length]!
    return command.back ? back : forth
  }

  #alive(index: number): Endpoint | undefined {
    const ends = [...this.owners, ...this.joiners, ...this.listeners]
    const end = ends[index % ends.length]
    return end === undefined || end.gone ? undefined : end
  }

  run(command: Command): Effect.Effect<void, TransportError> {
    switch (command.do) {
      case "wait":
        return this.pass(command.millis)
      case "turns":
        return Effect.replicateEffect(Effect.yieldNow, command.turns, { discard: true })
      case "rejoin":
        return this.rejoin(command.end)
      default:
        return Effect.sync(() => this.act(command))
    }
  }

  act(command: Exclude<Command, { readonly do: "wait" | "turns" | "rejoin" }>): void {
    switch (command.do) {
      case "send": {
        const message = this.#message(this.#dialog(command), command.message)
        if (message === undefined) return
        this.chunk(message)
        if (command.message.spaced) {
          if (command.message.chunks.length > 1) this.unfinished.push(message)
        } else for (let i = 1; i < command.message.chunks.length; i++) this.chunk(message)
        return
      }
      case "more": {
        const index = command.which % this.unfinished.length
        const message = this.unfinished[index]
        if (message === undefined) return
        if (!message.source.gone) this.chunk(message)
        if (message.source.gone || message.chunks.length === message.plan.chunks.length) {
          this.unfinished.splice(index, 1)
        }
        return
      }
      case "bodiless":
        return this.bodiless(this.#dialog(command), command.failureReport)
      case "nickname": {
        const direction = this.#dialog(command)
        const source = direction.source()
        if (source === undefined || source.gone) return
        return this.#request(direction, source, "NICKNAME", "absent", [["Use-Nickname", "\"nick\""]])
      }
      case "stray": {
        const { fromPath, source, toPath } = this.#dialog(command)
        const { failureReport } = command
        const end = source()
        if (end === undefined || end.gone) return
        const paths = { toPath: toPath.replace(/\/[a-z0-9]+;/, "/nobody;"), fromPath }
        const body = content.subarray(0, 10)
        const id = `stray-${failureReport}-${++this.#ids}`
        return this.#request(paths, end, "SEND", failureReport, [
          ["Message-ID", id],
          ["Byte-Range", "1-10/10"],
          ...(failureReport === "absent" ? [] : [["Failure-Report", failureReport] as const]),
          ["Content-Type", "text/plain"]
        ], body)
      }
      case "dial":
        return this.dial(command.listener, command.outcome)
    }
    const end = this.#alive(command.end)
    if (end === undefined) return
    switch (command.do) {
      case "throttle":
        return end.throttle(command.octets)
      case "free":
        return end.throttle(Infinity)
      case "pause":
        return end.pause()
      case "resume":
        return end.resume()
      case "sip":
        return end.sip()
      case "cut":
        return this.network.cut(end.connection)
      case "close":
        return end.end()
      case "destroy":
        return end.connection.destroy()
      case "link":
        return this.network.configure(command.link, end.connection)
    }
  }

  /** A party whose connection was lost connects again; a peer shows itself, an owner gets new session URIs. */
  readonly rejoin = Effect.fnUntraced({ self: this }, function*(index: number) {
    const { link } = this.scenario
    const i = index % JOINERS
    // Connecting takes the latency of the link, thus time.
    this.network.configure({ latency: 0 })
    if (index % 4 >= JOINERS) {
      if (!this.owners[i]!.gone) return this.network.configure(link)
      this.owners[i] = yield* this.connect(`owner ${i} again`)
      for (const [n, { kind, owner, peer }] of this.scenario.dialogs.entries()) {
        if (owner === i || (kind === "owners" && peer === i)) yield* this.open(n)
      }
      return this.network.configure(link)
    }
    if (!this.joiners[i]!.gone) return this.network.configure(link)
    this.joiners[i] = yield* this.connect(`joiner ${i} again`)
    this.network.configure(link)
    for (const [n, { kind, peer }] of this.scenario.dialogs.entries()) {
      if (kind === "in" && peer === i) this.bodiless(this.dialogs[n]!.back, "absent")
    }
  })

  // ---- time

  /** In steps, so that what happens at a time is over before the next limit is reached. */
  readonly pass = Effect.fnUntraced({ self: this }, function*(millis: number) {
    yield* this.network.settled
    for (let left = millis; left > 0; left -= STEP) {
      yield* TestClock.adjust(Math.min(left, STEP))
      yield* this.network.settled
      this.look()
    }
  })

  // ---- what must always hold

  /** Octets that the relay may hold: for each hop its bounds, and what one read brings beyond them. */
  bound(): number {
    const { connection, output, responses, transactions } = this.scenario.bounds
    const hops = this.relay.gauges().connections
    const reports = REPORT * (hops * Math.min(transactions, this.ledger.requests.size) + connection / 256)
    return hops * (output + responses + connection + 2 * SLAB + 4 * READ + reports)
  }

  look(): void {
    const { bufferedOctets } = this.relay.gauges()
    this.ledger.check(bufferedOctets >= 0 && bufferedOctets <= this.bound(), () => `${bufferedOctets} octets buffered`)
  }

  // ---- the end

  readonly settle = Effect.fnUntraced({ self: this }, function*() {
    const { relents } = this.scenario
    if (relents) { for (const end of this.all) if (!end.gone) end.throttle(Infinity) }
    // Who does not read is failed by the stall limit; who reads again learns what happened.
    if (!relents) { for (let i = 0; i < 5; i++) yield* this.pass(20_000) }
    for (const end of this.all) if (!end.gone) end.resume()
    for (let i = 0; i < 100; i++) {
      yield* this.pass(20_000)
      const { bufferedOctets, timers, transactions } = this.relay.gauges()
      if (i > 4 && bufferedOctets === 0 && timers === 0 && (transactions === 0 || !relents)) break
    }
    const { bufferedOctets, timers, transactions } = this.relay.gauges()
    const rest = JSON.stringify({ bufferedOctets, timers, transactions: relents ? transactions : 0 })
    this.ledger.check(
      rest === "{\"bufferedOctets\":0,\"timers\":0,\"transactions\":0}",
      () => `left when all is quiet: ${rest}`
    )
    this.ledger.balance(this.scenario.mood)
  })

  readonly leave = Effect.fnUntraced({ self: this }, function*() {
    for (const end of this.all) if (!end.gone) end.connection.destroy()
    yield* this.pass(1000)
    // What was dialled and never answers is closed by the relay.
    yield* Effect.forkChild(this.relay.close)
    yield* this.pass(10_000)
    const rest = JSON.stringify(this.relay.gauges())
    const nothing = JSON.stringify({ connections: 0, sessions: 0, transactions: 0, timers: 0, bufferedOctets: 0 })
    this.ledger.check(rest === nothing, () => `left at the end: ${rest}`)
  })
}

/** Runs a scenario; gives what was wrong. */
const simulate = Effect.fnUntraced(
  function*(scenario: Scenario): Effect.fn.Return<ReadonlyArray<string>, TransportError, Scope.Scope> {
    const errors: Array<string> = []
    const logger = Logger.make<unknown, void>((entry) => {
      if (entry.logLevel === "Error" || entry.logLevel === "Fatal") errors.push(Logger.formatLogFmt.log(entry))
    })
    const { bounds, seed, shuffle } = scenario
    const context = yield* Layer.build(
      Relay.layer({ listen: [{ scheme: "msrp", host: "localhost", port: 0 }], plaintextAuth: "always", limits: bounds })
        .pipe(
          Layer.provideMerge(Layer.mergeAll(
            Codec.layer,
            SessionRepo.layerMemory({ hashSize: 0 }),
            SocketSelector.layerDefault([]),
            anybody,
            Transport.layerTest({ seed, shuffle })
          )),
          Layer.provide([Logger.layer([logger]), Layer.succeed(References.MinimumLogLevel, "Error")])
        )
    ).pipe(Effect.catchTag("OptionsError", Effect.die))
    const world = new World({
      scenario,
      relay: Context.get(context, Relay),
      network: Context.get(context, TestNetwork),
      transport: Context.get(context, Transport),
      errors
    }, Effect.runForkWith(yield* Effect.context()))
    yield* world.setUp()
    for (const command of scenario.commands) {
      yield* world.run(command)
      world.look()
      if (world.ledger.faults.length > 0) break
    }
    if (world.ledger.faults.length === 0) yield* world.settle()
    if (world.ledger.faults.length === 0) yield* world.leave()
    return [...world.ledger.faults, ...errors, ...world.network.defects.map(String)]
  }
)

export const run = (scenario: Scenario): Promise<ReadonlyArray<string>> =>
  Effect.runPromise(Effect.scoped(simulate(scenario)).pipe(Effect.provide(TestClock.layer())))
