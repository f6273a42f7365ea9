/**
 * The interface between a connection and the relay: octets in, octets out, back-pressure, and facts about the peer. Plain
 * objects with callbacks, so that forwarding allocates nothing per frame.
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

/** `host:port`, with an IPv6 address in brackets. */
export const addressText = ({ host, port }: Address): string => `${host.includes(":") ? `[${host}]` : host}:${port}`

/**
 * Where the relay listens: `msrp` is TCP, `msrps` is TLS (RFC 4975 §6). Port 0 is any free port. Host `localhost`
 * stands for every loopback address; `*` and `::` for every address of the machine; `0.0.0.0` for its IPv4 addresses.
 *
 * @category models
 * @since 0.1.0
 */
export interface LocalSocket {
  readonly scheme: "msrp" | "msrps"
  /** What carries MSRP: `ws` is WebSocket (RFC 7977), with TLS if the scheme says so. Default `tcp`. */
  readonly transport?: "tcp" | "ws" | undefined
  /** The path that WebSockets are opened at, with `ws` only. Default `/`. */
  readonly path?: string | undefined
  readonly host: string
  readonly port: number
}

/**
 * Options of a listener besides its socket.
 *
 * @category options
 * @since 0.2.0
 */
export interface ListenOptions {
  /**
   * Whether a certificate is requested of TLS clients (RFC 4976 §6.1). A client may then send any, and some take long to
   * verify, so this is for listeners that relays connect to. A function is called for each connection with the address of the
   * client (that which a trusted proxy has given), so its value may change. Default false.
   */
  readonly asksForCertificate?: boolean | ((address: string) => boolean) | undefined
  /**
   * Whether much work waits already. Then accepted sockets are set up one in each turn of the event loop; until its turn
   * comes, a socket costs next to nothing. Default: never.
   */
  readonly busy?: (() => boolean) | undefined
}

/**
 * The facts of a connection that are known from its beginning and do not change.
 *
 * @category models
 * @since 0.2.0
 */
export class ConnectionFacts {
  /** Whether the peer opened it. */
  readonly inbound: boolean
  /** Whether the peer, or the client behind a proxy, speaks TLS. */
  readonly secure: boolean
  readonly local: Address
  readonly remote: Address
  /** Whether `remote` is the address of a proxy that has not told that of its client. Absent: no. */
  readonly hidden?: boolean | undefined
  /** The listener that it came in on (with its real port), or the local socket that it was dialled from (undefined: any). */
  readonly socket: LocalSocket | undefined
  /**
   * DNS names (lower case) and IP addresses in the subjectAltName of the peer's certificate, if the certificate was
   * verified; empty if there was none, or it was not verified (RFC 4976 §6.1, §6.3).
   */
  readonly peerNames: ReadonlyArray<string>
  /** URIs in that subjectAltName, such as `sip:alice@example.com` (RFC 5922 §4); absent if there are none. */
  readonly peerUris?: ReadonlyArray<string> | undefined
  /** Until when the certificate proves names and URIs, in milliseconds of the monotonic clock; absent: until the connection ends. */
  readonly peerNamesUntil?: number | undefined

  constructor(facts: ConnectionFacts) {
    this.inbound = facts.inbound
    this.secure = facts.secure
    this.local = facts.local
    this.remote = facts.remote
    this.hidden = facts.hidden
    this.socket = facts.socket
    this.peerNames = facts.peerNames
    this.peerUris = facts.peerUris
    this.peerNamesUntil = facts.peerNamesUntil
  }
}

/**
 * Why a connection is closed, for transports that can tell the peer.
 *
 * @category models
 * @since 0.2.0
 */
export type CloseReason = "done" | "going away" | "protocol" | "policy" | "defect" | "overload"

