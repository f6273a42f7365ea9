/**
 * A network in memory, for tests and simulations: no sockets, and time only passes on the program's `Clock`.
 *
 * What happens at the present time happens in turns, as in an event loop: in each turn every direction of a connection
 * takes what was written, as far as its window goes, and delivers one piece. The order is the same in every run with
 * the same seed. Nothing is delivered from inside a call.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberHandle from "effect/FiberHandle"
import * as Scheduler from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"
import { isLoopback, isWildcard } from "../net/Hosts.ts"
import {
  type Accept,
  type Address,
  type Connection,
  ConnectionFacts,
  type ConnectOptions,
  type LocalSocket,
  type Receiver,
  type TransportShape
} from "./Connection.ts"
import { TransportError, type TransportErrorReason } from "./TransportError.ts"

/** How octets travel. */
export interface LinkOptions {
  /** Milliseconds from one end to the other, for octets, for the close, and for setting up. Default 0. */
  readonly latency?: number | ((random: () => number) => number) | undefined
  /** Octets of each delivered piece, or a function of those at hand. Default: all at hand, at most 65,536. */
  readonly split?: number | ((available: number, random: () => number) => number) | undefined
  /** Octets in each direction which the system takes and the receiver has not read yet. Default 65,536. */
  readonly window?: number | undefined
}

export interface TestOptions extends LinkOptions {
  /** What all random choices are made from. Default 1. */
  readonly seed?: number | undefined
  /** Whether the order of what happens in one turn is random; within a direction of a connection it never is. */
  readonly shuffle?: boolean | undefined
  /** Seconds until an attempt to connect that gets no answer fails. Default 10. */
  readonly connectTimeout?: number | undefined
}

/**
 * What a dial gets: an error, `Silence` (no answer, thus a `Timeout`), or `Mute` (a connection whose other end takes
 * what the window holds, and never reads, answers or closes).
 */
export type Answer = TransportErrorReason | "Silence" | "Mute"

/** One of several machines of the network. */
export interface Machine {
  /** Its host names and addresses. `localhost` and the like mean the dialling machine itself. */
  readonly names: ReadonlyArray<string>
  /**
   * DNS names in its certificate: what its peers see as `peerNames`, and what it may be dialled by over TLS. Default: as
   * a client it presents none, as a server one that fits whatever name was dialled.
   */
  readonly certificate?: ReadonlyArray<string> | undefined
}

/** Controls the network of `Transport.layerTest`. Connections may be given by either end. */
export class TestNetwork extends Context.Service<TestNetwork, {
  /**
   * A `Transport` on a machine of its own. Without a machine: the first one, which has every name that no other machine
   * has; it is the `Transport` of the layer.
   */
  readonly node: (machine?: Machine) => TransportShape
  /** Changes how octets travel: on one connection, or on all new ones and those not changed by themselves. */
  readonly configure: (options: LinkOptions, connection?: Connection) => void
  /** The other end of the connection takes no more octets from it: they fill the window, then `pending` grows. */
  readonly stall: (connection: Connection) => void
  /** Ends a stall. */
  readonly release: (connection: Connection) => void
  /** Closes both ends; octets in flight are lost. */
  readonly cut: (connection: Connection) => void
  /** What dials to a host and port get from now on; undefined: whoever listens there, again. */
  readonly answer: (host: string, port: number, answer: Answer | undefined) => void
  /** Both ends of every open connection, in the order of opening, the dialling end first. */
  readonly connections: () => ReadonlyArray<Connection>
  /** The other end. */
  readonly peer: (connection: Connection) => Connection
  /** What receivers and callbacks threw. Each costs only its connection, so a test has to look here. */
  readonly defects: ReadonlyArray<unknown>
  /** A number in [0, 1) from the seed. */
  readonly random: () => number
  /** Waits until nothing more happens at the present time, fibers that yield a few times included. */
  readonly settled: Effect.Effect<void>
}>()("msrp-relay/TestNetwork") {}

