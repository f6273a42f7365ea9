/** Handles the frames that a client receives: reassembles and answers messages, and hands on responses and REPORTs (RFC 4975 §7.3). */
import type { Codec } from "../Codec.ts"
import { Buffer, createHash } from "../platform/Node.ts"
import type { Broken } from "../protocol/Broken.ts"
import type { FrameSink } from "../protocol/Decoder.ts"
import type { Flag, Head } from "../protocol/Head.ts"
import { sendReport, sendResponse } from "./Answers.ts"
import { ClientError } from "./ClientError.ts"
import type { Collect } from "./Collect.ts"
import type { Deliveries } from "./Deliveries.ts"
import { Frame } from "./Frame.ts"
import { Arriving, type Incoming } from "./Incoming.ts"
import type { Mailbox, Unread } from "./Mailbox.ts"
import { Reassembly } from "./Reassembly.ts"
import { Refusals } from "./Refusals.ts"
import type { Report } from "./Report.ts"
import type { Transactions } from "./Transactions.ts"
import { type Unfinished, UnfinishedMessages, type UnfinishedOptions } from "./Unfinished.ts"
import type { Wire } from "./Wire.ts"

/**
 * A whole message.
 *
 * @category models
 * @since 0.1.0
 */
export interface Message {
  readonly messageId: string
  /** The client's URI that the message was sent to. */
  readonly toPath: string
  /** The path to its sender, for the To-Path of an answer. */
  readonly fromPath: string
  readonly contentType: string | undefined
  /** Octets. */
  readonly length: number
  /** Undefined with `collect: "digest"`. */
  readonly body: Buffer | undefined
  /** SHA-256 in lower-case hex, with `collect: "digest"`. */
  readonly sha256: string | undefined
  /** The chunk that arrived first. */
  readonly first: Frame
}

export interface InboxOptions {
  readonly codec: Codec["Service"]
  readonly wire: Wire
  readonly messages: Mailbox<Message>
  readonly incoming: Mailbox<Incoming>
  readonly reports: Mailbox<Report>
  readonly transactions: Transactions
  readonly deliveries: Deliveries
  readonly unread: Unread
  /** As `IncomingOptions.later`. */
  readonly later: (task: () => void) => () => void
  /** If given, it gets a copy of every frame. */
  readonly frames: Mailbox<Frame> | undefined
  readonly respond: boolean
  readonly report: boolean
  readonly collect: (first: Frame) => Collect
  readonly maxMessage: number
  readonly unfinished: Omit<UnfinishedOptions, "giveUp">
  readonly broken: (reason: Broken) => void
}

interface Chunk {
  readonly frame: Frame
  /** Position in the message of the next octet, from 1. */
  next: number
  message: Unfinished | undefined
  answered: boolean
  readonly copies: Array<Buffer>
}

export class Inbox implements FrameSink {
  readonly #options: InboxOptions
  readonly #unfinished: UnfinishedMessages
  readonly #refusals = new Refusals()
  #chunk: Chunk | undefined

