/**
 * Turns octets into frames, incrementally (RFC 4975 §7.1, §9). Any split of the same octets gives the same frames.
 *
 * Bodies are views of the octets they came in and are never decoded. Nothing that is handed to the sink is valid after
 * the call. The decoder keeps at most one header section plus a short body between two reads.
 */
import { Buffer } from "../platform/Node.ts"
import { type Broken, isOverLimit } from "./Broken.ts"
import { defaultFrameLimits, type FrameLimits, INTERRUPTIBLE_ABOVE } from "./FrameLimits.ts"
import { isFlag } from "./Grammar.ts"
import { type Flag, Head, Kind } from "./Head.ts"
import { behindHyphens, DASH, HYPHENS, sevenHyphens } from "./Hyphens.ts"
import { IncompleteFrame } from "./IncompleteFrame.ts"
import { keepMore, keepOctets } from "./Octets.ts"
import { LastPaths } from "./PathLines.ts"

export type { Flag } from "./Head.ts"

/**
 * Gets the frames of a connection, in order. Nothing that it gets is valid after the call.
 *
 * @category models
 * @since 0.1.0
 */
export interface FrameSink {
  /**
   * A whole frame; its body is `head.buf[bodyStart, bodyEnd)`. When the result is false, everything behind the frame is
   * held back until `resume`.
   */
  frame(head: Head, bodyStart: number, bodyEnd: number, flag: Flag): boolean
  /** The header section of a frame whose end-line is not here yet; `chunkBody` and `chunkEnd` follow. */
  chunkStart(head: Head): void
  /** `hyphens`: whether the octets contain seven hyphens in a row, and so perhaps an end-line of some transaction id. */
  chunkBody(buf: Buffer, start: number, end: number, hyphens: boolean): void
  chunkEnd(flag: Flag): void
  /**
   * The header section of a frame is over a limit; `head` has the part that was read. If the result is true, the frame is skipped
   * up to its end-line; else `broken` is called.
   */
  readonly overLimit?: ((reason: Broken, head: Head) => boolean) | undefined
  /** Framing is lost; no more calls follow. `head`: the part that was read of a header section that is over a limit. */
  broken(reason: Broken, head: Head | undefined): void
}

/**
 * Makes frames of the octets of one connection.
 *
 * @category models
 * @since 0.2.0
 */
export interface FrameDecoder {
  /**
   * Takes received octets, which are used during the call only. `last`: on a transport that carries messages (RFC 7977 §5.1),
   * whether the message ends with them, and so a frame.
   */
  push(chunk: Buffer, last?: boolean): void
  /** Continues behind a frame for which the sink returned false. */
  resume(): void
  /** Holds everything back until `resume`, as after such a frame. */
  hold(): void
  /** Stops for good: nothing more is delivered, nor what was held back. */
  stop(): void
  /** Octets that are held back or kept. */
  readonly held: number
}

const NOTHING = Buffer.alloc(0)

const CR = 13
const LF = 10

/**
 * One `Head` serves all decoders, because a frame is processed before the next one is read. It is taken while in use, because a
 * sink may let another decoder continue.
 */
let spareHead: Head | undefined

/** The buffer in which octets kept from the last read and those of this one are joined. It is taken while in use, too. */
let spareJoint: Buffer | undefined
const JOINT = 131_072

/**
 * Buffers for large amounts of octets that are kept. They are reused, because mapping new memory takes longer than copying. Small
 * amounts are kept in memory of their size.
 */
const spares: Array<Buffer> = []
const SPARE = 262_144
const MUCH = 65_536
const MAX_SPARES = 16

const kept = (octets: Buffer): Buffer => {
  if (octets.length < MUCH || octets.length > SPARE) return keepOctets(octets)
  const spare = spares.pop() ?? Buffer.allocUnsafeSlow(SPARE)
  octets.copy(spare)
  return spare.subarray(0, octets.length)
}

/** Returns the memory of octets that are not kept any more. */
const release = ({ buffer }: Buffer): void => {
  if (buffer.byteLength === SPARE && spares.length < MAX_SPARES) spares.push(Buffer.from(buffer as ArrayBuffer))
}

/** "-------" and a transaction id, for searching; one view for each length. */
const needleBytes = Buffer.alloc(HYPHENS + 32, DASH)
const needles = Array.from({ length: 33 }, (_, length) => needleBytes.subarray(0, HYPHENS + length))
const needleFor = (buf: Buffer, start: number, end: number): Buffer => {
  for (let i = start; i < end; i++) needleBytes[HYPHENS + i - start] = buf[i]!
  return needles[end - start]!
}

/** Found by `#search`: no end-line, or one whose last octets are still to come. */
const NONE = -1

/**
 * Finds the frames of one connection in its octets, and passes them to a sink.
 *
 * @category models
 * @since 0.1.0
 */
