/** Whether the peer of a connection is another relay, which its certificate proves as long as it is valid (RFC 4976 §6.3). */
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
  connection: Connection | undefined
  /** It leads to another relay, or one has come by it. */
  withRelay = false

  constructor(owner: RelayProofOwner) {
    this.#owner = owner
  }

  /** Does its certificate prove that it is the relay which the URI names. */
  isRelay(uri: MsrpUri): boolean {
    if (this.connection === undefined || this.#expired) return false
    const { peerNames: names, transport } = this.connection
    // Only clients come by WebSocket (RFC 7977 §8.1.1), often by way of a web server with a certificate of its own.
    if (names.length === 0 || transport === "ws" || !this.#owner.proves(names, uri)) return false
    return this.withRelay = true
  }

  /**
   * It is one with another relay, or with somebody else who has a certificate for names, once he has brought a successful request:
   * others may be behind him.
   */
  isLink(proved: boolean): boolean {
    const { connection } = this
    const named = proved && connection?.transport === "tcp" && connection.peerNames.length > 0
    return (this.withRelay || named) && !this.#expired
  }

  /** It is one with another relay whose certificate has expired: it proves nothing any more. */
  get lapsed(): boolean {
    return this.withRelay && this.#expired
  }

  get #expired(): boolean {
    const until = this.connection?.peerNamesUntil
    return until !== undefined && until <= this.#owner.shared.turn.now
  }
}
