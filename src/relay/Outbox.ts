/**
 * The output of one hop. Frames are copied once, into pooled slabs, and leave with one write for each slab and turn.
 *
 * At most one long chunk is open at a time: whoever wants to write anything else ends it first with `+` (RFC 4975
 * §5.1), so a response never waits for more than what was handed to the connection already. When the connection does
 * not take more, senders park what they have in their flows, and the flows take turns when there is room again.
 */
import type { Connection } from "../transport/Connection.ts"
import type { Flow } from "./Flow.ts"
import type { Hop } from "./Hop.ts"
import type { Stream } from "./Stream.ts"
import { stopTimer, Timed } from "./Timers.ts"
import type { Transaction } from "./Transaction.ts"

const SLAB = 131_072
/** Slabs kept for reuse, over all connections: 64 MiB. */
const POOLED = 512
const pool: Array<Buffer> = []

const release = (slab: Buffer): void => {
  if (pool.length < POOLED) pool.push(slab)
}

interface Filled {
  readonly slab: Buffer
  readonly length: number
}

/** Octets that a flow writes before the next one has its turn. */
export const TURN = 16_384

/** Fails the hop when its connection takes nothing for the stall limit although octets wait. */
class StallWatch extends Timed {
  readonly #hop: Hop
  armed = false
  #taken = 0

  constructor(hop: Hop) {
    super()
    this.#hop = hop
  }

  arm(): void {
    this.armed = true
    this.#taken = this.#hop.outbox.taken
    this.#hop.relay.limits.stall.start(this)
  }

  /** Octets were taken: the limit begins anew, or has no object any more. */
  moved(): void {
    if (!this.armed) return
    if (this.#hop.outbox.pending > 0) return this.arm()
    this.armed = false
    stopTimer(this)
  }

  override expired(): void {
    this.armed = false
    const { pending, taken } = this.#hop.outbox
    if (pending === 0) return
    if (taken === this.#taken) {
      this.#hop.relay.stats.receiversStalled++
      this.#hop.fail("takes no octets")
    } else this.arm()
  }
}

export class Outbox {
  readonly #hop: Hop
  #connection: Connection | undefined
  #slab: Buffer | undefined
  #at = 0
  #full: Array<Filled> = []
  /** Handed to the connection, oldest first. */
  #inFlight: Array<Filled> = []
  /** Octets that were put in, and octets that the operating system has taken. */
  committed = 0
  flushed = 0
  /** Octets handed to the connection. */
  #handed = 0
  /** Sent, with octets still in this process. */
  #unsent: Array<Transaction> = []
  #unsentFirst = 0
  #stall: StallWatch | undefined
  /** In the relay's list of what to flush at the end of this turn. */
  dirty = false
  /** The long chunk whose end-line is not written yet. */
  open: Stream | undefined
  /** Flows with parked octets, in the order of their turns. */
  readonly waiting: Array<Flow> = []
  #closed = false

  constructor(hop: Hop) {
    this.#hop = hop
  }

  connected(connection: Connection): void {
    this.#connection = connection
    this.markDirty()
    this.pump()
  }

  /** Octets that the operating system has not taken yet. */
  get pending(): number {
    return this.#connection?.pending() ?? 0
  }

  /** Octets that it has taken, also of a write that is under way. */
  get taken(): number {
    return this.#handed - this.pending
  }

  /** Octets that wait in this process. */
  get waitingOctets(): number {
    return this.committed - this.flushed
  }

