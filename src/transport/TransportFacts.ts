/** What a transport knows of itself, for whoever looks after it. */

/**
 * Why a TLS handshake of somebody who connected came to nothing.
 *
 * @category models
 * @since 0.2.0
 */
export type HandshakeFailure =
  /** Something else than TLS was spoken. */
  | "wrong protocol"
  /** It was not finished in time, the wait for others of its address included. */
  | "timed out"
  /** There were too many: the oldest went for a new one, or its address had to wait too long. */
  | "too many"
  /** What its peer and OpenSSL could not agree about, or the peer left. */
  | "failed"

/**
 * Why what a proxy said about whom it connects for was not taken.
 *
 * @category models
 * @since 0.2.0
 */
export type ProxyHeaderFailure =
  /** It said nothing by the PROXY protocol, or something that is not by it. */
  | "malformed"
  | "timed out"
  /** Too many were waited for: the oldest went for a new one. */
  | "too many"

/**
 * Why a WebSocket was not opened: the status that was answered (RFC 9110), or why none was.
 *
 * @category models
 * @since 0.2.0
 */
export type WebSocketRefusal = "400" | "403" | "404" | "405" | "426" | "505" | "timed out" | "too many"

/**
 * What a transport counts, from its start on; the fields are read when somebody asks.
 *
 * @category models
 * @since 0.2.0
 */
export interface TransportFacts {
  readonly handshakesFailed: Readonly<Record<HandshakeFailure, number>>
  readonly proxyHeadersRefused: Readonly<Record<ProxyHeaderFailure, number>>
  readonly webSocketsRefused: Readonly<Record<WebSocketRefusal, number>>
  /** Connections closed at once, since a listener had as many as it may, or none was known any more. */
  readonly turnedAway: number
  /** Times that accepting failed, and seconds in which there were no descriptors left. */
  readonly acceptsFailed: number
  /** The own certificates in force, the default one first: the name it is for, and when it expires (seconds since 1970). */
  readonly certificates: () => ReadonlyArray<CertificateFacts>
}

/**
 * A certificate in force.
 *
 * @category models
 * @since 0.2.0
 */
export interface CertificateFacts {
  readonly name: string
  readonly expires: number
}

/** The same, for the one who counts. */
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
