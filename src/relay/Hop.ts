/**
 * One connection of the relay to a client, a peer or another relay, whether accepted or dialled. Joins the inbound and the
 * outbound half, from the first octet, or the attempt to connect, to the end.
 */
import type { Head } from "../protocol/Head.ts"
import type { MsrpUri } from "../protocol/Uri.ts"
import type { Connection, Receiver } from "../transport/Connection.ts"
import { transportName } from "../transport/TransportName.ts"
import { closeReasonOf, type Closing } from "./Closing.ts"
import { countClosed, countDialled, countUndialled } from "./Counters.ts"
import type { FrameTrace } from "./FrameTrace.ts"
import { HopSessions } from "./HopSessions.ts"
import { Inbound, type InboundOwner } from "./inbound/Inbound.ts"
import { Logins } from "./inbound/Logins.ts"
import { Probation, type ProbationOwner } from "./inbound/Probation.ts"
import { Reading, type ReadingOwner } from "./inbound/Reading.ts"
import { FORBIDDEN, UNREACHABLE } from "./Loss.ts"
import { Outbound, type OutboundOwner } from "./outbound/Outbound.ts"
import { type Pings, pingsOf } from "./outbound/Pings.ts"
import { RelayProof, type RelayProofOwner } from "./RelayProof.ts"
import { HopRoutes } from "./route/HopRoutes.ts"
import { Unanswered } from "./route/Unanswered.ts"
import type { Admitted } from "./rules/Admission.ts"
import type { Authenticate } from "./rules/Decision.ts"
import type { Router } from "./rules/Router.ts"
import type { SessionRecord } from "./SessionRecord.ts"
import type { Shared } from "./Shared.ts"
import { stopTimer, Timeout } from "./Timers.ts"

/** The relay that has the hop. */
export interface HopOwner extends RelayProofOwner {
  readonly shared: Shared
  readonly router: Router
  /** The connection was accepted, or has been made. */
  entered(hop: Hop): void
  /** A request on it was successful. */
  proved(hop: Hop): void
  /** The relay closes it, so it cannot be used for new routes any more. */
  closing(hop: Hop): void
  /** It is gone: its sessions end. The function that is returned reports their ends. */
  left(hop: Hop): () => void
  /** Starts an AUTH; `ended` is called when it was answered. `head` is not used after the call. */
  authenticate(hop: Hop, head: Head, request: Authenticate, ended: () => void): void
}

export class Hop implements Receiver, InboundOwner, OutboundOwner, ProbationOwner, ReadingOwner, Admitted {
  readonly #owner: HopOwner
  readonly shared: Shared
  readonly number: number
  /** Milliseconds of the monotonic clock when the connection was accepted or made. */
  since = 0
  readonly outbound: Outbound
  readonly reading: Reading
  readonly probation: Probation
  readonly unanswered: Unanswered
  readonly #inbound: Inbound
  readonly logins: Logins
  #connection: Connection | undefined
  readonly keys: Array<string> = []
  readonly sessions = new HopSessions()
  readonly proof: RelayProof
  readonly routes = new HopRoutes()
  trace: FrameTrace | undefined = undefined
  unusedSince: number | undefined
  #finishing = false
  /** Why the relay closes the connection. */
  #reason: Closing | undefined
  end = "closed by its peer"
  #pings: Pings | undefined
  /** Runs while the peer has time to close the connection. */
  #linger: Timeout | undefined

  constructor(owner: HopOwner) {
    this.#owner = owner
    this.shared = owner.shared
    this.number = ++owner.shared.hops
    this.outbound = new Outbound(owner.shared, this)
    this.reading = new Reading(owner.shared, this)
    this.probation = new Probation(owner.shared, this)
    this.unanswered = new Unanswered(this)
    this.logins = new Logins(owner.shared, this.reading)
    this.#inbound = new Inbound(this)
    this.proof = new RelayProof(owner, this)
  }

  // ---- the connection

  accepted(connection: Connection): void {
    this.probation.start()
    this.#connected(connection)
  }

  /** Takes the connection that was dialled for this hop. It has no probation, because the relay made it. */
  dialled(connection: Connection): this {
    countDialled(this.shared.counters, transportName(connection))
    this.#connected(connection)
    return this
  }

