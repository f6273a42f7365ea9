/** For how long users log in, and whether they can at all. */
import { isLoopback } from "../../../net/Hosts.ts"
import type { Problems } from "../Problems.ts"
import type { Values } from "../Table.ts"
import type { Addresses } from "./Addresses.ts"

/** Seconds: as OpenSIPS has it. */
const DEFAULT_EXPIRES = 1800

/**
 * How long a session is valid whose client does not say. It and the bounds of what a client may ask for have to be in
 * order; where it is not set, it follows the bounds.
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

/** Warns when the settings leave no way to AUTH. A proxy that does TLS can say so on `ws` listeners, or by its header. */
export const authWarnings = ({ listen }: Addresses, values: Values): ReadonlyArray<string> =>
  values.allowPlaintextAuth ||
    listen.some(({ host, scheme, transport }) =>
      scheme === "msrps" || isLoopback(host) ||
      (values.trustedProxies !== undefined && (transport === "ws" || values.proxyProtocol !== "off"))
    )
    ? []
    : ["Nobody can log in: no listener has TLS or is on loopback, and MSRP_ALLOW_PLAINTEXT_AUTH is not set"]
