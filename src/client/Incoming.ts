/**
 * A message that is handed out while it arrives. If too many of its octets wait to be taken, its chunks are answered later, so
 * that only its sender has to wait. If nothing is taken for long, the message is refused.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Stream from "effect/Stream"
import { OptionsError } from "../options/OptionsError.ts"
import { keepBoth, keepOctets } from "../protocol/Octets.ts"
import { isRefusal } from "../protocol/Status.ts"
import { ClientError, unusable } from "./ClientError.ts"
import type { Frame } from "./Frame.ts"
import type { Unread } from "./Mailbox.ts"

/** Octets of one message that may wait to be taken. Beyond it, its chunks are answered later. */
export const MAX_WAITING_OCTETS = 1_048_576
/** Smaller parts that wait are joined up to this length: thousands of parts of a few octets would need far more memory. */
const PART = 16_384
/** Chunks of one message that may wait for their responses. */
const MAX_WITHHELD = 4096
const EMPTY = new Uint8Array(0)
/** Seconds within which octets must be taken while responses wait. The sender gives up after 30 (RFC 4975 §7.2). */
export const TAKE_WITHIN = 25

/**
 * A message that is arriving, or has arrived.
 *
 * @category models
 * @since 0.2.0
 */
export interface Incoming {
  readonly messageId: string
  /** The client's URI that the message is sent to. */
  readonly toPath: string
  /** The path to its sender, for the To-Path of an answer. */
  readonly fromPath: string
  readonly contentType: string | undefined
  /** Octets of the whole message, if its sender has announced them. */
  readonly size: number | undefined
  /** The chunk that arrived first. */
  readonly first: Frame
  /** Octets that have arrived, not counting those after a gap. */
  readonly received: () => number
  /**
   * The next octets; undefined at the end. Fails with `Closed` if the connection has ended, with `Aborted` if the sender has
   * given the message up or its length differs from `size`, and with `Dropped` if it was refused here, or
   * not taken for 25 seconds with 1 MiB or more waiting.
   */
  readonly next: Effect.Effect<Uint8Array | undefined, ClientError>
  /** All octets, as `next` gives them, for a single reader. */
  readonly octets: Stream.Stream<Uint8Array, ClientError>
  /**
   * Refuses the rest of the message: what still arrives is answered with `status`, 413 by default (RFC 4975 §10.5). Fails with
   * `Options` unless `status` is from 400 to 599.
   */
  readonly refuse: (status?: number) => Effect.Effect<void, ClientError>
}

export interface IncomingOptions {
  readonly first: Frame
  readonly unread: Unread
  /** Answers the rest of the message with `status`. */
  readonly refuse: (status: number) => void
  /** Runs a task after `TAKE_WITHIN`, unless the returned function is called before. */
  readonly later: (task: () => void) => () => void
}

const noRefusal = (): ClientError =>
  unusable(new OptionsError({ layer: "refuse", problems: [{ option: "status", problem: "must be from 400 to 599" }] }))

export class Arriving implements Incoming {
  readonly messageId: string
  readonly toPath: string
  readonly fromPath: string
  readonly contentType: string | undefined
  readonly size: number | undefined
  readonly first: Frame
  readonly next: Effect.Effect<Uint8Array | undefined, ClientError>
  readonly octets: Stream.Stream<Uint8Array, ClientError>
  readonly #unread: Unread
  /** Undefined when the message has ended, because many complete messages may wait to be taken. */
  #options: IncomingOptions | undefined
  #parts: Array<Uint8Array> = []
  #waiting = 0
  #received = 0
  /** How the message ended. */
  #end: "whole" | ClientError | undefined
  #isHandedOut = false
  /** Whether octets that wait count as unread. */
  #counts = true
  readonly #more = Latch.makeUnsafe(false)
  /** Send the delayed responses to chunks. */
  #withheld: Array<(status: number) => void> = []
  /** Octets that the chunks of delayed responses hold. */
  #withheldOctets = 0
  #cancel: (() => void) | undefined

