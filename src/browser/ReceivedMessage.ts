/** Received messages of a page: the body as text, blob or stream. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Incoming } from "../client/Incoming.ts"
import type { ContentDisposition } from "../protocol/ContentDisposition.ts"
import type { IncomingFile, Message, ReadOptions } from "./Api.ts"
import { checkRefusal } from "./Checks.ts"
import { fromClient, promised } from "./Failures.ts"
import { MsrpError } from "./MsrpError.ts"
import { guardedProgress } from "./ProgressCallback.ts"

/** Octets of a body that is read as text. */
export const MAX_TEXT = 16_777_216
/** Octets that are collected before they are moved to a blob, which a browser may keep on disk. */
const INTO_BLOB = 8_388_608
/** Characters of a file name. */
const MAX_NAME = 255

export class ReceivedMessage implements Message {
  readonly messageId: string
  readonly from: string
  readonly contentType: string
  readonly size: number | undefined
  protected readonly arriving: Incoming
  #isRead = false

  constructor(arriving: Incoming) {
    this.arriving = arriving
    this.messageId = arriving.messageId
    this.from = arriving.fromPath
    this.contentType = arriving.contentType ?? ""
    this.size = arriving.size
  }

  get received(): number {
    return this.arriving.received()
  }

  async text(options: ReadOptions = {}): Promise<string> {
    const decoder = new TextDecoder()
    let text = ""
    let length = 0
    await this.#read(options, (octets) => {
      length += octets.length
      if (length > MAX_TEXT) throw new MsrpError("Dropped", `a text of more than ${MAX_TEXT} octets`)
      text += decoder.decode(octets, { stream: true })
    })
    return text + decoder.decode()
  }

  async blob(options: ReadOptions = {}): Promise<Blob> {
    const type = this.contentType
    let whole = new Blob([], { type })
    let parts: Array<Uint8Array<ArrayBuffer>> = []
    let length = 0
    await this.#read(options, (octets) => {
      parts.push(octets)
      length += octets.length
      if (length < INTO_BLOB) return
      whole = new Blob([whole, ...parts], { type })
      parts = []
      length = 0
    })
    return new Blob([whole, ...parts], { type })
  }

  stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    this.#begin()
    return new ReadableStream({
      pull: async (controller) => {
        const octets = await this.#next()
        if (octets === undefined) controller.close()
        else controller.enqueue(octets)
      },
      cancel: () => this.refuse()
    }, { highWaterMark: 0 })
  }

  refuse(status?: number): void {
    checkRefusal(status)
    Effect.runSync(this.arriving.refuse(status))
  }

  #begin(): void {
    if (this.#isRead) throw new MsrpError("Invalid", "the message is read already")
    this.#isRead = true
  }

  #next(signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const next = Effect.mapError(this.arriving.next, fromClient)
    return promised(Context.empty(), next, signal) as Promise<Uint8Array<ArrayBuffer> | undefined>
  }

  async #read(
    { onProgress, signal }: ReadOptions,
    take: (octets: Uint8Array<ArrayBuffer>) => void
  ): Promise<void> {
    this.#begin()
    const tell = onProgress && guardedProgress(onProgress)
    let received = 0
    try {
      for (let octets = await this.#next(signal); octets !== undefined; octets = await this.#next(signal)) {
        received += octets.length
        take(octets)
        tell?.({ received, total: this.size })
      }
    } catch (error) {
      this.refuse()
      throw error
    }
  }
}

export class ReceivedFile extends ReceivedMessage implements IncomingFile {
  readonly name: string
  override readonly size: number | undefined

  constructor(arriving: Incoming, disposition: ContentDisposition) {
    super(arriving)
    this.name = nameOf(disposition.filename)
    this.size = arriving.size ?? disposition.size
  }

  get progress(): number | undefined {
    return this.size === undefined ? undefined : this.size === 0 ? 1 : Math.min(1, this.received / this.size)
  }
}

/** Makes a received file name safe to show and to save: its last part, without control characters. */
export const nameOf = (filename: string | undefined): string => {
  const last = (filename ?? "").split(/[/\\]/).at(-1)!.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "").trim()
  const name = Array.from(last).slice(-MAX_NAME).join("")
  return /^\.*$/.test(name) ? "file" : name
}
