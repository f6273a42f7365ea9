/** One end of a simulated connection. */
import * as Effect from "effect/Effect"
import { type Accept, type Connection, ConnectionFacts, type Receiver } from "../Connection.ts"
import { WebSocketConnection } from "../websocket/WebSocketConnection.ts"
import { type Medium, Pipe, type Reader, type Writer } from "./Pipe.ts"

/** The parts of a network that the ends of its connections use. */
export interface EndNetwork extends Medium {
  /** All open ends. */
  readonly ends: Set<End>
}

const NOBODY: Receiver = { bytes: () => {}, closed: () => {} }

export class End extends ConnectionFacts implements Connection, Writer, Reader {
  readonly transport = "tcp"
  readonly messages = undefined
  readonly out: Pipe
  peer!: End
  paused = false
  halfClosed = false
  /** Whether the end is destroyed or closed. */
  gone = false
  /** Whether nothing reads or writes at this end (`DialOutcome` "Mute"). */
  mute = false
  lost = false
  readonly #network: EndNetwork
  #set: Set<End> | undefined
  #receiver: Receiver = NOBODY
  #ended = false
  #closing = false
  #closed = false
  #failure: string | undefined
  /** Callbacks of writes that are called when the connection is closed, oldest first. */
  #unwritten: Array<() => void> = []
  /** Octets that were passed to `write` too late, and dropped. */
  #dropped = 0
  #whenClosed: Array<() => void> = []

  constructor(network: EndNetwork, facts: ConnectionFacts) {
    super(facts)
    this.#network = network
    this.out = new Pipe(network, this, () => this.peer)
    network.ends.add(this)
  }

  join(peer: End, set: Set<End> | undefined): void {
    this.peer = peer
    peer.peer = this
    this.#set = set
    set?.add(this)
  }

  start(accept: Accept): void {
    if (
      !this.#network.loop.safely(() => {
        this.#receiver = accept(this)
      })
    ) this.destroy()
  }

  /** Makes this an end that never reads, writes or closes. */
  muted(): void {
    this.mute = true
    this.paused = true
  }

  whenClosed(callback: () => void): void {
    this.#whenClosed.push(callback)
  }

  /** Whether octets that come in are discarded. */
  get deaf(): boolean {
    return this.gone || (this.#ended && this.paused)
  }

  readonly write = (bytes: Uint8Array, written: () => void): void => {
    if (this.#closed || bytes.length === 0) this.#network.loop.defer(written)
    else if (this.#ended || this.gone) {
      this.#dropped += bytes.length
      this.#unwritten.push(written)
    } else this.out.write(bytes, written)
  }

  readonly pending = (): number => this.gone ? 0 : this.out.pending() + this.#dropped

  readonly pause = (): void => {
    this.paused = true
  }

  readonly resume = (): void => {
    if (!this.paused || this.mute) return
    this.paused = false
    this.peer.out.wake()
  }

  readonly end = (): void => {
    if (this.#ended || this.gone) return
    this.#ended = true
    this.out.end()
    this.peer.out.wake()
  }

  readonly destroy = (): void => {
    if (this.gone) return
    this.gone = true
    this.#unwritten.unshift(...this.out.abandon())
    this.peer.out.wake()
    this.#close()
  }

  cut(): void {
    for (const end of [this, this.peer]) {
      end.#failure = "ECONNRESET"
      end.out.lose()
      end.destroy()
    }
  }

  give(chunk: Buffer): void {
    if (!this.#network.loop.safely(() => this.#receiver.bytes(chunk))) this.destroy()
  }

  call(written: () => void): void {
    if (!this.#network.loop.safely(written)) this.destroy()
  }

  /** The peer has closed: this end closes too, after what it still has to send, and what is written in this turn. */
  peerEnded(): void {
    this.halfClosed = true
    this.#network.loop.defer(() => {
      this.#ended = true
      this.out.end()
      this.settle()
    })
  }

  /** Closes the end if both directions are closed. */
  settle(): void {
    if (!this.halfClosed || !this.out.finished || this.gone) return
    this.gone = true
    this.#close()
  }

  #close(): void {
    if (this.#closing) return
    this.#closing = true
    this.#network.loop.soon({
      run: () => {
        this.#network.ends.delete(this)
        this.#set?.delete(this)
        this.#closed = true
        this.lost = true
        for (const written of this.#unwritten) this.#network.loop.safely(written)
        this.#unwritten = []
        this.#network.loop.safely(() => this.#receiver.closed(this.#failure))
        for (const callback of this.#whenClosed) callback()
      }
    })
  }
}

/** Destroys ends, and waits until their receivers have been told. */
export const closeAll = (ends: Iterable<End>): Effect.Effect<void> =>
  Effect.suspend(() =>
    Effect.forEach(
      [...ends],
      (end) =>
        Effect.callback<void>((resume) => {
          end.whenClosed(() => resume(Effect.void))
          end.destroy()
        }),
      { discard: true, concurrency: "unbounded" }
    )
  )

export const endOf = (connection: Connection): End => {
  if (connection instanceof End) return connection
  if (connection instanceof WebSocketConnection) return endOf(connection.below)
  throw new TypeError("not a connection of this network")
}
