/** Proxies that connect on behalf of clients, and how they announce the clients' addresses. */
import { within } from "../../../net/AddressList.ts"
import { isLoopback } from "../../../net/Hosts.ts"
import type { NodeOptions } from "../../../Transport.ts"
import { printSocket } from "../codecs/Addresses.ts"
import type { Problems } from "../Problems.ts"
import type { Values } from "../Table.ts"
import type { Addresses } from "./Addresses.ts"

interface Proxies {
  readonly proxies: NodeOptions["proxies"]
  readonly warnings: ReadonlyArray<string>
}

/** PROXY headers are expected only from configured proxies, so that no other peer is kept waiting for one. */
export const proxiesOf = (values: Values, addresses: Addresses | undefined, problems: Problems): Proxies => {
  const { allowPlaintextAuth, proxyProtocol, trustedProxies } = values
  if (!problems.fine("trustedProxies", "proxyProtocol")) return { proxies: undefined, warnings: [] }
  if (trustedProxies === undefined) {
    if (proxyProtocol !== "off") {
      problems.add("trustedProxies", `is required because MSRP_PROXY_PROTOCOL is ${proxyProtocol}: who are the proxies`)
    }
    const open = addresses?.listen.filter(({ host, scheme, transport }) =>
      transport === "ws" && scheme === "msrp" && !isLoopback(host)
    ) ?? []
    return {
      proxies: undefined,
      warnings: allowPlaintextAuth ?
        [] :
        open.map((socket) =>
          `Nobody can log in on ${
            printSocket(socket)
          }: it has no TLS, and MSRP_TRUSTED_PROXIES names no proxy that does it`
        )
    }
  }
  const trusts = within(trustedProxies)
  return {
    proxies: proxyProtocol === "off" ? { trusts } : {
      trusts,
      header: proxyProtocol === "on" ? () => true : ({ transport }) => transport !== "ws"
    },
    warnings: []
  }
}
