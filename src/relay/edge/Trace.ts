/**
 * Traces of users: the frames on the connections that a user's sessions use, while a stream of them is read. Sessions are found
 * by going through the connections once, and then when they are granted and when their requests find new routes. An AUTH that
 * names a user counts before there is a session. Without a trace, none of this takes time or memory.
 */
import type * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { LinkedMap } from "../../collections/LinkedMap.ts"
import { kindOf } from "../../logging/ErrorKind.ts"
import type { Head } from "../../protocol/Head.ts"
import { HopTrace, type Named, namesOf, type Watcher } from "../../trace/HopTrace.ts"
import type { TraceFrame } from "../../trace/TraceFrame.ts"
import type { Tracing } from "../FrameTrace.ts"
import { Hop } from "../Hop.ts"
import type { HopFacts } from "../Observer.ts"
import type { Session } from "../Session.ts"
import type { Switchboard } from "../Switchboard.ts"
import { FRAME } from "../Turn.ts"

/** Traces at a time, also by the admin API, where each has a connection for as long as its client stays. */
export const MAX_TRACES = 16

/** Frames that wait for the reader of a trace; further frames are dropped and counted. */
export const MAX_WAITING = 1024

/** Session-ids that a trace remembers, including those of ended sessions, for frames that still name them. */
const MAX_KNOWN = 4096

/**
 * The limit of traces is reached.
 *
 * @category errors
 * @since 0.2.0
 */
export class TooManyTraces extends Data.TaggedError("TooManyTraces")<{ readonly limit: number }> {
  override get message(): string {
    return `there are ${this.limit} traces already; end one first`
  }
}

/**
 * Which users to trace.
 *
 * @category models
 * @since 0.2.0
 */
export interface TraceQuery {
  /** Names of users; `*` stands for all users. */
  readonly users: ReadonlyArray<string> | "*"
  /** Only users of this realm. */
  readonly realm?: string | undefined
  /** The trace ends after this time, or when its stream is not read any more. */
  readonly duration?: Duration.Input | undefined
}

/** One trace. */
class Trace implements Watcher {
  readonly queue: Queue.Queue<TraceFrame, Cause.Done>
  readonly #users: ReadonlySet<string> | undefined
  readonly #realm: string | undefined
  readonly #known = new LinkedMap<string, true>()
  readonly #costs: () => void
  #dropped = 0

  constructor({ realm, users }: TraceQuery, queue: Queue.Queue<TraceFrame, Cause.Done>, costs: () => void) {
    this.queue = queue
    this.#users = users === "*" ? undefined : new Set(users.map((user) => user.normalize("NFC")))
    this.#realm = realm?.normalize("NFC")
    this.#costs = costs
  }

