/**
 * What goes out on one connection: whose turn it is, and whether the peer takes anything.
 *
 * At most one long chunk is open at a time: whoever wants to write anything else ends it first with `+` (RFC 4975
 * §5.1), so a response never waits for more than what was handed to the connection already. When the connection does
 * not take more, senders park what they have in their flows, and the flows take turns when there is room again.
 */
import type { Head } from "../../protocol/Head.ts"
import type { Connection } from "../../transport/Connection.ts"
import type { FrameTrace } from "../FrameTrace.ts"
import { CLOSED, type Loss, STALLED } from "../Loss.ts"
import type { Shared } from "../Shared.ts"
import { stopTimer } from "../Timers.ts"
import type { Writer } from "../Turn.ts"
import { writeOk } from "./Frames.ts"
import type { LongChunk } from "./LongChunk.ts"
import { Outbox, type OutboxOwner } from "./Outbox.ts"
import { StallWatch } from "./StallWatch.ts"
import { Transactions, type TransactionsOwner } from "./Transactions.ts"
import { type Sender, Turns } from "./Turns.ts"
import { Windows, type WindowsOwner } from "./Windows.ts"

/** Octets that a sender writes before the next one has its turn. */
export const TURN = 16_384

/** What its hop hears of it. */
export interface OutboundOwner {
  /** It takes nothing although octets wait, and nothing has come from there either. */
  stalled(): void
  /** Milliseconds of the monotonic clock when octets last came in there. */
  readonly lastHeard: number
  /** `flows.holds`: it is not read, since receivers of what comes in are slow. `isBehind`: what came in may not be read yet. */
  readonly reading: { readonly isBehind: boolean; readonly flows: { readonly holds: boolean }; moved(): void }
  /** A REPORT goes out about something that came in here, sent by way of `from`. */
  reported(head: Head, from: Outbound): void
}

export class Outbound implements OutboxOwner, TransactionsOwner, WindowsOwner, Writer {
  readonly outbox: Outbox
  readonly shared: Shared
  readonly #owner: OutboundOwner
  /** The connection is gone, or could not be made. */
  gone = false
  /** What those hear whose requests are lost with it: 403 where the connection may not be made. */
  loss: Loss = CLOSED
  /** Milliseconds of the monotonic clock when octets last went out. */
  lastUsed: number
  /** Octets of body that a chunk has at most which is written here (RFC 7977 §5.1). */
  piece = Infinity
  /** The long chunk whose end-line is not written yet. */
  openChunk: LongChunk | undefined
  readonly waiting = new Turns()
  readonly windows: Windows
  /** Requests that may be answered. */
  readonly transactions: Transactions
  #stall: StallWatch | undefined
  /** What waits is about to fail: where that takes several turns, none of it is written in between. */
  #isGivingUp = false

  constructor(shared: Shared, owner: OutboundOwner) {
    this.shared = shared
    this.#owner = owner
    this.outbox = new Outbox(shared.slabs, shared.totals, this)
    this.windows = new Windows(this)
    this.transactions = new Transactions(this)
    this.lastUsed = shared.turn.now
  }

  /** Nothing more goes out, and nothing is answered: the connection is gone, which may still be to be told. */
  get lost(): boolean {
    return this.gone || this.outbox.lost
  }

  connected(connection: Connection): void {
    this.piece = connection.messages?.piece ?? Infinity
    this.outbox.connected(connection)
    this.#pump()
  }

  // ---- writing

  /** Nothing that is put in from now on goes out. */
  get shut(): boolean {
    return this.lost || this.outbox.ending
  }

