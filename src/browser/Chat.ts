/** A session of a page (RFC 4975 §4): the messages to its URI and from it. */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Grant } from "../client/Auth.ts"
import type { Collect } from "../client/Collect.ts"
import type { Client } from "../client/Endpoint.ts"
import type { Frame } from "../client/Frame.ts"
import type { Incoming } from "../client/Incoming.ts"
import { isMediaType } from "../client/MediaType.ts"
import type { Progress } from "../client/OutgoingMessage.ts"
import { pathUris } from "../client/Path.ts"
import { formatDisposition, parseDisposition } from "../protocol/ContentDisposition.ts"
import { defaultFrameLimits } from "../protocol/FrameLimits.ts"
import { isIdent } from "../protocol/Ident.ts"
import { parsePath } from "../protocol/Uri.ts"
import type { Delivered, IncomingFile, Message, SendOptions, Sent, Session, SessionOptions } from "./Api.ts"
import { AsyncQueue } from "./AsyncQueue.ts"
import { checkPaths, checkPeer, checkSend, checkSession } from "./Checks.ts"
import { fromClient, isMsrpError, promised } from "./Failures.ts"
import { MsrpError } from "./MsrpError.ts"
import { guardedProgress } from "./ProgressCallback.ts"
import { ReceivedFile, ReceivedMessage } from "./ReceivedMessage.ts"

/** Default of `maxSize`, in octets. */
const MAX_SIZE = 1_073_741_824
/** Octets of a blob that are read at a time. */
const SLICE = 1_048_576

/** The connection that a session belongs to. */
export interface ChatOwner {
  readonly context: Context.Context<never>
  /** The current connection and its grant. Undefined while there is none. */
  readonly online: { readonly client: Client; readonly grant: Grant } | undefined
  readonly path: string
  /** Called when a session is closed. */
  readonly left: (chat: Chat) => void
}

export class Chat implements Session {
  readonly uri: string
  readonly messages = new AsyncQueue<Message>()
  readonly incoming = new AsyncQueue<IncomingFile>()
  readonly #owner: ChatOwner
  readonly #accept: ReadonlyArray<string>
  readonly #maxSize: number
  #peer: string | undefined

  constructor(owner: ChatOwner, uri: string, options: SessionOptions) {
    checkSession(options)
    const { accept = ["*"], maxSize = MAX_SIZE, peer } = options
    this.#owner = owner
    this.uri = uri
    this.#accept = accept.map((type) => type.trim().toLowerCase())
    this.#maxSize = maxSize
    this.peer = peer
  }

  get path(): string {
    const { path } = this.#owner
    return path === "" ? "" : `${path} ${this.uri}`
  }

  get peer(): string | undefined {
    return this.#peer
  }

  set peer(path: string | undefined) {
    checkPeer(path)
    if (path !== undefined && parsePath(path, defaultFrameLimits.pathUris) === undefined) {
      throw new MsrpError("Invalid", "the path of the peer is none")
    }
    this.#peer = path?.trim()
  }

  // ---- in

  /** Octets of messages that were not taken yet. */
  get waiting(): number {
    return this.messages.octets + this.incoming.octets
  }