  /** May a sender write another frame, or another part of a chunk. */
  room(): boolean {
    const { limits } = this.#hop.relay
    const connection = this.#connection
    if (connection === undefined || this.#hop.outstanding >= limits.transactions) return false
    if (this.committed - this.#handed + connection.pending() < limits.output) return true
    // It may take at once what was written in this turn.
    this.flush()
    return connection.pending() < limits.output
  }

  /** A slab with room for `octets` in one piece; at most `SLAB`. The caller writes at `position` and calls `advance`. */
  reserve(octets: number): Buffer {
    let slab = this.#slab
    if (slab !== undefined && SLAB - this.#at >= octets) return slab
    if (slab !== undefined) this.#seal(slab)
    slab = this.#slab = pool.pop() ?? Buffer.allocUnsafeSlow(SLAB)
    this.#at = 0
    return slab
  }
  get position(): number {
    return this.#at
  }
  advance(to: number): void {
    this.committed += to - this.#at
    this.#at = to
    if (!this.dirty) this.markDirty()
  }

  copy(buf: Buffer, start: number, end: number): void {
    let at = start
    while (at < end) {
      const slab = this.reserve(1)
      const n = Math.min(end - at, SLAB - this.#at)
      buf.copy(slab, this.#at, at, at + n)
      this.advance(this.#at + n)
      at += n
    }
  }

  /** Writes a frame in one piece, if it is not a very long one. */
  whole(frame: Buffer): void {
    if (frame.length <= SLAB) this.reserve(frame.length)
    this.copy(frame, 0, frame.length)
  }

  /** Writes text whose characters are octets. */
  text(text: string): void {
    if (text.length > SLAB) return this.copy(Buffer.from(text, "latin1"), 0, text.length)
    const slab = this.reserve(text.length)
    this.advance(this.#at + slab.write(text, this.#at, "latin1"))
  }

  /** Ends an open chunk, so that something else can be written. */
  interrupt(): void {
    this.open?.interrupt()
  }

  /** A transaction whose last octet was just put in. */
  sent(transaction: Transaction): void {
    transaction.endsAt = this.committed
    this.#unsent.push(transaction)
  }

  markDirty(): void {
    this.dirty = true
    this.#hop.relay.flushLater(this)
  }

  #seal(slab: Buffer): void {
    this.#full.push({ slab, length: this.#at })
    this.#slab = undefined
  }

  /** Hands to the connection what was put in. */
  flush(): void {
    this.dirty = false
    const connection = this.#connection
    if (connection === undefined || this.#closed) return
    const slab = this.#slab
    if (slab !== undefined && this.#at > 0) this.#seal(slab)
    if (this.#full.length > 0) {
      this.#hop.lastUsed = this.#hop.relay.now
      const full = this.#full
      this.#full = []
      for (const filled of full) {
        this.#inFlight.push(filled)
        this.#handed += filled.length
        connection.write(filled.slab.subarray(0, filled.length), this.#written)
      }
    }
    if (this.#stall?.armed !== true && connection.pending() > 0) (this.#stall ??= new StallWatch(this.#hop)).arm()
  }

  readonly #written = (): void => {
    const done = this.#inFlight.shift()!
    release(done.slab)
    if (this.#closed) return
    this.flushed += done.length
    this.#hop.relay.tick()
    this.#stall?.moved()
    const unsent = this.#unsent
    let i = this.#unsentFirst
    while (i < unsent.length && unsent[i]!.endsAt <= this.flushed) unsent[i++]!.sent()
    if (i === unsent.length) {
      unsent.length = 0
      i = 0
    } else if (i > 1024) {
      unsent.splice(0, i)
      i = 0
    }
    this.#unsentFirst = i
    this.pump()
    this.#hop.outputMoved()
  }

  /** Lets waiting flows write, each in its turn, as long as there is room. */
  pump(): void {
    const { waiting } = this
    while (waiting.length > 0 && this.room()) {
      const flow = waiting.shift()!
      if (flow.give(TURN)) waiting.push(flow)
    }
  }

  /** Nothing more goes out: what is still to be sent waits, and fails with the connection. */
  end(): void {
    this.flush()
    this.#connection = undefined
  }

  close(): void {
    this.#closed = true
    this.#connection = undefined
    this.open = undefined
    stopTimer(this.#stall)
    for (const { slab } of this.#full) release(slab)
    if (this.#slab !== undefined) release(this.#slab)
    this.#full = []
    this.#slab = undefined
    this.#unsent = []
    this.#unsentFirst = 0
  }
}
