/**
 * Octets on their way out of one connection. They are copied once, into leased memory, and leave with one write for each
 * lease and turn. What the octets mean is not known here.
 */
import type { Connection } from "../../transport/Connection.ts"
import type { FrameTrace } from "../FrameTrace.ts"
import { type Lease, SLAB, type Slabs } from "../Slabs.ts"
import type { Totals } from "../Totals.ts"

/** Octets of the smallest lease: some messages of a chat with their answers. */
const LEAST = 1024

interface Filled {
  readonly lease: Lease
  readonly octets: Buffer
  /** Where frames end in it, for a connection that carries messages. */
  readonly ends: ReadonlyArray<number> | undefined
}

/** Whose output it is. */
export interface OutboxOwner {
  /** There is output, where there was none in this turn. */
  filled(): void
  /** The operating system has taken so many octets; none: they are lost, and nothing more goes out. */
  taken(octets: number): void
}

export class Outbox {
  readonly #slabs: Slabs
  readonly #totals: Totals
  readonly #owner: OutboxOwner
  #connection: Connection | undefined
  /** The same, also when it has ended. */
  #below: Connection | undefined
  #lease: Lease | undefined
  #at = 0
  /** Octets of the next lease: about as many as were written at a time lately. */
  #expected = LEAST
  #full: Array<Filled> = []
  /** Handed to the connection, oldest first. */
  #inFlight: Array<Filled> = []
  /** Octets that were put in, and octets that the operating system has taken. */
  committed = 0
  flushed = 0
  /** Of those that were put in, those that the totals have. */
  #counted = 0
  /** Octets handed to the connection. */
  #handed = 0
  /** The connection carries messages, each of which is a frame; where frames end in the lease. */
  #isMessages = false
  #ends: Array<number> | undefined
  /** The owner knows that there is output. */
  #known = false
  /** Nothing more goes out. */
  ending = false
  /**
   * The same, since the connection is gone. Its end is told when all was read that came in before, so that must not wait for who
   * would have taken what is lost.
   */
  lost = false
  #closed = false
  #trace: FrameTrace | undefined = undefined
  /** Octets that were put in before it was traced, and not handed over yet. */
  #untraced = 0

  constructor(slabs: Slabs, totals: Totals, owner: OutboxOwner) {
    this.#slabs = slabs
    this.#totals = totals
    this.#owner = owner
  }

  connected(connection: Connection): void {
    this.#connection = this.#below = connection
    this.#isMessages = connection.messages !== undefined
    this.wake()
  }

  /** There is a connection, and it has not ended. */
  get open(): boolean {
    return this.#connection !== undefined
  }

  /** Octets that the operating system has not taken yet. */
  get pending(): number {
    return this.#connection?.pending() ?? 0
  }

  /** Octets that the operating system has not taken yet, with those that it was not given yet. */
  get untaken(): number {
    return this.committed - this.#handed + this.pending
  }

  /** Octets that it has taken, also of a write that is under way. */
  get taken(): number {
    return this.#handed - this.pending
  }

  /** Octets that wait in this process. */
  get waitingOctets(): number {
    return this.committed - this.flushed
  }

