/**
 * A network in memory, for tests and simulations: no sockets, and time only passes on the program's `Clock`.
 *
 * What happens at the present time happens in turns, as in an event loop: in each turn every direction of a connection
 * takes what was written, as far as its window goes, and delivers one piece. The order is the same in every run with
 * the same seed. Nothing is delivered from inside a call.
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
  /** What all random choices are made from. Default 1. */
  readonly seed?: number | undefined
  /** Whether the order of what happens in one turn is random; within a direction of a connection it never is. */
  readonly shuffle?: boolean | undefined
  /** Seconds until an attempt to connect that gets no answer fails. Default 10. */
  readonly connectTimeout?: number | undefined
  /** Octets of a body that a chunk towards a WebSocket client has at most. Default 65,536. */
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
 * Controls the network of `Transport.layerTest`. Connections may be given by either end.
 *
 * @category models
 * @since 0.1.0
 */
export class TestNetwork extends Context.Service<TestNetwork, {
  /**
   * A `Transport` on a machine of its own. Without a machine: the first one, which has every name that no other machine
   * has; it is the `Transport` of the layer.
   */
  readonly node: (machine?: Machine) => TransportShape
  /**
   * Changes how octets travel: on one connection, or on all new ones and those not changed by themselves. Throws an
   * `OptionsError` at what they cannot do.
   */
  readonly configure: (options: LinkOptions, connection?: Connection) => void
  /** The other end of the connection takes no more octets from it: they fill the window, then `pending` grows. */
  readonly stall: (connection: Connection) => void
  /** Ends a stall. */
  readonly release: (connection: Connection) => void
  /** Closes both ends; octets in flight are lost. */
  readonly cut: (connection: Connection) => void
  /** What dials to a host and port get from now on; undefined: whoever listens there, again. */
  readonly answer: (host: string, port: number, answer: DialOutcome | undefined) => void
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

/** Makes the network; its connections live as long as the scope. Options that cannot be used are a defect, an `OptionsError`. */
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
