/** Which other relays are admitted, and whether a certificate proves that a peer is one of them. */
import { isIP } from "node:net"
import { hostName } from "../../net/Hosts.ts"
import type { MsrpUri } from "../../protocol/Uri.ts"

/**
 * Which relays are admitted; all others are treated like any client or peer.
 *
 * @category models
 * @since 0.1.0
 */
export type RelayPolicy = "all" | "none" | ReadonlyArray<string>

/** Whether the policy admits any relay. */
export const admitsRelays = (policy: RelayPolicy): boolean => policy !== "none" && policy.length > 0

export class Peers {
  #policy!: RelayPolicy

  constructor(policy: RelayPolicy) {
    this.policy = policy
  }

  /** The policy from now on. */
  set policy(policy: RelayPolicy) {
    this.#policy = typeof policy === "string" ? policy : policy.map(hostName)
  }

  /**
   * Whether a verified certificate with these names proves the relay that the URI names: they must cover its host
   * (RFC 4976 §6.3), and the relay must be admitted.
   */
  proves(names: ReadonlyArray<string>, uri: MsrpUri): boolean {
    if (names.length === 0 || !this.admits(uri)) return false
    const host = hostName(uri.host)
    return host !== "" && names.some((name) => covers(hostName(name), host, MIN_LABELS))
  }

  /** Whether the relay that the URI names is admitted once its certificate proves it. */
  admits(uri: MsrpUri): boolean {
    if (uri.scheme !== "msrps" || this.#policy === "none") return false
    if (this.#policy === "all") return true
    const host = hostName(uri.host)
    return this.#policy.some((name) => covers(name, host, 1))
  }
}

/** The fewest labels after `*.` in a certificate: one for all names of a top-level domain proves nothing (RFC 6125 §7.2). */
const MIN_LABELS = 2

/** The pattern is a name, or `*.`, which stands for one label, before at least `labels` others (RFC 6125 §6.4.3). */
const covers = (pattern: string, host: string, labels: number): boolean => {
  if (!pattern.startsWith("*.") || isIP(host) !== 0) return pattern === host
  const rest = pattern.slice(1)
  const dot = host.indexOf(".")
  return dot > 0 && rest.split(".").length > labels && host.slice(dot) === rest
}
