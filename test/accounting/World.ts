/** Runs one scenario: a relay on a simulated network and clock, and scripted endpoints around it. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as AtomRef from "effect/reactivity/AtomRef"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { encodeRequest, type HeaderLines } from "../../src/protocol/Encoder.ts"
import { parseUri } from "../../src/protocol/Uri.ts"
import { Relay, type RelayOptions } from "../../src/Relay.ts"
import { type Connection, TestNetwork, Transport, type TransportError } from "../../src/Transport.ts"
import { nothingHeld } from "../support/nothingHeld.ts"
import { Endpoint } from "./Endpoint.ts"
import { type Chunk, content, type Direction, Ledger, Message, type Writer } from "./Ledger.ts"
import {
  type Answer,
  type Bounds,
  type Command,
  DISTANT,
  type FailureReport,
  JOINERS,
  LISTENERS,
  OWNERS,
  type Policy,
  type Scenario
} from "./Scenario.ts"
import { foreseen, services } from "./Services.ts"

/** Octets of one read, of one slab of output, and of one REPORT or response with its request. */
const READ = 65_536
const SLAB = 65_536
const REPORT = 600

/** Octets that no scenario has without an answer. */
const ROOMY = 1_000_000

/** Seconds of sessions that outlive their scenario, and the most for a client behind another relay. */
const LASTING = 10_000
const BEHIND_RELAY = 86_400

/** What ends a connection, of which its party hears later. */
const parting: ReadonlySet<Command["do"]> = new Set(["end session", "end connection", "cut", "close", "destroy"])

const short = {
  chunks: [10],
  last: "$",
  failureReport: "absent",
  successReport: false,
  range: "exact",
  spaced: false
} as const

/** Milliseconds. */
const STEP = 2000
/** For which a connection waits for one receiver (the limit `hold`), and for all else that takes time in a fair scenario. */
const HOLD = 2000
const SLACK = 4000

/** Of those who are lame these do not answer, and the others are not reading at first. */
const isMute = (end: number): boolean => end % 2 === 0

const mute: ReadonlyArray<Answer> = [{ status: 200, when: "never", delay: 0 }]
const well: ReadonlyArray<Answer> = [{ status: 200, when: "now", delay: 0 }]

interface Party {
  readonly forth: Direction
  readonly back: Direction
}

class World {
  readonly ledger: Ledger
  readonly scenario: Scenario
  /** The near one, and the far one if there are two. */
  readonly relays: ReadonlyArray<Relay["Service"]>
  /** Gives all relays other bounds; and the most of each that they have had. */
  readonly #reload: (bounds: Bounds) => void
  readonly #decree: (policy: Policy) => void
  #bounds: Bounds
  /** Sessions end before their time, or are followed by others. */
  readonly #ends: boolean
  readonly network: TestNetwork["Service"]
  readonly transport: Transport["Service"]
  readonly errors: Array<string>
  readonly owners: Array<Endpoint> = []
  readonly joiners: Array<Endpoint> = []
  /** At the far relay. */
  readonly distant: Array<Endpoint> = []
  /** The newest connection to each listener. */
  readonly listeners: Array<Endpoint | undefined> = []
  readonly ports: Array<number> = []
  readonly all: Array<Endpoint> = []
  readonly dialogs: Array<Party> = []
  /** Those whose sessions have ended, and whose new ones are not known. */
  readonly #over = new Set<number>()
  /** Messages with chunks that are still to be sent. */
  readonly unfinished: Array<Message> = []
  /** Chunks from those to those who are not lame, of which it is not known yet what became of them. */
  #watched: Array<Chunk> = []
  /** Milliseconds that have passed. */
  #now = 0
  readonly #fork: (effect: Effect.Effect<void>) => void
  #ids = 0

