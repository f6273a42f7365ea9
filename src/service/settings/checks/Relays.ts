/** Which other relays are admitted, and on which listeners. */
import { isLocalhost, loopbackAddresses } from "../../../net/Hosts.ts"
import { canonicalHost } from "../../../protocol/Uri.ts"
import type { RelayOptions } from "../../../Relay.ts"
import { printSocket } from "../codecs/Addresses.ts"
import type { Problems } from "../Problems.ts"
import { type Values, variables } from "../Table.ts"
import type { Addresses } from "./Addresses.ts"

interface Relays {
  readonly relayPeers: NonNullable<RelayOptions["relayPeers"]>
  readonly relayListen: RelayOptions["relayListen"]
  readonly warnings: ReadonlyArray<string>
}

/** By default, relays are admitted only if MSRP_TLS_CA names the certificate authority that vouches for them. */
export const relaysOf = (values: Values, addresses: Addresses | undefined, problems: Problems): Relays => {
  const { relayAddresses, relayPeers = values.tlsCa === undefined ? "none" : "all", tlsCa } = values
  const relayListen = values.relayListen?.flatMap((one) =>
    isLocalhost(one.host) ? loopbackAddresses().map((host) => ({ scheme: one.scheme, host, port: one.port })) : [one]
  )
  const warnings: Array<string> = []
  const missing = relayListen?.find((one) =>
    one.scheme !== "msrps" ||
    !(addresses?.listen.some((other) =>
      other.scheme === one.scheme && other.port === one.port && canonicalHost(other.host) === canonicalHost(one.host)
    ) ?? true)
  )
  if (missing !== undefined) {
    problems.add("relayListen", `has ${printSocket(missing)}, which is not an msrps socket on which the relay listens`)
  } else if (relayPeers === "none") {
    const idle = [
      ...(relayListen === undefined ? [] : [variables.relayListen.variable]),
      ...(relayAddresses === undefined ? [] : [variables.relayAddresses.variable])
    ]
    warnings.push(...idle.map((variable) => `${variable} has no effect: MSRP_RELAY_PEERS admits no relay`))
  }
  if (relayPeers === "all" && tlsCa === undefined) {
    warnings.push(
      "MSRP_RELAY_PEERS=all without MSRP_TLS_CA: anybody with a certificate of a public authority counts as a relay"
    )
  }
  return { relayPeers, relayListen, warnings }
}
