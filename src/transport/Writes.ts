/**
 * Writes of one socket: to its stream, or to the handle below.
 *
 * The stream makes an object for each write and hands it to the next tick, which takes as much time as the rest of a short write in
 * this process, and memory of each of thousands of connections. A relay needs only the order, and to be told when the system has
 * taken the octets. The handle is private, so its parts are checked; where they are missing, octets are written to the stream.
 */
import * as Net from "node:net"
import { constants } from "node:os"
import { TLSSocket } from "node:tls"
import { getSystemErrorName } from "node:util"
import type { Defer } from "./Defer.ts"
import { handleOf, type SocketHandle, type WithHandle } from "./SocketHandle.ts"

export interface Writes {
  /**
   * Returns whether the octets are written, after which the callback of the socket is called: once for each write, in order, and not
   * inside this call. It is not called for writes that are not done when the socket is destroyed.
   */
  write(octets: Uint8Array): boolean
  /** Octets that the system has not taken yet. The number changes whenever there is progress. */
  pending(): number
  /** Ends the socket when all octets are written. */
  end(): void
}

/** A write that goes on after the call. In Node.js 24 it is made before, and can be used again if the write did not go on. */
interface Request {
  /** Not negative if the write goes on. */
  readonly getAsyncId: () => number
  /** In Node.js 26, the status of a write that ended in the call, before there was an `oncomplete`; else null. */
  readonly writeStatus?: number | null
  /** Undefined if it has ended. */
  writes: DirectWrites | undefined
  /** Keeps the octets in memory while they are written: the handle has only their address. */
  octets?: Uint8Array
  oncomplete: (this: Request, status: number) => void
}

/** A handle with the parts that are needed here. */
interface Handle extends Omit<SocketHandle, "writeBuffer" | "writeQueueSize"> {
  readonly writeQueueSize: number
  readonly writeBuffer: (request: Request | null, octets: Uint8Array) => number | Request
}

/** The state of a stream is private too. */
type Inner = WithHandle & { readonly _writableState?: { readonly writelen?: number } }

class StreamWrites implements Writes {
  readonly #socket: Inner
  readonly #done: (failure?: Error | null) => void

  constructor(socket: Net.Socket, done: (failure?: Error | null) => void) {
    this.#socket = socket
    this.#done = done
  }

