/** What a transport knows of itself, for whoever looks after it. */

/** Why a TLS handshake of somebody who connected came to nothing. */
export type HandshakeFailure =
  /** Something else than TLS was spoken. */
  | "wrong protocol"
  /** It was not finished in time, the wait for others of its address included. */
  | "timed out"
  /** There were too many: the oldest went for a new one, or its address had to wait too long. */
  | "too many"
  /** What its peer and OpenSSL could not agree about, or the peer left. */
  | "failed"

export interface TransportFacts {
  readonly handshakesFailed: Readonly<Record<HandshakeFailure, number>>
  /** Connections closed at once, since a listener had as many as it may, or none was known any more. */
  readonly turnedAway: number
  /** Times that accepting failed, as when descriptors run out. */
  readonly acceptsFailed: number
  /** The own certificates in force, the default one first: the name it is for, and when it expires (seconds since 1970). */
  readonly certificates: () => ReadonlyArray<CertificateFacts>
}

export interface CertificateFacts {
  readonly name: string
  readonly expires: number
}

/** The same, for the one who counts. */
export interface TransportCounters {
  readonly handshakesFailed: Record<HandshakeFailure, number>
  turnedAway: number
  acceptsFailed: number
}

export const zeroTransportCounters = (): TransportCounters => ({
  handshakesFailed: { "wrong protocol": 0, "timed out": 0, "too many": 0, failed: 0 },
  turnedAway: 0,
  acceptsFailed: 0
})
