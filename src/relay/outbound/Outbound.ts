/**
 * The output of one connection: which sender writes next, and whether the peer takes what is written.
 *
 * At most one long chunk is open at a time. Before anything else is written, it is ended with `+` (RFC 4975 §5.1), so a
 * response waits for no more than what was already handed to the connection. When the connection takes no more, senders
 * park what they have in their flows, and the flows take turns when there is room again.
 */
import type { Head } from "../../protocol/Head.ts"
import type { Connection } from "../../transport/Connection.ts"
import type { Closing } from "../Closing.ts"
import type { FrameTrace } from "../FrameTrace.ts"
import { CLOSED, type Loss, STALLED } from "../Loss.ts"
import type { Shared } from "../Shared.ts"
import { stopTimer } from "../Timers.ts"
import type { Writer } from "../Turn.ts"
import { ConnectionLoad } from "./ConnectionLoad.ts"
import { FairQueue, type Sender } from "./FairQueue.ts"
import { writeOk } from "./Frames.ts"
import type { LongChunk } from "./LongChunk.ts"
import { Outbox, type OutboxOwner } from "./Outbox.ts"
import { StallWatch } from "./StallWatch.ts"
import { Transactions, type TransactionsOwner } from "./Transactions.ts"
import { Windows, type WindowsOwner } from "./Windows.ts"

/** Octets that a sender may write before the next sender has its turn. */
export const QUANTUM = 16_384

/** The hop that the output belongs to, as the output sees it. */
export interface OutboundOwner {
  /** Closes the connection at once. */
  fail(reason: Closing): void
  /** Milliseconds of the monotonic clock when octets last came in. */
  readonly lastHeard: number
  /**
   * The reading of the connection. `unread`: it is not read because of what came in on it. `isBehind`: what came in may not have
   * been read yet.
   */
  readonly reading: { readonly isBehind: boolean; readonly unread: boolean; moved(): void }
  /** A REPORT about something that came in on this connection goes out on it. It came in on the connection of `from`. */
  reported(head: Head, from: Outbound): void
}

export class Outbound implements OutboxOwner, TransactionsOwner, WindowsOwner, Writer {
  readonly load: ConnectionLoad
  readonly outbox: Outbox
  readonly shared: Shared
  readonly #owner: OutboundOwner
  /** Whether the connection is gone or could not be made. `gone` implies `lost`, and `lost` implies `shut`. */
  gone = false
  /** What is reported of requests that are lost with the connection; 403 if the connection may not be made. */
  loss: Loss = CLOSED
  /** Milliseconds of the monotonic clock when octets last went out; a number from the beginning, as `Turn.now`. */
  lastWritten = NaN
  /** The most octets of body in a chunk that is written here (RFC 7977 §5.1). */
  piece = Infinity
  /** The long chunk whose end-line has not been written yet. */
  openChunk: LongChunk | undefined
  readonly waiting = new FairQueue()
  readonly windows: Windows
  /** Requests that may still be answered. */
  readonly transactions: Transactions
  #stall: StallWatch | undefined
  /** Whether everything that waits is failing. That may take several turns of the event loop, and none of it must be written in between. */
  #isGivingUp = false

  constructor(shared: Shared, owner: OutboundOwner) {
    this.shared = shared
    this.#owner = owner
    this.load = new ConnectionLoad(shared.totals)
    this.outbox = new Outbox(shared.memory.slabs, this.load, this)
    this.windows = new Windows(this)
    this.transactions = new Transactions(this)
    this.lastWritten = shared.turn.now
  }

  /** Whether nothing more goes out or is answered: the connection is gone, though its end may not have been reported yet. */
  get lost(): boolean {
    return this.gone || this.outbox.lost
  }

  connected(connection: Connection): void {
    this.piece = connection.messages?.piece ?? Infinity
    this.outbox.connected(connection)
  }

  // ---- writing

  /** Whether nothing that is written from now on goes out: the connection is gone, or one side has closed it. */
  get shut(): boolean {
    return this.lost || this.outbox.ending
  }