  constructor(options: InboxOptions) {
    this.#options = options
    this.#unfinished = new UnfinishedMessages({
      ...options.unfinished,
      giveUp: (message) => {
        this.#refuse(message, 413)
        message.arriving?.drop("it did not go on, and others needed its room")
      }
    })
  }

  close(error: ClientError): void {
    for (const { arriving } of this.#unfinished.clear()) arriving?.fail(error)
    this.#refusals.clear()
    this.#options.transactions.close(error)
    this.#options.deliveries.close(error)
  }

  // --- FrameSink

  frame(head: Head, bodyStart: number, bodyEnd: number, flag: Flag): boolean {
    const chunk = this.#begin(new Frame(head), flag)
    if (bodyEnd > bodyStart) this.#octets(chunk, head.buf, bodyStart, bodyEnd)
    this.#end(chunk, flag)
    return true
  }

  chunkStart(head: Head): void {
    this.#chunk = this.#begin(new Frame(head))
  }

  chunkBody(buf: Buffer, start: number, end: number): void {
    this.#octets(this.#chunk!, buf, start, end)
  }

  chunkEnd(flag: Flag): void {
    this.#end(this.#chunk!, flag)
    this.#chunk = undefined
  }

  broken(reason: Broken): void {
    this.#options.broken(reason)
  }

  // --- SEND

  /** `flag` is given if the whole chunk is there. */
  #begin(frame: Frame, flag?: Flag): Chunk {
    const chunk: Chunk = {
      frame,
      next: startOf(frame),
      message: undefined,
      answered: false,
      copies: []
    }
    if (frame.method !== "SEND") return chunk
    if (frame.problem !== undefined) this.#answer(chunk, 400)
    else if (frame.hasBody) {
      const message = this.#messageOf(frame, flag)
      if (typeof message === "number") this.#answer(chunk, message)
      else chunk.message = message
    }
    return chunk
  }

  #octets(chunk: Chunk, buf: Buffer, start: number, end: number): void {
    const octets = buf.subarray(start, end)
    if (this.#options.frames !== undefined) chunk.copies.push(Buffer.from(octets))
    const { message, next } = chunk
    chunk.next += octets.length
    if (message === undefined) return
    if (this.#unfinished.write(message, next, octets)) return
    this.#refuse(message, 413, chunk)
    message.arriving?.drop("too much of it came before its turn")
  }

  /** Refuses the rest of a message. Later octets of its chunks are read and ignored (RFC 4975 §10.5). */
  #refuse(message: Unfinished, status: number, chunk = this.#chunk): void {
    this.#unfinished.forget(message)
    this.#refusals.refuse(message.key, status)
    if (chunk?.message !== message) return
    chunk.message = undefined
    this.#answer(chunk, status)
  }

  #end(chunk: Chunk, flag: Flag): void {
    const { frame, message } = chunk
    frame.flag = flag
    const { frames } = this.#options
    if (frames !== undefined) {
      if (frame.hasBody) frame.body = chunk.copies.length === 1 ? chunk.copies[0] : Buffer.concat(chunk.copies)
      frames.put(frame)
    }
    if (frame.method !== "SEND") return this.#other(frame)
    const truth = message === undefined || flag !== "$" || isTrue(chunk, message)
    if (!truth) this.#answer(chunk, 400)
    if (message?.arriving?.crowded === true) {
      message.arriving.withhold((status) => this.#answer(chunk, status), frame.headOctets)
    } else this.#answer(chunk, 200)
    if (message === undefined) {
      if (flag !== "+") this.#refusals.forget(keyOf(frame))
      return isBodiless(frame) ? this.#received(frame, 0) : undefined
    }
    if (flag === "#" || !truth) {
      const why = truth ? "the sender has given up the message" : "the message has another length than its sender said"
      message.arriving?.fail(new ClientError({ reason: "Aborted", message: why }))
      return this.#unfinished.forget(message)
    }
    if (flag === "$") this.#unfinished.end(message, chunk.next - 1)
    if (message.octets.complete) this.#deliver(message)
  }

  /**
   * The message that a chunk belongs to, or the status to refuse it with. A message that was refused may be sent again, from its
   * first octet. A first chunk that only gives the message up does not begin it again.
   */
  #messageOf(frame: Frame, flag: Flag | undefined): Unfinished | number {
    const key = keyOf(frame)
    const known = this.#unfinished.next(key)
    if (known !== undefined) return known
    const refused = this.#refusals.statusOf(key)
    if (refused !== undefined && (startOf(frame) > 1 || flag === "#")) return refused
    const collect = this.#unfinished.hasRoom() ? this.#options.collect(frame) : { refuse: 413 }
    if (typeof collect === "object") {
      this.#refusals.refuse(key, collect.refuse)
      return collect.refuse
    }
    this.#refusals.forget(key)
    const message = this.#unfinishedOf(key, frame, collect)
    this.#unfinished.add(message)
    if (message.arriving !== undefined) this.#options.incoming.put(message.arriving)
    return message
  }

  #unfinishedOf(key: string, first: Frame, collect: "body" | "digest" | "stream"): Unfinished {
    const { later, maxMessage: limit, unread } = this.#options
    const hash = collect === "digest" ? createHash("sha256") : undefined
    const arriving = collect === "stream"
      ? new Arriving({ first, unread, later, refuse: (status) => this.#refuse(message, status) })
      : undefined
    const drain = hash === undefined
      ? arriving && ((octets: Buffer): void => arriving.push(octets))
      : (octets: Buffer): void => void hash.update(octets)
    const octets = new Reassembly({ limit, drain })
    const message: Unfinished = { key, first, octets, digest: () => hash?.digest("hex"), arriving }
    return message
  }

  #deliver(message: Unfinished): void {
    const { first, octets } = message
    this.#unfinished.forget(message)
    const length = octets.total!
    if (message.arriving === undefined) {
      const sha256 = message.digest()
      this.#options.messages.put({
        messageId: first.messageId!,
        toPath: first.toPath,
        fromPath: first.fromPath,
        contentType: first.header("Content-Type"),
        length,
        body: sha256 === undefined ? octets.body() : undefined,
        sha256,
        first
      })
    } else message.arriving.whole()
    this.#received(first, length)
  }

  /** Sends the success REPORT for a complete message, if it asks for one (RFC 4975 §7.1.3). */
  #received(first: Frame, length: number): void {
    if (first.successReport && this.#options.report) {
      sendReport(this.#options, first, { status: 200, byteRange: `1-${length}/${length}` })
    }
  }

  /** Answers a chunk once, as its Failure-Report asks (RFC 4975 §7.2). */
  #answer(chunk: Chunk, status: number): void {
    const { frame } = chunk
    if (chunk.answered || !this.#options.respond) return
    chunk.answered = true
    if (frame.failureReport === "no" || (frame.failureReport === "partial" && status === 200)) return
    sendResponse(this.#options, frame, status)
  }

  // --- other methods, responses

  #other(frame: Frame): void {
    if (frame.method === "") {
      this.#options.transactions.responded(frame)
    } else if (frame.method === "REPORT") {
      if (frame.problem === undefined) this.#reported(frame)
    } else if (this.#options.respond) {
      sendResponse(this.#options, frame, frame.problem === undefined ? 501 : 400)
    }
  }

  #reported(frame: Frame): void {
    const status = /^000 (\d{3})(?: (.*))?$/s.exec(frame.header("Status") ?? "")
    const report: Report = {
      messageId: frame.messageId,
      status: status === null ? 0 : Number(status[1]),
      comment: status?.[2] ?? "",
      byteRange: frame.byteRange,
      frame
    }
    this.#options.reports.put(report)
    this.#options.deliveries.reported(report)
  }
}

/** Whether the last chunk ends at the total in its Byte-Range, and at that of the chunk that arrived first (RFC 4975 §7.1.1). */
const isTrue = ({ frame, next }: Chunk, { first }: Unfinished): boolean =>
  [frame.byteRange?.total, first.byteRange?.total].every((total) => total === undefined || total === next - 1)

/** Position in the message of a chunk's first octet, from 1 (RFC 4975 §7.3.1). */
const startOf = ({ byteRange }: Frame): number => byteRange?.start ?? 1

/** Whether a SEND is complete without a body. It is not a message, but gets its success REPORT (RFC 4975 §7.1, §7.3.1). */
const isBodiless = ({ byteRange, flag, hasBody, messageId, problem }: Frame): boolean =>
  !hasBody && flag === "$" && messageId !== undefined && problem === undefined &&
  (byteRange === undefined || (byteRange.start === 1 && !byteRange.total))

/** Identifies a message: a Message-ID is unique only for one sender and one session. */
const keyOf = ({ fromPath, messageId, toPath }: Frame): string => `${messageId}\n${fromPath}\n${toPath}`
