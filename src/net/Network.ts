/** The network that an address belongs to, for limits and delays per address. */
import * as IpNetwork from "effect/net/IpNetwork"
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"

/** Bits of the network prefix of an IPv6 address: a host can choose all others (RFC 4291 §2.5.1). */
const PREFIX = 64

/** The network of an IPv6 address; an IPv4 address, or any other text, unchanged. */
export const networkOf = (address: string): string => {
  if (!address.includes(":")) return address
  const [withoutZone] = address.split("%")
  return NetAddress.ipv6FromString(withoutZone!).pipe(
    Result.flatMap((ip) => IpNetwork.fromAddress(ip, PREFIX)),
    Result.match({ onFailure: () => address, onSuccess: IpNetwork.format })
  )
}
