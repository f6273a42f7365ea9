/**
 * What the flows of one connection hold for slow receivers, and when it is not read since that is too much: briefly if others
 * use it too, and then what waits for those receivers fails.
 */
import { LinkedMap } from "../../collections/LinkedMap.ts"
import { SLOW, TOO_FAST } from "../Loss.ts"
import { ANSWERED_WITHIN } from "../outbound/Window.ts"
import type { FlowOwner, ReadControl, Waiting } from "../route/FlowControl.ts"
import type { Session } from "../Session.ts"
import type { Shared } from "../Shared.ts"
import { stopTimer, Timeout } from "../Timers.ts"

/** Routes or sessions of the connection, as far as they show that other sessions may use it. */
export interface Others {
  /** Whether there is one of a session other than these. */
  anyWithout(sessions: ReadonlyArray<Session>, now: number): boolean
  /** Called when there is one more. Set by `BackPressure`. */
  onMore: () => void
}

/** The hop whose connection it is. */
export interface BackPressureOwner {
  readonly routes: Others
  /** Those that have sent nothing yet have no route. */
  readonly sessions: Others
  /** The connection is no longer read because receivers are slow. */
  held(): void
}

export class BackPressure implements FlowOwner {
  readonly #shared: Shared
  readonly #reading: ReadControl
  readonly #owner: BackPressureOwner
  #octets = 0
  /** It is held since all flows together have too much. */
  #parkedHold = false
  /** One of the user who had most then, and when that was. */
  #holder: Waiting | undefined
  #holderSince = 0
  /** The flows that have something parked, and how many of them are full. */
  readonly #waiting = new LinkedMap<Waiting, undefined>()
  #full = 0
  /** The limit for which several sessions wait for the receiver of one of them. */
  #patience: Timeout | undefined
  /** Milliseconds of the monotonic clock since when it is not read. */
  #since = 0
  /** The same, from which on it is not counted yet for whom. */
  #uncounted = 0
  #gone = false

  constructor(shared: Shared, reading: ReadControl, owner: BackPressureOwner) {
    this.#shared = shared
    this.#reading = reading
    this.#owner = owner
    owner.routes.onMore = owner.sessions.onMore = () => this.#wait()
  }

  /** A flow keeps its route, whose paths may be as long as header lines. Whether that is too much `parked` finds, which follows. */
  waits(flow: Waiting): void {
    this.#waiting.set(flow, undefined)
    this.#octets += flow.routeOctets
  }