  /** Decides about a message by its first chunk. */
  collect(first: Frame): Collect {
    const type = (first.header("Content-Type") ?? "").replace(/;.*$/s, "").trim().toLowerCase()
    const accepts = (one: string): boolean =>
      one === "*" || one === "*/*" || one === type || (one.endsWith("/*") && type.startsWith(one.slice(0, -1)))
    if (!this.#accept.some(accepts)) return { refuse: 415 }
    if ((first.byteRange?.total ?? 0) > this.#maxSize) return { refuse: 413 }
    return (isFile(first) ? this.incoming : this.messages).isFull ? { refuse: 413 } : "stream"
  }

  came(incoming: Incoming): void {
    const arriving = limited(incoming, this.#maxSize)
    const disposition = dispositionOf(incoming.first)
    if (disposition !== undefined && isFile(incoming.first)) this.incoming.put(new ReceivedFile(arriving, disposition))
    else this.messages.put(new ReceivedMessage(arriving))
  }

  close(): void {
    this.#owner.left(this)
    this.end(481)
  }

  /** Ends both queues, and refuses what was not taken with `status`. */
  end(status: number): void {
    for (const message of [...this.messages.end(), ...this.incoming.end()]) message.refuse(status)
  }

  // ---- out

  async send(data: string | Blob | Uint8Array, options: SendOptions = {}): Promise<Sent> {
    const { context, online } = this.#owner
    checkSend(data, options)
    const { messageId, onProgress, receipt = false, signal } = options
    const peer = this.#peer
    if (peer === undefined) throw new MsrpError("Invalid", "the session has no peer yet")
    if (messageId !== undefined && !isIdent(messageId)) throw new MsrpError("Invalid", "the messageId cannot be used")
    if (online === undefined) throw new MsrpError("Lost", "there is no connection now")
    const size = typeof data === "string" ? undefined : data instanceof Blob ? data.size : data.length
    const { client, grant } = online
    const filename = options.filename ?? (data instanceof File ? data.name : undefined)
    // The type of a blob may be any text.
    const contentType = options.contentType ?? (data instanceof Blob && isMediaType(data.type) ? data.type : undefined)
    const toPath = [...grant.usePath.map(({ text }) => text), ...pathUris(peer)]
    checkPaths([...toPath, this.uri], contentType)
    const sent = await promised(
      context,
      client.send({
        toPath,
        fromPath: this.uri,
        body: data instanceof Blob ? octetsOf(data) : data,
        successReport: receipt,
        ...(size === undefined ? {} : { size }),
        ...(messageId === undefined ? {} : { messageId }),
        ...(contentType === undefined ? {} : { contentType }),
        ...(filename === undefined
          ? {}
          : { headers: [["Content-Disposition", formatDisposition({ type: "attachment", filename, size })]] }),
        ...(onProgress === undefined
          ? {}
          : {
            progress: guardedProgress(({ acknowledged, sent, total = sent }: Progress) =>
              onProgress({ sent, acknowledged, total })
            )
          })
      }).pipe(Effect.mapError((error) => isMsrpError(error) ? error : fromClient(error))),
      signal
    )
    const delivered = promised(
      context,
      sent.delivered.pipe(Effect.mapBoth({ onFailure: fromClient, onSuccess: ({ status }): Delivered => ({ status }) }))
    )
    // A page that does not use `delivered` gets no unhandled rejection.
    delivered.catch(() => {})
    return { messageId: sent.messageId, length: sent.length, delivered }
  }
}

const dispositionOf = (first: Frame) => parseDisposition(first.header("Content-Disposition") ?? "")

const isFile = (first: Frame): boolean => {
  const disposition = dispositionOf(first)
  return disposition !== undefined && (disposition.filename !== undefined || disposition.type === "attachment")
}

/** Refuses a message that exceeds `maxSize`, which its sender has not announced. */
const limited = (incoming: Incoming, maxSize: number): Incoming => {
  let taken = 0
  const next: Incoming["next"] = Effect.flatMap(incoming.next, (octets) => {
    taken += octets?.length ?? 0
    // After the refusal, `next` fails with `Dropped`.
    return taken > maxSize ? Effect.andThen(incoming.refuse(), incoming.next) : Effect.succeed(octets)
  })
  return Object.assign(Object.create(incoming) as Incoming, { next })
}

const octetsOf = (blob: Blob): Stream.Stream<Uint8Array, MsrpError> =>
  Stream.suspend(() => {
    let at = 0
    const next = Effect.suspend((): Effect.Effect<Uint8Array, MsrpError | Cause.Done> => {
      if (at >= blob.size) return Cause.done()
      const slice = blob.slice(at, at += SLICE)
      return Effect.tryPromise({
        try: async () => new Uint8Array(await slice.arrayBuffer()),
        catch: (cause) => new MsrpError("Unreadable", "the file cannot be read", { cause })
      })
    })
    return Stream.fromEffectRepeat(next)
  })