/** Makes the network; its connections live as long as the scope. */
export const make = Effect.fnUntraced(function*(
  options: TestOptions
): Effect.fn.Return<TestNetwork["Service"], never, Scope.Scope> {
  const clock = yield* Clock.Clock
  const dispatcher = (yield* Scheduler.Scheduler).makeDispatcher()
  const sleep = yield* FiberHandle.makeRuntime<never>()
  const network = new Network(
    options,
    clock,
    (task) => dispatcher.scheduleTask(task, 0),
    (effect) => void sleep(effect)
  )
  yield* Effect.addFinalizer(() => closeAll(network.ends))
  return {
    node: (machine) => transportOf(network, machine),
    configure: (link, connection) => network.configure(link, connection === undefined ? undefined : endOf(connection)),
    stall: (connection) => {
      endOf(connection).out.stalled = true
    },
    release: (connection) => {
      const { out } = endOf(connection)
      out.stalled = false
      out.wake()
    },
    cut: (connection) => endOf(connection).cut(),
    answer: (host, port, answer) => {
      if (answer === undefined) network.answers.delete(keyOf(host, port))
      else network.answers.set(keyOf(host, port), answer)
    },
    connections: () => [...network.ends].filter((end) => !end.mute),
    peer: (connection) => endOf(connection).peer,
    defects: network.defects,
    random: network.random,
    settled: network.settled
  }
})

interface Task {
  readonly run: () => void
}

interface Timer extends Task {
  readonly due: number
}

interface Listener {
  readonly socket: LocalSocket
  readonly machine: Host
  readonly accept: Accept
  readonly ends: Set<End>
}

/** A machine as the network sees it. */
interface Host {
  readonly address: string
  /** Lower case; undefined: every name that no other machine has. */
  readonly names: ReadonlySet<string> | undefined
  readonly certificate: ReadonlyArray<string> | undefined
}

type Link = Required<{ readonly [K in keyof LinkOptions]: Exclude<LinkOptions[K], undefined> }>

/** Turns without anything to do after which the network is taken to be settled. */
const QUIET_TURNS = 10

class Network {
  readonly listeners = new Set<Listener>()
  readonly machines: Array<Host> = []
  readonly answers = new Map<string, Answer>()
  readonly ends = new Set<End>()
  readonly defects: Array<unknown> = []
  readonly random: () => number
  readonly connectTimeout: number
  readonly first: Host = { address: "127.0.0.1", names: undefined, certificate: undefined }
  link: Link
  nextPort = 49_152

  readonly #clock: Clock.Clock
  readonly #schedule: (task: () => void) => void
  readonly #sleep: (effect: Effect.Effect<void>) => void
  readonly #shuffle: boolean
  #ready: Array<Task> = []
  #deferred: Array<() => void> = []
  #scheduled = false
  /** Latest first. */
  readonly #timers: Array<Timer> = []
  #asleepUntil = Infinity

  constructor(
    options: TestOptions,
    clock: Clock.Clock,
    schedule: (task: () => void) => void,
    sleep: (effect: Effect.Effect<void>) => void
  ) {
    this.#clock = clock
    this.#schedule = schedule
    this.#sleep = sleep
    this.#shuffle = options.shuffle ?? false
    this.random = randomOf(options.seed ?? 1)
    this.connectTimeout = (options.connectTimeout ?? 10) * 1000
    this.link = merge({ latency: 0, split: MAX_PIECE, window: 65_536 }, options)
  }

  configure(options: LinkOptions, end: End | undefined): void {
    if (end === undefined) this.link = merge(this.link, options)
    else end.out.link = end.peer.out.link = merge(end.out.link ?? this.link, options)
    for (const one of this.ends) one.out.wake()
  }

  latency(link: Link): number {
    return typeof link.latency === "number" ? link.latency : link.latency(this.random)
  }

  /** Runs a task in the next turn. */
  soon(task: Task): void {
    this.#ready.push(task)
    this.#kick()
  }

  readonly defer = (task: () => void): void => {
    this.#deferred.push(task)
    this.#kick()
  }

  /** The present, in milliseconds. */
  now(): number {
    return this.#clock.currentTimeMillisUnsafe()
  }

