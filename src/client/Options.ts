/** The options of a client and its operations. */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Stream from "effect/Stream"
import type { DigestAlgorithm } from "../protocol/digest/Digest.ts"
import type { HeaderLines } from "../protocol/Encoder.ts"
import type { FailureReport, Flag } from "../protocol/Head.ts"
import type { MsrpUri } from "../protocol/Uri.ts"
import type { ConnectOptions as TransportConnectOptions } from "../Transport.ts"
import type { Grant } from "./Auth.ts"
import type { Collect } from "./Collect.ts"
import type { Frame } from "./Frame.ts"
import type { Progress } from "./OutgoingMessage.ts"
import type { Path } from "./Path.ts"

/**
 * What a client does on its connection.
 *
 * @category options
 * @since 0.2.0
 */
export interface ClientOptions {
  /** Answer requests: SENDs as their Failure-Report asks, unknown methods with 501. Default true. */
  readonly respond?: boolean | undefined
  /** Send a success REPORT for each whole message, and each SEND without a body, that asks for one. Default true. */
  readonly report?: boolean | undefined
  /** Keep a copy of every frame in `frames`, however long its body. For tests. Default false. */
  readonly record?: boolean | undefined
  /**
   * Whether a message is kept in memory (`body`), only counted and hashed (`digest`), or handed out in `incoming` while it
   * arrives (`stream`); `{ refuse: 415 }` refuses it with that status. A function is called with the first chunk, and again when a
   * message that was refused begins anew. If it throws, or gives anything else, that is logged once, and the message is refused
   * with 413. Default `body`.
   */
  readonly collect?: (Collect | ((first: Frame) => Collect)) | undefined
  /** Octets of a message that is kept, and octets after a gap in one that is hashed. Default 32 MiB. */
  readonly maxMessage?: number | undefined
  /** Octets of messages and frames that were not taken yet, headers included: beyond it reading pauses. Default 64 MiB. */
  readonly maxUnread?: number | undefined
  /** REPORTs that are kept in `reports`. Beyond it, and beyond 64 MiB, the oldest are forgotten. Default 65,536. */
  readonly maxReports?: number | undefined
  /** How long to wait for a response. Default 30 seconds (RFC 4975 §7.2). */
  readonly responseTimeout?: Duration.Input | undefined
}

/**
 * The address that a client connects to, and what it does on the connection.
 *
 * @category options
 * @since 0.1.0
 */
export interface ConnectOptions extends TransportConnectOptions, ClientOptions {}

/**
 * A relay, by its URI.
 *
 * @category options
 * @since 0.2.0
 */
export interface RelayOptions extends ClientOptions, Pick<TransportConnectOptions, "path" | "from" | "admits"> {
  /**
   * For example `msrps://relay.example.com;tcp`. Without a port, the relay of that domain is found by SRV (RFC 4976 §8), and its
   * hosts are tried in order; without SRV records, port 2855 is used. With `ws`, a WebSocket is opened at `path` (RFC 7977).
   */
  readonly relay: string | MsrpUri
}

/**
 * The user that a client logs in as.
 *
 * @category models
 * @since 0.2.0
 */
export interface Credentials {
  readonly username: string
  readonly password: string | Redacted.Redacted
}

/**
 * Options of a client that stays online.
 *
 * @category options
 * @since 0.2.0
 */
export type OnlineOptions =
  & Omit<RelayOptions, "respond" | "record">
  & Pick<AuthOptions, "algorithms" | "rspauth" | "sendUri">
  & {
    /** Requested lifetime of the path in seconds. The relay decides if it is absent or not acceptable. */
    readonly expires?: number | undefined
    /**
     * Bounds of the pause before the next attempt. It is random, from `atLeast` to an upper bound that doubles with each attempt
     * up to `atMost`, so that clients do not return all at once. Default: 0.5 and 30 seconds.
     */
    readonly retry?:
      | { readonly atLeast?: Duration.Input | undefined; readonly atMost?: Duration.Input | undefined }
      | undefined
    /** How long `send` and other operations wait to be online. Default 30 seconds. */
    readonly waitOnline?: Duration.Input | undefined
  }
  & ((Credentials & { readonly credentials?: undefined }) | {
    /** Run before each login, for passwords that expire. If it fails, it is tried again. It may take long. */
    readonly credentials: Effect.Effect<Credentials, unknown>
  })

/**
 * How a client logs in at a relay.
 *
 * @category options
 * @since 0.1.0
 */
