/** A long chunk while it comes in: passed on, or read and thrown away. */
import type { Flag, Head } from "../../protocol/Head.ts"
import { reasonPhrase } from "../../protocol/Status.ts"
import type { Outbound } from "../outbound/Outbound.ts"
import type { Route } from "../route/Route.ts"
import { Stream } from "../route/Stream.ts"
import type { Reading } from "./Reading.ts"

export interface Chunk {
  /** The route that it takes. */
  readonly route: Route | undefined
  body(buf: Buffer, start: number, end: number, hyphens: boolean): void
  end(flag: Flag): void
  /** Its sender is told, by way of `from`, how that went. */
  reported(head: Head, from: Outbound): void
  /** Its end-line will not come. */
  lost(): void
}

export class PassedChunk implements Chunk {
  readonly route: Route
  readonly #stream: Stream
  readonly #reading: Reading
  readonly #accepted: (() => void) | undefined

  /** `accepted` answers it with 200 once it is here; absent when its sender wants no responses. */
  constructor(route: Route, head: Head, reading: Reading, accepted: (() => void) | undefined) {
    this.route = route
    this.#stream = new Stream(route, head)
    this.#reading = reading
    this.#accepted = accepted
    if (route.pace !== undefined) reading.spend(route.pace, 1, 0)
  }

  body(buf: Buffer, start: number, end: number, hyphens: boolean): void {
    const { flow, pace, target } = this.route
    if (pace !== undefined) this.#reading.spend(pace, 0, end - start)
    const stream = this.#stream
    if (stream.refused) return
    if (flow.clear) stream.write(buf, start, end, hyphens)
    else if (target.gone) this.#lose(end - start, "+")
    else flow.parkPart(stream, buf, start, end)
  }

  end(flag: Flag): void {
    this.#accepted?.()
    this.#finish(flag)
    if (flag !== "+") this.route.back.unblock(this.#stream.messageId)
  }

  lost(): void {
    this.#finish("#")
  }

  #finish(flag: Flag): void {
    const stream = this.#stream
    if (stream.refused) return
    const { flow, target } = this.route
    if (flow.clear) stream.finish(flag)
    else if (target.gone) this.#lose(0, flag)
    else flow.parkEnd(stream, flag)
  }

  #lose(octets: number, flag: Flag): void {
    const { lossStatus } = this.route.target
    this.#stream.fail(lossStatus, reasonPhrase(lossStatus), octets, flag)
  }

  /** Nobody wants the rest of what has failed. */
  reported(head: Head, from: Outbound): void {
    if (this.#stream.messageId !== head.messageId || this.route.target !== from) return
    if (/^000 [3-9]/.test(head.header("Status") ?? "")) this.#stream.refuse()
  }
}

export class DiscardedChunk implements Chunk {
  readonly route: undefined
  #octets = 0
  readonly #answer: ((octets: number, flag: Flag) => void) | undefined
  readonly #unblock: (() => void) | undefined

  /** What is answered at its end, and what the end of its message does. */
  constructor(answer: ((octets: number, flag: Flag) => void) | undefined, unblock?: () => void) {
    this.#answer = answer
    this.#unblock = unblock
  }

  body(_buf: Buffer, start: number, end: number): void {
    this.#octets += end - start
  }

  end(flag: Flag): void {
    this.#answer?.(this.#octets, flag)
    if (flag !== "+") this.#unblock?.()
  }

  reported(): void {}

  lost(): void {}
}
