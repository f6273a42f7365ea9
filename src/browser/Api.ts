/**
 * What `msrp-relay/browser` gives: chats and files by MSRP (RFC 4975) through a relay (RFC 4976) over WebSocket (RFC 7977),
 * with promises, async iterables and events. Sizes are octets, times are seconds.
 */
import type { MsrpError } from "./MsrpError.ts"

/**
 * A user and his password.
 *
 * @category models
 * @since 0.2.0
 */
export interface Credentials {
  readonly username: string
  readonly password: string
}

/**
 * Which relay, and who logs in.
 *
 * @category options
 * @since 0.2.0
 */
export interface ConnectOptions {
  /** Where the relay opens WebSockets: `wss://relay.example.com/`. `ws:` is for loopback. */
  readonly url: string | URL
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** Asked for before each login, instead of both above: for passwords that last for an hour. */
  readonly credentials?: (() => Credentials | Promise<Credentials>) | undefined
  /** The relay's URI, where it is not that of `url`: `msrps://relay.example.com:2855;ws`. */
  readonly relay?: string | undefined
  /** Seconds that the path is asked to be good for; it is renewed in time. The relay decides when absent. */
  readonly expires?: number | undefined
  /** Gives up to connect. Once `connect` has succeeded it has no meaning: there is `close`. */
  readonly signal?: AbortSignal | undefined
}

/**
 * - `connecting`: to the relay, or logging in
 * - `open`: logged in
 * - `waiting`: the connection was lost, and is made again in a while: within 30 seconds, or when the browser is online
 * - `closed`: for good, by `close` or because the relay does not let this user in
 *
 * @category models
 * @since 0.2.0
 */
export type State = "connecting" | "open" | "waiting" | "closed"

/**
 * What a connection has become, and why.
 *
 * @category models
 * @since 0.2.0
 */
export interface StateChange {
  readonly state: State
  /** What has ended the connection, or the attempt to connect. */
  readonly error: MsrpError | undefined
  /** Seconds until it is tried again, when the state is `waiting`; at once when the browser comes online. */
  readonly retryIn: number | undefined
}

/**
 * The events of `Msrp`.
 *
 * @category models
 * @since 0.2.0
 */
export interface MsrpEventMap {
  /** The state has changed. */
  readonly state: CustomEvent<StateChange>
  /** `path` has changed: it was renewed, or the connection is another one. Peers must be told. */
  readonly path: CustomEvent<string>
}

/**
 * How long a listener listens, as `addEventListener` has it.
 *
 * @category options
 * @since 0.2.0
 */
