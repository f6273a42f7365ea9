/** What all hops of one relay share: its services, its limits, its timers, and what happens once in a turn. */
import * as Effect from "effect/Effect"
import type { Codec } from "../Codec.ts"
import type { Head } from "../protocol/Head.ts"
import type { SessionRepo } from "../SessionRepo.ts"
import type { TransportShape } from "../transport/Connection.ts"
import { Admission } from "./Admission.ts"
import type { Dialler } from "./Dialler.ts"
import type { Hop } from "./Hop.ts"
import type { Outbox } from "./Outbox.ts"
import type { Peers } from "./Peers.ts"
import type { RelayLimits } from "./RelayLimits.ts"
import type { Decision, Router } from "./Router.ts"
import type { TimerQueue, Timers } from "./Timers.ts"

/** Counters since the start. */
export interface RelayCounters {
  connectionsAccepted: number
  connectionsDialled: number
  /** Closed since there were too many, and since they were not used. */
  connectionsTurnedAway: number
  connectionsIdle: number
  /** Closed without one successful request: after 30 seconds, or after too many others. */
  probationsFailed: number
  /** Closed since they took nothing for the stall limit. */
  receiversStalled: number
  dialsFailed: number
  /** Next hops that policy refused, as the URI has them or after DNS, and those that were too many at a time. */
  dialsForbidden: number
  dialsOverLimit: number
  framesIn: number
  octetsIn: number
  /** Requests passed on, a chunk being one. */
  forwarded: number
  /** Requests answered with an error or dropped. */
  refused: number
  /** Failure REPORTs made here. */
  reports: number
  authsGranted: number
  /** AUTHs with right credentials that got no session, since there were too many. */
  sessionsRefused: number
  /** Times that a connection was not read since a session was faster than it may be. */
  paced: number
  failedAuths: number
  /** AUTHs that the backend could not decide, or that came too soon after failures. */
  undecidedAuths: number
}

/** The limits with their times as timer queues, as the hot path wants them. */
export interface Limits extends Omit<RelayLimits, "stall" | "closing" | "blocked"> {
  readonly transaction: TimerQueue
  readonly probation: TimerQueue
  readonly stall: TimerQueue
  readonly closing: TimerQueue
  readonly pace: TimerQueue
  readonly blocked: TimerQueue
}

export type Authenticate = Extract<Decision, { readonly _tag: "Authenticate" }>

export class RelayState {
  readonly codec: Codec["Service"]
  readonly sessions: SessionRepo["Service"]
  readonly timers: Timers
  readonly peers: Peers
  readonly limits: Limits
  readonly hops = new Set<Hop>()
  readonly admission = new Admission(this)
  readonly stats: RelayCounters = {
    connectionsAccepted: 0,
    connectionsDialled: 0,
    connectionsTurnedAway: 0,
    connectionsIdle: 0,
    probationsFailed: 0,
    receiversStalled: 0,
    dialsFailed: 0,
    dialsForbidden: 0,
    dialsOverLimit: 0,
    framesIn: 0,
    octetsIn: 0,
    forwarded: 0,
    refused: 0,
    reports: 0,
    authsGranted: 0,
    sessionsRefused: 0,
    paced: 0,
    failedAuths: 0,
    undecidedAuths: 0
  }
  /** Milliseconds of the monotonic clock at the start of this read. */
  now: number
  /** Answers still come back; new requests are refused. */
  stopping = false
  router!: Router
  dialler!: Dialler
  /** Starts an AUTH on its own fiber. False: what is behind it waits until `resume` is called. */
  authenticate!: (hop: Hop, head: Head, decision: Authenticate, resume: () => void) => boolean
  readonly #transport: TransportShape
  readonly #run: (effect: Effect.Effect<void>) => void
  #dirty: Array<Outbox> = []

  constructor(options: {
    readonly codec: Codec["Service"]
    readonly sessions: SessionRepo["Service"]
    readonly transport: TransportShape
    readonly timers: Timers
    readonly peers: Peers
    readonly limits: Limits
    readonly run: (effect: Effect.Effect<void>) => void
  }) {
    this.codec = options.codec
    this.sessions = options.sessions
    this.timers = options.timers
    this.peers = options.peers
    this.limits = options.limits
    this.#transport = options.transport
    this.#run = options.run
    this.now = options.timers.now()
  }

  tick(): void {
    this.now = this.timers.now()
  }

  /** How many requests wait for an answer. */
  get outstanding(): number {
    let count = 0
    for (const hop of this.hops) count += hop.outstanding
    return count
  }

  /** Output of one turn leaves together: one write for each connection, however many frames it got. */
  flushLater(outbox: Outbox): void {
    if (this.#dirty.push(outbox) === 1) this.#transport.defer(this.#flushAll)
  }

  readonly #flushAll = (): void => {
    const dirty = this.#dirty
    this.#dirty = []
    for (const outbox of dirty) {
      outbox.pump()
      outbox.flush()
    }
  }

  forget(hop: Hop): void {
    this.hops.delete(hop)
    this.admission.left(hop)
    this.sessions.endAllOf(hop)
    this.dialler.forget(hop)
  }

  logClosing(hop: Hop, reason: string): void {
    const { host, port } = hop.connection?.remote ?? { host: "?", port: 0 }
    this.#run(Effect.logInfo(`closing connection: ${reason}`).pipe(Effect.annotateLogs({ remote: `${host}:${port}` })))
  }
}