  constructor(
    parts: Pick<World, "scenario" | "relays" | "network" | "transport" | "errors">,
    fork: (effect: Effect.Effect<void>) => void,
    reload: (bounds: Bounds) => void,
    decree: (policy: Policy) => void
  ) {
    this.#decree = decree
    this.#reload = reload
    this.#bounds = parts.scenario.bounds
    this.#ends = parts.scenario.commands.some((command) =>
      command.do === "end session" || command.do === "open" || command.do === "policy"
    )
    this.#fork = fork
    this.scenario = parts.scenario
    const { bounds, commands, mood } = parts.scenario
    const all = [bounds, ...commands.flatMap((command) => command.do === "reload" ? command.bounds : [])]
    this.ledger = new Ledger(
      mood,
      all.some(({ unanswered, unansweredOfUser }) => Math.min(unanswered, unansweredOfUser) < ROOMY)
    )
    this.relays = parts.relays
    this.network = parts.network
    this.transport = parts.transport
    this.errors = parts.errors
  }

  // ---- who is there

  endpoint(name: string): Endpoint {
    const { answers, lame, mood } = this.scenario
    const i = this.all.length
    const fair = lame.includes(i) && isMute(i) ? mute : well
    const endpoint = new Endpoint(
      name,
      this.ledger,
      mood === "fair" ? fair : answers[i % answers.length]!,
      (delay, run) => {
        this.#fork(Effect.andThen(Effect.sleep(delay), Effect.sync(run)))
      }
    )
    this.all.push(endpoint)
    return endpoint
  }

  connect(name: string, relay = this.relays[0]!): Effect.Effect<Endpoint, TransportError> {
    return Effect.suspend(() => {
      const isMessages = this.scenario.webSockets?.some((party) => name.startsWith(party)) === true
      const endpoint = this.endpoint(name)
      return Effect.as(this.transport.connect(relay.sockets[isMessages ? 1 : 0]!, endpoint.accept), endpoint)
    })
  }

  readonly setUp = Effect.fnUntraced({ self: this }, function*() {
    const { dialogs, dials, mood, relays } = this.scenario
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
    if (relays > 1) {
      for (let i = 0; i < DISTANT; i++) this.distant.push(yield* this.connect(`distant ${i}`, this.relays.at(-1)))
    }
    for (let i = 0; i < dialogs.length; i++) yield* this.open(i)
    yield* this.network.settled
    if (mood === "fair") {
      // Who has a connection for himself is held as long as it takes. Here the relays know that several use it.
      for (const { back, forth } of this.dialogs) {
        this.bodiless(forth, "absent")
        this.bodiless(back, "absent")
      }
      yield* this.network.settled
      const { lame } = this.scenario
      for (const [i, end] of this.all.entries()) if (lame.includes(i) && !isMute(i)) end.pause()
    }
    this.network.configure(this.scenario.link)
  })

  /** Gets the session URIs of a dialog, new ones when it had some. */
  readonly open = Effect.fnUntraced({ self: this }, function*(i: number) {
    const { expires, kind, owner, peer } = this.scenario.dialogs[i]!
    this.#over.add(i)
    const a = `msrp://a${i}.invalid:9/a${i};tcp`
    const b = kind === "dialled"
      ? `msrp://peer${peer}.example:${this.ports[peer]}/b${i};tcp`
      : `msrp://b${i}.invalid:9/b${i};tcp`
    const use = yield* this.login(this.owners[owner]!, a, expires)
    // Who does not read, or is far away, has no answer now.
    if (use === "") return
    const source = (): Endpoint => this.owners[owner]!
    const brief = expires < 60 || this.#ends
    if (kind === "owners" || kind === "linked") {
      const far = kind === "linked"
      const others = far ? this.distant : this.owners
      const use2 = yield* this.login(others[peer]!, b, expires, far ? this.relays.at(-1) : undefined)
      // The owner logs in at the relay in between as well, by way of the near one (RFC 4976 §5.1).
      const path = far && this.relays.length === 3
        ? yield* this.login(this.owners[owner]!, a, Math.min(expires, BEHIND_RELAY), this.relays[1], `${use} `)
        : use
      if (path === "") return
      const forth = [...path.split(" "), use2]
      const back = forth.toReversed()
      const there = far ? OWNERS + JOINERS + peer : peer
      if (use2 === "") return
      this.#over.delete(i)
      this.dialogs[i] = {
        forth: {
          name: `${i} forth`,
          toPath: [...forth, b].join(" "),
          fromPath: a,
          arrivingTo: b,
          arrivingFrom: [...back, a].join(" "),
          brief,
          reporters: far ? forth.map((_, i) => forth.slice(0, i + 1).join(" ")) : [use],
          ends: [owner, there],
          source
        },
        back: {
          name: `${i} back`,
          toPath: [...back, a].join(" "),
          fromPath: b,
          arrivingTo: a,
          arrivingFrom: [...forth, b].join(" "),
          brief,
          reporters: far ? back.map((_, i) => back.slice(0, i + 1).join(" ")) : [use2],
          ends: [there, owner],
          source: () => others[peer]!
        }
      }
      return
    }
    this.#over.delete(i)
    this.dialogs[i] = {
      forth: {
        name: `${i} forth`,
        toPath: `${use} ${b}`,
        fromPath: a,
        arrivingTo: b,
        arrivingFrom: `${use} ${a}`,
        brief,
        reporters: [use],
        ends: [owner, OWNERS + peer],
        source
      },
      back: {
        name: `${i} back`,
        toPath: `${use} ${a}`,
        fromPath: b,
        arrivingTo: a,
        arrivingFrom: `${use} ${b}`,
        brief,
        reporters: [use],
        ends: [OWNERS + peer, owner],
        source: () => kind === "in" ? this.joiners[peer] : this.listeners[peer]
      }
    }
    if (kind === "in") this.bodiless(this.dialogs[i].back, "absent")
  })

  login(endpoint: Endpoint, uri: string, expires: number, relay = this.relays[0]!, via = ""): Effect.Effect<string> {
    return Effect.suspend(() => {
      let use = ""
      const transactionId = `auth${++this.#ids}`
      endpoint.grants.set(transactionId, (usePath) => {
        use = usePath
      })
      endpoint.write(encodeRequest({
        transactionId,
        method: "AUTH",
        toPath: via + relay.uris[0]!.text,
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
    const mustBeAnswered = mayBeAnswered && (method === "SEND" || method === "AUTH")
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
      writtenAt: this.#now,
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
    if (this.#isWatched(message)) this.#watched.push(chunk)
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

  #isWatched({ direction, failureReport }: Message): boolean {
    const { lame, mood } = this.scenario
    const [from, to] = direction.ends
    // The answers of who writes to himself are behind what is held for want of them.
    return mood === "fair" && failureReport !== "no" && from !== to && ![from, to].some((end) => lame.includes(end))
  }

  dial(listener: number, outcome: Scenario["dials"][number]): void {
    this.network.answer(`peer${listener}.example`, this.ports[listener]!, outcome === "Listens" ? undefined : outcome)
  }

  #dialog(command: { readonly dialog: number; readonly back: boolean }): Direction {
    const { back, forth } = this.dialogs[command.dialog % this.dialogs.length]!
    return command.back ? back : forth
  }

  #alive(index: number): Endpoint | undefined {
    const { lame, mood } = this.scenario
    const ends = [...this.owners, ...this.joiners, ...this.relays.length === 1 ? this.listeners : this.distant]
    if (mood === "fair" && !lame.includes(index % ends.length)) return undefined
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
      case "open":
        return this.reopen(command.dialog % this.scenario.dialogs.length)
      default:
        return Effect.sync(() => this.act(command))
    }
  }

  act(command: Exclude<Command, { readonly do: "wait" | "turns" | "rejoin" | "open" }>): void {
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
      case "login": {
        const near = [...this.owners, ...this.joiners]
        const i = command.end % near.length
        const paths = { toPath: this.relays[0]!.uris[0]!.text, fromPath: `msrp://more${i}.invalid:9/more${i};tcp` }
        if (near[i]!.gone) return
        return this.#request(paths, near[i]!, "AUTH", "absent", [
          ["Expires", "40"],
          ["Authorization", command.outcome]
        ])
      }
      case "drain":
        return this.#fork(this.relays[command.relay % this.relays.length]!.drain)
      case "undrain":
        return this.#fork(this.relays[command.relay % this.relays.length]!.undrain)
      case "policy":
        return this.#decree(command.policy)
      case "trace":
        return this.#fork(
          this.relays[command.relay % this.relays.length]!.trace({ users: "*", duration: "50 seconds" }).pipe(
            Stream.mapEffect(() => Effect.sleep(command.delay)),
            Stream.runDrain,
            Effect.ignore
          )
        )
      case "dial":
        return this.dial(command.listener, command.outcome)
      case "unlink":
        return this.unlink()
      case "end session":
      case "end connection":
        return this.ends(command.do === "end session", command.which)
      case "reload":
        return this.reload(command.bounds)
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

  reopen(i: number): Effect.Effect<void> {
    const { kind, owner, peer } = this.scenario.dialogs[i]!
    const other = kind === "owners" ? this.owners[peer] : kind === "linked" ? this.distant[peer] : undefined
    return this.owners[owner]!.gone || other?.gone === true ? Effect.void : this.open(i)
  }

  /** A party whose connection was lost connects again; a peer shows itself, an owner gets new session URIs. */
  readonly rejoin = Effect.fnUntraced({ self: this }, function*(index: number) {
    const { link } = this.scenario
    const i = index % JOINERS
    const far = this.relays.length > 1 && index % 6 >= OWNERS + JOINERS
    // Connecting takes the latency of the link, thus time.
    this.network.configure({ latency: 0 })
    if (far) {
      if (!this.distant[i]!.gone) return this.network.configure(link)
      this.distant[i] = yield* this.connect(`distant ${i} again`, this.relays.at(-1))
      for (const [n, { kind, peer }] of this.scenario.dialogs.entries()) {
        if (kind === "linked" && peer === i) yield* this.open(n)
      }
      return this.network.configure(link)
    }
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

  /** Connections of which neither end is a party are those between the relays. */
  /** What is under way between the relays may be lost with their connection, and REPORTs with it. */
  #severs(): void {
    for (const message of this.ledger.messages.values()) message.severed ||= message.linked
  }

  unlink(): void {
    this.#severs()
    // That of a party may be a WebSocket, of which both ends are connections of the network.
    const ends = new Set<Connection>(this.all.flatMap(({ connection }) => {
      const peer = this.network.peer(connection)
      return [peer, this.network.peer(peer)]
    }))
    for (const end of this.network.connections()) if (!ends.has(end)) this.network.cut(end)
  }

  ends(session: boolean, which: number): void {
    const { operator } = this.relays[which % this.relays.length]!
    const sessions = operator.sessions().items
    const connections = operator.connections().items
    if (session && sessions.length > 0) {
      this.ledger.sessionsEnded = true
      operator.endSession(sessions[which % sessions.length]!.session)
    }
    const ended = connections[which % connections.length]
    if (session || ended === undefined) return
    if (ended.relay) this.#severs()
    operator.endConnection(ended.connection)
  }

  reload(bounds: Bounds): void {
    const before = this.#bounds
    this.#bounds = {
      ...before,
      connection: Math.max(before.connection, bounds.connection),
      output: Math.max(before.output, bounds.output),
      responses: Math.max(before.responses, bounds.responses),
      transactions: Math.max(before.transactions, bounds.transactions)
    }
    this.#reload(bounds)
  }

  // ---- time

  /** In steps, so that what happens at a time is over before the next limit is reached. */
  readonly pass = Effect.fnUntraced({ self: this }, function*(millis: number) {
    yield* this.network.settled
    for (let left = millis; left > 0; left -= STEP) {
      yield* TestClock.adjust(Math.min(left, STEP))
      this.#now += Math.min(left, STEP)
      yield* this.network.settled
      this.look()
    }
  })

  // ---- what must always hold

  /**
   * Octets that a relay may hold: for each hop its bounds, and what one read brings beyond them. What comes from another
   * relay has a bound for each session, and one for all.
   */
  bound(relay: Relay["Service"]): number {
    const { dialogs } = this.scenario
    const { connection, output, relay: all = 0, relayed = 0, responses, transactions } = this.#bounds
    const hops = relay.gauges().connections
    const reports = REPORT * (hops * Math.min(transactions, this.ledger.requests.size) + connection / 256)
    const linked = this.relays.length * 2 * Math.min(all, dialogs.length * (relayed + READ))
    return hops * (output + responses + connection + 2 * SLAB + 4 * READ + reports) +
      (this.relays.length === 1 ? 0 : linked)
  }

  look(): void {
    for (const relay of this.relays) {
      const { bufferedOctets } = relay.gauges()
      this.ledger.check(
        bufferedOctets >= 0 && bufferedOctets <= this.bound(relay),
        () => `${bufferedOctets} octets buffered`
      )
    }
    this.#progress()
  }

  /** Who does not read or answer costs others no more than the time for which a connection waits for him. */
  #progress(): void {
    if (this.#watched.length === 0) return
    const { dialogs, lame } = this.scenario
    const slow = this.dialogs.filter(({ forth }) => forth.ends.some((end) => lame.includes(end))).length
    const most = HOLD * Math.min(slow, dialogs.length) + SLACK
    this.#watched = this.#watched.filter((chunk) => !this.ledger.settled(chunk))
    for (const { message, start, writtenAt } of this.#watched) {
      this.ledger.check(
        this.#now - writtenAt <= most,
        () =>
          `${message.id} (${message.direction.name}): nothing became of octet ${start} in ${this.#now - writtenAt} ms`
      )
    }
  }

  /** What is left in the relays. */
  get rest(): Record<"bufferedOctets" | "timers" | "transactions", number> {
    const rest = { bufferedOctets: 0, timers: 0, transactions: 0 }
    for (const relay of this.relays) {
      const { bufferedOctets, timers, transactions } = relay.gauges()
      rest.bufferedOctets += bufferedOctets
      rest.timers += timers
      rest.transactions += transactions
    }
    return rest
  }

  // ---- the end

  readonly settle = Effect.fnUntraced({ self: this }, function*() {
    const { closes, mood, relents } = this.scenario
    for (const relay of this.relays) yield* relay.undrain
    if (closes === true) return yield* this.#close
    // The lame stay so until it is known what became of what the others sent.
    if (mood === "fair") { for (let i = 0; i < 30 && this.#watched.length > 0; i++) yield* this.pass(1000) }
    if (relents) { for (const end of this.all) if (!end.gone) end.throttle(Infinity) }
    // Who does not read is failed by the stall limit; who reads again learns what happened.
    if (!relents) { for (let i = 0; i < 5; i++) yield* this.pass(20_000) }
    for (const end of this.all) if (!end.gone) end.resume()
    for (let i = 0; i < 100; i++) {
      yield* this.pass(20_000)
      const { bufferedOctets, timers, transactions } = this.rest
      if (i > 4 && bufferedOctets === 0 && timers === 0 && (transactions === 0 || !relents)) break
    }
    const { bufferedOctets, timers, transactions } = this.rest
    const rest = JSON.stringify({ bufferedOctets, timers, transactions: relents ? transactions : 0 })
    this.ledger.check(
      rest === "{\"bufferedOctets\":0,\"timers\":0,\"transactions\":0}",
      () => `left when all is quiet: ${rest}`
    )
    if (relents) yield* this.#reach()
    this.ledger.balance()
  })

  /** Whatever has happened, who is still there and behaves again can be reached. */
  readonly #reach = Effect.fnUntraced({ self: this }, function*() {
    for (const end of this.all) if (!end.gone) end.recover(well)
    this.network.configure(this.scenario.link)
    // Who has connected in says where he is, before anybody writes to him.
    for (const back of [true, false]) {
      const messages = this.scenario.dialogs.flatMap(({ expires }, dialog) => {
        const direction = this.#dialog({ dialog, back })
        const [from, to] = direction.ends.map((end) => this.#end(end, dialog))
        if (expires < LASTING || this.#ends || this.#over.has(dialog) || from?.gone !== false || to?.gone !== false) {
          return []
        }
        return this.#message(direction, short) ?? []
      })
      for (const message of messages) this.chunk(message)
      yield* this.pass(10_000)
      for (const { chunks: [chunk], direction, id } of messages) {
        const { status } = chunk!
        this.ledger.check(
          status === 200 && this.ledger.settled(chunk!),
          () => `${id} (${direction.name}): cannot be reached any more: ${status}`
        )
      }
    }
  })

  #end(index: number, dialog: number): Endpoint | undefined {
    const { kind, peer } = this.scenario.dialogs[dialog]!
    if (kind === "dialled" && index >= OWNERS) return this.listeners[peer]
    return [...this.owners, ...this.joiners, ...this.distant][index]
  }

  /** The relays end while messages are under way. Who was still there, and reads, learns what became of what was accepted. */
  get #close(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      for (const end of this.all) {
        if (end.gone) continue
        end.throttle(Infinity)
        end.resume()
      }
      // It is known then who is gone.
      if (this.scenario.commands.some((command) => parting.has(command.do))) yield* this.network.settled
      const there = new Set<Writer>(this.all.filter((end) => !end.gone))
      this.#severs()
      this.ledger.closing = true
      for (const relay of this.relays) yield* Effect.forkChild(relay.end)
      yield* this.pass(20_000)
      this.ledger.closed(there)
    })
  }

  readonly leave = Effect.fnUntraced({ self: this }, function*() {
    for (const end of this.all) if (!end.gone) end.connection.destroy()
    this.unlink()
    yield* this.pass(1000)
    // What was dialled and never answers is closed by the relay.
    for (const relay of this.relays) yield* Effect.forkChild(relay.close)
    yield* this.pass(10_000)
    const nothing = JSON.stringify(nothingHeld)
    for (const relay of this.relays) {
      const rest = JSON.stringify(relay.gauges())
      this.ledger.check(rest === nothing, () => `left at the end: ${rest}`)
    }
  })
}