export interface AuthOptions {
  /** The URI of the relay. The digest is computed with its text. */
  readonly relay: string | MsrpUri
  /** Use-Path of the relays before this one, granted by AUTHs to them (RFC 4976 §5.1). */
  readonly via?: Path | undefined
  readonly username: string
  readonly password: string | Redacted.Redacted
  /** Requested lifetime of the path in seconds. Absent: the relay decides. */
  readonly expires?: number | undefined
  /** After a 423, request the limit that it names, once (RFC 4976 §4.6). Default false. */
  readonly adjustExpires?: boolean | undefined
  /** Accepted digest algorithms. The strongest one that the relay offers is used. Default: all. */
  readonly algorithms?: ReadonlyArray<DigestAlgorithm> | undefined
  /** Whether a grant without rspauth is an error (a wrong one always is). Default `required`. */
  readonly rspauth?: "required" | "optional" | undefined
  /** Send the URI in Authorization too, as in HTTP but not in RFC 4976. Default false. */
  readonly sendUri?: boolean | undefined
  /** An earlier grant of this relay. Its nonce is used again, which saves the challenge. */
  readonly after?: Grant | undefined
  /** The sender's URI. Default: that of the client. */
  readonly fromPath?: Path | undefined
}

/**
 * A request that is sent in one piece.
 *
 * @category options
 * @since 0.1.0
 */
export interface RequestOptions {
  readonly method: string
  readonly toPath: Path
  readonly fromPath?: Path | undefined
  /** As in `SendOptions`, in the order in which they are written. With a body, Content-Type must be the last. */
  readonly headers?: HeaderLines | undefined
  readonly body?: string | Uint8Array | undefined
  readonly flag?: Flag | undefined
  /** Default: a new one. */
  readonly transactionId?: string | undefined
}

/**
 * A message, and how it is sent.
 *
 * @category options
 * @since 0.1.0
 */
export interface SendOptions<E = never, R = never> {
  readonly toPath: Path
  /** The sender's URI. Default: that of the client. */
  readonly fromPath?: Path | undefined
  /**
   * Text is sent as UTF-8. A stream has no time limit, unless the caller sets one. Absent: a SEND without a body, which binds a
   * session or keeps a connection alive, and is no message to its receiver.
   */
  readonly body?: string | Uint8Array | Stream.Stream<Uint8Array, E, R> | undefined
  /**
   * Octets of a streamed body, if known; written as the total in Byte-Range. If the stream gives fewer, or more come with the last
   * of them, `send` fails with `Size`, and the message is given up with the flag `#`. The message is complete after `size` octets:
   * the stream need not end, and is interrupted. For text and octets, it must be their length.
   */
  readonly size?: number | undefined
  /** 4 to 32 letters, digits, dots, hyphens and the like. Default: a new one. */
  readonly messageId?: string | undefined
  /** Default `text/plain` for text, else `application/octet-stream`. */
  readonly contentType?: string | undefined
  /**
   * Additional headers, written before Content-Type: at most 57, of 7232 octets in all, and none that the client writes itself.
   * A value is text in one line, sent as UTF-8.
   */
  readonly headers?: HeaderLines | undefined
  /**
   * Position of the body in a longer message, of which other calls send the rest with the same `messageId`: a receiver waits for
   * the octets before it. `total: undefined` is `*`. False: no Byte-Range.
   */
  readonly byteRange?: { readonly start: number; readonly total: number | undefined } | false | undefined
  /**
   * Absent: `yes`, without the header (RFC 4975 §7.1). Peers that use msrp-node-lib send success REPORTs only if the header is
   * there.
   */
  readonly failureReport?: FailureReport | undefined
  /** Ask for success REPORTs, for which `Sent.delivered` waits. Default false. */
  readonly successReport?: boolean | undefined
  /** Octets of body in one chunk. `Infinity`: one chunk, which ends early only if others want to send. Default 65,536. */
  readonly chunkSize?: number | undefined
  /** Flag of the last chunk. Default `$`. */
  readonly flag?: Flag | undefined
  /** Chunks that may wait for their responses at a time. Default 32. */
  readonly window?: number | undefined
  /**
   * Called whenever more octets were sent or acknowledged. If it throws, or its promise is rejected, that is logged and it is not
   * called again; the message goes on.
   */
  readonly progress?: ((progress: Progress) => void) | undefined
}

/**
 * A message of a client that stays online.
 *
 * @category options
 * @since 0.2.0
 */
export interface OnlineSendOptions<E = never, R = never> extends Omit<SendOptions<E, R>, "toPath"> {
  /** The peer's path, as in its `a=path`. The current Use-Path of the relay is put before it. */
  readonly to: Path
}