export interface ListenerOptions {
  readonly once?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * A user who is logged in at a relay.
 *
 * @category models
 * @since 0.2.0
 */
export interface Msrp {
  readonly state: State
  /**
   * The URIs of the relay by which this user is reached, for the first part of `a=path` (RFC 4976 §5.1); empty while there
   * is no connection. A session's own `path` has both parts.
   */
  readonly path: string
  /** A new session, with an own URI. Any number of them share the connection. */
  session(options?: SessionOptions): Session
  /** Ends sessions and connection. Completes when the relay has closed the connection too, or after three seconds. */
  close(): Promise<void>
  addEventListener<K extends keyof MsrpEventMap>(
    type: K,
    listener: (event: MsrpEventMap[K]) => void,
    options?: ListenerOptions
  ): void
  removeEventListener<K extends keyof MsrpEventMap>(
    type: K,
    listener: (event: MsrpEventMap[K]) => void
  ): void
}

/**
 * The peer of a session, and what is taken from it.
 *
 * @category options
 * @since 0.2.0
 */
export interface SessionOptions {
  /** The peer's path, as it stands in its `a=path`. May be told later. */
  readonly peer?: string | undefined
  /** Media types that are wanted, as in `a=accept-types`: `text/plain`, `image/*`, `*`. Others are answered 415. Default all. */
  readonly accept?: ReadonlyArray<string> | undefined
  /** Octets of a message; longer ones are answered 413. Default 1 GiB. */
  readonly maxSize?: number | undefined
}

/**
 * Messages to and from one peer.
 *
 * @category models
 * @since 0.2.0
 */
export interface Session {
  /** The own URI. */
  readonly uri: string
  /** The whole path to here, for `a=path`; changes with `Msrp.path`, and is empty while there is no connection. */
  readonly path: string
  /** The peer's path. Throws a `MsrpError` when what it is set to is none. */
  peer: string | undefined
  /**
   * Sends a message. Completes when the relay has all of it; rejects with `Lost` when the connection goes before, and then
   * nothing is sent again. A `File` goes with its name.
   */
  send(data: string | Blob | Uint8Array, options?: SendOptions): Promise<Sent>
  /** Messages without a file name, in order. At most 1000 and 8 MiB wait to be taken; more are answered 413. */
  readonly messages: AsyncIterable<Message>
  /** Files: messages with a file name, or that are attachments (Content-Disposition). As many may wait. */
  readonly incoming: AsyncIterable<IncomingFile>
  /** Nothing more is taken: what still comes is answered 481. What was not taken is refused. */
  close(): void
}

/**
 * What is wanted for a message.
 *
 * @category options
 * @since 0.2.0
 */
export interface SendOptions {
  /** Default: `text/plain` for text, the type of a blob, else `application/octet-stream`. */
  readonly contentType?: string | undefined
  /** Name of the file, if it is not that of a `File`. */
  readonly filename?: string | undefined
  /** Ask the peer for a receipt: see `Sent.delivered`. Default false. */
  readonly receipt?: boolean | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
  /** Ends the message where it is; the peer is told. */
  readonly signal?: AbortSignal | undefined
  /** Message-ID, 4 to 32 letters and digits. Default: a new one. */
  readonly messageId?: string | undefined
}

/**
 * How much of a message has gone, in octets.
 *
 * @category models
 * @since 0.2.0
 */
export interface Progress {
  /** Octets that were handed to the browser. */
  readonly sent: number
  /** Octets that the relay has answered for. */
  readonly acknowledged: number
  readonly total: number
}

/**
 * A message that the relay has taken.
 *
 * @category models
 * @since 0.2.0
 */
export interface Sent {
  readonly messageId: string
  /** Octets. */
  readonly length: number
  /**
   * The peer has all of it. Rejects with `Failed` when a REPORT says that it does not, with `Lost` when the connection goes
   * first, with `NoReceipt` without `receipt`. Nobody has to send receipts, so wait for something else as well.
   */
  readonly delivered: Promise<Delivered>
}

/**
 * The receipt of a message: a success REPORT (RFC 4975 §7.1.2).
 *
 * @category models
 * @since 0.2.0
 */
export interface Delivered {
  /** 200. */
  readonly status: number
}

/**
 * What is wanted for reading a message.
 *
 * @category options
 * @since 0.2.0
 */
export interface ReadOptions {
  /** Ends reading; the rest of the message is refused. */
  readonly signal?: AbortSignal | undefined
  readonly onProgress?:
    | ((progress: { readonly received: number; readonly total: number | undefined }) => void)
    | undefined
}

/**
 * A message that is coming, or has come. Its body can be read once, by one of the three. Of one that is still coming 1 MiB waits
 * to be read, then its sender does; it is refused when nothing is read for 25 seconds then.
 *
 * @category models
 * @since 0.2.0
 */
export interface Message {
  readonly messageId: string
  /** The path to its sender, who may not be the peer that was expected. */
  readonly from: string
  readonly contentType: string
  /** Octets, if the sender has said. */
  readonly size: number | undefined
  /** Octets that have come. */
  readonly received: number
  /** As UTF-8. Rejects with `Dropped` above 16 MiB. */
  text(options?: ReadOptions): Promise<string>
  blob(options?: ReadOptions): Promise<Blob>
  /** Octets while they come. To cancel it refuses the rest. */
  stream(): ReadableStream<Uint8Array<ArrayBuffer>>
  /** No (more) of it is wanted: its sender hears 413, or another status. */
  refuse(status?: number): void
}

/**
 * A message that is a file.
 *
 * @category models
 * @since 0.2.0
 */
export interface IncomingFile extends Message {
  /** Without folders and control characters, at most 255 of them; `file` if the sender has not said. */
  readonly name: string
  /** From 0 to 1; undefined if the sender has not said how long it is. */
  readonly progress: number | undefined
}