export class Decoder implements FrameDecoder {
  readonly #sink: FrameSink
  readonly #limits: FrameLimits
  /** Octets that are kept until more come, or until `resume`. */
  #held: Buffer | undefined
  /** The beginning of the end-line to search for, while the body of a long frame passes through. */
  #needle: Buffer | undefined
  /** Whether the long frame is skipped: the sink gets nothing more of it. */
  #skips = false
  #last = new LastPaths()
  readonly #incomplete = new IncompleteFrame()
  /** Whether what follows is held back until `resume`. */
  #onHold = false
  /** Whether framing is lost, or the owner has called `stop`: nothing is read any more. */
  #ended = false
  /** Offset from which an unfinished end-line may begin, set by `#search`. */
  #unsure = 0
  /** Whether a message ends with the octets at hand, on a transport that carries messages. */
  #messageEnds: boolean | undefined
  #hyphens = false

  constructor(sink: FrameSink, limits: FrameLimits = defaultFrameLimits) {
    this.#sink = sink
    this.#limits = limits
  }

  /** Octets that are kept between reads. */
  get held(): number {
    return this.#held?.length ?? 0
  }

  /**
   * `last`: on a transport that carries messages, each of which is one frame (RFC 7977 §5.1), whether the message ends here; the
   * octets are of one message. A frame is delivered only if its message ends with it.
   */
  push(chunk: Buffer, last?: boolean): void {
    if (this.#ended) return
    const held = this.#held
    this.#messageEnds = last
    if (held === undefined) return this.#run(chunk, false)
    const little = last !== true && this.#incomplete.isLittle(held.length, chunk.length)
    if (this.#onHold || little) {
      const more = this.#held = keepMore(held, chunk)
      if (more.buffer !== held.buffer) release(held)
      if (!this.#onHold && this.#incomplete.mayGoOn(more, held.length)) this.#again(more)
      return
    }
    const length = held.length + chunk.length
    const joint = spareJoint === undefined || spareJoint.length < length
      ? Buffer.allocUnsafeSlow(Math.max(2 * length, JOINT))
      : spareJoint
    spareJoint = undefined
    held.copy(joint, 0)
    chunk.copy(joint, held.length)
    this.#held = undefined
    release(held)
    this.#run(joint.subarray(0, length), false)
    spareJoint = joint
  }

  /** Continues after a frame for which the sink returned false, or is about to: it may be called while `frame` runs. */
  resume(): void {
    if (!this.#onHold) return
    this.#onHold = false
    if (this.#held !== undefined) this.#again(this.#held)
  }

  #again(held: Buffer): void {
    this.#held = undefined
    this.#run(held, true)
    if ((this.#held as Buffer | undefined)?.buffer !== held.buffer) release(held)
  }

  /** Keeps everything received from now on until `resume`. */
  hold(): void {
    if (this.#ended) return
    this.#onHold = true
    this.#held ??= NOTHING
  }

  /** Stops for good: drops what is kept, and ignores what is still received. */
  stop(): void {
    this.#ended = true
    this.#held = undefined
  }

  /** `own`: whether these octets are the decoder's own copy. */
  #run(buf: Buffer, own: boolean): void {
    const end = buf.length
    this.#incomplete.forget()
    const head = spareHead ?? new Head()
    spareHead = undefined
    let at = 0
    while (at < end && !this.#ended && !this.#onHold) {
      const next = this.#needle === undefined
        ? this.#frame(head, buf, at, end)
        : this.#body(buf, at, end, this.#needle)
      if (next === at) break
      at = next
    }
    spareHead = head
    if (this.#ended) return
    if (this.#messageEnds === true && !this.#onHold && (at < end || this.#needle !== undefined)) {
      this.#lose("not a whole frame in a message")
      return
    }
    // The read buffer will be reused, so the rest is copied. So is the beginning of a frame, which may be kept for long.
    if (at < end || this.#onHold) this.#held = own && this.#onHold ? buf.subarray(at) : kept(buf.subarray(at))
  }

  #lose(reason: Broken, head?: Head): number {
    this.stop()
    this.#sink.broken(reason, head)
    return 0
  }

  /** Reads the frame at `at`. Returns the offset behind what was used, which is `at` if more octets are needed. */
  #frame(head: Head, buf: Buffer, at: number, end: number): number {
    // Line ends between frames are not in the grammar, and harmless.
    if (buf[at] === CR) return this.#lineEnds(buf, at, end)
    const body = head.read(buf, at, end, this.#limits, this.#last)
    if (typeof body !== "number") return this.#unreadable(head, body)
    if (body === -1) {
      this.#incomplete.inHead(head, this.#limits)
      return at
    }
    if (!head.hasBody) {
      const stop = head.endLineStart + HYPHENS + head.tidEnd - head.tidStart + 3
      if (!this.#mayEnd(stop, end)) return at
      this.#deliver(head, body, body, buf[stop - 3]!)
      return stop
    }
    const needle = needleFor(buf, head.tidStart, head.tidEnd)
    const mark = this.#search(buf, body, end, needle)
    if (mark !== NONE) {
      const stop = mark + needle.length + 3
      if (!this.#mayEnd(stop, end)) return at
      head.hyphens = this.#hyphens
      this.#deliver(head, body, mark - 2, buf[stop - 3]!)
      return stop
    }
    const sure = this.#unsure
    const most = this.#holdUpTo(head)
    if (sure - body <= most) {
      this.#incomplete.inBody(head, most)
      return at
    }
    this.#needle = keepOctets(needle)
    head.keepPaths(this.#last)
    this.#sink.chunkStart(head)
    if (!this.#ended) this.#sink.chunkBody(buf, body, sure, this.#hyphens)
    return sure
  }

  /** Skips a frame with a header section over a limit, or gives up. */
  #unreadable(head: Head, reason: Broken): number {
    if (!isOverLimit(reason)) return this.#lose(reason)
    if (this.#sink.overLimit?.(reason, head) !== true) return this.#lose(reason, head)
    this.#needle = keepOctets(needleFor(head.buf, head.tidStart, head.tidEnd))
    this.#skips = true
    return head.bodyStart
  }

  /** The offset behind a run of line ends, of which there may be thousands. */
  #lineEnds(buf: Buffer, at: number, end: number): number {
    let to = at
    while (to + 1 < end && buf[to] === CR && buf[to + 1] === LF) to += 2
    return to === at && at + 1 < end ? this.#lose("not MSRP") : to
  }

  /** Whether a frame may end at `stop` when the octets at hand end at `end`: both must end with the message, if there are messages. */
  #mayEnd(stop: number, end: number): boolean {
    if (this.#messageEnds === undefined || (this.#messageEnds && stop === end)) return true
    if (stop < end) this.#lose("more than a frame in a message")
    return false
  }

  #deliver(head: Head, start: number, end: number, flag: number): void {
    head.keepPaths(this.#last)
    this.#onHold = true
    if (this.#sink.frame(head, start, end, flagOf(flag))) this.#onHold = false
  }

  /** Octets of body that are kept until the end-line comes, so that a short frame is passed on in one piece. */
  #holdUpTo(head: Head): number {
    if (head.kind !== Kind.Send) return this.#limits.nonSendBody
    const last = head.rangeEnd === -1 ? head.rangeTotal : head.rangeEnd
    return last !== -1 && last - head.rangeStart >= INTERRUPTIBLE_ABOVE ? 0 : INTERRUPTIBLE_ABOVE
  }

  /** Passes the body on up to the end-line. Returns the offset behind what was used. */
  #body(buf: Buffer, at: number, end: number, needle: Buffer): number {
    const mark = this.#search(buf, at, end, needle)
    if (mark === NONE) {
      const sure = this.#unsure
      if (sure > at && !this.#skips) this.#sink.chunkBody(buf, at, sure, this.#hyphens)
      return sure
    }
    if (mark - 2 > at && !this.#skips) this.#sink.chunkBody(buf, at, mark - 2, this.#hyphens)
    if (this.#ended) return end
    if (!this.#mayEnd(mark + needle.length + 3, end)) return Math.max(at, mark - 2)
    this.#needle = undefined
    if (!this.#skips) this.#sink.chunkEnd(flagOf(buf[mark + needle.length]!))
    this.#skips = false
    return mark + needle.length + 3
  }

  /**
   * The offset of the hyphens of an end-line in `buf[from, end)`, where a body begins or continues, with CRLF on both sides
   * (RFC 4975 §9). Sets `#unsure` to the offset where an incomplete end-line may begin, and `#hyphens` to whether there are other
   * runs of hyphens before.
   */
  #search(buf: Buffer, from: number, end: number, needle: Buffer): number {
    const length = needle.length
    this.#hyphens = false
    for (let i = sevenHyphens(buf, from, end); i !== -1;) {
      // An id begins with no hyphen, so an end-line has seven and no more.
      const after = behindHyphens(buf, i, end)
      const opened = i >= from + 2 && buf[i - 1] === LF && buf[i - 2] === CR
      if (opened && after - i === HYPHENS && startsWith(buf, after, end, needle)) {
        if (i + length + 3 > end) {
          this.#unsure = i - 2
          return NONE
        }
        if (isFlag(buf[i + length]!) && buf[i + length + 1] === CR && buf[i + length + 2] === LF) return i
      }
      this.#hyphens = true
      i = sevenHyphens(buf, after, end)
    }
    this.#unsure = unfinished(buf, from, end, needle)
    return NONE
  }
}

const flagOf = (octet: number): Flag => octet === 36 ? "$" : octet === 43 ? "+" : "#"

/** Whether the transaction id of the needle is at `at`. */
const startsWith = (buf: Buffer, at: number, end: number, needle: Buffer): boolean => {
  if (at + needle.length - HYPHENS > end) return false
  for (let i = HYPHENS; i < needle.length; i++) if (buf[at + i - HYPHENS] !== needle[i]) return false
  return true
}

/** The first offset near the end at which CRLF and a part of the needle begin; else the end. */
const unfinished = (buf: Buffer, from: number, end: number, needle: Buffer): number => {
  for (let p = Math.max(from, end - needle.length - 1); p < end; p++) {
    if (buf[p] !== CR) continue
    let i = p + 1
    if (i < end && buf[i] === LF) {
      i++
      while (i < end && buf[i] === needle[i - p - 2]) i++
    }
    if (i === end) return p
  }
  return end
}
