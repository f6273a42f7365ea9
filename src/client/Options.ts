/** What a client can be asked for. */
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

/**
 * One URI, several, or the value of a path header.
 *
 * @category models
 * @since 0.1.0
 */
export type Path = string | MsrpUri | ReadonlyArray<string | MsrpUri>

/**
 * What a client does on its connection.
 *
 * @category options
 * @since 0.2.0
 */
export interface ClientOptions {
  /** Answer requests: SENDs as their Failure-Report wants it, unknown methods with 501. Default true. */
  readonly respond?: boolean | undefined
  /** Send a success REPORT for a whole message that asks for one, and for a SEND without a body that does. Default true. */
  readonly report?: boolean | undefined
  /** Keep a copy of every frame in `frames`, however long its body. For tests. Default false. */
  readonly record?: boolean | undefined
  /**
   * Whether a message is kept in memory (`body`), only counted and hashed while it comes (`digest`), or handed out while it
   * comes, in `incoming` (`stream`). `{ refuse: 415 }` answers it so. Asked with its first chunk, and again when a message
   * that was refused begins anew. What throws, or gives anything else, is logged once, and the message refused with 413.
   * Default: kept.
   */
  readonly collect?: (Collect | ((first: Frame) => Collect)) | undefined
  /** Octets of a message that is kept, and of what comes before its turn in one that is hashed. Default 32 MiB. */
  readonly maxMessage?: number | undefined
  /** Octets of messages and frames that were not taken, with their headers: beyond it reading pauses. Default 64 MiB. */
  readonly maxUnread?: number | undefined
  /** REPORTs that are kept in `reports`: of more, or of more than 64 MiB, the oldest are forgotten. Default 65,536. */
  readonly maxReports?: number | undefined
  /** How long to wait for a response. Default 30 seconds (RFC 4975 §7.2). */
  readonly responseTimeout?: Duration.Input | undefined
}

/**
 * Where a client connects to, and what it does by itself.
 *
 * @category options
 * @since 0.1.0
 */
export interface ConnectOptions extends TransportConnectOptions, ClientOptions {}

/**
 * Where a relay is, by its URI.
 *
 * @category options
 * @since 0.2.0
 */
export interface RelayOptions extends ClientOptions, Pick<TransportConnectOptions, "path" | "from" | "admits"> {
  /**
   * As `msrps://relay.example.com;tcp`. Without a port, the relay of that domain is found by SRV (RFC 4976 §8), and the hosts
   * there are tried in their order; where there is none, port 2855 is. With `ws`, a WebSocket is opened at `path` (RFC 7977).
   */
  readonly relay: string | MsrpUri
}

/**
 * As whom a client logs in.
 *
 * @category models
 * @since 0.2.0
 */
export interface Credentials {
  readonly username: string
  readonly password: string | Redacted.Redacted
}

/**
 * Of a client that stays online.
 *
 * @category options
 * @since 0.2.0
 */
export type OnlineOptions =
  & Omit<RelayOptions, "respond" | "record">
  & {
    /** Seconds asked for; the relay decides when absent, and if it wants other ones than these. */
    readonly expires?: number | undefined
    /** As in `AuthOptions`. */
    readonly algorithms?: ReadonlyArray<DigestAlgorithm> | undefined
    readonly rspauth?: "required" | "optional" | undefined
    readonly sendUri?: boolean | undefined
    /**
     * How long to wait before it is tried again to be online: at first at least `atLeast`, and up to twice as long each time
     * until it is up to `atMost`. How long is random, so that not everybody comes back at once. Default: 0.5 and 30 seconds.
     */
    readonly retry?:
      | { readonly atLeast?: Duration.Input | undefined; readonly atMost?: Duration.Input | undefined }
      | undefined
    /** How long `send` and others wait to be online. Default 30 seconds. */
    readonly waitOnline?: Duration.Input | undefined
  }
  & ((Credentials & { readonly credentials?: undefined }) | {
    /** Asked for before each login, for passwords that last for an hour. What fails is tried again; it may take its time. */
    readonly credentials: Effect.Effect<Credentials, unknown>
  })

