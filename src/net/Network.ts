/** Whose an address is, as far as one can tell from it: for bounds and delays that are for each address. */
import * as IpNetwork from "effect/net/IpNetwork"
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"

/** Bits of an IPv6 address that its owner cannot choose: a single host gets a network of that length (RFC 4291 §2.5.1). */
const PREFIX = 64

/** An IPv4 address as it is, an IPv6 address as its network, anything else as it is. */
export const networkOf = (address: string): string => {
  if (!address.includes(":")) return address
  const [withoutZone] = address.split("%")
  return NetAddress.ipv6FromString(withoutZone!).pipe(
    Result.flatMap((ip) => IpNetwork.fromAddress(ip, PREFIX)),
    Result.match({ onFailure: () => address, onSuccess: IpNetwork.format })
  )
}
