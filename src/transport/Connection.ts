/**
 * What a connection is to those who use it and to those who make it: octets in, octets out, back-pressure, and who the
 * peer is. Plain objects with plain callbacks, so that forwarding costs nothing per frame.
 */
/**
 * A host name or an IP address (IPv6 without brackets), and a port.
 *
 * @category models
 * @since 0.1.0
 */
export interface Address {
  readonly host: string
  readonly port: number
}

/** As the log has it: an IPv6 address is in brackets. */
export const addressText = ({ host, port }: Address): string => `${host.includes(":") ? `[${host}]` : host}:${port}`

/**
 * Where the relay listens: `msrp` is TCP, `msrps` is TLS (RFC 4975 §6). Port 0 takes any free one. Host `localhost`
 * stands for every loopback address; `*`, `::` and `0.0.0.0` for every address of the machine (the last: IPv4 only).
 *
 * @category models
 * @since 0.1.0
 */
export interface LocalSocket {
  readonly scheme: "msrp" | "msrps"
  /** What carries MSRP: `ws` is WebSocket (RFC 7977), with TLS if the scheme says so. Default `tcp`. */
  readonly transport?: "tcp" | "ws" | undefined
  /** Where WebSockets are opened, with `ws` only. Default `/`. */
  readonly path?: string | undefined
  readonly host: string
  readonly port: number
}

/**
 * What may be said of a listener besides its socket.
 *
 * @category options
 * @since 0.2.0
 */
export interface ListenOptions {
  /**
   * Whether those who connect by TLS are asked for a certificate (RFC 4976 §6.1). Who is asked may show any, and it takes
   * long to verify some, so it should be done only where relays are to connect. Default false. A function is asked for
   * each connection: it may change.
   */
  readonly asksForCertificate?: boolean | (() => boolean) | undefined
  /**
   * Whether many wait already to have something done for them. Then those who have come are let in one by one, as others
   * are served; they cost nothing before. Default never.
   */
  readonly busy?: (() => boolean) | undefined
}

/**
 * What is known of a connection from its beginning, and does not change.
 *
 * @category models
 * @since 0.2.0
 */
export class ConnectionFacts {
  /** Whether the peer opened it. */
  readonly inbound: boolean
  /** Whether it is TLS. */
  readonly secure: boolean
  readonly local: Address
  readonly remote: Address
  /** The listener it came in on (with its real port), or the local socket it was dialled from (undefined: any). */
  readonly socket: LocalSocket | undefined
  /**
   * DNS names (lower case) and IP addresses in the subjectAltName of the peer's certificate, if the certificate was
   * verified; empty if there was none, or it was not verified (RFC 4976 §6.1, §6.3).
   */
  readonly peerNames: ReadonlyArray<string>
  /** URIs there, as `sip:alice@example.com` (RFC 5922 §4); absent where there are none. */
  readonly peerUris?: ReadonlyArray<string> | undefined
  /** Milliseconds of the monotonic clock until when the certificate proves them; as long as there is a connection if absent. */
  readonly peerNamesUntil?: number | undefined

  constructor(facts: ConnectionFacts) {
    this.inbound = facts.inbound
    this.secure = facts.secure
    this.local = facts.local
    this.remote = facts.remote
    this.socket = facts.socket
    this.peerNames = facts.peerNames
    this.peerUris = facts.peerUris
    this.peerNamesUntil = facts.peerNamesUntil
  }
}

/**
 * Why a connection is ended, for a transport that can say so.
 *
 * @category models
 * @since 0.2.0
 */
export type CloseReason = "done" | "going away" | "protocol" | "policy" | "defect" | "overload"

/**
 * One open connection. Its functions never throw, and do nothing once it is gone.
 *
 * @category models
 * @since 0.1.0
 */
