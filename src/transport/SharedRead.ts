/**
 * Reads into one buffer shared by all sockets.
 *
 * Node's `onread` option does this, without a new 64 KiB buffer per read, but `net.Server` and `tls.TLSSocket` do not pass it
 * to their sockets. This module sets the fields that the option sets. They are private, so their presence is checked:
 * `undefined` means that this Node has other internals, and the caller has to read by "data" events.
 */
import type * as Net from "node:net"
import type { SocketHandle, WithHandle } from "./SocketHandle.ts"

/**
 * Octets of the shared buffer: about as many as the relay handles of one connection in a turn. Reads are processed
 * synchronously, so one buffer serves all sockets. A large one needs fewer reads, and cuts fewer frames at their ends: with 64 KiB,
 * messages of 8 KB cost a quarter more.
 */
export const LARGE = 196_608
const shared = Buffer.allocUnsafeSlow(LARGE)

/**
 * Octets that a socket reads at a time at first, and under load also later: Node reads all sockets before it does anything
 * else, and octets beyond a connection's share of a turn have to be kept.
 */
export const SMALL = 16_384
const small = shared.subarray(0, SMALL)

/** Octets read at a time from sockets with bursts of more than `SMALL`. */
export const MEDIUM = 65_536
const medium = shared.subarray(0, MEDIUM)

/** The octets of short reads by their number: the same views again, because two for each message would be a fifth of the garbage. */
const views: Array<Buffer | undefined> = []
/** Octets of the longest read that has such a view. */
const VIEWED = 2048

const octetsOf = (length: number): Buffer =>
  length > VIEWED ? shared.subarray(0, length) : views[length] ??= shared.subarray(0, length)

/** The most sockets that read into all of the shared buffer, because they bring more than `MEDIUM` without a pause. */
export const MOST_LARGE = 128
let large = 0

/** Consecutive small reads after which a socket gives up its place among `MOST_LARGE`. */
export const SMALL_READS = 64

/** The symbols of the private fields. Those of the last socket are tried first, because looking them up is slow. */
interface Fields {
  readonly buffer: symbol
  readonly callback: symbol
  readonly generator: symbol
}
let known: Fields | undefined

const fieldsOf = (inner: object): Fields | undefined => {
  if (known !== undefined && known.buffer in inner && known.callback in inner && known.generator in inner) return known
  const keys = Object.getOwnPropertySymbols(inner)
  const key = (name: string) => keys.find((one) => one.description === name)
  const [buffer, callback, generator] = [key("kBuffer"), key("kBufferCb"), key("kBufferGen")]
  if (buffer === undefined || callback === undefined || generator === undefined) return undefined
  return known = { buffer, callback, generator }
}

/** Stops and starts reading; both may be called repeatedly. */
export interface Reads {
  readonly stop: () => void
  readonly start: () => void
}

/** A handle with the parts that are needed here. */
type Handle = SocketHandle & Required<Pick<SocketHandle, "readStart" | "readStop" | "useUserBuffer">>

const isHandle = (handle: SocketHandle | null | undefined): handle is Handle =>
  typeof handle?.useUserBuffer === "function" && typeof handle.readStart === "function" &&
  typeof handle.readStop === "function"

/** Takes a chunk that was read, and returns false to stop reading. `isFull`: it filled its buffer, so that more is read at once without TLS. */
export type Deliver = (chunk: Buffer, isFull: boolean) => boolean

/**
 * Makes `socket` read into the shared buffer from its next read on. The result stops and starts reading at less cost than `pause`
 * and `resume` of the socket, which keeps flowing.
 */
export const readShared = (socket: Net.Socket, deliver: Deliver): Reads | undefined => {
  const inner = socket as Inner
  const fields = fieldsOf(inner)
  const handle = inner._handle
  return fields === undefined || !isHandle(handle) ? undefined : new SharedReads(inner, fields, handle, deliver)
}

type Inner = WithHandle & Record<symbol, unknown>

/** A socket that reads into all of the shared buffer has closed. */
const closed = (): void => void large--

/** The reads of one socket. Methods, because closures would take as much memory as everything else here. */
class SharedReads implements Reads {
  readonly #socket: Inner
  readonly #fields: Fields
  readonly #handle: Handle
  readonly #deliver: Deliver
  #buffer: Buffer = small
  /** Octets read without a pause; a read that does not fill its buffer is a pause. */
  #burst = 0
  /** Consecutive small reads into the largest buffer. */
  #smallReads = 0

  constructor(socket: Inner, fields: Fields, handle: Handle, deliver: Deliver) {
    this.#socket = socket
    this.#fields = fields
    this.#handle = handle
    this.#deliver = deliver
    socket[fields.buffer] = small
    socket[fields.generator] = null
    socket[fields.callback] = (length: number): boolean => this.#read(length)
    handle.useUserBuffer(small)
  }

  #read(length: number): boolean {
    const isFull = length === this.#buffer.length
    if (this.#buffer === shared) this.#measureLarge(length)
    else this.#measure(length)
    return this.#deliver(octetsOf(length), isFull)
  }

  #measure(length: number): void {
    this.#burst += length
    if (length < this.#buffer.length) {
      if (this.#burst > this.#buffer.length && this.#burst <= MEDIUM) this.#use(medium)
      this.#burst = 0
    } else if (this.#burst >= MEDIUM) {
      this.#burst = this.#smallReads = 0
      this.#bringsMuch()
    }
  }

  #measureLarge(length: number): void {
    if (length > SMALL) this.#smallReads = 0
    else if (++this.#smallReads === SMALL_READS) this.#bringsLittle()
  }

  #bringsMuch(): void {
    if (large === MOST_LARGE) return this.#use(small)
    large++
    this.#socket.once("close", closed)
    this.#use(shared)
  }

  #bringsLittle(): void {
    this.#socket.off("close", closed)
    closed()
    this.#use(small)
  }

  #use(other: Buffer): void {
    if (other === this.#buffer) return
    this.#buffer = other
    // Node calls this after the read for the next buffer.
    this.#socket[this.#fields.generator] = (): Buffer => {
      this.#socket[this.#fields.generator] = null
      return this.#buffer
    }
  }

  /** Whether the handle is still in use: the socket drops it when it closes. */
  get #isThere(): boolean {
    return this.#socket._handle === this.#handle
  }

  stop(): void {
    if (!this.#isThere || this.#handle.reading !== true) return
    this.#handle.reading = false
    this.#handle.readStop()
  }

  start(): void {
    if (!this.#isThere || this.#handle.reading === true) return
    this.#handle.reading = true
    if (this.#handle.readStart() !== 0) this.#socket.destroy()
  }
}
