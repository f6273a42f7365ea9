/**
 * What the flows of one connection hold for slow receivers. When that is too much, the connection is not read: only briefly if
 * other sessions use it too, after which what waits for the slow receivers fails.
 */
import { LinkedMap } from "../../collections/LinkedMap.ts"
import { SLOW, TOO_FAST } from "../Loss.ts"
import { ANSWERED_WITHIN } from "../outbound/Window.ts"
import type { FlowOwner, ReadControl, WaitingFlow } from "../route/FlowControl.ts"
import type { Shared } from "../Shared.ts"
import { TaskQueue } from "../TaskQueue.ts"
import { stopTimer, Timeout } from "../Timers.ts"
import type { Sharing } from "./Sharing.ts"

/** What it does to the reading of its connection. */
type Holds = Pick<ReadControl, "hold" | "release">

export class BackPressure implements FlowOwner {
  readonly #shared: Shared
  readonly #reading: Holds
  readonly #sharing: Sharing
  #octets = 0
  /** Whether the connection is held because all flows together have too much. */
  #parkedHold = false
  /** A flow of the user that had most when that hold began, and the beginning, in milliseconds of the monotonic clock. */
  #holder: WaitingFlow | undefined
  #holderSince = 0
  /** The flows that have something parked, and the number of those that are full. */
  readonly #waiting = new LinkedMap<WaitingFlow, undefined>()
  #fullFlows = 0
  /** The reports of the flows that were given up, of which a user may have tens of thousands. */
  #reports: TaskQueue | undefined
  /** Runs while several sessions wait for the receiver of one of them. */
  #patience: Timeout | undefined
  /** Milliseconds of the monotonic clock when the connection was held. */
  #since = 0
  /** Milliseconds of the monotonic clock from which on the hold is not yet counted for any user. */
  #uncounted = 0
  #gone = false

  constructor(shared: Shared, reading: Holds, sharing: Sharing) {
    this.#shared = shared
    this.#reading = reading
    this.#sharing = sharing
  }

  /** A flow keeps its route, whose paths may be as long as header lines. `parked`, which follows, checks the limits. */
  waits(flow: WaitingFlow): void {
    this.#waiting.set(flow, undefined)
    this.#count(flow, flow.routeOctets)
  }

  waitsNoMore(flow: WaitingFlow): void {
    if (this.#waiting.delete(flow)) this.#changed(flow, -flow.routeOctets)
    // What was parked may have failed, which nothing else reports.
    this.#shared.conditions.check()
  }

  parked(flow: WaitingFlow, octets: number): void {
    this.#shared.totals.parkedOctets += octets
    this.#changed(flow, octets)
  }

  #count({ user }: WaitingFlow, octets: number): void {
    this.#octets += octets
    user.waitingOctets += octets
  }

  #changed(flow: WaitingFlow, octets: number): void {
    this.#count(flow, octets)
    const { connection, relay } = this.#shared.limits
    // Only where octets are added: nothing fails while a flow writes what it has, even above a limit that was lowered.
    if (octets > 0 && this.#octets > relay) this.#giveUpMost()
    // Each session of another relay has its own limit, and the connection is not held for any of them.
    const bound = this.#sharing.severalUsers ? connection : flow.user.share(connection)
    const most = this.#isRelay ? Infinity : bound
    if (!this.#parkedHold && this.#octets > most) {
      // Once for each hold, not for each message while it lasts: this looks at all flows.
      if (octets > 0 && this.#sharing.severalSessions && !this.#gone) this.#giveUpSilent()
      // That may have been enough, or may have begun the hold already.
      if (!this.#parkedHold && this.#octets > most) this.#holdAll()
    } else if (this.#parkedHold && this.#octets <= bound / 2) {
      this.#parkedHold = false
      this.#charge(this.#holder, this.#holderSince)
      this.#holder = undefined
      this.#reading.release()
      this.#waitNoMore()
    }
  }

  /** Holds the connection because all flows together have too much. */
  #holdAll(): void {
    this.#parkedHold = true
    this.#holdsFor(this.#ofMost[0])
    this.#reading.hold()
    this.#held()
  }

  full(flow: WaitingFlow): void {
    this.#fullFlows++
    this.#reading.hold()
    // The connection is gone, so no sender is held, and what was accepted waits as long as it may.
    if (this.#gone) return
    if (this.#isOver(flow)) this.#giveUp(flow)
    else this.#held()
  }

  relaxed(flow: WaitingFlow): void {
    this.#fullFlows--
    this.#charge(flow, flow.fullSince)
    this.#reading.release()
    this.#waitNoMore()
  }

  /** The connection is held for all flows together; the user of `flow` has most. */
  #holdsFor(flow: WaitingFlow | undefined): void {
    this.#holder = flow
    this.#holderSince = this.#shared.turn.now
  }

  /** Charges the user of `flow` with the time for which others have waited since then, without what another user was charged with. */
  #charge(flow: WaitingFlow | undefined, since: number): void {
    if (this.#sharedByUsers) flow?.user.holdBudget.charge(Math.max(this.#uncounted, since), this.#shared.turn.now)
  }

  get #sharedByUsers(): boolean {
    return this.#sharing.severalSessions && this.#sharing.severalUsers
  }

  get #isRelay(): boolean {
    return this.#waiting.first?.key.fromRelay === true
  }

