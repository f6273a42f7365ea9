/** A long chunk while it is received: passed on, or read and discarded. */
import type { Flag, Head } from "../../protocol/Head.ts"
import { OVERTIME, UNWANTED } from "../Loss.ts"
import type { Outbound } from "../outbound/Outbound.ts"
import type { Route } from "../route/Route.ts"
import { Stream } from "../route/Stream.ts"
import type { Reading } from "./Reading.ts"

export interface Chunk {
  /** The route that the chunk takes; `undefined` if it is discarded. */
  readonly route: Route | undefined
  /** Whether nothing more of the chunk is passed on, which has been reported already. */
  readonly over: boolean
  body(buf: Buffer, start: number, end: number, hyphens: boolean): void
  end(flag: Flag): void
  /** A REPORT about the chunk goes to its sender; it came in on the connection of `from`. */
  reported(head: Head, from: Outbound): void
  /** The connection has closed before the end-line. */
  lost(): void
}

/** The 200 response to a chunk. */
interface Answer {
  /** The transaction id of the chunk. */
  readonly tid: Buffer
  /** Whether the response has to wait until the end of the chunk has been written. */
  readonly waits: () => boolean
}

export class PassedChunk implements Chunk {
  readonly route: Route
  readonly #stream: Stream
  readonly #reading: Reading
  readonly #answer: Answer | undefined
  /** Milliseconds of the monotonic clock when the session was first seen to have expired. */
  #over: number | undefined

  /** `answer` is absent if the sender wants no responses. */
  constructor(route: Route, head: Head, reading: Reading, answer: Answer | undefined) {
    this.route = route
    this.#stream = new Stream(route, head)
    this.#reading = reading
    this.#answer = answer
    if (route.readPace !== undefined) reading.slowdown.spend(route.readPace, 1, 0)
  }

  get over(): boolean {
    return this.#stream.refused
  }

  body(buf: Buffer, start: number, end: number, hyphens: boolean): void {
    const { flow, readPace, target } = this.route
    if (readPace !== undefined) this.#reading.slowdown.spend(readPace, 0, end - start)
    const stream = this.#stream
    if (stream.refused) return
    this.route.counts(0, end - start)
    if (this.#isOverdue()) return stream.fail(OVERTIME, end - start, "+")
    let at = start
    // At most as many octets as the receiver may have without an answer.
    try {
      while (at < end && flow.clear) {
        const to = Math.min(end, at + this.route.window.left)
        stream.write(buf, at, to, hyphens)
        at = to
      }
    } catch (defect) {
      target.breaks(defect)
    }
    if (at === end) return
    if (target.shut) this.#lose(end - at, "+")
    else flow.parkPart(stream, buf, at, end)
  }

  /** Whether the session expired while the chunk was received, and the limit `overtime` has passed since (RFC 4976 §6.2). */
  #isOverdue(): boolean {
    const { turn, limits } = this.route.target.shared
    if (!this.route.isOver(turn.now)) return false
    this.#over ??= turn.now
    return turn.now - this.#over >= limits.overtime * 1000
  }

  end(flag: Flag): void {
    const answer = this.#answer
    this.#stream.isLast = flag !== "+"
    if (answer?.waits() === true) this.#finish(flag, answer.tid)
    else {
      this.#accept(answer?.tid)
      this.#finish(flag, undefined)
    }
    if (flag !== "+") this.route.wayBack.ends(this.#stream.messageId)
  }

  lost(): void {
    this.#finish("#", undefined)
  }

  #accept(tid: Buffer | undefined): void {
    if (tid !== undefined) this.route.accept(tid, 0, tid.length)
  }

  /** `tid`: the transaction id, if the 200 is still to be sent. */
  #finish(flag: Flag, tid: Buffer | undefined): void {
    const stream = this.#stream
    const { flow, target } = this.route
    if (!stream.refused && !flow.clear && !target.shut) return flow.parkEnd(stream, flag, tid)
    this.#accept(tid)
    if (stream.refused) return
    if (target.shut) this.#lose(0, flag)
    else stream.finish(flag)
  }

  #lose(octets: number, flag: Flag): void {
    this.#stream.fail(this.route.target.loss, octets, flag)
  }

  /** Stops the chunk if its receiver has reported a failure. Reports from other sessions on these connections do not count. */
  reported(head: Head, from: Outbound): void {
    const { target, wayBack } = this.route
    if (this.#stream.messageId !== head.messageId || target !== from || !wayBack.isAnswered(head.toPath, false)) return
    if (/^000 [3-9]/.test(head.header("Status") ?? "")) this.#stream.refuse(UNWANTED)
  }
}

export class DiscardedChunk implements Chunk {
  readonly route: undefined
  readonly over = true
  #octets = 0
  readonly #answer: ((octets: number, flag: Flag) => void) | undefined
  readonly #ends: (() => void) | undefined

  /** `answer` is called at the end of the chunk, and `ends` at the end of its message. */
  constructor(answer: ((octets: number, flag: Flag) => void) | undefined, ends?: () => void) {
    this.#answer = answer
    this.#ends = ends
  }

  body(_buf: Buffer, start: number, end: number): void {
    this.#octets += end - start
  }

  end(flag: Flag): void {
    this.#answer?.(this.#octets, flag)
    if (flag !== "+") this.#ends?.()
  }

  reported(): void {}

  lost(): void {}
}