  /** Runs a task in the turn after the clock gets to `due`. */
  at(due: number, run: () => void): void {
    if (due <= this.now()) return this.soon({ run })
    const timers = this.#timers
    let low = 0
    let high = timers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (timers[middle]!.due > due) low = middle + 1
      else high = middle
    }
    timers.splice(low, 0, { due, run })
    if (due < this.#asleepUntil) {
      this.#asleepUntil = due
      this.#sleep(this.#sleeper)
    }
  }

  /** The only fiber: sleeps until the first timer is due. */
  readonly #sleeper: Effect.Effect<void> = Effect.suspend(() => {
    const timers = this.#timers
    const now = this.now()
    while (timers.length > 0 && timers.at(-1)!.due <= now) this.soon(timers.pop()!)
    if (timers.length === 0) {
      this.#asleepUntil = Infinity
      return Effect.void
    }
    this.#asleepUntil = timers.at(-1)!.due
    return Effect.flatMap(this.#clock.sleep(Duration.millis(this.#asleepUntil - now)), () => this.#sleeper)
  })

  #kick(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#schedule(this.#turn)
  }

  readonly #turn = (): void => {
    this.#scheduled = false
    const ready = this.#ready
    this.#ready = []
    if (this.#shuffle) {
      for (let i = ready.length - 1; i > 0; i--) {
        const other = Math.floor(this.random() * (i + 1))
        const task = ready[i]!
        ready[i] = ready[other]!
        ready[other] = task
      }
    }
    for (const task of ready) task.run()
    const deferred = this.#deferred
    this.#deferred = []
    for (const task of deferred) this.safely(task)
  }

  /** Calls a receiver or a callback; whether it went well. */
  safely(callback: () => void): boolean {
    try {
      callback()
      return true
    } catch (error) {
      this.defects.push(error)
      return false
    }
  }

  readonly settled: Effect.Effect<void> = Effect.suspend(() => {
    let quiet = 0
    return Effect.whileLoop({
      while: () => quiet < QUIET_TURNS,
      body: () => Effect.yieldNow,
      step: () => {
        quiet = this.#ready.length === 0 && this.#deferred.length === 0 ? quiet + 1 : 0
      }
    })
  })

  /** The machine that a name means when it is dialled on another one. */
  machineOf(name: string, dialling: Host): Host {
    if (isLoopback(name)) return dialling
    return this.machines.find(({ names }) => names?.has(name)) ?? this.first
  }

  listenerOf(host: string, port: number, dialling: Host): Listener | undefined {
    const name = host.toLowerCase()
    const machine = this.machineOf(name, dialling)
    let found: Listener | undefined
    for (const listener of this.listeners) {
      if (listener.machine !== machine || listener.socket.port !== port) continue
      const bound = listener.socket.host.toLowerCase()
      if (bound === name) return listener
      if (
        isWildcard(bound) || (isLoopback(bound) && isLoopback(name) && (bound === "localhost" || name === "localhost"))
        || (machine.names?.has(bound) === true && machine.names.has(name))
      ) found = listener
    }
    return found
  }

  freePort(): number {
    return this.nextPort++
  }
}

const transportOf = (network: Network, given: Machine | undefined): TransportShape => {
  const machine: Host = given === undefined ? network.first : {
    address: given.names.find((name) => Net.isIP(name) !== 0) ?? `10.0.0.${network.machines.length + 1}`,
    names: new Set(given.names.map((name) => name.toLowerCase())),
    certificate: given.certificate?.map((name) => name.toLowerCase())
  }
  if (given !== undefined) network.machines.push(machine)

  const listen = (socket: LocalSocket, accept: Accept): Effect.Effect<LocalSocket, TransportError, Scope.Scope> =>
    Effect.map(
      Effect.acquireRelease(
        Effect.suspend(() => {
          const taken = socket.port !== 0 &&
            [...network.listeners].some((other) =>
              other.machine === machine && other.socket.port === socket.port && overlap(other.socket.host, socket.host)
            )
          if (taken) return Effect.fail(failure("listen", socket, "AddressInUse"))
          const bound = socket.port === 0 ? { ...socket, port: network.freePort() } : socket
          const listener: Listener = { socket: bound, machine, accept, ends: new Set() }
          network.listeners.add(listener)
          return Effect.succeed(listener)
        }),
        (listener) =>
          Effect.suspend(() => {
            network.listeners.delete(listener)
            return closeAll(listener.ends)
          })
      ),
      (listener) => listener.socket
    )

  const connect = (options: ConnectOptions, accept: Accept): Effect.Effect<Connection, TransportError> =>
    Effect.suspend(() => {
      const answer = network.answers.get(keyOf(options.host, options.port))
      const delay = network.latency(network.link)
      const timeout = Effect.delay(
        Effect.suspend(() => Effect.fail(failure("connect", options, "Timeout"))),
        Duration.millis(network.connectTimeout)
      )
      if (answer === "Silence" || delay > network.connectTimeout) return timeout
      let opened: End | undefined
      return Effect.callback<Connection, TransportError>((resume) => {
        let waiting = true
        network.at(network.now() + delay, () => {
          if (!waiting) return
          const result = open(network, machine, options, accept, answer)
          if (result instanceof End) {
            opened = result
            resume(Effect.succeed(result))
          } else {
            resume(Effect.fail(failure("connect", options, result)))
          }
        })
        return Effect.sync(() => {
          waiting = false
        })
      }).pipe(Effect.onExit((exit) => Exit.isSuccess(exit) ? Effect.void : Effect.sync(() => opened?.destroy())))
    })

  return { listen, connect, identity: () => 0, defer: network.defer }
}

