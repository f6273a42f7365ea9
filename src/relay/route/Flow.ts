/**
 * What one session sends to one hop while the hop cannot take it. A flow parks it up to a bound; beyond that the sender is not
 * read, which slows down this sender and no other. Nothing is parked while the receiver keeps up.
 */
import { type Flag, type Head, Kind } from "../../protocol/Head.ts"
import { BLOCK, type Blocks } from "../Blocks.ts"
import { type Loss, SLOW, STALLED, TOO_FAST } from "../Loss.ts"
import type { Sender } from "../outbound/FairQueue.ts"
import type { Session } from "../Session.ts"
import { stopTimer, Timeout } from "../Timers.ts"
import { DelayedAnswer } from "./DelayedAnswer.ts"
import type { FlowOwner, WaitingFlow, WaitingUser } from "./FlowControl.ts"
import { forwardFrame } from "./Forward.ts"
import { frameEnd, readAgain } from "./KeptFrame.ts"
import { OVERHEAD, type Parked } from "./Parked.ts"
import { ParkedQueue } from "./ParkedQueue.ts"
import { ReceiverProgress } from "./ReceiverProgress.ts"
import type { Stream } from "./Stream.ts"
import { undelivered, withoutReports } from "./Undelivered.ts"
import type { Way } from "./Way.ts"

/** Octets of REPORTs that are kept for a receiver which takes nothing at the moment. */
const REPORTS = 16_384

export class Flow implements Sender, WaitingFlow {
  readonly #way: Way
  readonly #flows: FlowOwner
  readonly #parked = new ParkedQueue()
  #octets = 0
  full = false
  /** Milliseconds of the monotonic clock when it last became full. */
  fullSince = 0
  #slowed: Timeout | undefined
  /** What its receiver had done when the flow last failed. */
  #failed: ReceiverProgress | undefined
  /** What its receiver had done when the flow began to wait, or when the receiver last showed that it was alive. */
  #before: ReceiverProgress | undefined

  constructor(way: Way, flows: FlowOwner) {
    this.#way = way
    this.#flows = flows
  }

  get idle(): boolean {
    return this.#parked.isEmpty
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

  get #blocks(): Blocks {
    return this.#way.target.shared.memory.blocks
  }

