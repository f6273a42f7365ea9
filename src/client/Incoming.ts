/**
 * A message that is handed out while it comes. What is not taken of it is bounded: then its chunks are answered later, so
 * that its sender waits and nobody else does; and it is refused when nothing is taken for long.
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

/** Octets of one message that may wait to be taken before its chunks are answered later. */
export const MAX_WAITING_OCTETS = 1_048_576
/** What comes in smaller parts and waits is put together: thousands of a few octets would take a hundred times as much memory. */
const PART = 16_384
/** Chunks of one message that may wait for their answers. */
const MAX_WITHHELD = 4096
const EMPTY = new Uint8Array(0)
/** Seconds in which something must be taken while answers wait: the sender gives up after 30 (RFC 4975 §7.2). */
export const TAKE_WITHIN = 25

/**
 * A message that is coming, or has come.
 *
 * @category models
 * @since 0.2.0
 */
export interface Incoming {
  readonly messageId: string
  /** The own URI that it is sent to. */
  readonly toPath: string
  /** The way back to its sender: the To-Path of an answer. */
  readonly fromPath: string
  readonly contentType: string | undefined
  /** Octets of the whole message, when its sender has said. */
  readonly size: number | undefined
  /** The chunk that came first. */
  readonly first: Frame
  /** Octets that have come, without what is behind a gap. */
  readonly received: () => number
  /**
   * The next octets, undefined at the end. Fails with `Closed` when the connection is gone, with `Aborted` when the sender
   * has given up, or has ended the message with another length than `size`, with `Dropped` when it was refused here, or not taken for 25 seconds with 1 MiB or more waiting.
   */
  readonly next: Effect.Effect<Uint8Array | undefined, ClientError>
  /** All octets, as `next` gives them. For one reader. */
  readonly octets: Stream.Stream<Uint8Array, ClientError>
  /**
   * No more of it is wanted: its sender hears `status` for what still comes. Default 413 (RFC 4975 §10.5). Fails with `Options`
   * where that is none from 400 to 599.
   */
  readonly refuse: (status?: number) => Effect.Effect<void, ClientError>
}

export interface IncomingOptions {
  readonly first: Frame
  readonly unread: Unread
  /** The rest of the message is answered with `status`. */
  readonly refuse: (status: number) => void
  /** Calls it after `TAKE_WITHIN`; the result cancels that. */
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
  /** While it comes: many that are whole may wait to be taken. */
  #options: IncomingOptions | undefined
  #parts: Array<Uint8Array> = []
  #waiting = 0
  #received = 0
  /** How it ended. */
  #end: "whole" | ClientError | undefined
  #isHandedOut = false
  /** What waits counts as not taken. */
  #counts = true
  readonly #more = Latch.makeUnsafe(false)
  /** Answers to chunks, which are given when enough was taken. */
  #withheld: Array<(status: number) => void> = []
  /** Octets that they hold. */
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

  /** In one step, with which an effect ends: who is interrupted has all of it or nothing. Empty where another reader was quicker. */
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

  /** Whether an answer to a chunk of it has to wait. */
  get crowded(): boolean {
    return this.#end === undefined && this.#waiting >= MAX_WAITING_OCTETS
  }

  /** `answer`, which holds so many octets, is called when enough was taken, or nothing of it is wanted. */
  withhold(answer: (status: number) => void, octets: number): void {
    this.#withheld.push(answer)
    this.#withheldOctets += octets
    this.#unread.add(octets)
    if (this.#withheld.length > MAX_WITHHELD) return this.drop("too many of its chunks wait")
    this.#cancel ??= this.#options?.later(() => this.drop("it was not taken"))
  }

  /** Whoever has it may read it or not. */
  handedOut(): void {
    this.#isHandedOut = true
    this.#uncount()
  }

  /** Nobody hears of one that is forgotten: those that a program does not want would add up until nothing is read any more. */
  #uncount(): void {
    if (!this.#counts || !this.#isHandedOut || this.#end === undefined) return
    this.#counts = false
    this.#unread.remove(this.#waiting)
  }

  /** All of it is here. */
  whole(): void {
    this.#finish("whole")
  }

  /** No more of it will come; what is here can still be taken. */
  fail(error: ClientError): void {
    this.#finish(error)
  }

  /** It is forgotten, and its sender hears it. */
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
