/** Lifetimes of sessions, and whether users can log in at all. */
import { isLoopback } from "../../../net/Hosts.ts"
import type { Problems } from "../Problems.ts"
import type { Values } from "../Table.ts"
import type { Addresses } from "./Addresses.ts"

/** Seconds; the default of OpenSIPS. */
const DEFAULT_EXPIRES = 1800

/**
 * Lifetime in seconds of a session whose client requests none. It must be within the bounds of what clients may
 * request; if it is not set, it follows those bounds.
 */
export const expiresOf = (values: Values, problems: Problems): number => {
  const { maxExpires = Infinity, minExpires = 0 } = values
  const { expires = Math.min(Math.max(DEFAULT_EXPIRES, minExpires), maxExpires) } = values
  if (!problems.fine("expires", "minExpires", "maxExpires", "relayMaxExpires")) return expires
  if (minExpires > maxExpires) {
    problems.add("minExpires", `is ${minExpires}, more than MSRP_AUTH_MAX_EXPIRES, which is ${maxExpires}`)
  } else if (expires < minExpires) {
    problems.add(
      "expires",
      `is ${expires}, less than MSRP_AUTH_MIN_EXPIRES, which is ${minExpires}`,
      String(minExpires)
    )
  } else if (expires > maxExpires) {
    problems.add(
      "expires",
      `is ${expires}, more than MSRP_AUTH_MAX_EXPIRES, which is ${maxExpires}`,
      String(maxExpires)
    )
  } else if (minExpires > values.relayMaxExpires) {
    problems.add(
      "relayMaxExpires",
      `is ${values.relayMaxExpires}, less than MSRP_AUTH_MIN_EXPIRES, which is ${minExpires}`,
      String(minExpires)
    )
  }
  return expires
}

/**
 * Warns if the settings leave no way to AUTH. A proxy that terminates TLS can indicate it on `ws` listeners, or by
 * its PROXY header.
 */
export const authWarnings = ({ listen }: Addresses, values: Values): ReadonlyArray<string> =>
  values.allowPlaintextAuth ||
    listen.some(({ host, scheme, transport }) =>
      scheme === "msrps" || isLoopback(host) ||
      (values.trustedProxies !== undefined && (transport === "ws" || values.proxyProtocol !== "off"))
    )
    ? []
    : ["Nobody can log in: no listener has TLS or is on loopback, and MSRP_ALLOW_PLAINTEXT_AUTH is not set"]
