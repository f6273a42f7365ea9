/**
 * Reading into one buffer shared by all sockets.
 *
 * Node's `onread` option does this without a new 64 KiB buffer per read, yet `net.Server` and `tls.TLSSocket` do not
 * pass it to the sockets they make. This sets the fields that the option sets. They are private, so their presence is
 * checked; `false` means that this Node has other internals and the caller reads "data" events instead.
 */
import type * as Net from "node:net"

/** A read is handled synchronously, so one buffer serves all sockets, and may be large: fewer reads for the same octets. */
const shared = Buffer.allocUnsafeSlow(262_144)

/**
 * What a socket reads into at first: as much as may be dealt with at once when many have octets. All of those who have some
 * are read before anything else, and of a large read most would have to be kept.
 */
export const FIRST = 16_384
const first = shared.subarray(0, FIRST)

/** So many more reads that fill it than reads that do not, and a socket reads into all of it from then on. */
const FILLED = 16

/** As long as no more do so than that. */
export const MOST_LARGE = 128
let large = 0

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

/**
 * Makes `socket` deliver into the shared buffer from its next read on. Its `pause` and `resume` work as usual; `deliver`
 * gives false to stop reading until the next `resume`.
 */
export const readShared = (socket: Net.Socket, deliver: (chunk: Buffer) => boolean): boolean => {
  const inner = socket as unknown as Record<symbol, unknown> & {
    readonly _handle?: { readonly useUserBuffer?: (buffer: Buffer) => void } | null
  }
  const fields = fieldsOf(inner)
  const handle = inner._handle
  if (fields === undefined || typeof handle?.useUserBuffer !== "function") return false
  // Of TLS Node gives 16 KiB at most, whatever the buffer.
  const mayGrow = !("encrypted" in socket)
  let filled = 0
  const grow = (): void => {
    if (!mayGrow || large === MOST_LARGE || inner._handle !== handle) return void (filled = 0)
    large++
    socket.once("close", () => large--)
    inner[fields.buffer] = shared
    handle.useUserBuffer!(shared)
  }
  inner[fields.buffer] = first
  inner[fields.generator] = null
  inner[fields.callback] = (length: number): boolean => {
    if (filled < FILLED) {
      filled = length < FIRST ? Math.max(0, filled - 1) : filled + 1
      if (filled === FILLED) grow()
    }
    return deliver(shared.subarray(0, length))
  }
  handle.useUserBuffer(first)
  return true
}
