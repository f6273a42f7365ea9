/** What the relay is called: the URIs by which it can be addressed, and those that it hands out. */
import { authorityKey, canonicalHost, type MsrpUri } from "../../protocol/Uri.ts"

/** By which a relay can be addressed, whatever it listens on (RFC 4975 §6, RFC 7977 §5.1). */
const TRANSPORTS = new Set(["tcp", "ws"])

const isByTcp = ({ transport }: MsrpUri): boolean => transport.toLowerCase() === "tcp"

/**
 * A URI of this very relay, of which session URIs are made.
 *
 * @category models
 * @since 0.2.0
 */
export interface UsePathUri extends MsrpUri {
  /** For clients who address this host alone; without one, for all for whom there is no other. */
  readonly domain?: string | undefined
}

/**
 * What a session URI is made of: of `usePath` the one for the domain that `own` is of, else the one for all, of the scheme that
 * `named` has; `named` itself where there is none.
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

  /** `uris` without session-id; `usePath`: what session URIs are made of where that differs, since they come back with it. */
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

  /** What the relay is called on a connection with or without TLS. */
  on(secure: boolean): MsrpUri | undefined {
    return this.#uris.find(({ scheme }) => scheme === (secure ? "msrps" : "msrp")) ?? this.#uris[0]
  }

  /** The one that an AUTH means, with its port or without. */
  meant(uri: MsrpUri): MsrpUri | undefined {
    const key = authorityKey(uri)
    return this.#uris.find((own) =>
      own.scheme === uri.scheme && authorityKey(uri.port === undefined ? { ...own, port: undefined } : own) === key
    )
  }

  /**
   * The one by which others connect to it, of the same scheme, and of the same host if there is one: not by WebSocket, by which
   * only clients come (RFC 7977 §8.1.1).
   */
  reachable(own: MsrpUri): MsrpUri {
    if (isByTcp(own)) return own
    const others = this.#uris.filter((uri) => uri.scheme === own.scheme && isByTcp(uri))
    return others.find(({ host }) => canonicalHost(host) === canonicalHost(own.host)) ?? others[0] ?? own
  }
}
