/**
 * The types of `msrp-relay/browser`: chats and files by MSRP (RFC 4975) through a relay (RFC 4976) over WebSocket (RFC 7977), with
 * promises, async iterables and events. Sizes are in octets, times in seconds.
 */
import type { MsrpError } from "./MsrpError.ts"

/**
 * A user name and a password.
 *
 * @category models
 * @since 0.2.0
 */
export interface Credentials {
  readonly username: string
  readonly password: string
}

/**
 * The relay to connect to, and the user to log in as.
 *
 * @category options
 * @since 0.2.0
 */
export interface ConnectOptions {
  /** The WebSocket URL of the relay: `wss://relay.example.com/`. `ws:` is for loopback. */
  readonly url: string | URL
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** Called before each login, instead of `username` and `password`: for passwords that expire. */
  readonly credentials?: (() => Credentials | Promise<Credentials>) | undefined
  /** The MSRP URI of the relay, if it does not follow from `url`: `msrps://relay.example.com:2855;ws`. */
  readonly relay?: string | undefined
  /** Requested lifetime of the path in seconds; it is renewed in time. Absent: the relay decides. */
  readonly expires?: number | undefined
  /** Aborts `connect`. Once that has succeeded, it has no effect: use `close`. */
  readonly signal?: AbortSignal | undefined
}

/**
 * - `connecting`: connecting to the relay, or logging in
 * - `open`: logged in
 * - `waiting`: the connection was lost, and is made again within 30 seconds, or when the browser is online
 * - `closed`: ended by `close`, or because the relay refuses this user
 *
 * @category models
 * @since 0.2.0
 */
export type State = "connecting" | "open" | "waiting" | "closed"

/**
 * The new state of a connection, and the reason.
 *
 * @category models
 * @since 0.2.0
 */
export interface StateChange {
  readonly state: State
  /** The error that ended the connection, or the attempt to connect. */
  readonly error: MsrpError | undefined
  /** Seconds until the next attempt, in the state `waiting`. It is made at once if the browser comes online. */
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
  /** `path` has changed, with a new login or a new connection. Peers need the new one. */
  readonly path: CustomEvent<string>
}

/**
 * Options of a listener, as those of `addEventListener`.
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
   * The URIs of the relay by which peers reach this user: the first part of `a=path` (RFC 4976 §5.1). Empty while there is no
   * connection. The `path` of a session is complete.
   */
  readonly path: string
  /** Makes a session, with a URI of its own. Any number of sessions share the connection. */
  session(options?: SessionOptions): Session
  /** Ends all sessions and the connection. Completes when the relay has closed it too, or after three seconds. */
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
 * The peer of a session, and which messages are accepted.
 *
 * @category options
 * @since 0.2.0
 */
export interface SessionOptions {
  /** The peer's path, as in its `a=path`. Can be set later. */
  readonly peer?: string | undefined
  /** Accepted media types, as in `a=accept-types`: `text/plain`, `image/*`, `*`. Others are answered 415. Default: all. */
  readonly accept?: ReadonlyArray<string> | undefined
  /** Octets of a message. Longer ones are answered 413. Default 1 GiB. */
  readonly maxSize?: number | undefined
}

/**
 * Messages to and from one peer.
 *
 * @category models
 * @since 0.2.0
 */
export interface Session {
  /** The URI of this session. */
  readonly uri: string
  /** The path to this session, for `a=path`. Changes with `Msrp.path`, and is empty while there is no connection. */
  readonly path: string
  /** The peer's path. Setting it to something that is not a path throws a `MsrpError`. */
  peer: string | undefined
  /**
   * Sends a message. Completes when the relay has all of it. Rejects with `Lost` if the connection ends before; the message is not
   * sent again. The name of a `File` is sent with it.
   */
  send(data: string | Blob | Uint8Array, options?: SendOptions): Promise<Sent>
  /** Messages without a file name, in order. At most 1000 and 8 MiB wait to be taken; further ones are answered 413. */
  readonly messages: AsyncIterable<Message>
  /** Files: messages with a file name, and attachments (Content-Disposition). The limits are those of `messages`. */
  readonly incoming: AsyncIterable<IncomingFile>
  /** Ends the session. Messages that still arrive are answered 481, and those that were not taken are refused. */
  close(): void
}

/**
 * How a message is sent.
 *
 * @category options
 * @since 0.2.0
 */
export interface SendOptions {
  /** Default: `text/plain` for text, the type of a blob, otherwise `application/octet-stream`. */
  readonly contentType?: string | undefined
  /** Name of the file. Default: that of a `File`. */
  readonly filename?: string | undefined
  /** Ask the peer for a receipt: see `Sent.delivered`. Default false. */
  readonly receipt?: boolean | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
  /** Aborts the message. The peer gets the flag `#` (RFC 4975 §7.1.1). */
  readonly signal?: AbortSignal | undefined
  /** Message-ID: 4 to 32 letters, digits, dots, hyphens and the like. Default: a new one. */
  readonly messageId?: string | undefined
}

/**
 * How much of a message was sent, in octets.
 *
 * @category models
 * @since 0.2.0
 */
export interface Progress {
  /** Handed to the browser. */
  readonly sent: number
  /** In chunks that the relay has answered with 200. */
  readonly acknowledged: number
  readonly total: number
}

/**
 * A message that the relay has accepted.
 *
 * @category models
 * @since 0.2.0
 */
export interface Sent {
  readonly messageId: string
  /** Octets. */
  readonly length: number
  /**
   * Completes when the peer has the whole message. Rejects with `Failed` for a failure REPORT, with `Lost` if the connection ends
   * first, and with `NoReceipt` without `receipt`. Peers need not send receipts, so use a time limit.
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
 * How a message is read.
 *
 * @category options
 * @since 0.2.0
 */
export interface ReadOptions {
  /** Aborts reading. The rest of the message is refused. */
  readonly signal?: AbortSignal | undefined
  /** Called when more has arrived; both numbers are octets. */
  readonly onProgress?:
    | ((progress: { readonly received: number; readonly total: number | undefined }) => void)
    | undefined
}

/**
 * A message that is arriving, or has arrived. Its body can be read once, with `text`, `blob` or `stream`. While it arrives, 1 MiB
 * may wait to be read; beyond it, the sender has to wait, and the message is refused when nothing is read for 25 seconds.
 *
 * @category models
 * @since 0.2.0
 */
export interface Message {
  readonly messageId: string
  /** The path to its sender, which may not be the expected peer. */
  readonly from: string
  readonly contentType: string
  /** Octets of the whole message, if the sender has announced them. */
  readonly size: number | undefined
  /** Octets that have arrived. */
  readonly received: number
  /** The body, decoded as UTF-8. Rejects with `Dropped` above 16 MiB. */
  text(options?: ReadOptions): Promise<string>
  blob(options?: ReadOptions): Promise<Blob>
  /** Octets as they arrive. Cancelling the stream refuses the rest. */
  stream(): ReadableStream<Uint8Array<ArrayBuffer>>
  /** Refuses the rest of the message with `status`, 413 by default. */
  refuse(status?: number): void
}

/**
 * A message that is a file.
 *
 * @category models
 * @since 0.2.0
 */
export interface IncomingFile extends Message {
  /** The file name without folders and control characters, its last 255 characters at most. Default `file`. */
  readonly name: string
  /** From 0 to 1. Undefined if the sender has not announced the size. */
  readonly progress: number | undefined
}