/** A relay on localhost; or (with a name) on a machine of its own, with a certificate, and known to others of its kind. */
const relayOf = Effect.fnUntraced(function*(
  bounds: Scenario["bounds"],
  errors: Array<string>,
  fails: () => boolean,
  name: string | undefined
) {
  const logger = Logger.make<unknown, void>((entry) => {
    if (entry.logLevel !== "Error" && entry.logLevel !== "Fatal") return
    const line = Logger.formatLogFmt.log(entry)
    if (!foreseen.test(line)) errors.push(line)
  })
  const tcp = { scheme: "msrp", host: "localhost", port: 0 } as const
  // Pings would go on when all is quiet.
  const limits = { ...bounds, ping: 0 }
  const options = name === undefined
    ? {
      listen: [tcp, { ...tcp, transport: "ws" }],
      plaintextAuth: "always"
    } as const
    : {
      listen: [{ scheme: "msrps", host: name, port: 2855 }, {
        scheme: "msrps",
        transport: "ws",
        host: name,
        port: 443
      }],
      uris: [parseUri(`msrps://${name}:2855;tcp`)!],
      nextHops: { allow: ["*.example.net"] },
      relayPeers: "all"
    } as const
  const machine = name === undefined ? undefined : { names: [name], certificate: [name] }
  const given = AtomRef.make<RelayOptions>({ ...options, limits, sessions: { hashSize: 0 } })
  const layer = Relay.layer(given).pipe(
    Layer.provide(services(fails)),
    Layer.provide([Logger.layer([logger]), Layer.succeed(References.MinimumLogLevel, "Error")])
  )
  const { node } = yield* TestNetwork
  const transport = machine === undefined ? yield* Transport : node(machine)
  const context = yield* Layer.build(layer).pipe(
    Effect.provideService(Transport, transport),
    Effect.catchTag("OptionsError", Effect.die)
  )
  const reload = (bounds: Bounds): void => {
    given.update((before) => ({ ...before, limits: { ...limits, ...bounds } }))
  }
  const decree = (policy: Policy): void => {
    given.update((before) => ({ ...before, ...policies[policy] }))
  }
  return { relay: Context.get(context, Relay), reload, decree }
})

