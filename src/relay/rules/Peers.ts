/** Other relays: which of them are admitted, and how their certificates prove who they are. */
import { isIP } from "node:net"
import { canonicalHost, type MsrpUri } from "../../protocol/Uri.ts"

/**
 * Which relays are admitted as such; the others are strangers or clients like everybody.
 *
 * @category models
 * @since 0.1.0
 */
export type RelayPolicy = "all" | "none" | ReadonlyArray<string>

/** Whether some relay may be admitted at all. */
export const admitsRelays = (policy: RelayPolicy): boolean => policy !== "none" && policy.length > 0

/** The host of a relay in the spelling that is compared: a name without the dot of the root. */
export const relayName = (host: string): string => canonicalHost(host).replace(/\.$/, "")
/** What an entry of a list of relays may be. */
export const isRelayName = (name: string): boolean => /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?$/i.test(name)

export class Peers {
  #policy!: RelayPolicy

  constructor(policy: RelayPolicy) {
    this.policy = policy
  }

  /** Which are admitted from now on. */
  set policy(policy: RelayPolicy) {
    this.#policy = typeof policy === "string" ? policy : policy.map(relayName)
  }

  /**
   * Is the peer with this verified certificate the relay that the URI names: the host must be among the certificate's
   * names (RFC 4976 §6.3), and the relay admitted.
   */
  proves(names: ReadonlyArray<string>, uri: MsrpUri): boolean {
    if (names.length === 0 || !this.admits(uri)) return false
    const host = relayName(uri.host)
    return host !== "" && names.some((name) => covers(relayName(name), host, MIN_LABELS))
  }

  /** Is the relay that the URI names admitted, once its certificate proves it. */
  admits(uri: MsrpUri): boolean {
    if (uri.scheme !== "msrps" || this.#policy === "none") return false
    if (this.#policy === "all") return true
    const host = relayName(uri.host)
    return this.#policy.some((name) => covers(name, host, 1))
  }
}

/** Labels behind the `*.` of a certificate: one that is for all names of a top-level domain is nobody's (RFC 6125 §7.2). */
const MIN_LABELS = 2

/** A name, or `*.` for one label in front of at least so many (RFC 6125 §6.4.3). */
const covers = (pattern: string, host: string, labels: number): boolean => {
  if (!pattern.startsWith("*.") || isIP(host) !== 0) return pattern === host
  const rest = pattern.slice(1)
  const dot = host.indexOf(".")
  return dot > 0 && rest.split(".").length > labels && host.slice(dot) === rest
}
