/** Counters of a transport, for monitoring. */

/**
 * Why a TLS handshake with a client failed.
 *
 * @category models
 * @since 0.2.0
 */
export type HandshakeFailure =
  /** The first octets were not TLS. */
  | "wrong protocol"
  /** It was not finished in time, including its wait for others of the same address. */
  | "timed out"
  /** It was closed to make room for a newer one, or its address would have had to wait too long. */
  | "too many"
  /** OpenSSL reported an error, or the peer disconnected. */
  | "failed"

/**
 * Why the PROXY header of a proxy was refused.
 *
 * @category models
 * @since 0.2.0
 */
export type ProxyHeaderFailure =
  /** There was no header of the PROXY protocol, or a malformed one. */
  | "malformed"
  /** The header was not complete in time. */
  | "timed out"
  /** The socket was closed to make room for a newer one. */
  | "too many"

/**
 * Why a WebSocket was not opened: the status of the response (RFC 9110), or why there was none.
 *
 * @category models
 * @since 0.2.0
 */
export type WebSocketRefusal = "400" | "403" | "404" | "405" | "426" | "505" | "timed out" | "too many"

/**
 * Counts of a transport since its start. The fields change; they are read when metrics are collected.
 *
 * @category models
 * @since 0.2.0
 */
export interface TransportFacts {
  readonly handshakesFailed: Readonly<Record<HandshakeFailure, number>>
  readonly proxyHeadersRefused: Readonly<Record<ProxyHeaderFailure, number>>
  readonly webSocketsRefused: Readonly<Record<WebSocketRefusal, number>>
  /**
   * Connections closed before any set-up: their listener had `maxConnections`, too many of their address waited, no descriptor
   * was free for them, or the peer had disconnected already.
   */
  readonly turnedAway: number
  /** Failures of accepting, plus seconds without a descriptor for clients. */
  readonly acceptsFailed: number
  /** Why no connection can be accepted now, in words; `undefined` if they can be. Absent: not known. */
  readonly acceptFault?: (() => string | undefined) | undefined
  /** The own certificates in use, the default one first. */
  readonly certificates: () => ReadonlyArray<CertificateFacts>
}

/**
 * A certificate in use.
 *
 * @category models
 * @since 0.2.0
 */
export interface CertificateFacts {
  /** The first name that it is for. */
  readonly name: string
  /** Seconds since 1970: the end of its validity, and the beginning if it is known. */
  readonly expires: number
  readonly begins?: number | undefined
}

/** The writable form of the counts in `TransportFacts`. */
export interface TransportCounters {
  readonly handshakesFailed: Record<HandshakeFailure, number>
  readonly proxyHeadersRefused: Record<ProxyHeaderFailure, number>
  readonly webSocketsRefused: Record<WebSocketRefusal, number>
  turnedAway: number
  acceptsFailed: number
}

export const zeroTransportCounters = (): TransportCounters => ({
  handshakesFailed: { "wrong protocol": 0, "timed out": 0, "too many": 0, failed: 0 },
  proxyHeadersRefused: { malformed: 0, "timed out": 0, "too many": 0 },
  webSocketsRefused: { 400: 0, 403: 0, 404: 0, 405: 0, 426: 0, 505: 0, "timed out": 0, "too many": 0 },
  turnedAway: 0,
  acceptsFailed: 0
})
