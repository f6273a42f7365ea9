/** Connections over Node sockets. */
import type * as Net from "node:net"
import { TLSSocket } from "node:tls"
import { codeOf } from "../net/ErrorCode.ts"
import { keepOctets } from "../protocol/Octets.ts"
import { type Accept, type Connection, ConnectionFacts, type Receiver } from "./Connection.ts"
import type { Defer } from "./Defer.ts"
import { type Deliver, type Reads, readShared } from "./SharedRead.ts"
import { TlsAnswers, untaken } from "./TlsAnswers.ts"
import { makeWrites, type Writes } from "./Writes.ts"

/** The parts of a transport that connections use. */
export interface ConnectionParts {
  /** `shared` reads into one buffer for all, and writes to the handle of a socket; `events` uses its stream for both. */
  readonly reads: "shared" | "events"
  readonly defer: Defer
  /** Runs tasks in order, a few per turn of the event loop: thousands of connections may close together, each with much unsent. */
  readonly inSlices: (task: () => void) => void
  /** Called if a receiver throws: a defect, which ends only its own connection. */
  readonly defect: (error: unknown) => void
}

/** A `Connection` over a connected `net.Socket` (for TLS: after the handshake) from which nothing has been read. */
export class NodeConnection extends ConnectionFacts implements Connection {
  readonly transport = "tcp"
  readonly messages = undefined
  lost = false
  readonly #stream: Net.Socket
  readonly #parts: ConnectionParts
  /** Defined if this socket itself is TLS; a client counts as secure also if it speaks TLS to a proxy. */
  readonly #tls: TlsAnswers | undefined
  #receiver: Receiver | undefined
  #paused = false
  #ended = false
  #destroyed = false
  /** Whether the peer has closed its side; this side is then ended after what is written in this turn. */
  #halfClosed = false
  /** Whether the stream is closed; octets may still be held for the receiver. */
  #down = false
  #closed = false
  #failure: unknown
  /** Called when the receiver has been told of the close. */
  readonly #gone: () => void
  readonly #writes: Writes
  #reads: Reads | undefined
  /** Chunks that came in while paused: one TLS read can give several, and pausing does not hold back the rest. */
  #held: Array<Buffer> = []
  #releasing = false
  /** The callback of the oldest unfinished write. Mostly it is the only one, and an array would be allocated each time. */
  #oldest: (() => void) | undefined
  /** Those of the others, oldest first. */
  #others: Array<() => void> = []
  /** Octets that were passed to `write` too late, and dropped. */
  #dropped = 0