  wants({ realm, username }: Named): boolean {
    return this.#users?.has(username.normalize("NFC")) !== false &&
      (this.#realm === undefined || realm === undefined || realm === this.#realm)
  }

  knows(sessionId: string): boolean {
    return this.#known.get(sessionId) !== undefined
  }

  /** Remembers which of these sessions belong to a traced user, and returns whether any do. */
  learns(sessions: Iterable<Session>): boolean {
    let any = false
    for (const session of sessions) {
      if (!this.wants(session)) continue
      any = true
      this.#known.set(session.id, true)
      this.#known.shorten(MAX_KNOWN)
    }
    return any
  }

  /** Whether the connection has sessions of traced users and no others. */
  isAloneOn(hop: Hop): boolean {
    if (this.#users === undefined && this.#realm === undefined) return true
    if (hop.proof.withRelay) return false
    let any = false
    for (const session of hop.sessions.granted()) {
      if (!this.wants(session)) return false
      any = true
    }
    return any
  }

  offer(frame: TraceFrame): void {
    this.#costs()
    if (!Queue.offerUnsafe(this.queue, frame)) this.#dropped++
  }

  /**
   * The frames that wait, at least one. The last of them gets the number of frames that were dropped after it, when the queue was
   * full.
   */
  get next(): Effect.Effect<ReadonlyArray<TraceFrame>, Cause.Done> {
    return Effect.map(Queue.takeAll(this.queue), (frames) => {
      const dropped = this.#dropped
      if (dropped === 0) return frames
      this.#dropped = 0
      return [...frames.slice(0, -1), { ...frames.at(-1)!, dropped }]
    })
  }
}

interface TracerOptions {
  readonly switchboard: Switchboard
  readonly clock: Clock.Clock
  /** Forks a fiber that ends with the relay. */
  readonly run: (effect: Effect.Effect<void>) => void
}

/** The traces of one relay. */
export class Tracer implements Tracing {
  readonly #options: TracerOptions
  readonly #traces = new Set<Trace>()
  /** The traced connections. */
  readonly #watched = new Map<HopTrace, Hop>()

  constructor(options: TracerOptions) {
    this.#options = options
  }

  /** The frames of these users, until the stream is not read any more, its time is over, or the relay ends. */
  trace(query: TraceQuery): Stream.Stream<TraceFrame, TooManyTraces> {
    return Stream.unwrap(Effect.gen({ self: this }, function*() {
      const trace = yield* Effect.acquireRelease(
        Effect.suspend(() => this.#begin(query)),
        (one) => Effect.sync(() => this.#end(one))
      )
      if (query.duration !== undefined) {
        const over = Effect.sync(() => Queue.endUnsafe(trace.queue))
        yield* Effect.forkScoped(Effect.delay(over, query.duration))
      }
      return Stream.fromIterableEffectRepeat(trace.next)
    }))
  }

  /** The relay ends. Each trace ends once its waiting frames are read. */
  close(): void {
    for (const { queue } of this.#traces) Queue.endUnsafe(queue)
  }

  #begin(query: TraceQuery): Effect.Effect<Trace, TooManyTraces> {
    if (this.#traces.size >= MAX_TRACES) return Effect.fail(new TooManyTraces({ limit: MAX_TRACES }))
    const { book, hops, shared } = this.#options.switchboard
    return Effect.map(
      Queue.dropping<TraceFrame, Cause.Done>(MAX_WAITING),
      (queue) => {
        const trace = new Trace(query, queue, () => {
          shared.turn.cost += FRAME
        })
        this.#traces.add(trace)
        shared.tracing = this
        shared.tasks.slices(book, (session) => trace.learns([session]))
        shared.tasks.slices(hops, (hop) => {
          if (!this.#traces.has(trace)) return
          const owns = trace.learns(hop.sessions.granted())
          if (trace.learns(hop.routes.sessions()) || owns) this.#watch(hop, trace)
        })
        return trace
      }
    )
  }

  #end(trace: Trace): void {
    const { shared } = this.#options.switchboard
    this.#traces.delete(trace)
    if (this.#traces.size === 0) shared.tracing = undefined
    shared.tasks.slices(this.#watched.keys(), (one) => {
      if (one.has(trace) && one.leftBy(trace)) this.#unwatch(one)
    })
  }

  // ---- events that may make a connection one to trace

  authReceived(hop: HopFacts, head: Head): void {
    const names = namesOf(head)
    if (names.length === 0) return
    for (const trace of this.#traces) if (names.some((one) => trace.wants(one))) this.#watch(hop, trace)
  }

  granted(hop: HopFacts, session: Session): void {
    for (const trace of this.#traces) {
      // A connection that is traced already may not be the traced user's alone any more.
      if (trace.learns([session]) || (hop instanceof Hop && this.#traceOf(hop)?.has(trace) === true)) {
        this.#watch(hop, trace)
      }
    }
  }

  routed(source: HopFacts, target: HopFacts, sessions: ReadonlyArray<Session>): void {
    for (const trace of this.#traces) {
      if (!trace.learns(sessions)) continue
      this.#watch(source, trace)
      this.#watch(target, trace)
    }
  }

  // ---- connections

  #traceOf(hop: Hop): HopTrace | undefined {
    return hop.trace instanceof HopTrace ? hop.trace : undefined
  }

  #watch(hop: HopFacts, trace: Trace): void {
    if (!(hop instanceof Hop) || hop.gone) return
    let one = this.#traceOf(hop)
    if (one === undefined) {
      const { clock, switchboard: { shared } } = this.#options
      one = new HopTrace({
        hop,
        limits: shared.codec.limits,
        now: () => clock.currentTimeMillisUnsafe(),
        failed: (which, error) => this.#failed(which, error),
        gone: (which) => this.#watched.delete(which)
      })
      this.#watched.set(one, hop)
      hop.trace = one
      hop.outbound.tracedBy(one)
    }
    one.watchedBy(trace, trace.isAloneOn(hop))
  }

  #unwatch(one: HopTrace): void {
    const hop = this.#watched.get(one)
    this.#watched.delete(one)
    if (hop === undefined || hop.trace !== one) return
    hop.trace = undefined
    hop.outbound.tracedBy(undefined)
  }

  #failed(one: HopTrace, error: unknown): void {
    this.#unwatch(one)
    // Only the kind of error, because its message may quote a frame.
    this.#options.run(Effect.annotateLogs(Effect.logError("A connection cannot be traced"), { error: kindOf(error) }))
  }
}