  /** Octets that may be parked. What comes from another relay fails beyond the limit, so it has all of it. */
  get #most(): number {
    const { relayed, session } = this.#way.target.shared.limits
    return this.#way.fromRelay ? relayed : this.#way.user.share(session)
  }

  get session(): Session {
    return this.#way.sessions[0]!
  }

  get user(): WaitingUser {
    return this.#way.user
  }

  get source(): object {
    return this.#way.fromOwner ? this.user : this.#flows
  }

  /** Whether a frame may be written at once: nothing is parked or paced, the receiver answers, and the hop has room. */
  get clear(): boolean {
    return this.#parked.isEmpty && !this.#isPaced && this.#way.window.room && this.#way.target.clear
  }

  /** Whether it waits because it was faster than its session may be. The connection that it comes from need not be held then. */
  get #isPaced(): boolean {
    const { flowPace, target } = this.#way
    return flowPace !== undefined && flowPace.until > target.now
  }

  /** Whether the window of its receiver has room, and its pace allows more. */
  get #mayWrite(): boolean {
    return this.#way.window.room && !this.#isPaced
  }

  /** Whether it waits for its pace alone. */
  get isTooFast(): boolean {
    return (this.#isPaced || this.#slowed?.isRunning === true) && this.#way.window.room
  }

  /**
   * Whether it has failed, and its receiver has not since answered half of what it had, or taken octets, whichever was waited
   * for; or whether nothing more goes out. The receiver is not waited for again: what cannot be written at once fails at once.
   */
  get failing(): boolean {
    if (this.#way.target.shut) return true
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

  /** Whether it is failing, and nothing more can be written. */
  get stuck(): boolean {
    return this.failing && (!this.clear || (this.#failed?.forOctets === true && this.#way.target.outbox.pending > 0))
  }

  /** Whether a request of this kind is refused, because the receiver takes nothing. A few REPORTs may wait for it. */
  refuses(kind: Kind): boolean {
    return this.stuck && (kind !== Kind.Report || this.#octets >= this.#reports)
  }

  /** Octets of REPORTs that may wait for a receiver which takes nothing: few enough that no connection is held for them. */
  get #reports(): number {
    return Math.min(REPORTS, this.#most / 2)
  }

  /** Parks a whole frame whose body ends at `bodyEnd`. `unanswered`: whether its 200 is still to be sent. */
  parkFrame(head: Head, bodyEnd: number, flag: Flag, unanswered: boolean): void {
    const { buf, start, tidEnd, tidStart } = head
    const octets = this.#blocks.keep(buf, start, frameEnd(head, bodyEnd))
    const answer = unanswered
      ? new DelayedAnswer(this.#way, octets.subarray(tidStart - start, tidEnd - start))
      : undefined
    const frame: Parked = { kind: "frame", octets, bodyEnd: bodyEnd - start, flag, answer }
    this.#park(frame, octets.length, head.kind === Kind.Report)
  }

  parkPart(stream: Stream, buf: Buffer, start: number, end: number): void {
    for (let at = start; at < end; at += BLOCK) {
      const octets = this.#blocks.keep(buf, at, Math.min(end, at + BLOCK))
      this.#park({ kind: "part", stream, octets }, octets.length)
    }
  }

  /** `tid`: the transaction id of the chunk, if its 200 is still to be sent. */
  parkEnd(stream: Stream, flag: Flag, tid: Buffer | undefined): void {
    const counted = stream.octets
    const answer = tid && new DelayedAnswer(this.#way, tid)
    this.#park({ kind: "end", stream, flag, answer, counted }, counted)
  }

  #park(parked: Parked, octets: number, isReport = false): void {
    if (this.#parked.isEmpty) {
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
    if (this.#mayWrite) target.waiting.add(this)
    else this.#waitForRoom()
  }

  /** Waits until the window of its receiver has room, and its pace allows more. */
  #waitForRoom(): void {
    const { target, window } = this.#way
    window.wait(this)
    if (this.#isPaced) target.shared.limits.pace.start(this.#slowed ??= new Timeout(() => this.#goOn()))
  }

  #goOn(): void {
    const { target, window } = this.#way
    if (!window.leaves(this)) return
    if (this.#mayWrite) target.ready(this)
    else this.#waitForRoom()
  }

  #count(octets: number): void {
    this.#octets += octets
    this.#way.target.windows.parkedOctets += octets
    this.#flows.parked(this, octets)
  }

  give(quantum: number): boolean {
    const { target, window } = this.#way
    // Other flows may have filled the window in the meantime.
    if (!this.#mayWrite) {
      this.#waitForRoom()
      return false
    }
    const parked = this.#parked
    let left = quantum
    do {
      const one = parked.first
      left -= this.#write(one, left)
      if (parked.written > 0) break
      parked.shift()
      if (one.kind !== "end") this.#blocks.release(one.octets)
    } while (!parked.isEmpty && left > 0 && this.#mayWrite && target.room())
    this.#relax()
    if (parked.isEmpty) {
      this.#flows.waitsNoMore(this)
      return false
    }
    this.#before = new ReceiverProgress(this.#way, window.full)
    if (this.#mayWrite) return true
    this.#waitForRoom()
    return false
  }

  /** Writes a parked item, and of a part no more than `most` octets and the rest of the window. Returns the octets written. */
  #write(parked: Parked, most: number): number {
    if (parked.kind === "part") return this.#writePart(parked.stream, parked.octets, most)
    if (parked.kind === "end") {
      parked.answer?.give()
      parked.stream.finish(parked.flag)
      this.#count(-parked.counted - OVERHEAD)
      return 0
    }
    const { answer, bodyEnd, flag, octets } = parked
    answer?.give()
    forwardFrame(this.#way, readAgain(octets), bodyEnd, flag)
    this.#count(-octets.length - OVERHEAD)
    return octets.length
  }

  #writePart(stream: Stream, octets: Buffer, most: number): number {
    const from = this.#parked.written
    const to = Math.min(octets.length, from + Math.min(most, Math.max(this.#way.window.left, 1)))
    stream.write(octets, from, to, true)
    this.#count(from - to)
    this.#parked.written = to < octets.length ? to : 0
    if (to === octets.length) this.#count(-OVERHEAD)
    return to - from
  }

  #relax(): void {
    if (this.full && this.#octets <= this.#most / 2) {
      this.full = false
      this.#flows.relaxed(this)
    }
  }

  /**
   * Drops what is parked, and returns the steps in which that is reported. Some REPORTs are kept while the connection exists,
   * because their loss is not reported to anyone.
   */
  fails(loss: Loss): Iterable<void> {
    const { target, window } = this.#way
    target.waiting.remove(this)
    window.leaves(this)
    stopTimer(this.#slowed)
    this.#failed = new ReceiverProgress(this.#way, window.full && loss !== STALLED)
    const most = loss === SLOW || loss === TOO_FAST ? Math.min(this.#octets / 2, this.#reports) : this.#reports
    const { written } = this.#parked
    const { dropped, kept, octets } = withoutReports(this.#parked.takeAll(), target.shut ? 0 : most)
    for (const one of kept) this.#parked.push(one)
    this.#count(octets - this.#octets)
    this.#relax()
    if (this.#parked.isEmpty) this.#flows.waitsNoMore(this)
    else this.#wait()
    return undelivered(this.#way, dropped, written, loss)
  }
}
