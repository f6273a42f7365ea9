/**
 * Who is asked for a TLS certificate: those who may be other relays (RFC 4976 §6.1). A client that is asked may send any, and
 * some take long to verify.
 */
import { within } from "../../net/AddressList.ts"
import { canonicalHost } from "../../protocol/Uri.ts"
import type { LocalSocket } from "../../transport/Connection.ts"
import { admitsRelays, type RelayPolicy } from "./Peers.ts"

/** As in `RelayOptions`. */
export interface CertificateRules {
  readonly clientCertificates?: boolean | undefined
  readonly relayAddresses?: ReadonlyArray<string> | undefined
  readonly relayListen?: ReadonlyArray<LocalSocket> | undefined
  readonly relayPeers?: RelayPolicy | undefined
}

export class CertificateRequests {
  readonly #rules: () => CertificateRules
  #addresses: ReadonlyArray<string> | undefined
  #hasRelay: (address: string) => boolean = () => true

  /** `rules` is called for each connection, because they may change. */
  constructor(rules: () => CertificateRules) {
    this.#rules = rules
  }

  /** Whether a client of this address is asked on this listener. No relay comes by WebSocket (RFC 7977 §8.1.1). */
  isAsked(socket: LocalSocket, address: string): boolean {
    const { clientCertificates = false, relayAddresses, relayListen, relayPeers = "none" } = this.#rules()
    const relaysConnect = socket.transport !== "ws" && admitsRelays(relayPeers)
    if (clientCertificates || !relaysConnect) return clientCertificates
    return (relayListen?.some(isSame(socket)) ?? true) && this.#mayBeRelay(relayAddresses, address)
  }

  #mayBeRelay(addresses: ReadonlyArray<string> | undefined, address: string): boolean {
    if (addresses !== this.#addresses) {
      this.#addresses = addresses
      this.#hasRelay = addresses === undefined ? () => true : within(addresses)
    }
    return this.#hasRelay(address)
  }
}

const isSame = (a: LocalSocket) => (b: LocalSocket): boolean =>
  a.scheme === b.scheme && (a.transport ?? "tcp") === (b.transport ?? "tcp") && a.port === b.port &&
  canonicalHost(a.host) === canonicalHost(b.host)
