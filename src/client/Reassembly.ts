/**
 * Reassembles the octets of one message from chunks in any order (RFC 4975 §7.3.1).
 *
 * Octets that arrive in order are copied once. If chunks overlap, the later one counts, except for octets that were drained.
 */
import { Buffer } from "../platform/Node.ts"
import { keepOctets } from "../protocol/Octets.ts"

/** Separate pieces that one message may have. */
const MAX_PIECES = 16_384
/** Octets of memory that a piece takes in addition to its own. */
const PIECE_COST = 512

interface Piece {
  /** Position in the message of its first octet, from 1. */
  readonly start: number
  length: number
  /** `length` octets, and possibly unused room after them. */
  octets: Buffer
}

export interface ReassemblyOptions {
  /** Octets that may be held. */
  readonly limit: number
  /** Gets the octets in order, as soon as they are there, and must copy what it keeps. Only octets after a gap are held then. */
  readonly drain?: ((octets: Buffer) => void) | undefined
}

export class Reassembly {
  readonly #limit: number
  readonly #drain: ((octets: Buffer) => void) | undefined
  /** Ordered by position, without overlap. */
  readonly #pieces: Array<Piece> = []
  #held = 0
  /** Position of the first octet that was not drained. */
  #next = 1
  #total: number | undefined

  constructor(options: ReassemblyOptions) {
    this.#limit = options.limit
    this.#drain = options.drain
  }

  /** Octets held in memory. */
  get held(): number {
    return this.#held
  }

  /** Octets of memory that are used. Octets that arrive in order are in one piece. */
  get cost(): number {
    return this.#held + PIECE_COST * Math.max(0, this.#pieces.length - 1)
  }

  /** Length of the message in octets, once its last chunk is known. */
  get total(): number | undefined {
    return this.#total
  }

  get complete(): boolean {
    return this.#total !== undefined && this.#next - 1 + this.#held >= this.#total
  }

  /** Sets the length of the message, from its chunk with the flag `$`. Octets after it are dropped. */
  end(total: number): void {
    this.#total = total
    this.#cut(total + 1, Infinity)
  }

  /** The whole message, if it is complete and was not drained. */
  body(): Buffer {
    const [first, ...more] = this.#pieces
    if (first === undefined) return Buffer.alloc(0)
    const octets = first.octets.subarray(0, first.length)
    return more.length === 0
      ? octets
      : Buffer.concat([octets, ...more.map((piece) => piece.octets.subarray(0, piece.length))])
  }

  /** Copies octets that begin at position `start` (from 1). False, and nothing is copied, if that exceeds a limit. */
  write(start: number, octets: Buffer): boolean {
    const from = Math.max(start, this.#next)
    const to = Math.min(start + octets.length, (this.#total ?? Infinity) + 1)
    if (from >= to) return true
    const wanted = octets.subarray(from - start, to - start)
    if (this.#drain !== undefined && from === this.#next && this.#pieces.length === 0) {
      this.#next = to
      this.#drain(wanted)
      return true
    }
    if (this.#drain === undefined ? to - 1 > this.#limit : this.#held + wanted.length > this.#limit) return false
    if (this.#overwrite(from, wanted)) return true
    if (this.#pieces.length >= MAX_PIECES) return false
    this.#insert(this.#cut(from, to), from, wanted)
    if (this.#drain !== undefined) this.#drainFront(this.#drain)
    return true
  }

  /** Overwrites octets of one piece. False if no piece covers all of them. */
  #overwrite(from: number, octets: Buffer): boolean {
    const piece = this.#pieces.findLast(({ start }) => start <= from)
    if (piece === undefined || from + octets.length > piece.start + piece.length) return false
    octets.copy(piece.octets, from - piece.start)
    return true
  }

  /**
   * Drops the held octets from `from` up to `to` (not included), which are not all inside one piece. Gives the index for a new
   * piece that begins at `from`.
   */
  #cut(from: number, to: number): number {
    const pieces = this.#pieces
    let i = pieces.length
    while (i > 0) {
      const piece = pieces[i - 1]!
      const { length, octets, start } = piece
      const end = start + length
      if (end <= from) break
      i--
      if (start >= to) continue
      if (start < from) {
        this.#held -= end - from
        piece.length = from - start
        piece.octets = withoutRest(octets, piece.length)
        return i + 1
      }
      const right = Math.max(0, end - to)
      this.#held -= length - right
      if (right === 0) pieces.splice(i, 1)
      else pieces[i] = { start: to, length: right, octets: withoutRest(octets.subarray(length - right), right) }
    }
    return i
  }

  #insert(index: number, start: number, octets: Buffer): void {
    this.#held += octets.length
    const before = this.#pieces[index - 1]
    if (before === undefined || before.start + before.length !== start) {
      this.#pieces.splice(index, 0, { start, length: octets.length, octets: keepOctets(octets) })
      return
    }
    const length = before.length + octets.length
    if (length > before.octets.length) {
      const room = Buffer.allocUnsafeSlow(Math.max(length, Math.min(2 * length, this.#limit)))
      before.octets.copy(room, 0, 0, before.length)
      before.octets = room
    }
    octets.copy(before.octets, before.length)
    before.length = length
  }

  #drainFront(drain: (octets: Buffer) => void): void {
    let count = 0
    for (const { length, octets, start } of this.#pieces) {
      if (start !== this.#next) break
      drain(octets.subarray(0, length))
      this.#next += length
      this.#held -= length
      count++
    }
    this.#pieces.splice(0, count)
  }
}

/** Copies the first `length` octets of a piece if its buffer is much larger. */
const withoutRest = (octets: Buffer, length: number): Buffer =>
  4 * length < octets.buffer.byteLength ? keepOctets(octets.subarray(0, length)) : octets
