/**
 * Octets on their way out of one connection. They are copied once, into leased memory, and leave with one write per lease and
 * turn. What the octets mean is not known here.
 */
import type { Connection } from "../../transport/Connection.ts"
import type { FrameTrace } from "../FrameTrace.ts"
import { type Lease, SLAB, type Slabs } from "../Slabs.ts"
import type { ConnectionLoad } from "./ConnectionLoad.ts"
import { FilledLease, FilledLeases } from "./FilledLeases.ts"

/** Octets of the smallest lease: room for a few chat messages with their answers. */
const LEAST = 1024

/** The output that an outbox belongs to, as the outbox sees it. */
export interface OutboxOwner {
  /** There is output to be flushed at the end of the turn. Called once before each flush. */
  filled(): void
  /** The operating system has taken this many octets. 0: the octets are lost, and nothing more goes out. */
  taken(octets: number): void
}

export class Outbox {
  readonly #slabs: Slabs
  readonly #load: ConnectionLoad
  readonly #owner: OutboxOwner
  #connection: Connection | undefined
  /** The connection, also after the output has ended. */
  #below: Connection | undefined
  #lease: Lease | undefined
  #at = 0
  /** Octets of the next lease: about as many as were recently written at a time. */
  #expected = LEAST
  readonly #filled = new FilledLeases()
  /** Octets that were put in. */
  committed = 0
  /** Octets that the operating system has taken. */
  flushed = 0
  /** The part of `committed` that is included in the load of the connection. */
  #counted = 0
  /** Octets handed to the connection. */
  #handed = 0
  /** Whether the connection carries messages, each of which is a frame. */
  #isMessages = false
  /** Offsets in the lease at which frames end. */
  #ends: Array<number> | undefined
  /** Whether output was announced to the owner since the last flush. */
  #isAnnounced = false
  #ended = false
  /**
   * Whether nothing more goes out because the connection is gone. Its end is reported only after everything that came in has been
   * read, so that reading must not wait for a receiver that can take nothing more.
   */
  lost = false
  #closed = false
  #trace: FrameTrace | undefined = undefined
  /** Octets that were put in before tracing began, and were not handed over yet. */
  #untraced = 0

  constructor(slabs: Slabs, load: ConnectionLoad, owner: OutboxOwner) {
    this.#slabs = slabs
    this.#load = load
    this.#owner = owner
  }

  connected(connection: Connection): void {
    this.#connection = this.#below = connection
    this.#isMessages = connection.messages !== undefined
    this.wake()
  }

  /** Whether nothing that is put in from now on goes out, because this side has ended or the peer has closed its own. */
  get ending(): boolean {
    return this.#ended || this.#below?.halfClosed === true
  }

  /** Whether there is a connection whose output has not ended. */
  get open(): boolean {
    return this.#connection !== undefined
  }

  /** Octets handed to the connection that the operating system has not taken yet. */
  get pending(): number {
    return this.#connection?.pending() ?? 0
  }

  /** Octets that the operating system has not taken yet, including those that were not handed over yet. */
  get untaken(): number {
    return this.committed - this.#handed + this.pending
  }

  /** Octets that the operating system has taken, including those of a write that is still under way. */
  get taken(): number {
    return this.#handed - this.pending
  }

  /** Octets that are still in this process. */
  get waitingOctets(): number {
    return this.committed - this.flushed
  }

  /** Memory with contiguous room for `octets`, at most `SLAB`. The caller writes at `position` and then calls `advance`. */
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
    if (!this.#isAnnounced) this.wake()
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

  /** Puts in a whole frame, contiguously unless it is longer than `SLAB`. */
  whole(frame: Buffer): void {
    if (frame.length <= SLAB) this.reserve(frame.length)
    this.copy(frame, 0, frame.length)
    this.frameEnds()
  }

  /** Marks the octet that was put in last as the end of a frame. */
  frameEnds(): void {
    if (this.#isMessages) (this.#ends ??= []).push(this.#at - this.#lease!.start)
  }

  /** Puts in Latin-1 text, one octet for each character. */
  text(text: string): void {
    if (text.length > SLAB) return this.copy(Buffer.from(text, "latin1"), 0, text.length)
    const octets = this.reserve(text.length)
    this.advance(this.#at + octets.write(text, this.#at, "latin1"))
  }

  /** Announces output to the owner, unless that was done since the last flush. The owner then flushes at the end of the turn. */
  wake(): void {
    if (this.#isAnnounced) return
    this.#isAnnounced = true
    this.#owner.filled()
  }

  /** Begins a further lease of at least `least` octets. It is larger when more was written since the last flush. */
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
      this.#filled.add(new FilledLease(lease, lease.octets.subarray(lease.start, this.#at), this.#ends))
      this.#ends = undefined
    }
  }

  /**
   * Hands to the connection what was put in. Returns false if that was nothing. While the operating system has not taken what
   * it was given before, a lease that is not full stays and is filled, so that small answers to a peer that does not read share it.
   */
  flush(): boolean {
    this.#isAnnounced = false
    this.#count()
    const connection = this.#connection
    if (connection === undefined || this.#closed) return false
    if (connection.pending() === 0) this.#seal()
    return this.#hand(connection)
  }

  #count(): void {
    if (this.#closed) return
    this.#load.waits(this.committed - this.#counted)
    this.#counted = this.committed
  }

  #hand(connection: Connection): boolean {
    let one = this.#filled.hand()
    if (one === undefined) return false
    const before = this.#handed
    for (; one !== undefined; one = this.#filled.hand()) {
      this.#handed += one.octets.length
      connection.write(one.octets, this.#written, one.ends)
      if (this.#trace !== undefined) this.#traceOutgoing(this.#trace, one.octets)
    }
    const octets = this.#handed - before
    // Grows at once, and shrinks slowly.
    this.#expected = octets > this.#expected
      ? Math.min(octets + (octets >> 2), SLAB)
      : Math.max(LEAST, this.#expected - ((this.#expected - octets) >> 3))
    return true
  }

  #traceOutgoing(trace: FrameTrace, octets: Buffer): void {
    const skipped = Math.min(this.#untraced, octets.length)
    this.#untraced -= skipped
    if (skipped < octets.length) trace.outgoing(octets.subarray(skipped))
  }

  /** Sets the trace, if any, that observes what is put in from now on, when it is handed over. A frame must begin here. */
  tracedBy(trace: FrameTrace | undefined): void {
    this.#trace = trace
    this.#untraced = this.committed - this.#handed
  }

  readonly #written = (): void => {
    const done = this.#filled.remove()
    this.#slabs.release(done.lease)
    if (this.#closed) return
    if (this.#below!.lost === true) {
      // Octets that are lost do not count as sent.
      if (this.lost) return
      this.lost = true
      this.#connection = undefined
      return this.#owner.taken(0)
    }
    this.flushed += done.octets.length
    this.#load.waits(-done.octets.length)
    if (this.committed > this.#handed) this.wake()
    this.#owner.taken(done.octets.length)
  }

  /** Hands over everything that was put in, and ends the output. Whatever still waits elsewhere fails with the connection. */
  end(): void {
    this.#ended = true
    const connection = this.#connection
    this.#connection = undefined
    if (connection === undefined || this.#closed) return
    this.#count()
    this.#seal()
    this.#hand(connection)
  }

  /** Another call releases what was put in since, before the end of the connection was reported. */
  close(): void {
    if (!this.#closed) {
      this.#closed = true
      this.#load.close()
      this.#connection = undefined
    }
    this.#seal()
    for (let one = this.#filled.hand(); one !== undefined; one = this.#filled.hand()) this.#slabs.release(one.lease)
  }
}
