/**
 * Octets on their way out of one connection. They are copied once, into pooled slabs, and leave with one write for each
 * slab and turn. What the octets mean is not known here.
 */
import type { Connection } from "../../transport/Connection.ts"

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

/** Whose output it is. */
export interface OutboxOwner {
  /** There is output, where there was none in this turn. */
  filled(): void
  /** The operating system has taken octets. */
  taken(): void
}

export class Outbox {
  readonly #owner: OutboxOwner
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
  /** The owner knows that there is output. */
  #known = false
  #closed = false

  constructor(owner: OutboxOwner) {
    this.#owner = owner
  }

  connected(connection: Connection): void {
    this.#connection = connection
    this.wake()
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

  /** There is a connection, and it has not ended. */
  get open(): boolean {
    return this.#connection !== undefined
  }

  /** Octets that the operating system has not taken yet, with those that it was not given yet. */
  get untaken(): number {
    return this.committed - this.#handed + this.pending
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
    if (!this.#known) this.wake()
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

  /** Has the owner called at the end of the turn, unless he knows that already. */
  wake(): void {
    if (this.#known) return
    this.#known = true
    this.#owner.filled()
  }

  #seal(slab: Buffer): void {
    this.#full.push({ slab, length: this.#at })
    this.#slab = undefined
  }

  /** Hands to the connection what was put in; false when that was nothing. */
  flush(): boolean {
    this.#known = false
    const connection = this.#connection
    if (connection === undefined || this.#closed) return false
    const slab = this.#slab
    if (slab !== undefined && this.#at > 0) this.#seal(slab)
    if (this.#full.length === 0) return false
    const full = this.#full
    this.#full = []
    for (const filled of full) {
      this.#inFlight.push(filled)
      this.#handed += filled.length
      connection.write(filled.slab.subarray(0, filled.length), this.#written)
    }
    return true
  }

  readonly #written = (): void => {
    const done = this.#inFlight.shift()!
    release(done.slab)
    if (this.#closed) return
    this.flushed += done.length
    this.#owner.taken()
  }

  /** Nothing more goes out: what is still to be sent waits, and fails with the connection. */
  end(): void {
    this.#connection = undefined
  }

  close(): void {
    this.#closed = true
    this.#connection = undefined
    for (const { slab } of this.#full) release(slab)
    if (this.#slab !== undefined) release(this.#slab)
    this.#full = []
    this.#slab = undefined
  }
}
