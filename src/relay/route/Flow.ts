/**
 * What one session sends to one hop while that hop cannot take it. A flow holds its own up to a bound; then its sender
 * is not read, which slows it (and nobody else) down. Nothing is parked while the receiver keeps up.
 */
import { type Flag, type Head, Kind } from "../../protocol/Head.ts"
import { keepOctets } from "../../protocol/Octets.ts"
import { type Loss, SLOW, STALLED, TOO_FAST } from "../Loss.ts"
import type { Sender } from "../outbound/Turns.ts"
import type { Session } from "../Session.ts"
import { stopTimer, Timeout } from "../Timers.ts"
import type { FlowOwner, Waiting } from "./FlowControl.ts"
import { forwardFrame } from "./Forward.ts"
import type { HoldBudget } from "./HoldBudget.ts"
import { keepFrame, readAgain } from "./KeptFrame.ts"
import type { Parked } from "./Parked.ts"
import { ReceiverProgress } from "./ReceiverProgress.ts"
import type { Stream } from "./Stream.ts"
import { undelivered } from "./Undelivered.ts"
import type { Way } from "./Way.ts"

/** Octets counted for each parked thing beside its own, so that many small ones count too. */
const OVERHEAD = 256

/** Octets of REPORTs that a receiver who takes nothing finds when he does again. */
const REPORTS = 16_384

export class Flow implements Sender, Waiting {
  readonly #way: Way
  readonly #flows: FlowOwner
  #parked: Array<Parked> = []
  #first = 0
  /** Octets of the first parked part that are written already. */
  #offset = 0
  #octets = 0
  /** It has as much as it may have, and until half of that is gone. */
  full = false
  fullSince = 0
  #slowed: Timeout | undefined
  /** What its receiver had done when it failed, and when it began to wait for him, or saw the last sign of him. */
  #failed: ReceiverProgress | undefined
  #before: ReceiverProgress | undefined

  constructor(way: Way, flows: FlowOwner) {
    this.#way = way
    this.#flows = flows
  }

  get idle(): boolean {
    return this.#parked.length === 0
  }

  get octets(): number {
    return this.#octets
  }

  get routeOctets(): number {
    return this.#way.octets
  }

  get fromRelay(): boolean {
    return this.#way.fromRelay
  }