  /** May a sender write another frame, or another part of a chunk. */
  room(): boolean {
    const { outbox } = this
    const { output } = this.shared.limits
    if (!outbox.open || this.#isGivingUp) return false
    if (outbox.untaken < output) return true
    // It may take at once what was written in this turn.
    this.#flush()
    return outbox.untaken < output
  }

  /** Nobody waits, and there is room: write at once. */
  get clear(): boolean {
    return this.waiting.empty && this.room()
  }

  /** Ends an open chunk, so that something else can be written. */
  interrupt(): void {
    this.openChunk?.interrupt()
  }

  /** Writes a whole frame of the relay's own, before anything that waits for its turn. */
  control(frame: Buffer): void {
    this.interrupt()
    this.outbox.whole(frame)
  }

  /** Writes a 200, see `writeOk`. */
  ok(between: Buffer, buf: Buffer, tidStart: number, tidEnd: number): void {
    this.shared.counters.responsesOut[200]!++
    this.interrupt()
    writeOk(this.outbox, between, buf, tidStart, tidEnd)
  }

  filled(): void {
    this.shared.turn.writesAtEnd(this)
  }

  endTurn(): void {
    const isLong = this.#pump()
    this.#flush()
    // Also when those who had their turn had nothing to write: nobody else would say that it goes on.
    if (isLong) this.outbox.wake()
  }

  /**
   * Lets those that wait write, each in its turn, as long as there is room, and no more than its share of this turn; true
   * when that was used up.
   */
  #pump(): boolean {
    const { shared: { turn }, waiting } = this
    for (let cost = 0; !waiting.empty && this.room(); cost += TURN) {
      if (cost >= turn.share) {
        this.outbox.wake()
        return true
      }
      turn.cost += TURN
      const sender = waiting.next()
      if (sender.give(TURN)) waiting.add(sender)
    }
    return false
  }

  #flush(): void {
    const { outbox } = this
    if (outbox.flush()) this.lastUsed = this.shared.turn.now
    if (this.#stall?.armed !== true && outbox.pending > 0) (this.#stall ??= new StallWatch(this)).arm()
  }

  taken(octets: number): void {
    const { outbox, shared } = this
    shared.counters.octetsOut += octets
    shared.turn.tick()
    this.#stall?.moved()
    this.transactions.sent(outbox.flushed)
    this.#pump()
    this.#owner.reading.moved()
    if (outbox.lost) shared.turn.steps(this.windows.fails(this.loss), () => shared.awaited.look())
    if (outbox.waitingOctets === 0) shared.awaited.look()
  }

  /** It has taken nothing for the stall limit. Is it still alive: has it said anything since. */
  stalled(since: number): boolean {
    this.shared.counters.receiversStalled++
    if (this.#owner.lastHeard <= since) {
      this.loss = STALLED
      this.#owner.stalled()
      return false
    }
    // Whatever it sends is worth having. What is for it is given up.
    this.transactions.sent(Infinity)
    this.shared.turn.steps(this.windows.fails(STALLED), () => this.shared.awaited.look())
    return true
  }

  // ---- windows

  turn(sender: Sender): void {
    this.waiting.add(sender)
    this.outbox.wake()
  }

  get unread(): boolean {
    return this.#owner.reading.flows.holds
  }

  /** Tells that trace what goes out from now on, or nobody any more. A long chunk that is under way goes on as another one. */
  tracedBy(trace: FrameTrace | undefined): void {
    if (trace !== undefined) this.interrupt()
    this.outbox.tracedBy(trace)
  }

  get isBehind(): boolean {
    return this.#owner.reading.isBehind
  }

  get now(): number {
    return this.shared.turn.now
  }

  /** A REPORT about what came in here is passed on, by way of `from`. */
  reported(head: Head, from: Outbound): void {
    this.#owner.reported(head, from)
  }

  // ---- the end

  /** Nothing more goes out: what is still to be sent waits, and fails with the connection. */
  end(): void {
    this.interrupt()
    this.outbox.end()
  }

  close(): void {
    this.openChunk = undefined
    stopTimer(this.#stall)
    this.outbox.close()
    this.transactions.close()
  }

  /** No answer is waited for any more, and nothing is sent that waits: their senders are told (RFC 4976 §6.4.1). */
  *givesUp(loss = this.loss): Iterable<void> {
    this.#isGivingUp = true
    yield* this.transactions.lost(this.outbox.flushed, loss)
    yield* this.windows.fails(loss)
    this.#isGivingUp = false
    if (!this.gone) this.outbox.wake()
  }
}
