/** Other relays: who they are, and that a session URI which one obtained is valid on any of its connections. */
import { isIP } from "node:net"
import { canonicalHost, type MsrpUri } from "../../protocol/Uri.ts"

/** A relay that obtained session URIs on behalf of clients behind it, on any of its connections (RFC 4976 §6.3). */
export class RelayOwner {
  readonly #name: string
  constructor(host: string) {
    this.#name = canonicalHost(host)
  }

  is(host: string): boolean {
    return this.#name === canonicalHost(host)
  }
}

/** Which relays are admitted as such; the others are strangers or clients like everybody. */
export type RelayPolicy = "all" | "none" | ReadonlyArray<string>

export class Peers {
  readonly #policy: RelayPolicy

  constructor(policy: RelayPolicy) {
    this.#policy = policy
  }

  /**
   * Is the peer with this verified certificate the relay that the URI names: the host must be among the certificate's
   * names (RFC 4976 §6.3), and the relay admitted.
   */
  proves(names: ReadonlyArray<string>, uri: MsrpUri): boolean {
    if (names.length === 0 || uri.scheme !== "msrps" || this.#policy === "none") return false
    const host = canonicalHost(uri.host)
    if (!names.some((name) => covers(name.toLowerCase(), host))) return false
    return this.#policy === "all" || this.#policy.some((name) => covers(name.toLowerCase(), host))
  }
}

/** A name, or `*.` for one label in front of it (RFC 6125 §6.4.3). */
const covers = (pattern: string, host: string): boolean => {
  if (!pattern.startsWith("*.") || isIP(host) !== 0) return pattern === host
  const dot = host.indexOf(".")
  return dot > 0 && host.slice(dot) === pattern.slice(1)
}