  /** Octets that may be parked. */
  get #most(): number {
    const { relayed, session } = this.#way.target.shared.limits
    return this.#way.fromRelay ? relayed : session
  }

  get session(): Session {
    return this.#way.sessions[0]!
  }

  get holdBudget(): HoldBudget {
    return this.#way.holdBudget
  }

  get source(): object {
    return this.#flows
  }

  /** Nothing is parked, nobody else waits for a turn, the receiver answers and the hop takes octets: write at once. */
  get clear(): boolean {
    return this.#parked.length === 0 && !this.#isPaced && this.#way.window.room && this.#way.target.clear
  }

  /** It was faster than its session may be. That costs nobody else on the connection that it comes from. */
  get #isPaced(): boolean {
    const { flowPace, target } = this.#way
    return flowPace !== undefined && flowPace.until > target.now
  }

  /** What waits does so for its pace alone. */
  get isTooFast(): boolean {
    return (this.#isPaced || this.#slowed?.queue !== undefined) && this.#way.window.room
  }

  /**
   * It has failed, and since then its receiver has not answered half of what he had, or has taken nothing, whichever was waited
   * for; or his connection is gone. He is not waited for again: what cannot be written at once fails at once.
   */
  get failing(): boolean {
    if (this.#way.target.lost) return true
    const failed = this.#failed
    if (failed === undefined) return false
    if (failed.unchanged || (!failed.forOctets && !failed.halfAnswered)) return true
    this.#failed = undefined
    return false
  }

  isSilent(millis: number): boolean {
    const before = this.#before
    if (before?.unchanged === true) return this.#way.target.shared.turn.now >= before.at + millis
    this.#before = new ReceiverProgress(this.#way, this.#way.window.full)
    return false
  }

  /** It is failing, and nothing more can be written. */
  get stuck(): boolean {
    return this.failing && (!this.clear || (this.#failed?.forOctets === true && this.#way.target.outbox.pending > 0))
  }

  /** Is a request of this kind refused, since its receiver takes nothing. A few REPORTs wait for him. */
  refuses(kind: Kind): boolean {
    return this.stuck && (kind !== Kind.Report || this.#octets >= this.#reports)
  }

  /** Octets of REPORTs that wait for a receiver who takes nothing: so few that nobody else waits for them. */
  get #reports(): number {
    return Math.min(REPORTS, this.#most / 2)
  }

  /** `unanswered`: its 200 is still to be sent. */
  parkFrame(head: Head, bodyStart: number, bodyEnd: number, flag: Flag, unanswered: boolean): void {
    const { start } = head
    const octets = keepFrame(head, bodyEnd)
    this.#park(
      { kind: "frame", octets, bodyStart: bodyStart - start, bodyEnd: bodyEnd - start, flag, unanswered },
      octets.length,
      head.kind === Kind.Report
    )
  }

  parkPart(stream: Stream, buf: Buffer, start: number, end: number): void {
    this.#park({ kind: "part", stream, octets: keepOctets(buf.subarray(start, end)) }, end - start)
  }

  /** `accepted` answers it. */
  parkEnd(stream: Stream, flag: Flag, accepted: (() => void) | undefined): void {
    const counted = stream.octets
    this.#park({ kind: "end", stream, flag, accepted, counted }, counted)
  }

  #park(parked: Parked, octets: number, isReport = false): void {
    if (this.#parked.length === 0) {
      this.#wait()
      this.#flows.waits(this)
    }
    this.#parked.push(parked)
    const failing = !isReport && this.failing
    this.#count(octets + OVERHEAD)
    if (!this.full && this.#octets > 0 && (this.#octets > this.#most || failing)) {
      this.full = true
      this.fullSince = this.#way.target.now
      this.#flows.full(this)
    }
  }

  #wait(): void {
    const { target, window } = this.#way
    this.#before = new ReceiverProgress(this.#way, window.full)
    if (window.room && !this.#isPaced) target.waiting.add(this)
    else this.#waitForRoom()
  }

  /** Where its receiver has no room, or it has to be slower. */
  #waitForRoom(): void {
    const { target, window } = this.#way
    window.wait(this)
    if (this.#isPaced) target.shared.limits.pace.start(this.#slowed ??= new Timeout(() => this.#goOn()))
  }

  #goOn(): void {
    const { target, window } = this.#way
    if (!window.leaves(this)) return
    if (window.room && !this.#isPaced) target.turn(this)
    else this.#waitForRoom()
  }

  #count(octets: number): void {
    this.#octets += octets
    this.#way.target.windows.parkedOctets += octets
    this.#flows.parked(octets)
  }

  give(quota: number): boolean {
    const { target, window } = this.#way
    // Others may have filled it in the meantime.
    if (!window.room || this.#isPaced) {
      this.#waitForRoom()
      return false
    }
    let left = quota
    do {
      const parked = this.#parked[this.#first]!
      if (parked.kind === "part") {
        const { octets } = parked
        const to = Math.min(octets.length, this.#offset + Math.min(left, Math.max(window.left, 1)))
        parked.stream.write(octets, this.#offset, to, true)
        left -= to - this.#offset
        this.#count(this.#offset - to)
        if (to < octets.length) {
          this.#offset = to
          break
        }
        this.#offset = 0
        this.#count(-OVERHEAD)
      } else if (parked.kind === "end") {
        parked.accepted?.()
        parked.stream.finish(parked.flag)
        this.#count(-parked.counted - OVERHEAD)
      } else {
        const again = readAgain(parked.octets)
        if (parked.unanswered) this.#way.accept(parked.octets, again.tidStart, again.tidEnd)
        forwardFrame(this.#way, again, parked.bodyStart, parked.bodyEnd, parked.flag)
        left -= parked.octets.length
        this.#count(-parked.octets.length - OVERHEAD)
      }
      this.#first++
    } while (this.#first < this.#parked.length && left > 0 && window.room && !this.#isPaced && target.room())
    if (this.#first === this.#parked.length) {
      this.#parked = []
      this.#first = 0
    } else if (this.#first > 256) {
      this.#parked.splice(0, this.#first)
      this.#first = 0
    }
    this.#relax()
    if (this.#parked.length === 0) {
      this.#flows.waitsNoMore(this)
      return false
    }
    this.#before = new ReceiverProgress(this.#way, window.full)
    if (window.room && !this.#isPaced) return true
    this.#waitForRoom()
    return false
  }

  #relax(): void {
    if (this.full && this.#octets <= this.#most / 2) {
      this.full = false
      this.#flows.relaxed(this)
    }
  }

  /** Some REPORTs are kept for who is still there, since nobody hears of those that are lost. */
  *fails(loss: Loss): Iterable<void> {
    const { target, window } = this.#way
    target.waiting.remove(this)
    window.leaves(this)
    stopTimer(this.#slowed)
    this.#failed = new ReceiverProgress(this.#way, window.full && loss !== STALLED)
    const parked = this.#parked
    const first = this.#first
    const offset = this.#offset
    const most = loss === SLOW || loss === TOO_FAST ? Math.min(this.#octets / 2, this.#reports) : this.#reports
    const kept: Array<Parked> = []
    let octets = 0
    for (let i = first; i < parked.length && !target.lost; i++) {
      const one = parked[i]!
      if (one.kind !== "frame" || readAgain(one.octets).kind !== Kind.Report) continue
      if (octets + one.octets.length + OVERHEAD > most) break
      octets += one.octets.length + OVERHEAD
      kept.push(one)
    }
    this.#parked = kept
    this.#first = this.#offset = 0
    this.#count(octets - this.#octets)
    this.#relax()
    if (kept.length === 0) this.#flows.waitsNoMore(this)
    else this.#wait()
    yield* undelivered(this.#way, parked, first, offset, loss)
  }
}