  /** Memory with room for `octets` in one piece; at most `SLAB`. The caller writes at `position` and calls `advance`. */
  reserve(octets: number): Buffer {
    const lease = this.#lease
    return lease !== undefined && lease.end - this.#at >= octets ? lease.octets : this.#grow(octets, octets)
  }
  get position(): number {
    return this.#at
  }
  advance(to: number): void {
    this.committed += to - this.#at
    this.#at = to
    if (!this.#known) this.wake()
  }

  copy(buf: Buffer, start: number, end: number): void {
    let at = start
    while (at < end) {
      const lease = this.#lease
      const octets = lease !== undefined && lease.end > this.#at ? lease.octets : this.#grow(1, end - at)
      const n = Math.min(end - at, this.#lease!.end - this.#at)
      buf.copy(octets, this.#at, at, at + n)
      this.advance(this.#at + n)
      at += n
    }
  }

  /** Writes a frame in one piece, if it is not a very long one. */
  whole(frame: Buffer): void {
    if (frame.length <= SLAB) this.reserve(frame.length)
    this.copy(frame, 0, frame.length)
    this.frameEnds()
  }

  /** What was put in last is the end of a frame. */
  frameEnds(): void {
    if (this.#isMessages) (this.#ends ??= []).push(this.#at - this.#lease!.start)
  }

  /** Writes text whose characters are octets. */
  text(text: string): void {
    if (text.length > SLAB) return this.copy(Buffer.from(text, "latin1"), 0, text.length)
    const octets = this.reserve(text.length)
    this.advance(this.#at + octets.write(text, this.#at, "latin1"))
  }

  /** Has the owner called at the end of the turn, unless he knows that already. */
  wake(): void {
    if (this.#known) return
    this.#known = true
    this.#owner.filled()
  }

  /** A further lease: of at least so many octets, as large as what was written since the last flush. */
  #grow(least: number, wanted: number): Buffer {
    this.#seal()
    const more = Math.max(wanted, this.#expected, 2 * (this.committed - this.#handed))
    const lease = this.#lease = this.#slabs.lease(least, Math.min(more, SLAB))
    this.#at = lease.start
    return lease.octets
  }

  #seal(): void {
    const lease = this.#lease
    if (lease === undefined) return
    this.#lease = undefined
    this.#slabs.trim(lease, this.#at)
    if (this.#at === lease.start) this.#slabs.release(lease)
    else {
      this.#full.push({ lease, octets: lease.octets.subarray(lease.start, this.#at), ends: this.#ends })
      this.#ends = undefined
    }
  }

  /**
   * Hands to the connection what was put in; false when that was nothing. While the system does not take what it has
   * already, a lease that is not full stays and is filled, so that small answers to who reads nothing share one.
   */
  flush(): boolean {
    this.#known = false
    this.#count()
    const connection = this.#connection
    if (connection === undefined || this.#closed) return false
    if (connection.pending() === 0) this.#seal()
    return this.#hand(connection)
  }

  #count(): void {
    if (this.#closed) return
    this.#totals.queuedOctets += this.committed - this.#counted
    this.#counted = this.committed
  }

  #hand(connection: Connection): boolean {
    if (this.#full.length === 0) return false
    const full = this.#full
    this.#full = []
    const before = this.#handed
    for (const filled of full) {
      this.#inFlight.push(filled)
      this.#handed += filled.octets.length
      connection.write(filled.octets, this.#written, filled.ends)
      if (this.#trace !== undefined) this.#tell(this.#trace, filled.octets)
    }
    const octets = this.#handed - before
    // Up at once, and slowly down.
    this.#expected = octets > this.#expected
      ? Math.min(octets + (octets >> 2), SLAB)
      : Math.max(LEAST, this.#expected - ((this.#expected - octets) >> 3))
    return true
  }

  #tell(trace: FrameTrace, octets: Buffer): void {
    const skipped = Math.min(this.#untraced, octets.length)
    this.#untraced -= skipped
    if (skipped < octets.length) trace.outgoing(octets.subarray(skipped))
  }

  /** What is put in from now on, the beginning of a frame, is told to that trace when it is handed over; or to nobody. */
  tracedBy(trace: FrameTrace | undefined): void {
    this.#trace = trace
    this.#untraced = this.committed - this.#handed
  }

  readonly #written = (): void => {
    const done = this.#inFlight.shift()!
    this.#slabs.release(done.lease)
    if (this.#closed) return
    if (this.#below!.lost === true) {
      // What is lost does not count as sent.
      if (this.lost) return
      this.lost = true
      this.#connection = undefined
      return this.#owner.taken(0)
    }
    this.flushed += done.octets.length
    this.#totals.queuedOctets -= done.octets.length
    if (this.committed > this.#handed) this.wake()
    this.#owner.taken(done.octets.length)
  }

  /** Hands over all there is. Nothing more goes out: what is still to be sent waits, and fails with the connection. */
  end(): void {
    this.ending = true
    const connection = this.#connection
    this.#connection = undefined
    if (connection === undefined || this.#closed) return
    this.#count()
    this.#seal()
    this.#hand(connection)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#totals.queuedOctets -= this.#counted - this.flushed
    this.#connection = undefined
    this.#seal()
    for (const { lease } of this.#full) this.#slabs.release(lease)
    this.#full = []
  }
}
