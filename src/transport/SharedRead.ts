/**
 * Reading into one buffer shared by all sockets.
 *
 * Node's `onread` option does this without a new 64 KiB buffer per read, yet `net.Server` and `tls.TLSSocket` do not
 * pass it to the sockets they make. This sets the fields that the option sets. They are private, so their presence is
 * checked; `false` means that this Node has other internals and the caller reads "data" events instead.
 */
import type * as Net from "node:net"

/**
 * A read is handled synchronously, so one buffer serves all sockets, and may be large: fewer reads for the same octets. It
 * holds about what one connection may bring in a turn of the relay.
 */
export const LARGE = 196_608
const shared = Buffer.allocUnsafeSlow(LARGE)

/**
 * What a socket reads into at first, and goes on to when it brings much while many others do: all of those who have octets
 * are read before anything else is done, and what is beyond their shares of a turn has to be kept.
 */
export const SMALL = 16_384
const small = shared.subarray(0, SMALL)

/** For those who bring more than that at a time, and then nothing for a while. */
export const MEDIUM = 65_536
const medium = shared.subarray(0, MEDIUM)

/** Whoever brings more than that without a pause reads into all of the shared buffer, as long as no more do so than these. */
export const MOST_LARGE = 128
let large = 0

/** So many small reads one after another, and another one may. */
export const SMALL_READS = 64

/** The names of the private fields: those that the last socket had, since looking them up takes longer than all the rest. */
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

/** Stops and starts reading; either as often as one likes. */
export interface Reads {
  readonly stop: () => void
  readonly start: () => void
}

/** Of Node's. */
interface Handle {
  reading?: boolean
  readonly useUserBuffer: (buffer: Buffer) => void
  readonly readStart: () => number
  readonly readStop: () => number
}

const isHandle = (handle: Partial<Handle> | null | undefined): handle is Handle =>
  typeof handle?.useUserBuffer === "function" && typeof handle.readStart === "function" &&
  typeof handle.readStop === "function"

/**
 * Makes `socket` deliver into the shared buffer from its next read on; `deliver` gives false to stop reading. Gives what stops
 * and starts it, which costs less than `pause` and `resume` of the socket: it goes on to flow.
 */
export const readShared = (socket: Net.Socket, deliver: (chunk: Buffer) => boolean): Reads | undefined => {
  const inner = socket as unknown as Record<symbol, unknown> & { readonly _handle?: Partial<Handle> | null }
  const fields = fieldsOf(inner)
  const handle = inner._handle
  if (fields === undefined || !isHandle(handle)) return undefined
  let buffer: Buffer = small
  /** Octets that were read without a pause, which is a read that does not fill its buffer. */
  let burst = 0
  /** Small reads one after another, while it reads into the largest buffer. */
  let smallReads = 0
  /** Node asks for the next buffer when a read is over. */
  const next = (): Buffer => {
    inner[fields.generator] = null
    return buffer
  }
  const use = (other: Buffer): void => {
    if (other === buffer) return
    buffer = other
    inner[fields.generator] = next
  }
  const closed = (): void => void large--
  const bringsMuch = (): void => {
    if (large === MOST_LARGE) return use(small)
    large++
    socket.once("close", closed)
    use(shared)
  }
  const bringsLittle = (): void => {
    socket.off("close", closed)
    closed()
    use(small)
  }
  const measure = (length: number): void => {
    burst += length
    if (length < buffer.length) {
      if (burst > buffer.length && burst <= MEDIUM) use(medium)
      burst = 0
    } else if (burst >= MEDIUM) {
      burst = smallReads = 0
      bringsMuch()
    }
  }
  const measureLarge = (length: number): void => {
    if (length > SMALL) smallReads = 0
    else if (++smallReads === SMALL_READS) bringsLittle()
  }
  inner[fields.buffer] = small
  inner[fields.generator] = null
  inner[fields.callback] = (length: number): boolean => {
    if (buffer === shared) measureLarge(length)
    else measure(length)
    return deliver(shared.subarray(0, length))
  }
  handle.useUserBuffer(small)
  /** The socket lets go of it when it closes. */
  const there = (): boolean => inner._handle === handle
  return {
    stop: () => {
      if (!there() || handle.reading !== true) return
      handle.reading = false
      handle.readStop()
    },
    start: () => {
      if (!there() || handle.reading === true) return
      handle.reading = true
      if (handle.readStart() !== 0) socket.destroy()
    }
  }
}
