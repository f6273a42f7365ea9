/** The relay's own URIs: those that it is addressed by, and those that session URIs are made of. */
import { authorityKey, canonicalHost, type MsrpUri } from "../../protocol/Uri.ts"
import { isByTcp } from "./Reachability.ts"

/** Transports of URIs that may address a relay, whatever it listens on (RFC 4975 §6, RFC 7977 §5.1). */
const TRANSPORTS = new Set(["tcp", "ws"])

/**
 * A URI that belongs to this relay alone; session URIs are made of it.
 *
 * @category models
 * @since 0.2.0
 */
export interface UsePathUri extends MsrpUri {
  /** Used for clients that address this host; absent: used where no other matches. */
  readonly domain?: string | undefined
}

/**
 * The URI that a session URI is made of: of those in `usePath` with the scheme of `named`, the one for the host of `own`, else the
 * one without domain; `named` itself if there is none.
 */
export const usePathOf = (usePath: ReadonlyArray<UsePathUri>, own: MsrpUri, named: MsrpUri): MsrpUri => {
  const ofScheme = usePath.filter(({ scheme }) => scheme === named.scheme)
  const addressed = canonicalHost(own.host)
  return ofScheme.find(({ domain }) => domain !== undefined && canonicalHost(domain) === addressed) ??
    ofScheme.find(({ domain }) => domain === undefined) ?? named
}

export class OwnUris {
  readonly #uris: ReadonlyArray<MsrpUri>
  readonly #authorities: ReadonlySet<string>

  /** `uris` have no session-id. `usePath` counts too, because requests come back with what session URIs are made of. */
  constructor(uris: ReadonlyArray<MsrpUri>, usePath: ReadonlyArray<MsrpUri>) {
    this.#uris = uris
    // An AUTH may name the relay without a port (RFC 4976 §8), so both forms are its own.
    this.#authorities = new Set(
      [...uris, ...usePath].flatMap((uri) => [authorityKey(uri), authorityKey({ ...uri, port: undefined })])
    )
  }

  has(uri: MsrpUri): boolean {
    return this.#authorities.has(authorityKey(uri)) && TRANSPORTS.has(uri.transport.toLowerCase())
  }

  /** The URI of the relay for a connection with or without TLS. */
  on(secure: boolean): MsrpUri | undefined {
    return this.#uris.find(({ scheme }) => scheme === (secure ? "msrps" : "msrp")) ?? this.#uris[0]
  }

  /** The configured URI that an AUTH addresses, with a port or without. */
  meant(uri: MsrpUri): MsrpUri | undefined {
    const key = authorityKey(uri)
    return this.#uris.find((own) =>
      own.scheme === uri.scheme && authorityKey(uri.port === undefined ? { ...own, port: undefined } : own) === key
    )
  }

  /**
   * The URI with the same scheme, and the same host if there is one, that peers can connect to: by TCP, because only clients come
   * by WebSocket (RFC 7977 §8.1.1).
   */
  reachable(own: MsrpUri): MsrpUri {
    if (isByTcp(own)) return own
    const others = this.#uris.filter((uri) => uri.scheme === own.scheme && isByTcp(uri))
    return others.find(({ host }) => canonicalHost(host) === canonicalHost(own.host)) ?? others[0] ?? own
  }
}
