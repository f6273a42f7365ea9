/** A long chunk while it comes in: passed on, or read and thrown away. */
import type { Flag, Head } from "../../protocol/Head.ts"
import { OVERTIME, UNWANTED } from "../Loss.ts"
import type { Outbound } from "../outbound/Outbound.ts"
import type { Route } from "../route/Route.ts"
import { Stream } from "../route/Stream.ts"
import type { Reading } from "./Reading.ts"

export interface Chunk {
  /** The route that it takes. */
  readonly route: Route | undefined
  /** Nothing more of it is passed on, of which was told. */
  readonly over: boolean
  body(buf: Buffer, start: number, end: number, hyphens: boolean): void
  end(flag: Flag): void
  /** Its sender is told, by way of `from`, how that went. */
  reported(head: Head, from: Outbound): void
  /** Its end-line will not come. */
  lost(): void
}

/** Its 200. */
export interface Answer {
  readonly accept: () => void
  /** It is given when the end of the chunk has left. */
  readonly waits: () => boolean
}

export class PassedChunk implements Chunk {
  readonly route: Route
  readonly #stream: Stream
  readonly #reading: Reading
  readonly #answer: Answer | undefined
  /** Milliseconds of the monotonic clock when its session was seen to have expired. */
  #over: number | undefined

  /** `answer` is absent when its sender wants no responses. */
  constructor(route: Route, head: Head, reading: Reading, answer: Answer | undefined) {
    this.route = route
    this.#stream = new Stream(route, head)
    this.#reading = reading
    this.#answer = answer
    if (route.readPace !== undefined) reading.spend(route.readPace, 1, 0)
  }

  get over(): boolean {
    return this.#stream.refused
  }

  body(buf: Buffer, start: number, end: number, hyphens: boolean): void {
    const { flow, readPace, target } = this.route
    if (readPace !== undefined) this.#reading.spend(readPace, 0, end - start)
    const stream = this.#stream
    if (stream.refused) return
    this.route.counts(0, end - start)
    if (this.#isOverdue()) return stream.fail(OVERTIME, end - start, "+")
    let at = start
    // No more than its receiver may have without an answer.
    while (at < end && flow.clear) {
      const to = Math.min(end, at + this.route.window.left)
      stream.write(buf, at, to, hyphens)
      at = to
    }
    if (at === end) return
    if (target.lost) this.#lose(end - at, "+")
    else flow.parkPart(stream, buf, at, end)
  }

  /** Its session expired while it came in, and that some time ago (RFC 4976 §6.2). */
  #isOverdue(): boolean {
    const { turn, limits } = this.route.target.shared
    if (!this.route.isOver(turn.now)) this.#over = undefined
    else this.#over ??= turn.now
    return this.#over !== undefined && turn.now - this.#over >= limits.overtime * 1000
  }

  end(flag: Flag): void {
    const answer = this.#answer
    this.#stream.isLast = flag !== "+"
    if (answer?.waits() === true) this.#finish(flag, answer.accept)
    else {
      answer?.accept()
      this.#finish(flag, undefined)
    }
    if (flag !== "+") this.route.back.ends(this.#stream.messageId)
  }

  lost(): void {
    this.#finish("#", undefined)
  }

  #finish(flag: Flag, accepted: (() => void) | undefined): void {
    const stream = this.#stream
    const { flow, target } = this.route
    if (!stream.refused && !flow.clear && !target.lost) return flow.parkEnd(stream, flag, accepted)
    accepted?.()
    if (stream.refused) return
    if (target.lost) this.#lose(0, flag)
    else stream.finish(flag)
  }

  #lose(octets: number, flag: Flag): void {
    this.#stream.fail(this.route.target.loss, octets, flag)
  }

  /** Its receiver has reported a failure: the rest is not wanted. Others whose sessions use these connections have no say in it. */
  reported(head: Head, from: Outbound): void {
    const { back, target } = this.route
    if (this.#stream.messageId !== head.messageId || target !== from || !back.isAnswered(head.toPath, false)) return
    if (/^000 [3-9]/.test(head.header("Status") ?? "")) this.#stream.refuse(UNWANTED)
  }
}

export class DiscardedChunk implements Chunk {
  readonly route: undefined
  readonly over = true
  #octets = 0
  readonly #answer: ((octets: number, flag: Flag) => void) | undefined
  readonly #ends: (() => void) | undefined

  /** What is answered at its end, and what the end of its message does. */
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