  write(octets: Uint8Array): boolean {
    if (this.#socket.writableEnded || this.#socket.destroyed) return false
    this.#socket.write(octets, this.#done)
    return true
  }

  /**
   * `writableLength` counts a write in full until all of it is done, so a large one to a slow peer would look stalled. The
   * TCP handle knows how much is left (Node uses that for its own timeouts).
   */
  pending(): number {
    const length = this.#socket.writableLength
    if (length === 0) return 0
    const { _handle: handle, _writableState: state } = this.#socket
    const left = (this.#socket instanceof TLSSocket ? handle?._parent : handle)?.writeQueueSize
    const underWay = state?.writelen
    return underWay === undefined || left === undefined ? length : length - underWay + Math.min(underWay, left)
  }

  end(): void {
    this.#socket.end()
  }
}

/**
 * Writes to a stream that is no socket. It may pass the octets on as they are, and say that it is done while its reader has yet to
 * see them, so it gets a copy. And it may call that reader, or its own, inside of its functions, so these are called in the next tick.
 */
class ForeignWrites implements Writes {
  readonly #stream: Net.Socket
  readonly #done: (failure?: Error | null) => void
  readonly #defect: (error: unknown) => void
  #ending = false

  constructor(stream: Net.Socket, done: (failure?: Error | null) => void, defect: (error: unknown) => void) {
    this.#stream = stream
    this.#done = done
    this.#defect = defect
  }

  write(octets: Uint8Array): boolean {
    const stream = this.#stream
    if (this.#ending || stream.writableEnded || stream.destroyed) return false
    if (stream.writableCorked === 0) {
      stream.cork()
      this.#later(() => stream.uncork())
    }
    stream.write(Buffer.from(octets), this.#done)
    return true
  }

  pending(): number {
    return this.#stream.writableLength
  }

  end(): void {
    this.#ending = true
    this.#later(() => this.#stream.end())
  }

  #later(call: () => void): void {
    process.nextTick(() => {
      try {
        call()
      } catch (error) {
        this.#defect(error)
      }
    })
  }
}

class DirectWrites implements Writes {
  readonly #socket: Inner
  readonly #done: () => void
  readonly #nextTick: Defer["nextTick"]
  /** Defined while the stream may still have octets that were written to it before. */
  #stream: StreamWrites | undefined
  /** Writes that the handle has not finished. */
  #underWay = 0
  /** Defined for TLS, whose handle takes one write at a time. */
  readonly #queue: Queue | undefined
  #ending = false

  constructor(socket: Net.Socket, done: () => void, nextTick: Defer["nextTick"]) {
    this.#socket = socket
    this.#done = done
    this.#nextTick = nextTick
    this.#stream = socket.writableLength > 0 ? new StreamWrites(socket, done) : undefined
    this.#queue = socket instanceof TLSSocket ? { current: 0, octets: 0, waiting: [] } : undefined
  }

  write(octets: Uint8Array): boolean {
    const handle = this.#socket._handle
    if (this.#ending || handle === null) return false
    if (this.#stream !== undefined) {
      if (this.#socket.writableLength > 0) return this.#stream.write(octets)
      this.#stream = undefined
    }
    const queue = this.#queue
    if (queue === undefined) this.#put(handle as Handle, octets)
    else if (this.#underWay > 0) {
      queue.waiting.push(octets)
      queue.octets += octets.length
    } else {
      queue.current = octets.length
      this.#put(handle as Handle, octets)
    }
    return true
  }

  #put(handle: Handle, octets: Uint8Array): void {
    this.#underWay++
    const status = hand!(handle, octets, this)
    if (status === undefined) return
    this.#underWay--
    if (status === 0) this.#nextTick(this.#done)
    else this.#socket.destroy(failed(status))
  }

  /** A write that went on has ended. */
  completed(status: number): void {
    this.#underWay--
    const socket = this.#socket
    if (status < 0) {
      if (!socket.destroyed) socket.destroy(failed(status))
      return
    }
    const next = this.#queue?.waiting.shift()
    const handle = socket._handle
    if (next !== undefined && handle !== null) {
      this.#queue!.octets -= this.#queue!.current = next.length
      this.#put(handle as Handle, next)
    } else if (this.#underWay === 0 && this.#ending) socket.end()
    this.#done()
  }

  pending(): number {
    if (this.#stream !== undefined) return this.#stream.pending()
    const handle = this.#socket._handle as Handle | null
    if (this.#underWay === 0 || handle === null) return 0
    const queue = this.#queue
    if (queue === undefined) return handle.writeQueueSize
    // The handle of TCP also has what TLS adds. Without it, a long write to a slow peer would look stalled.
    return queue.octets + Math.min(queue.current, handle._parent?.writeQueueSize ?? queue.current)
  }

  end(): void {
    this.#ending = true
    if (this.#underWay === 0) this.#socket.end()
  }
}

interface Queue {
  /** Octets of the write that is under way. */
  current: number
  /** Octets of those that wait. */
  octets: number
  readonly waiting: Array<Uint8Array>
}

function completed(this: Request, status: number): void {
  const { writes } = this
  this.writes = undefined
  writes?.completed(status)
}

/** The code of libuv for a peer that reads no more. */
const EPIPE = -constants.errno.EPIPE

const failed = (status: number): Error => {
  const code = getSystemErrorName(status)
  return Object.assign(new Error(`write ${code}`), { code, syscall: "write" })
}

/** Writes to a handle. Returns the status, or undefined if `completed` has been called with it or will be. */
type Hand = (handle: Handle, octets: Uint8Array, writes: DirectWrites) => number | undefined

/** In Node.js 24 the handle is given a request, and returns the status of the call. */
const handBefore26 = (makeRequest: () => Request): Hand => {
  /** A request that no write uses. */
  let spare: Request | undefined
  return (handle, octets, writes) => {
    const request = spare ?? makeRequest()
    spare = undefined
    request.writes = writes
    const status = handle.writeBuffer(request, octets) as number
    // It may have failed in the call.
    if (request.writes === undefined) return undefined
    if (status === 0 && request.getAsyncId() >= 0) {
      request.octets = octets
      return undefined
    }
    request.writes = undefined
    if (status === 0) spare = request
    return status
  }
}

/** In Node.js 26 the handle makes a request if the write goes on, and returns that. */
const handSince26: Hand = (handle, octets, writes) => {
  const result = handle.writeBuffer(null, octets)
  if (typeof result === "number") return result
  // It has failed, and only Node knows why.
  if (result.getAsyncId() < 0) return EPIPE
  result.writes = writes
  result.octets = octets
  result.oncomplete = completed
  if (typeof result.writeStatus === "number") result.oncomplete(result.writeStatus)
  return undefined
}

/** The way of this Node, seen from a write to a stream whose handle only looks at it; undefined if there is another one. */
const makeHand = (): Hand | undefined => {
  let seen: object | null | undefined
  const handle = {
    close: () => {},
    writeBuffer: (request: object | null) => {
      seen = request
      return 0
    }
  }
  const options: object = { handle, manualStart: true }
  try {
    const socket = new Net.Socket(options)
    socket.on("error", () => {}).write(Buffer.alloc(1))
    socket.destroy()
    if (seen === null) return handSince26
    // Node does not export the class of its requests.
    const Made = seen?.constructor as (new() => Request) | undefined
    if (Made === undefined || typeof new Made().getAsyncId !== "function") return undefined
    return handBefore26(() => Object.assign(new Made(), { writes: undefined, oncomplete: completed }))
  } catch {
    return undefined
  }
}
const hand = makeHand()

/**
 * The writes of a socket; `done` is called when one is done. With `nextTick` they go to the handle, if this Node has what it
 * takes. `defect` is called if a stream of somebody else throws.
 */
export const makeWrites = (
  socket: Net.Socket,
  done: (failure?: Error | null) => void,
  nextTick: Defer["nextTick"] | undefined,
  defect: (error: unknown) => void = () => {}
): Writes => {
  const handle = handleOf(socket)
  if (handle === undefined && !(socket instanceof Net.Socket)) return new ForeignWrites(socket, done, defect)
  const has = typeof handle?.writeBuffer === "function" && typeof handle.writeQueueSize === "number"
  return nextTick !== undefined && has && hand !== undefined
    ? new DirectWrites(socket, done, nextTick)
    : new StreamWrites(socket, done)
}