  waitsNoMore(flow: Waiting): void {
    if (this.#waiting.delete(flow)) this.#changed(-flow.routeOctets)
    // What has failed may have done so without a word.
    this.#shared.awaited.look()
  }

  parked(octets: number): void {
    this.#shared.totals.parkedOctets += octets
    this.#changed(octets)
  }

  #changed(octets: number): void {
    this.#octets += octets
    const { connection, relay } = this.#shared.limits
    // Where there is more: nothing fails while a flow writes what it has, though it may be too much since the limit was lowered.
    if (octets > 0 && this.#octets > relay) this.#giveUpOne()
    // The sessions of a relay each have their bound, and it waits for nobody else's.
    const most = this.#isRelay ? Infinity : connection
    if (this.#octets > most && octets > 0 && this.#reading.severalSessions && !this.#gone) this.#giveUpSilent()
    if (!this.#parkedHold && this.#octets > most) {
      this.#parkedHold = true
      this.#holdsFor(this.#ofMost[0])
      this.#reading.hold()
      this.#held()
    } else if (this.#parkedHold && this.#octets <= connection / 2) {
      this.#parkedHold = false
      this.#count(this.#holder, this.#holderSince)
      this.#holder = undefined
      this.#reading.release()
      this.#waitNoMore()
    }
  }

  full(flow: Waiting): void {
    this.#full++
    this.#reading.hold()
    // Nobody is held: what was accepted waits as long as it may.
    if (this.#gone) return
    if (this.#isOver(flow)) this.#giveUp(flow)
    else this.#held()
  }

  relaxed(flow: Waiting): void {
    this.#full--
    this.#count(flow, flow.fullSince)
    this.#reading.release()
    this.#waitNoMore()
  }

  /** It is held for all that waits, of which its user has most. */
  #holdsFor(flow: Waiting | undefined): void {
    this.#holder = flow
    this.#holderSince = this.#shared.turn.now
  }

  /** The others have waited for its user since then; for others they may have before. */
  #count(flow: Waiting | undefined, since: number): void {
    if (this.#isOfUsers) flow?.holdBudget.charge(Math.max(this.#uncounted, since), this.#shared.turn.now)
  }

  get #isOfUsers(): boolean {
    return this.#reading.severalSessions && this.#reading.severalUsers
  }

  get #isRelay(): boolean {
    return this.#waiting.first?.key.fromRelay === true
  }

  /** It is not read. */
  get holds(): boolean {
    return this.#full > 0 || this.#parkedHold
  }

  /** Several use it from now on: these wait for slow receivers as long as if the connection were held only now. */
  othersJoin(): void {
    if (this.#gone) return
    for (const { key: flow } of this.#waiting) if (flow.full && this.#isOver(flow)) this.#giveUp(flow)
    if (this.#parkedHold) this.#giveUpSilent()
    this.#wait()
  }

  #held(): void {
    if (this.#full + Number(this.#parkedHold) === 1) {
      this.#shared.counters.held++
      this.#since = this.#uncounted = this.#shared.turn.now
    }
    this.#owner.held()
    this.#wait()
  }

  #wait(): void {
    if (!this.holds || this.#gone || this.#patience?.queue !== undefined) return
    if (!this.#isOfMany && !this.#reading.hasOthers) return
    this.#shared.limits.hold.start(this.#patience ??= new Timeout(() => this.#impatient()))
  }

  /** That of a relay may be others' at any time, whose octets tell nobody so while it is not read. */
  get #isOfMany(): boolean {
    return this.#reading.severalSessions || this.#isRelay
  }

  /**
   * Those that are full have been waited for all the while: nothing was read that could fill them since. For others who have
   * not sent for a while only those are given up at first who must be gone.
   */
  #impatient(): void {
    if (!this.holds) return
    const isOfMany = this.#isOfMany || this.#reading.othersWait(this.#since)
    for (const { key: flow } of this.#waiting) {
      if (flow.full && (isOfMany || flow.isTooFast || flow.isSilent(ANSWERED_WITHIN))) this.#giveUp(flow)
    }
    if (this.#parkedHold && isOfMany) {
      this.#count(this.#holder, this.#holderSince)
      // Nobody has waited for those whose nothing fails, but from now on.
      this.#uncounted = this.#shared.turn.now
      this.#giveUpSilent()
      if (this.#parkedHold) this.#ofMost.forEach((flow) => this.#giveUp(flow))
      if (this.#parkedHold) this.#holdsFor(this.#ofMost[0])
    }
    this.#wait()
  }

  #waitNoMore(): void {
    if (!this.holds) stopTimer(this.#patience)
  }

  #giveUp(flow: Waiting): void {
    const { awaited, counters, turn } = this.#shared
    const { isTooFast } = flow
    if (isTooFast) counters.sessionsTooFast++
    else counters.receiversGivenUp++
    turn.steps(flow.fails(isTooFast ? TOO_FAST : SLOW), () => awaited.look())
  }

  #giveUpSilent(): void {
    for (const { key: flow } of this.#waiting) if (this.#isSilent(flow) || this.#isSpent(flow)) this.#giveUp(flow)
  }

  /** Nobody waits for its receiver any more. */
  #isOver(flow: Waiting): boolean {
    return flow.failing || this.#isSpent(flow) ||
      (this.#reading.severalSessions && (flow.fromRelay || this.#isSilent(flow)))
  }

  /** Others have waited for its user as long as they do. */
  #isSpent({ holdBudget }: Waiting): boolean {
    return this.#isOfUsers && holdBudget.isSpent(this.#shared.turn.now)
  }

  /** For as long as others are held for a receiver. */
  #isSilent(flow: Waiting): boolean {
    return flow.isSilent(this.#shared.limits.hold.millis)
  }

  /** The flows of the session that has most waiting, or of the user where there are several: whoever shows many paths has as many. */
  get #ofMost(): ReadonlyArray<Waiting> {
    const all = new Map<object, Array<Waiting>>()
    for (const { key: flow } of this.#waiting) {
      const one = this.#reading.severalUsers ? flow.holdBudget : flow.session
      const flows = all.get(one)
      if (flows === undefined) all.set(one, [flow])
      else flows.push(flow)
    }
    let [most, octets]: [ReadonlyArray<Waiting>, number] = [[], 0]
    for (const flows of all.values()) {
      const sum = flows.reduce((before, flow) => before + flow.octets + flow.routeOctets, 0)
      if (sum > octets) [most, octets] = [flows, sum]
    }
    return most
  }

  /** What waits for the receiver fails that has most waiting for it. */
  #giveUpOne(): void {
    let most: Waiting | undefined
    for (const { key: flow } of this.#waiting) if (most === undefined || flow.octets > most.octets) most = flow
    if (most !== undefined) this.#giveUp(most)
    this.#wait()
  }

  /** The connection is gone: nobody is held any more, whatever is too much, as the end of what was cut may be. */
  close(): void {
    this.#gone = true
    stopTimer(this.#patience)
  }
}