  /** Whether a sender may write another frame, or another part of a chunk. */
  room(): boolean {
    const { outbox } = this
    const output = this.load.share(this.shared.limits.output)
    if (this.shut || !outbox.open || this.#isGivingUp) return false
    if (outbox.untaken < output) return true
    // The connection may take at once what was written in this turn.
    this.#flush()
    return outbox.untaken < output
  }

  /** Whether a frame may be written at once: no sender waits, and there is room. */
  get clear(): boolean {
    return this.waiting.empty && this.room()
  }

  /** Ends the open chunk, if there is one, so that something else can be written. */
  interrupt(): void {
    this.openChunk?.interrupt()
  }

  /** Writes a whole frame made by this relay, ahead of everything that waits for a turn. */
  control(frame: Buffer): void {
    this.interrupt()
    this.outbox.whole(frame)
  }

  /** Writes a 200 to the previous hop (RFC 4976 §6.4.1). `between` stands between the two transaction ids. */
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
    // Also if the senders have written nothing: then no completed write would continue this.
    if (isLong) this.outbox.wake()
  }

  /**
   * Lets the waiting senders write in turn while there is room, up to the share that the connection has of this turn. Returns
   * true if that share was used up.
   */
  #pump(): boolean {
    const { shared: { turn }, waiting } = this
    for (let cost = 0; !waiting.empty && this.room(); cost += QUANTUM) {
      if (cost >= turn.share) {
        this.outbox.wake()
        return true
      }
      turn.cost += QUANTUM
      const sender = waiting.next()
      try {
        if (sender.give(QUANTUM)) waiting.add(sender)
      } catch (defect) {
        // What it has fails with the connection.
        waiting.add(sender)
        this.#breaks(defect)
      }
    }
    return false
  }

  #flush(): void {
    const { outbox } = this
    try {
      if (outbox.flush()) this.lastWritten = this.shared.turn.now
    } catch (defect) {
      this.#breaks(defect)
    }
    if (this.#stall?.isRunning !== true && outbox.pending > 0) (this.#stall ??= new StallWatch(this)).arm()
  }

  /** Half a frame may be written, or octets are lost, because of a defect: the connection fails, and all that waits for it. */
  #breaks(defect: unknown): never {
    this.#owner.fail("a defect of the relay")
    throw defect
  }

  /** The same while what comes in on another connection is written at once: that connection goes on, because others may use it. */
  breaks(defect: unknown): void {
    this.#owner.fail("a defect of the relay")
    this.shared.turn.throwsLater(defect)
  }

  taken(octets: number): void {
    const { outbox, shared } = this
    shared.counters.octetsOut += octets
    shared.turn.tick()
    this.#stall?.moved()
    this.transactions.sent(outbox.flushed)
    this.#pump()
    this.#owner.reading.moved()
    if (outbox.lost) shared.tasks.steps(this.windows.fails(this.loss), () => shared.conditions.check())
    if (outbox.waitingOctets === 0) shared.conditions.check()
  }

  /** The peer has taken nothing for the `stall` limit. Returns whether it is alive, that is, has sent something after `since`. */
  stalled(since: number): boolean {
    this.shared.counters.receiversStalled++
    if (this.#owner.lastHeard <= since) {
      this.loss = STALLED
      this.#owner.fail("takes no octets")
      return false
    }
    // The connection stays for what its peer sends. What waits for the peer fails.
    this.transactions.sent(Infinity)
    this.shared.tasks.steps(this.windows.fails(STALLED), () => this.shared.conditions.check())
    return true
  }

  // ---- windows

  ready(sender: Sender): void {
    this.waiting.add(sender)
    this.outbox.wake()
  }

  get unread(): boolean {
    return this.#owner.reading.unread
  }

  /** Sets the trace, if any, that observes what goes out from now on. The open chunk is ended, so that a frame begins here. */
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

  /** A REPORT about something that came in on this connection goes out on it. It came in on the connection of `from`. */
  reported(head: Head, from: Outbound): void {
    this.#owner.reported(head, from)
  }

  // ---- the end

  /** Ends the output. What still waits to be sent fails with the connection. */
  end(): void {
    this.interrupt()
    this.outbox.end()
  }

  close(): void {
    this.openChunk = undefined
    stopTimer(this.#stall)
    this.outbox.close()
  }

  /** Fails the requests that wait for an answer or to be sent, in steps, and reports that to their senders (RFC 4976 §6.4.1). */
  *givesUp(loss = this.loss): Iterable<void> {
    this.#isGivingUp = true
    yield* this.transactions.lost(this.outbox.flushed, loss)
    yield* this.windows.fails(loss)
    this.#isGivingUp = false
    if (!this.gone) this.outbox.wake()
  }
}
