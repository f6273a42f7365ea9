/**
 * The octets of one message, put together from chunks in any order (RFC 4975 §7.3.1).
 *
 * What comes in order costs one copy. Where chunks overlap the later one counts, unless its octets were drained already.
 */
import { Buffer } from "../platform/Node.ts"
import { keepOctets } from "../protocol/Octets.ts"

/** Separate pieces that one message may be in before its gaps are filled. */
const MAX_PIECES = 16_384
/** What a piece takes beside its octets, which may be one. */
const PIECE_COST = 512

interface Piece {
  /** Number in the message of its first octet, from 1. */
  readonly start: number
  length: number
  /** `length` octets, and perhaps room for more. */
  octets: Buffer
}

export interface ReassemblyOptions {
  /** Octets that may be held. */
  readonly limit: number
  /** Takes the message in order as soon as its next octets are there; only what is behind a gap is held then. Must copy what it keeps. */
  readonly drain?: ((octets: Buffer) => void) | undefined
}

export class Reassembly {
  readonly #limit: number
  readonly #drain: ((octets: Buffer) => void) | undefined
  /** In order, without overlap. */
  readonly #pieces: Array<Piece> = []
  #held = 0
  /** The first octet that was not drained. */
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

  /** Octets of memory that they take: what comes in order is in one piece. */
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

  /** The chunk with the flag `$` ended with octet `total` (0 for an empty message): what lies behind is forgotten. */
  end(total: number): void {
    this.#total = total
    this.#cut(total + 1, Infinity)
  }

  /** The whole message, when it is complete and was not drained. */
  body(): Buffer {
    const [first, ...more] = this.#pieces
    if (first === undefined) return Buffer.alloc(0)
    const octets = first.octets.subarray(0, first.length)
    return more.length === 0
      ? octets
      : Buffer.concat([octets, ...more.map((piece) => piece.octets.subarray(0, piece.length))])
  }

  /** Takes a copy of octets that begin at `start` (from 1). False when that exceeds a limit; nothing is taken then. */
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

  /** Writes into a piece that has octets of all these numbers. */
  #overwrite(from: number, octets: Buffer): boolean {
    const piece = this.#pieces.findLast(({ start }) => start <= from)
    if (piece === undefined || from + octets.length > piece.start + piece.length) return false
    octets.copy(piece.octets, from - piece.start)
    return true
  }

  /** Drops held octets from `from` up to `to` (not included), which are not all in one piece. The index at which a piece from there belongs. */
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

/** `length` octets with room for more: a copy where much more memory would stay with them. */
const withoutRest = (octets: Buffer, length: number): Buffer =>
  4 * length < octets.buffer.byteLength ? keepOctets(octets.subarray(0, length)) : octets