const addressOf = (name: string, { address }: Host): string => isLoopback(name) ? "127.0.0.1" : address

/** Makes both ends, and tells both sides: the accepting one first. */
const open = (
  network: Network,
  machine: Host,
  options: ConnectOptions,
  accept: Accept,
  answer: Answer | undefined
): End | TransportErrorReason => {
  if (answer !== undefined && answer !== "Mute" && answer !== "Silence") return answer
  const listener = answer === "Mute" ? undefined : network.listenerOf(options.host, options.port, machine)
  if (answer === undefined && listener === undefined) return "Refused"
  const secure = options.scheme === "msrps"
  const name = (options.serverName ?? options.host).toLowerCase()
  const server = listener?.machine ?? network.first
  // A TLS hello that is not understood.
  if (secure && listener?.socket.scheme === "msrp") return "Other"
  if (options.admits?.(Net.isIP(options.host) === 0 ? addressOf(options.host, server) : options.host) === false) {
    return "Forbidden"
  }
  if (secure && server.certificate !== undefined && !server.certificate.includes(name)) return "Certificate"
  const host = Net.isIP(options.host) === 0 ? server.address : options.host
  const from = options.from !== undefined && Net.isIP(options.from.host) !== 0 && !isWildcard(options.from.host)
    ? options.from.host
    : isLoopback(options.host)
    ? "127.0.0.1"
    : machine.address
  const near: Address = { host: from, port: network.freePort() }
  const far: Address = { host, port: options.port }
  const dialled = new End(network, {
    inbound: false,
    secure,
    local: near,
    remote: far,
    socket: options.from,
    peerNames: secure ? server.certificate ?? (Net.isIP(name) === 0 ? [name] : []) : []
  })
  const accepted = new End(network, {
    inbound: true,
    secure,
    local: far,
    remote: near,
    socket: listener?.socket,
    peerNames: secure ? machine.certificate ?? [] : []
  })
  dialled.join(accepted, undefined)
  if (listener === undefined) accepted.muted()
  else {
    accepted.join(dialled, listener.ends)
    // Something that is no TLS hello comes in on a TLS port.
    if (!secure && listener.socket.scheme === "msrps") {
      accepted.start(() => NOBODY)
      accepted.destroy()
    } else accepted.start(listener.accept)
  }
  dialled.start(accept)
  return dialled
}

/** One direction of a connection. */
class Pipe implements Task {
  readonly #network: Network
  readonly #from: End
  readonly #to: () => End
  /** Set when the connection has options of its own. */
  link: Link | undefined
  stalled = false

  /** Written, not taken. */
  #queue: Array<{ readonly bytes: Uint8Array; at: number; readonly written: () => void }> = []
  #queued = 0
  /** Taken, not read by the receiver. */
  #held = 0
  #arrived: Array<Buffer> = []
  #arrivedAt = 0
  #waiting = false
  #lost = false
  #closing = false
  /** The close has been handed over, behind all octets. */
  finished = false
  #finArrived = false
  #lastDue = -Infinity
  /** What is to be done on arrival, in the order of sending. */
  readonly #underway: Array<() => void> = []

  constructor(network: Network, from: End, to: () => End) {
    this.#network = network
    this.#from = from
    this.#to = to
  }

  write(bytes: Uint8Array, written: () => void): void {
    this.#queue.push({ bytes, at: 0, written })
    this.#queued += bytes.length
    this.wake()
  }