/**
 * Where a client logs in, and as whom.
 *
 * @category options
 * @since 0.1.0
 */
export interface AuthOptions {
  /** The relay's URI. Its text is what the digest is made with. */
  readonly relay: string | MsrpUri
  /** Use-Path of the relays before it, granted by an AUTH to them (RFC 4976 §5.1). */
  readonly via?: Path | undefined
  readonly username: string
  readonly password: string | Redacted.Redacted
  /** Seconds asked for; the relay decides when absent. */
  readonly expires?: number | undefined
  /** After a 423, ask once more for the limit that it names (RFC 4976 §4.6). Default false. */
  readonly adjustExpires?: boolean | undefined
  /** Algorithms that may be answered; the strongest of those offered is taken. Default: all. */
  readonly algorithms?: ReadonlyArray<DigestAlgorithm> | undefined
  /** Whether a grant without rspauth is an error (a wrong one always is). Default `required`. */
  readonly rspauth?: "required" | "optional" | undefined
  /** Send the URI in Authorization too, as HTTP does and RFC 4976 does not. Default false. */
  readonly sendUri?: boolean | undefined
  /** An earlier grant of this relay: its nonce is used, which saves the challenge. */
  readonly after?: Grant | undefined
  /** Own URI. Default: that of the client. */
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
  /** As in `SendOptions`, in this order; with a body, Content-Type must be the last. */
  readonly headers?: HeaderLines | undefined
  readonly body?: string | Uint8Array | undefined
  readonly flag?: Flag | undefined
  /** Default: a new one. */
  readonly transactionId?: string | undefined
}

/**
 * A message, and what is wanted for it.
 *
 * @category options
 * @since 0.1.0
 */
export interface SendOptions<E = never, R = never> {
  readonly toPath: Path
  /** Own URI. Default: that of the client. */
  readonly fromPath?: Path | undefined
  /**
   * Text goes as UTF-8. A stream is waited for as long as it takes: a time limit is the caller's. Absent: a SEND without a body, as
   * for binding a session or keeping a connection alive: no message to its receiver.
   */
  readonly body?: string | Uint8Array | Stream.Stream<Uint8Array, E, R> | undefined
  /**
   * Octets of a streamed body, when known: it then stands in Byte-Range as the total. If the body has fewer, or more are at
   * hand with the last of them, `send` fails with `Size`, and the receiver is told that the message is given up. The message
   * is whole with so many octets: the stream need not end, and is interrupted. Text and octets have their own size: no other.
   */
  readonly size?: number | undefined
  /** Up to 32 letters, digits, dots, hyphens and the like. Default: a new one. */
  readonly messageId?: string | undefined
  /** Default `text/plain` for text, else `application/octet-stream`. */
  readonly contentType?: string | undefined
  /**
   * Further headers, written before Content-Type: at most 57, of 7232 octets, and none that the client writes itself. A value
   * is text in one line, and goes as UTF-8.
   */
  readonly headers?: HeaderLines | undefined
  /** The body's place in a message of which it is only a part; `total: undefined` is `*`. False: no Byte-Range. */
  readonly byteRange?: { readonly start: number; readonly total: number | undefined } | false | undefined
  /**
   * Default `yes`, without a header that says so (RFC 4975 §7.1): peers on msrp-node-lib send receipts only where there is one.
   */
  readonly failureReport?: FailureReport | undefined
  /** Asks for what `Sent.delivered` waits for. Default false. */
  readonly successReport?: boolean | undefined
  /** Octets of body in one chunk; `Infinity` for one chunk that ends early only when others want to send. Default 65,536. */
  readonly chunkSize?: number | undefined
  /** Flag of the last chunk. Default `$`. */
  readonly flag?: Flag | undefined
  /** Chunks that may wait for their responses at a time. Default 32. */
  readonly window?: number | undefined
  /**
   * Told whenever more was sent, or more has its response. If it throws, or gives a promise that is rejected, that is logged, and it
   * is told nothing more: the message goes on.
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
  /** The peer's path, as it stands in his `a=path`. The relay's Use-Path of now comes before it. */
  readonly to: Path
}
