/**
 * A network in memory, for tests and simulations, without sockets. Time passes only by the program's `Clock`.
 *
 * Everything that happens at one time happens in turns, as in an event loop: in each turn, every direction of a connection
 * takes written octets that fit into its window, and delivers one piece. The order is the same in every run with the same
 * seed. Nothing is delivered inside a call.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberHandle from "effect/FiberHandle"
import * as Scheduler from "effect/Scheduler"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { notNegative, whole, wrongOrUnknown } from "../../options/Options.ts"
import type { Connection } from "../Connection.ts"
import type { TransportShape } from "../TransportShape.ts"
import { closeAll, endOf } from "./End.ts"
import { EventLoop } from "./EventLoop.ts"
import { defaultLink, type LinkOptions, linkSchema, merge, wrongLink } from "./Link.ts"
import type { Machine } from "./Machines.ts"
import { randomOf } from "./Random.ts"
import { type DialOutcome, SimulatedNetwork } from "./SimulatedNetwork.ts"
import { makeTransport } from "./TestTransport.ts"

/**
 * How a simulated network behaves.
 *
 * @category options
 * @since 0.1.0
 */
export interface TestOptions extends LinkOptions {
  /** The seed of all random choices. Default 1. */
  readonly seed?: number | undefined
  /** Whether the order of events in a turn is random; within one direction of a connection it never is. */
  readonly shuffle?: boolean | undefined
  /** Seconds after which a dial without an answer fails. Default 10. */
  readonly connectTimeout?: number | undefined
  /** The most octets of body in a chunk to a WebSocket client. Default 65,536. */
  readonly piece?: number | undefined
}

export const testOptions = Schema.Struct({
  ...linkSchema,
  seed: Schema.optional(Schema.Finite),
  shuffle: Schema.optional(Schema.Boolean),
  connectTimeout: Schema.optional(notNegative),
  piece: Schema.optional(whole([1, Number.MAX_SAFE_INTEGER]))
})

const wrong = wrongOrUnknown<TestOptions>("Transport.layerTest", testOptions)

/**
 * Controls the network of `Transport.layerTest`. A connection may be passed as either of its ends.
 *
 * @category models
 * @since 0.1.0
 */
export class TestNetwork extends Context.Service<TestNetwork, {
  /**
   * Makes a `Transport` on a new machine. Without an argument, on the first machine, which has every name that no other
   * machine has, and is that of the layer's `Transport`.
   */
  readonly node: (machine?: Machine) => TransportShape
  /**
   * Changes how octets travel: on one connection, or on all that have no options of their own. Throws an `OptionsError` if the
   * options are invalid.
   */
  readonly configure: (options: LinkOptions, connection?: Connection) => void
  /** Stops delivery of octets from this end: they fill the window, then `pending` grows. */
  readonly stall: (connection: Connection) => void
  /** Ends a stall. */
  readonly release: (connection: Connection) => void
  /** Closes both ends; octets in flight are lost. */
  readonly cut: (connection: Connection) => void
  /** Sets the outcome of dials to a host and port from now on; undefined: the listener there accepts them again. */
  readonly answer: (host: string, port: number, answer: DialOutcome | undefined) => void
  /** Both ends of all open connections, in the order of opening, the dialling end first. */
  readonly connections: () => ReadonlyArray<Connection>
  /** The other end of a connection. */
  readonly peer: (connection: Connection) => Connection
  /** The exceptions of receivers and callbacks. Each only ends its connection, so tests should check that there are none. */
  readonly defects: ReadonlyArray<unknown>
  /** A random number in [0, 1), by the seed. */
  readonly random: () => number
  /** Waits until nothing more happens at the current time, also in fibers that yield a few times. */
  readonly settled: Effect.Effect<void>
}>()("msrp-relay/TestNetwork") {}

/** Makes the network, whose connections live as long as the scope. Dies with an `OptionsError` if options are invalid. */
export const make = Effect.fnUntraced(function*(
  options: TestOptions
): Effect.fn.Return<TestNetwork["Service"], never, Scope.Scope> {
  const error = wrong(options)
  if (error !== undefined) return yield* Effect.die(error)
  const clock = yield* Clock.Clock
  const dispatcher = (yield* Scheduler.Scheduler).makeDispatcher()
  const sleep = yield* FiberHandle.makeRuntime<never>()
  const random = randomOf(options.seed ?? 1)
  const loop = new EventLoop({
    clock,
    schedule: (task) => dispatcher.scheduleTask(task, 0),
    sleep: (effect) => void sleep(effect),
    shuffle: options.shuffle === true ? random : undefined
  })
  const network = new SimulatedNetwork(loop, random, merge(defaultLink, options), (options.connectTimeout ?? 10) * 1000)
  network.piece = options.piece
  yield* Effect.addFinalizer(() => closeAll(network.ends))
  return {
    node: (machine) =>
      makeTransport(network, machine === undefined ? network.machines.first : network.machines.add(machine)),
    configure: (link, connection) => {
      const error = wrongLink(link)
      if (error !== undefined) throw error
      network.configure(link, connection === undefined ? undefined : endOf(connection))
    },
    stall: (connection) => {
      endOf(connection).out.stalled = true
    },
    release: (connection) => {
      const { out } = endOf(connection)
      out.stalled = false
      out.wake()
    },
    cut: (connection) => endOf(connection).cut(),
    answer: (host, port, answer) => network.answer(host, port, answer),
    connections: () => [...network.ends].filter((end) => !end.mute),
    peer: (connection) => endOf(connection).peer,
    defects: loop.defects,
    random,
    settled: loop.settled
  }
})