  /** Octets beyond the window. */
  pending(): number {
    return Math.max(0, this.#queued - this.#room())
  }

  /** Closes after what was written. */
  end(): void {
    this.#closing = true
    this.wake()
  }

  /** Gives up what was not taken; what was taken still arrives, then the close. */
  abandon(): Array<() => void> {
    const queue = this.#queue
    this.#queue = []
    this.#queued = 0
    this.end()
    return queue.map(({ written }) => written)
  }

  /** Loses what is in flight or not read. */
  lose(): void {
    this.#lost = true
    this.#arrived = []
  }

  wake(): void {
    if (this.#waiting) return
    this.#waiting = true
    this.#network.soon(this)
  }

  readonly run = (): void => {
    this.#waiting = false
    if (this.#lost) return
    this.#take()
    this.#deliver()
    if ((this.#queue.length > 0 && this.#room() > 0) || this.#deliverable()) this.wake()
  }

  #options(): Link {
    return this.link ?? this.#network.link
  }

  #room(): number {
    return Math.max(0, this.#options().window - this.#held)
  }

  /** As the system would: copies what fits, and only now, so a writer that changes its octets too early is caught. */
  #take(): void {
    while (this.#queue.length > 0) {
      const room = this.#room()
      if (room === 0) return
      const head = this.#queue[0]!
      const chunk = Buffer.from(head.bytes.subarray(head.at, head.at + room))
      head.at += chunk.length
      this.#queued -= chunk.length
      this.#held += chunk.length
      this.#travel(() => this.#arrived.push(chunk))
      if (head.at === head.bytes.length) {
        this.#queue.shift()
        this.#from.call(head.written)
      }
    }
    if (this.#closing && !this.finished) {
      this.finished = true
      this.#travel(() => {
        this.#finArrived = true
      })
      this.#from.settle()
    }
  }

  #travel(arrive: () => void): void {
    const network = this.#network
    const due = Math.max(network.now() + network.latency(this.#options()), this.#lastDue)
    this.#lastDue = due
    if (due <= network.now() && this.#underway.length === 0) return arrive()
    this.#underway.push(arrive)
    network.at(due, this.#arrive)
  }

  /** The oldest, whichever timer it is: what happens in one turn may be shuffled, what travels may not. */
  readonly #arrive = (): void => {
    const arrive = this.#underway.shift()!
    if (this.#lost) return
    arrive()
    this.wake()
  }

  #deliverable(): boolean {
    const to = this.#to()
    if (this.#arrived.length === 0 && !(this.#finArrived && !to.finSeen)) return false
    return to.deaf || (!this.stalled && !to.paused)
  }

  #deliver(): void {
    if (!this.#deliverable()) return
    const to = this.#to()
    if (to.deaf) {
      const unread = this.#arrived.length > 0
      for (const chunk of this.#arrived) this.#held -= chunk.length
      this.#held += this.#arrivedAt
      this.#arrived = []
      this.#arrivedAt = 0
      // Octets for an end that has gone are answered with a reset.
      if (unread && to.gone) this.#network.at(this.#network.now() + this.#network.latency(this.#options()), this.#reset)
    } else if (this.#arrived.length > 0) {
      const length = this.#collect()
      to.give(length)
      delivery.fill(POISON, 0, length)
      // The rest, and the close, in later turns.
      if (this.#arrived.length > 0) return
    }
    if (this.#finArrived && !to.finSeen && (to.deaf || !to.paused)) to.peerEnded()
  }

  readonly #reset = (): void => {
    if (!this.#lost) this.#from.destroy()
  }

  /** Puts the next piece into the delivery buffer; gives its length. */
  #collect(): number {
    const { split } = this.#options()
    let available = -this.#arrivedAt
    for (const chunk of this.#arrived) available += chunk.length
    const wanted = typeof split === "number" ? split : split(available, this.#network.random)
    const length = Math.min(Math.max(1, Math.floor(wanted)), available, MAX_PIECE)
    let filled = 0
    while (filled < length) {
      const chunk = this.#arrived[0]!
      const taken = chunk.copy(delivery, filled, this.#arrivedAt, this.#arrivedAt + length - filled)
      filled += taken
      this.#arrivedAt += taken
      if (this.#arrivedAt === chunk.length) {
        this.#arrived.shift()
        this.#arrivedAt = 0
      }
    }
    this.#held -= length
    return length
  }
}

/** One end of a connection. */
class End extends ConnectionFacts implements Connection {
  readonly out: Pipe
  peer!: End
  paused = false
  finSeen = false
  /** Destroyed or closed. */
  gone = false
  mute = false
  readonly #network: Network
  #set: Set<End> | undefined
  #receiver: Receiver = NOBODY
  #ended = false
  #closing = false
  #closed = false
  /** Callbacks of writes that are called when the connection is gone, oldest first; octets of those that came too late. */
  #unwritten: Array<() => void> = []
  #dropped = 0
  #whenClosed: Array<() => void> = []

  constructor(network: Network, facts: ConnectionFacts) {
    super(facts)
    this.#network = network
    this.out = new Pipe(network, this, () => this.peer)
    network.ends.add(this)
  }

  join(peer: End, set: Set<End> | undefined): void {
    this.peer = peer
    peer.peer = this
    this.#set = set
    set?.add(this)
  }

  start(accept: Accept): void {
    if (
      !this.#network.safely(() => {
        this.#receiver = accept(this)
      })
    ) this.destroy()
  }

  /** Nobody is at this end. */
  muted(): void {
    this.mute = true
    this.paused = true
  }

  whenClosed(callback: () => void): void {
    this.#whenClosed.push(callback)
  }

  /** Whether what comes in is thrown away. */
  get deaf(): boolean {
    return this.gone || (this.#ended && this.paused)
  }

  readonly write = (bytes: Uint8Array, written: () => void): void => {
    if (this.#closed || bytes.length === 0) this.#network.defer(written)
    else if (this.#ended || this.gone) {
      this.#dropped += bytes.length
      this.#unwritten.push(written)
    } else this.out.write(bytes, written)
  }

  readonly pending = (): number => this.gone ? 0 : this.out.pending() + this.#dropped

  readonly pause = (): void => {
    this.paused = true
  }

  readonly resume = (): void => {
    if (!this.paused || this.mute) return
    this.paused = false
    this.peer.out.wake()
  }

  readonly end = (): void => {
    if (this.#ended || this.gone) return
    this.#ended = true
    this.out.end()
    this.peer.out.wake()
  }

  readonly destroy = (): void => {
    if (this.gone) return
    this.gone = true
    this.#unwritten.unshift(...this.out.abandon())
    this.peer.out.wake()
    this.#close()
  }

  cut(): void {
    for (const end of [this, this.peer]) {
      end.out.lose()
      end.destroy()
    }
  }

  /** Delivers what is in the delivery buffer. */
  give(length: number): void {
    if (!this.#network.safely(() => this.#receiver.bytes(delivery.subarray(0, length)))) this.destroy()
  }

  call(written: () => void): void {
    if (!this.#network.safely(written)) this.destroy()
  }

  /** The peer has closed: this end does the same, behind what it still has to send. */
  peerEnded(): void {
    this.finSeen = true
    this.#ended = true
    this.out.end()
    this.settle()
  }

  /** Both directions are closed. */
  settle(): void {
    if (!this.finSeen || !this.out.finished || this.gone) return
    this.gone = true
    this.#close()
  }

  #close(): void {
    if (this.#closing) return
    this.#closing = true
    this.#network.soon({
      run: () => {
        this.#network.ends.delete(this)
        this.#set?.delete(this)
        this.#closed = true
        for (const written of this.#unwritten) this.#network.safely(written)
        this.#unwritten = []
        this.#network.safely(() => this.#receiver.closed())
        for (const callback of this.#whenClosed) callback()
      }
    })
  }
}

const NOBODY: Receiver = { bytes: () => {}, closed: () => {} }

const MAX_PIECE = 65_536

/** Octets are delivered in here and overwritten afterwards, so a receiver that keeps a view is caught. */
const delivery = Buffer.allocUnsafeSlow(MAX_PIECE)
const POISON = 0xa5

const closeAll = (ends: Iterable<End>): Effect.Effect<void> =>
  Effect.suspend(() =>
    Effect.forEach(
      [...ends],
      (end) =>
        Effect.callback<void>((resume) => {
          end.whenClosed(() => resume(Effect.void))
          end.destroy()
        }),
      { discard: true, concurrency: "unbounded" }
    )
  )

const merge = (link: Link, { latency, split, window }: LinkOptions): Link => ({
  latency: latency ?? link.latency,
  split: split ?? link.split,
  window: window ?? link.window
})

const endOf = (connection: Connection): End => {
  if (connection instanceof End) return connection
  throw new TypeError("not a connection of this network")
}

const keyOf = (host: string, port: number): string => `${host.toLowerCase()} ${port}`

const overlap = (one: string, other: string): boolean =>
  one.toLowerCase() === other.toLowerCase() || isWildcard(one) || isWildcard(other)
  || (isLoopback(one) && isLoopback(other) && (one === "localhost" || other === "localhost"))

const failure = (
  operation: "listen" | "connect",
  { scheme, host, port }: ConnectOptions | LocalSocket,
  reason: TransportErrorReason
): TransportError =>
  new TransportError({ operation, target: `${scheme}://${host}:${port}`, reason, cause: new Error("test network") })

/** Mulberry32: small, fast, and the same everywhere. */
const randomOf = (seed: number): () => number => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
