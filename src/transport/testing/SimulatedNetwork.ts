/** The state of a simulated network: its machines, their listeners, the outcomes of dials, and all open ends. */
import type { TransportErrorReason } from "../TransportError.ts"
import type { End, EndNetwork } from "./End.ts"
import type { EventLoop } from "./EventLoop.ts"
import { type Link, type LinkOptions, merge } from "./Link.ts"
import { Listeners } from "./Listeners.ts"
import { Machines } from "./Machines.ts"

/**
 * The outcome of a dial: an error, `Silence` (no answer, so a `Timeout`), or `Mute` (a connection whose other end takes as many
 * octets as fit into the window, and never reads, answers or closes).
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
  /** Milliseconds after which a dial without an answer fails. */
  readonly connectTimeout: number
  link: Link
  /** The most octets of body in a chunk to a WebSocket client. */
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

  /** Sets the outcome of dials from now on; undefined: the listener there accepts them. */
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