/**
 * An open connection. Its functions never throw, and do nothing after it is closed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Connection extends ConnectionFacts {
  readonly transport: "tcp" | "ws"
  /**
   * Defined for a transport that carries messages, each of which is one MSRP frame (RFC 7977 §5.1). `piece`: the most octets
   * of body in a chunk sent to the peer.
   */
  readonly messages: { readonly piece: number } | undefined
  /**
   * Writes octets, in order. They must stay unchanged until `written` is called: when the operating system has taken them,
   * or the connection is closed. `written` is called exactly once, in the order of the writes, never from inside `write`; that of
   * a write without octets may come earlier.
   * After `end` and `destroy`, and when the peer has closed, octets are dropped: they count as pending until the connection
   * is destroyed or lost, and their `written` is called when it is closed.
   *
   * `ends`: with `messages`, the offsets in `bytes` just after the last octet of each frame, in order. Octets after the last
   * offset belong to a frame that the next write continues.
   */
  write(bytes: Uint8Array, written: () => void, ends?: ReadonlyArray<number>): void
  /**
   * Whether the connection is closed, just before its receiver is told: writes whose `written` is called from now on were
   * lost. Absent where that is not known; then they count as sent.
   */
  readonly lost?: boolean | undefined
  /**
   * Whether the peer has closed its side, so that nothing written from now on reaches it; octets that came in before may
   * still be delivered. Absent where that is not known before the connection is closed.
   */
  readonly halfClosed?: boolean | undefined
  /** Octets passed to `write` that the operating system has not taken yet. The number changes whenever there is progress. */
  pending(): number
  /** Stops reading at once: `bytes` is not called until `resume`. May be called repeatedly, and inside `bytes`. */
  pause(): void
  resume(): void
  /** Delivers octets kept while paused now, not in a later turn. Present where one read may give several `bytes`. */
  deliver?(): void
  /**
   * Closes the connection after all writes. The peer is expected to close as well; until it does, octets still come in
   * (and are discarded while the connection is paused, so that the close is noticed). TCP cannot transmit the reason.
   */
  end(why?: CloseReason): void
  /** Asks the peer for a sign of life, where the transport has a way to. */
  ping?(): void
  /** Whether anything has come in since the last call; present where `ping` is. */
  takeHeard?(): boolean
  /**
   * Closes the connection at once. Octets not yet taken by the operating system are lost, and nothing more comes in. The
   * reason is sent where the transport can, if the peer still takes octets.
   */
  destroy(why?: CloseReason): void
}

/**
 * Receives the octets of one connection.
 *
 * @category models
 * @since 0.1.0
 */
export interface Receiver {
  /**
   * Called with octets that came in, in order. `chunk` is valid only during the call: anything kept must be copied. `last`:
   * on a transport with `messages`, whether the message ends with this chunk.
   */
  bytes(chunk: Buffer, last?: boolean): void
  /** The peer has violated the protocol of the transport; nothing more comes in, and the receiver has to end the connection. */
  broken?(reason: string): void
  /**
   * The peer has said that it closes, on a transport where it says so first, and nothing more comes in. The peer may never close
   * the connection below, so the receiver has to limit the time until then.
   */
  leaving?(): void
  /**
   * The connection is closed. Called exactly once, last, and never from inside a call of the connection or of `bytes`.
   * `failure`: the error code that ended it, such as `ECONNRESET`, if any.
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
  /** `ws` is WebSocket, which clients use to connect, and relays do not (RFC 7977 §5.1). Default `tcp`. */
  readonly transport?: "tcp" | "ws" | undefined
  /** The path that the WebSocket is opened at, with `ws` only; begins with `/`. Default `/`. */
  readonly path?: string | undefined
  /** A host name or an IP address (IPv6 without brackets). All its addresses are tried. */
  readonly host: string
  /** 1..65 535. */
  readonly port: number
  /** The local socket to connect from: its host, if that is an address; its port is not used. */
  readonly from?: LocalSocket | undefined
  /** The name that the certificate must be for, if other than `host`: the domain, if `host` is an SRV target. */
  readonly serverName?: string | undefined
  /** Whether the peer is another relay: `allowSelfSigned` does not apply to it (RFC 4976 §9.2). */
  readonly relay?: boolean | undefined
  /** The own name to connect as, if there are certificates for several names: the peer checks it (RFC 4976 §6.3). */
  readonly localName?: string | undefined
  /** Whether an address of the host may be connected to; called for each after the look-up. Absent: all may. */
  readonly admits?: ((address: string) => boolean) | undefined
}

/**
 * Makes the receiver of a new connection. Called before anything is read from it.
 *
 * @category models
 * @since 0.1.0
 */
export type Accept = (connection: Connection) => Receiver