const policies: Readonly<Record<Policy, Partial<RelayOptions>>> = {
  "no next hops": { nextHops: { deny: ["*.example", "*.example.net"] } },
  "no relays": { relayPeers: "none" },
  "few sessions": { sessions: { maxSessions: 2, maxSessionsPerUser: 1 } },
  "short sessions": { authMaxExpires: 60, authExpires: 30 },
  "no plaintext": { plaintextAuth: "never" }
}

/** Runs a scenario; gives what was wrong. */
const simulate = Effect.fnUntraced(
  function*(
    scenario: Scenario
  ): Effect.fn.Return<ReadonlyArray<string>, TransportError, Scope.Scope | Transport | TestNetwork> {
    const errors: Array<string> = []
    const { bounds, broken = [], commands, relays } = scenario
    const names = relays === 1 ? [undefined] : ["near", ...(relays === 3 ? ["middle"] : []), "far"]
    let isSetUp = false
    let calls = 0
    const fails = (): boolean => isSetUp && broken.length > 0 && broken[calls++ % broken.length]!
    const made = yield* Effect.forEach(
      names,
      (name) => relayOf(bounds, errors, fails, name && `${name}.example.net`)
    )
    const world = new World(
      {
        scenario,
        relays: made.map(({ relay }) => relay),
        network: yield* TestNetwork,
        transport: yield* Transport,
        errors
      },
      Effect.runForkWith(yield* Effect.context()),
      (others) => {
        for (const { reload } of made) reload(others)
      },
      (policy) => {
        for (const { decree } of made) decree(policy)
      }
    )
    yield* world.setUp()
    isSetUp = true
    for (const command of commands) {
      yield* world.run(command)
      world.look()
      if (world.ledger.faults.length > 0) break
    }
    if (world.ledger.faults.length === 0) yield* world.settle()
    const faults = [...world.ledger.faults]
    // Also when something was wrong: the end of a relay waits for those who are there, and no time passes by itself.
    yield* world.leave()
    return [...(faults.length > 0 ? faults : world.ledger.faults), ...errors, ...world.network.defects.map(String)]
  }
)

export const run = (scenario: Scenario): Promise<ReadonlyArray<string>> => {
  const { seed, shuffle } = scenario
  return Effect.runPromise(
    Effect.scoped(simulate(scenario)).pipe(
      Effect.provide(Transport.layerTest({ seed, shuffle })),
      Effect.provide(TestClock.layer())
    )
  )
}