  #connected(connection: Connection): void {
    this.#connection = connection
    this.#pings = pingsOf(this.shared, connection, this.reading, () => this.fail("no sign of life"))
    this.since = this.shared.turn.now
    this.outbound.connected(connection)
    this.reading.connected(connection)
    this.#owner.entered(this)
  }

  /** No connection could be made, so nothing that waits for it was sent. `status` is 403 if policy refused it. */
  unreachable(status: 403 | 408): void {
    countUndialled(this.shared.counters, status)
    this.outbound.loss = status === 403 ? FORBIDDEN : UNREACHABLE
    this.closed()
  }

  get connection(): Connection | undefined {
    return this.#connection
  }

  get lastSession(): SessionRecord | undefined {
    return this.sessions.lastSession
  }

  get octetsIn(): number {
    return this.#inbound.octets
  }

  get octetsOut(): number {
    return this.outbound.outbox.taken
  }

  get gone(): boolean {
    return this.outbound.gone
  }

  get shut(): boolean {
    return this.outbound.shut
  }

  get open(): boolean {
    return !this.shut && !this.#finishing && !this.lapsed
  }

  bytes(octets: Buffer, last?: boolean): void {
    if (!this.gone) this.#inbound.bytes(octets, last)
  }

  /** The WebSocket framing of the peer is wrong. */
  broken(): void {
    this.#inbound.broken("not WebSocket", undefined)
  }

  // ---- the peer

  get router(): Router {
    return this.#owner.router
  }

  get lastUsed(): number {
    return Math.max(this.lastHeard, this.outbound.lastWritten)
  }

  inUse(now: number): boolean {
    return this.sessions.anyValid(now) || this.routes.anyLive(now)
  }

  isRelay(uri: MsrpUri): boolean {
    return this.proof.isRelay(uri)
  }

  get isLink(): boolean {
    return this.proof.isLink(!this.probation.active)
  }

  get lapsed(): boolean {
    return this.proof.lapsed
  }

  noteRelay(relay: MsrpUri | undefined): boolean {
    if (relay === undefined || !this.isRelay(relay)) return false
    this.probation.relayProved()
    return true
  }

  proved(): void {
    this.#owner.proved(this)
  }

  // ---- what its parts call

  authenticate(head: Head, request: Authenticate): void {
    const [relay, ...others] = request.from
    const behind = others.length > 0 && this.noteRelay(relay) ? relay : undefined
    this.logins.begins(behind, (ended) => this.#owner.authenticate(this, head, request, ended))
  }

  /** Writes a whole frame that the relay made, before anything that waits for its turn. */
  control(frame: Buffer): void {
    if (this.gone) return
    this.outbound.control(frame)
    this.reading.answered()
  }

  ok(between: Buffer, buf: Buffer, tidStart: number, tidEnd: number): void {
    if (this.gone) return
    this.outbound.ok(between, buf, tidStart, tidEnd)
    this.reading.answered()
  }

  reported(head: Head, from: Outbound): void {
    this.#inbound.reported(head, from)
  }

  held(): void {
    this.outbound.windows.open()
  }

  get lastHeard(): number {
    return this.#inbound.lastHeard
  }

  // ---- the end

  /** Closes the connection after what has been written. Nothing more is read. */
  finish(reason: Closing): void {
    if (this.gone || this.#finishing) return
    this.#finishing = true
    // New requests for the same next hop need another connection.
    this.#owner.closing(this)
    this.end = this.#reason ??= reason
    this.#inbound.stop()
    this.outbound.end()
    this.#connection?.end(closeReasonOf(reason))
    // The close of the peer must be noticed.
    this.#connection?.resume()
    this.leaving()
  }

  /** A peer that does not close must not keep the connection, also after a Close of its own (RFC 6455 §7.1.1). */
  leaving(): void {
    this.shared.limits.closing.start(this.#linger ??= new Timeout(() => this.#connection?.destroy()))
  }

  /** Closes the connection at once. */
  fail(reason: Closing): void {
    if (this.gone) return
    this.end = this.#reason ??= reason
    this.#inbound.stop()
    // What the system has not taken is lost, and so is what waits: neither counts as sent.
    this.outbound.outbox.close()
    this.#connection?.destroy(closeReasonOf(reason))
  }

  /** The connection is gone, or could not be made (RFC 4975 §5.4, RFC 4976 §6.3). */
  closed(failure?: string): void {
    if (this.gone) return
    if (failure !== undefined && this.#reason === undefined) this.end = `failed: ${failure}`
    this.logins.leave()
    this.#inbound.ended()
    this.outbound.gone = true
    this.#inbound.stop()
    stopTimer(this.probation)
    stopTimer(this.#linger)
    this.#pings?.stop()
    this.reading.close()
    const reportEnds = this.#owner.left(this)
    try {
      this.#inbound.lost()
    } finally {
      this.outbound.close()
      const { counters, tasks } = this.shared
      if (this.#connection !== undefined) countClosed(counters, this.#reason, failure)
      // One user may have thousands of requests there.
      tasks.steps(this.outbound.givesUp(), () => tasks.steps(this.#inbound.closes(), () => this.#over(reportEnds)))
    }
  }

  #over(reportEnds: () => void): void {
    this.unanswered.close()
    reportEnds()
    this.shared.observer.closed(this)
    this.trace?.closed()
  }
}