  /** `gone` is called once, when the receiver has been told of the close. */
  constructor(stream: Net.Socket, facts: ConnectionFacts, parts: ConnectionParts, gone: () => void) {
    super(facts)
    this.#gone = gone
    this.#stream = stream
    this.#parts = parts
    const nextTick = parts.reads === "shared" ? parts.defer.nextTick : undefined
    this.#writes = makeWrites(stream, this.#onWritten, nextTick, this.#defect)
    this.#tls = stream instanceof TLSSocket ? new TlsAnswers(stream) : undefined
    stream.on("error", (error) => {
      this.#failure ??= error
      // Node goes on to read a TLS socket that has failed, into memory from which nobody takes.
      stream.destroy()
    })
    // Otherwise Node would end this side in the same turn, also if thousands of peers close together.
    stream.allowHalfOpen = true
    stream.on("end", () => {
      this.#halfClosed = true
      if (this.#ended) return
      parts.inSlices(() => {
        if (!this.#down) this.#writes.end()
      })
    })
    const closed = (): void => {
      this.#down = this.lost = true
      parts.inSlices(() => {
        this.#allWritten()
        if (this.#held.length === 0 || this.#ended) this.#finish()
      })
    }
    if (stream.closed) closed()
    else stream.on("close", closed)
  }

  /** Makes the receiver, then starts reading. */
  start(accept: Accept): void {
    const stream = this.#stream
    try {
      this.#receiver = accept(this)
    } catch (error) {
      this.#parts.defect(error)
      return this.destroy()
    }
    for (let chunk = take(stream); chunk !== null; chunk = take(stream)) this.#held.push(chunk)
    const shared = this.#parts.reads === "shared" ? readShared(stream, this.#deliver) : undefined
    this.#reads = shared ?? readEvents(stream, this.#deliver)
    stream.resume()
    if (this.#paused && this.#ended) return this.#discard()
    if (this.#paused || this.#held.length > 0) this.#reads.stop()
    if (!this.#paused && this.#held.length > 0) this.#release()
  }

  /** The error that ended the connection, if any. */
  get failure(): unknown {
    return this.#failure
  }

  /** A socket that was reset is destroyed some turns before its "close" event. */
  get halfClosed(): boolean {
    return this.#halfClosed || this.#stream.destroyed
  }

  write(bytes: Uint8Array, written: () => void): void {
    // An empty write would make a TLS socket read inside this call.
    if (this.#down || bytes.length === 0) return this.#parts.defer(written)
    // `written` is called in order, so it waits for earlier writes also if these octets are dropped.
    if (this.#oldest === undefined) this.#oldest = written
    else this.#others.push(written)
    if (this.#destroyed || !this.#hand(bytes)) this.#dropped += bytes.length
  }

  #hand(bytes: Uint8Array): boolean {
    try {
      return this.#writes.write(bytes)
    } catch (error) {
      // A `Duplex` of somebody else: Node catches what all its other functions throw.
      this.#defect(error)
      return false
    }
  }

  readonly #defect = (error: unknown): void => {
    this.#parts.defect(error)
    this.destroy()
  }

  pending(): number {
    return this.#destroyed || this.#down ? 0 : this.#writes.pending() + this.#dropped
  }

  pause(): void {
    if (this.#paused) return
    this.#paused = true
    if (this.#ended) this.#discard()
    else this.#reads?.stop()
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    if (this.#held.length > 0) this.#release()
    else if (!this.#down) this.#reads?.start()
  }

  end(): void {
    if (this.#ended || this.#destroyed) return
    this.#ended = true
    if (this.#down) return this.#parts.inSlices(() => this.#finish())
    this.#writes.end()
    if (this.#paused) this.#discard()
  }

  /** Ended and paused: what comes in is read and discarded, so that the close is noticed. */
  #discard(): void {
    this.#held = []
    this.#reads?.start()
  }

  destroy(): void {
    if (this.#destroyed) return
    this.#destroyed = true
    this.#held = []
    if (this.#down) this.#parts.inSlices(() => this.#finish())
    else this.#stream.destroy()
  }

  /** Delivers a chunk that was read; returns whether to read on. */
  readonly #deliver = (chunk: Buffer, isFull: boolean): boolean => {
    if (this.#destroyed) return false
    if (!this.#paused && this.#held.length === 0) {
      this.#give(chunk)
      // For TLS, Node reads on if it has filled its own buffer of encrypted octets.
      const mayFollow = isFull || this.#tls !== undefined
      if (this.#parts.defer.read(chunk.length, mayFollow)) return this.#readLater()
    } else if (!this.#paused || !this.#ended) this.#held.push(keepOctets(chunk))
    // A stream that is paused just after it was resumed still reads once.
    return this.#ended || (!this.#paused && this.#held.length === 0)
  }

  /** Reads on in a later turn, because this one has had enough octets. */
  #readLater(): false {
    this.#reads!.stop()
    this.#parts.defer.nextTurn(this.#readOn)
    return false
  }

  readonly #readOn = (): void => {
    if ((!this.#paused || this.#ended) && !this.#down && this.#held.length === 0) this.#reads?.start()
  }

  #give(chunk: Buffer): void {
    try {
      this.#receiver!.bytes(chunk)
    } catch (error) {
      this.#defect(error)
    }
  }

  /** Delivers held chunks outside of the call of `resume`, then reads on. */
  #release(): void {
    if (this.#releasing) return
    this.#releasing = true
    this.#parts.defer(() => {
      this.#releasing = false
      while (this.#held.length > 0 && !this.#paused) this.#give(this.#held.shift()!)
      if (this.#held.length > 0) return
      if (this.#down) this.#finish()
      else if (!this.#paused) this.#reads?.start()
    })
  }

  /** To be called periodically: ends the connection if the peer does not take the answers of TLS. */
  look(): void {
    if (this.#tls?.tooMany() === true) this.#stream.destroy(untaken())
  }

  readonly #onWritten = (failure?: Error | null): void => {
    if (failure instanceof Error) this.lost = true
    this.#tls?.flushed()
    this.#oneWritten()
  }

  #oneWritten(): void {
    const written = this.#oldest
    this.#oldest = this.#others.length === 0 ? undefined : this.#others.shift()
    if (written !== undefined) this.#safely(written)
  }

  /** Calls back for all unfinished writes, which are lost. */
  #allWritten(): void {
    while (this.#oldest !== undefined) this.#oneWritten()
  }

  #finish(): void {
    if (this.#closed) return
    this.#closed = true
    this.#destroyed = true
    this.#held = []
    this.#safely(() => this.#receiver?.closed(this.#failure === undefined ? undefined : codeOf(this.#failure)))
    this.#gone()
  }

  #safely(callback: () => void): void {
    try {
      callback()
    } catch (error) {
      this.#defect(error)
    }
  }
}

/** Takes a chunk that was read before there was a receiver. */
const take = (stream: Net.Socket): Buffer | null => stream.readableLength > 0 ? stream.read() as Buffer | null : null

/** Reads by "data" events, where Node does not have the internals that `readShared` needs. */
const readEvents = (stream: Net.Socket, deliver: Deliver): Reads => {
  stream.on("data", (chunk: Buffer) => void deliver(chunk, true))
  return { stop: () => stream.pause(), start: () => stream.resume() }
}
