/** The network as a whole: its machines, who listens on them, what dials get, and all ends that are open. */
import type { TransportErrorReason } from "../TransportError.ts"
import type { End, EndNetwork } from "./End.ts"
import type { EventLoop } from "./EventLoop.ts"
import { type Link, type LinkOptions, merge } from "./Link.ts"
import { Listeners } from "./Listeners.ts"
import { Machines } from "./Machines.ts"

/**
 * What a dial gets: an error, `Silence` (no answer, thus a `Timeout`), or `Mute` (a connection whose other end takes
 * what the window holds, and never reads, answers or closes).
 *
 * @category models
 * @since 0.2.0
 */
export type DialOutcome = TransportErrorReason | "Silence" | "Mute"

export class SimulatedNetwork implements EndNetwork {
  readonly machines = new Machines()
  readonly listeners = new Listeners()
  readonly ends = new Set<End>()
  readonly loop: EventLoop
  readonly random: () => number
  /** Milliseconds until an attempt to connect that gets no answer fails. */
  readonly connectTimeout: number
  link: Link
  /** Octets of a body that a chunk towards a WebSocket client has at most. */
  piece: number | undefined
  readonly #answers = new Map<string, DialOutcome>()
  #nextPort = 49_152

  constructor(loop: EventLoop, random: () => number, link: Link, connectTimeout: number) {
    this.loop = loop
    this.random = random
    this.link = link
    this.connectTimeout = connectTimeout
  }

  configure(options: LinkOptions, end: End | undefined): void {
    if (end === undefined) this.link = merge(this.link, options)
    else end.out.link = end.peer.out.link = merge(end.out.link ?? this.link, options)
    for (const one of this.ends) one.out.wake()
  }

  /** Sets what dials get from now on; undefined: whoever listens there. */
  answer(host: string, port: number, answer: DialOutcome | undefined): void {
    if (answer === undefined) this.#answers.delete(keyOf(host, port))
    else this.#answers.set(keyOf(host, port), answer)
  }

  answerOf(host: string, port: number): DialOutcome | undefined {
    return this.#answers.get(keyOf(host, port))
  }

  freePort(): number {
    return this.#nextPort++
  }
}

const keyOf = (host: string, port: number): string => `${host.toLowerCase()} ${port}`