  constructor(options: IncomingOptions) {
    const { first } = options
    this.#options = options
    this.#unread = options.unread
    this.first = first
    this.messageId = first.messageId!
    this.toPath = first.toPath
    this.fromPath = first.fromPath
    this.contentType = first.header("Content-Type")
    this.size = first.byteRange?.total
    this.next = Effect.suspend(() => this.#take())
    this.octets = Stream.fromEffectRepeat(
      Effect.flatMap(this.next, (part) => part === undefined ? Cause.done() : Effect.succeed(part))
    )
  }

  #take(): Effect.Effect<Uint8Array | undefined, ClientError> {
    if (this.#parts.length > 0) return Effect.sync(() => this.#shift())
    if (this.#end !== undefined) return this.#end === "whole" ? Effect.undefined : Effect.fail(this.#end)
    this.#more.closeUnsafe()
    return Effect.andThen(this.#more.await, this.next)
  }

  /** In one step, so that an interrupted reader has taken all octets or none. Empty if another reader has taken them. */
  #shift(): Uint8Array {
    const part = this.#parts.shift() ?? EMPTY
    this.#taken(part.length)
    return part
  }

  readonly received = (): number => this.#received

  readonly refuse = (status = 413): Effect.Effect<void, ClientError> =>
    isRefusal(status)
      ? Effect.sync(() => this.drop("the message was refused here", status))
      : Effect.fail(noRefusal())

  /** Takes a copy of the next octets. */
  push(octets: Uint8Array): void {
    if (this.#end !== undefined) return
    const last = this.#parts.at(-1)
    if (last !== undefined && last.length + octets.length <= PART) this.#parts.splice(-1, 1, keepBoth(last, octets))
    else this.#parts.push(keepOctets(octets))
    this.#waiting += octets.length
    this.#received += octets.length
    this.#unread.add(octets.length)
    this.#more.openUnsafe()
  }

  /** Whether responses to its chunks have to wait. */
  get crowded(): boolean {
    return this.#end === undefined && this.#waiting >= MAX_WAITING_OCTETS
  }

  /** Delays a response until enough octets are taken or the message is refused. `octets` is the memory that its chunk holds. */
  withhold(answer: (status: number) => void, octets: number): void {
    this.#withheld.push(answer)
    this.#withheldOctets += octets
    this.#unread.add(octets)
    if (this.#withheld.length > MAX_WITHHELD) return this.drop("too many of its chunks wait")
    this.#cancel ??= this.#options?.later(() => this.drop("it was not taken"))
  }

  /** The program has the message, and decides whether to read it. */
  handedOut(): void {
    this.#isHandedOut = true
    this.#uncount()
  }

  /** Stops counting octets of a message that has ended: the unread octets of discarded messages would pause reading for ever. */
  #uncount(): void {
    if (!this.#counts || !this.#isHandedOut || this.#end === undefined) return
    this.#counts = false
    this.#unread.remove(this.#waiting)
  }

  /** The message is complete. */
  whole(): void {
    this.#finish("whole")
  }

  /** The message ends early. The octets that have arrived can still be taken. */
  fail(error: ClientError): void {
    this.#finish(error)
  }

  /** Discards the message and refuses the rest of it. */
  drop(message: string, status = 413): void {
    if (this.#end !== undefined) return
    const options = this.#options
    const waiting = this.#waiting
    this.#parts = []
    this.#waiting = 0
    this.#finish(new ClientError({ reason: "Dropped", message, status }), status)
    this.#unread.remove(waiting)
    options?.refuse(status)
  }

  #finish(end: "whole" | ClientError, status = 200): void {
    if (this.#end !== undefined) return
    this.#end = end
    this.#options = undefined
    this.#uncount()
    this.#release(status)
    this.#more.openUnsafe()
  }

  #taken(octets: number): void {
    this.#waiting -= octets
    if (this.#counts) this.#unread.remove(octets)
    this.#cancel?.()
    this.#cancel = undefined
    if (!this.crowded) this.#release(200)
    else if (this.#withheld.length > 0) this.#cancel = this.#options?.later(() => this.drop("it was not taken"))
  }

  #release(status: number): void {
    const answers = this.#withheld
    const octets = this.#withheldOctets
    this.#withheld = []
    this.#withheldOctets = 0
    this.#cancel?.()
    this.#cancel = undefined
    for (const answer of answers) answer(status)
    this.#unread.remove(octets)
  }
}