  /** Whether the connection is not read because receivers are slow. */
  get #holds(): boolean {
    return this.#fullFlows > 0 || this.#parkedHold
  }

  /** Several sessions use the connection from now on. They wait for slow receivers as if it had been held only now. */
  othersJoin(): void {
    if (this.#gone) return
    for (const { key: flow } of this.#waiting) if (flow.full && this.#isOver(flow)) this.#giveUp(flow)
    if (this.#parkedHold) this.#giveUpSilent()
    this.wait()
  }

  #held(): void {
    if (this.#fullFlows + Number(this.#parkedHold) === 1) {
      this.#shared.counters.held++
      this.#since = this.#uncounted = this.#shared.turn.now
    }
    this.wait()
  }

  /** Limits how long the connection is held, if there may be others that wait for it. */
  wait(): void {
    if (!this.#holds || this.#gone || this.#patience?.isRunning === true) return
    // A connection of another relay may be used by others at any time, which cannot be noticed while it is not read.
    if (!this.#sharing.severalSessions && !this.#isRelay && !this.#sharing.hasOthers) return
    this.#shared.limits.hold.start(this.#patience ??= new Timeout(() => this.#impatient()))
  }

  /**
   * Others have waited for every full flow all the time, because nothing was read meanwhile. If the others have not sent anything
   * for a while, only flows whose receivers must be gone are given up at first.
   */
  #impatient(): void {
    if (!this.#holds) return
    const othersWait = this.#isRelay || this.#sharing.othersWait(this.#since)
    for (const { key: flow } of this.#waiting) {
      if (flow.full && (othersWait || flow.isTooFast || flow.isSilent(ANSWERED_WITHIN))) this.#giveUp(flow)
    }
    if (this.#parkedHold && othersWait) {
      this.#charge(this.#holder, this.#holderSince)
      // For flows that do not fail now, others wait from now on only.
      this.#uncounted = this.#shared.turn.now
      this.#giveUpSilent()
      if (this.#parkedHold) this.#ofMost.forEach((flow) => this.#giveUp(flow))
      if (this.#parkedHold) this.#holdsFor(this.#ofMost[0])
    }
    this.wait()
  }

  #waitNoMore(): void {
    if (!this.#holds) stopTimer(this.#patience)
  }

  #giveUp(flow: WaitingFlow): void {
    const { conditions, counters, tasks } = this.#shared
    const { isTooFast } = flow
    if (isTooFast) counters.sessionsTooFast++
    else counters.receiversGivenUp++
    this.#reports ??= new TaskQueue(tasks, () => conditions.check())
    this.#reports.add(flow.fails(isTooFast ? TOO_FAST : SLOW))
  }

  #giveUpSilent(): void {
    for (const { key: flow } of this.#waiting) if (this.#isSilent(flow) || this.#isSpent(flow)) this.#giveUp(flow)
  }

  /** Whether others do not wait for its receiver any longer. */
  #isOver(flow: WaitingFlow): boolean {
    return flow.failing || this.#isSpent(flow) ||
      (this.#sharing.severalSessions && (flow.fromRelay || this.#isSilent(flow)))
  }

  /** Whether others have waited for its user as long as they have to. */
  #isSpent({ user: { holdBudget } }: WaitingFlow): boolean {
    return this.#sharedByUsers && holdBudget.isSpent(this.#shared.turn.now)
  }

  /** Whether its receiver has been silent for as long as others are held for a receiver. */
  #isSilent(flow: WaitingFlow): boolean {
    return flow.isSilent(this.#shared.limits.hold.millis)
  }

  /** The flows of the session, or of the user if there are several, that has most waiting. With many paths, it has many flows. */
  get #ofMost(): ReadonlyArray<WaitingFlow> {
    const all = new Map<object, Array<WaitingFlow>>()
    const byUser = this.#isRelay || this.#sharing.severalUsers
    for (const { key: flow } of this.#waiting) {
      const one = byUser ? flow.user : flow.session
      const flows = all.get(one)
      if (flows === undefined) all.set(one, [flow])
      else flows.push(flow)
    }
    let [most, octets]: [ReadonlyArray<WaitingFlow>, number] = [[], 0]
    for (const flows of all.values()) {
      const sum = flows.reduce((before, flow) => before + flow.octets + flow.routeOctets, 0)
      if (sum > octets) [most, octets] = [flows, sum]
    }
    return most
  }

  /**
   * Fails what waits for the user for whom most octets wait, all of it: otherwise each further request could cause another search
   * among thousands of flows.
   */
  #giveUpMost(): void {
    for (const flow of this.#ofMost) this.#giveUp(flow)
    this.wait()
  }

  /** The connection is gone: no sender is held any more, even if the end of a cut chunk is too much. */
  close(): void {
    this.#gone = true
    stopTimer(this.#patience)
  }
}
