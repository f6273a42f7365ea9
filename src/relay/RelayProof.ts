/** Whether the peer of a connection is another relay, as its certificate proves while it is valid (RFC 4976 §6.3). */
import type { MsrpUri } from "../protocol/Uri.ts"
import type { Connection } from "../transport/Connection.ts"
import type { Turn } from "./Turn.ts"

/** The relay whose connection it is. */
export interface RelayProofOwner {
  readonly shared: { readonly turn: Turn }
  /** Whether a certificate for these names proves that its owner is the relay that the URI names (RFC 4976 §6.3). */
  proves(names: ReadonlyArray<string>, uri: MsrpUri): boolean
}

export class RelayProof {
  readonly #owner: RelayProofOwner
  readonly #hop: { readonly connection: Connection | undefined }
  /** Whether the connection was made to another relay, or its peer has proved to be one. */
  withRelay = false

  /** `hop`: the hop with the connection, which may not be there yet. */
  constructor(owner: RelayProofOwner, hop: { readonly connection: Connection | undefined }) {
    this.#owner = owner
    this.#hop = hop
  }

  /** Whether the certificate of the peer proves that it is the relay that the URI names. */
  isRelay(uri: MsrpUri): boolean {
    const { connection } = this.#hop
    if (connection === undefined || this.#expired) return false
    const { peerNames: names, transport } = connection
    // Only clients use WebSocket (RFC 7977 §8.1.1), often by way of a web server with a certificate of its own.
    if (names.length === 0 || transport === "ws" || !this.#owner.proves(names, uri)) return false
    return this.withRelay = true
  }

  /**
   * Whether others may be behind the peer: it is another relay, or has a certificate for names and has brought a successful
   * request.
   */
  isLink(proved: boolean): boolean {
    const { connection } = this.#hop
    const named = proved && connection?.transport === "tcp" && connection.peerNames.length > 0
    return (this.withRelay || named) && !this.#expired
  }

  /** Whether the peer is another relay whose certificate has expired, and proves nothing any more. */
  get lapsed(): boolean {
    return this.withRelay && this.#expired
  }

  get #expired(): boolean {
    const until = this.#hop.connection?.peerNamesUntil
    return until !== undefined && until <= this.#owner.shared.turn.now
  }
}