export interface Connection extends ConnectionFacts {
  readonly transport: "tcp" | "ws"
  /**
   * On a transport that carries messages, each of which is one frame (RFC 7977 §5.1). `piece`: octets of body that a chunk
   * towards it has at most.
   */
  readonly messages: { readonly piece: number } | undefined
  /**
   * Hands octets over, in order. They must stay unchanged until `written` is called: once they have been given to the
   * operating system, or the connection is gone. `written` is called exactly once, in the order of the writes, never
   * from inside `write`. After `end` and `destroy`, and once the peer has closed, octets are dropped: they count as
   * pending, and their `written` is called when the connection is gone.
   *
   * `ends`: with `messages`, the offsets in `bytes` behind the last octet of a frame, in order. What is behind the last of
   * them is of a frame that goes on with the next write.
   */
  write(bytes: Uint8Array, written: () => void, ends?: ReadonlyArray<number>): void
  /**
   * The connection is gone, of which its receiver is about to hear: what `written` is called for from now on was lost. Absent
   * where that cannot be told; then it counts as taken.
   */
  readonly lost?: boolean | undefined
  /**
   * The peer has closed its side, so nothing that is written from now on reaches it; what came in before may still be handed over.
   * Absent where that cannot be told before the connection is gone.
   */
  readonly halfClosed?: boolean | undefined
  /** Octets handed to `write` which the operating system has not taken yet. Changes whenever there is progress. */
  pending(): number
  /** Stops reading, at once: no `bytes` until `resume`. May be called any number of times, and inside `bytes`. */
  pause(): void
  resume(): void
  /** Hands over at once, not in a later turn, what it has kept while it was paused; there where one read gives several `bytes`. */
  deliver?(): void
  /**
   * Closes the connection after what has been written. The peer is expected to close as well; until it does, octets
   * still come in (and are thrown away while the connection is paused, so that the close is seen). TCP has no way to
   * say why.
   */
  end(why?: CloseReason): void
  /** Asks the peer for a sign of life, where the transport has such. */
  ping?(): void
  /** Whether anything has come in since this was asked last; there where `ping` is. */
  takeHeard?(): boolean
  /**
   * Closes the connection at once. Octets not yet taken by the operating system are lost, nothing more comes in. `why` is said
   * where the transport can, if the peer still takes octets.
   */
  destroy(why?: CloseReason): void
}

/**
 * What is done with the octets of one connection.
 *
 * @category models
 * @since 0.1.0
 */
export interface Receiver {
  /**
   * Octets that came in, in order. `chunk` is valid only during the call: everything kept must be copied. `last`: where
   * messages are carried, whether the message that they are of ends with them.
   */
  bytes(chunk: Buffer, last?: boolean): void
  /** The peer does not keep to the protocol of the transport, and nothing more will come: the connection is to be ended. */
  broken?(reason: string): void
  /**
   * The connection is gone. Called exactly once, last, and never from inside a call of the connection or of `bytes`.
   * `failure`: a code of the network's, as `ECONNRESET`, where that ended it.
   */
  closed(failure?: string): void
}

/**
 * A hop to connect to.
 *
 * @category options
 * @since 0.1.0
 */
export interface ConnectOptions {
  readonly scheme: "msrp" | "msrps"
  /** `ws`: by WebSocket, as clients do; a relay never does (RFC 7977 §5.1). Default `tcp`. */
  readonly transport?: "tcp" | "ws" | undefined
  /** Where the WebSocket is opened, with `ws` only; begins with `/`. Default `/`. */
  readonly path?: string | undefined
  /** A host name or an IP address (IPv6 without brackets). All its addresses are tried. */
  readonly host: string
  readonly port: number
  /** The local socket to leave from; its host is used when it is an address, its port is not. */
  readonly from?: LocalSocket | undefined
  /** The name which the certificate must be for, if it isn't `host`: the domain, where `host` is an SRV target. */
  readonly serverName?: string | undefined
  /** The peer is another relay: its certificate is checked whatever is allowed for endpoints (RFC 4976 §9.2). */
  readonly relay?: boolean | undefined
  /** The own name to connect as, where there are certificates for several: the peer checks that, too (RFC 4976 §6.3). */
  readonly localName?: string | undefined
  /** Which addresses of the host may be connected to; asked once it is resolved, about each. All when absent. */
  readonly admits?: ((address: string) => boolean) | undefined
}

/**
 * Makes the receiver of a new connection; called before anything is read from it.
 *
 * @category models
 * @since 0.1.0
 */
export type Accept = (connection: Connection) => Receiver
